// SPDX-License-Identifier: MIT
//
// dfu-sim: puts a simulated USB device where real programs find it.

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "help.h"
#include "options.h"
#include <usb/command_line.h>

enum {
    COULD_NOT = 2, // exit status
    SERVES = OPTIONS_DEVICE | OPTIONS_COUNT | OPTIONS_CAPTURE,
};

static const struct {
    struct help_command help;
    int (*run)(const struct options *options);
} commands[] = {
    {{"serve", SERVES | OPTIONS_LISTEN, " [--listen ADDR:PORT] [--count N] [DEVICE]",
      "a USB/IP server, by default on 127.0.0.1:3240",
      "dfu-sim serve --device dfu-mode, then: usbip attach -r localhost -b 1-1"},
     command_serve},
    {{"attach", SERVES, " [--count N] [DEVICE]",
      "plug the device into this machine's vhci-hcd until Ctrl-C",
      "dfu-sim attach --firmware app.elf"},
     command_attach},
    {{"run", SERVES | OPTIONS_VIA | OPTIONS_COMMAND,
      " [--via auto|vhci|guest|mock] [--count N] [DEVICE] -- COMMAND...",
      "run a command with the device plugged in by the best way available",
      "dfu-sim run --firmware app.elf --chip f042 -- dfu-util -l"},
     command_run},
    {{"guest", OPTIONS_COMMAND, " -- COMMAND...",
      "run a command in a virtual machine whose kernel has USB", "dfu-sim guest -- lsusb"},
     command_guest},
    {{"list", 0, "", "the devices, legal variations and defects that can be simulated",
      "dfu-sim list"},
     command_list},
    {{"guest-agent", OPTIONS_COMMAND, NULL, NULL, NULL}, command_guest_agent}, // guest/init's
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *stream)
{
    fputs("usage:\n", stream);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].help.arguments)
            help_print_command(stream, &commands[i].help);
    fputs("  dfu-sim COMMAND --help\n      the options of one command\n  dfu-sim "
          "--version\n\nDEVICE:\n",
          stream);
    help_print_options(stream, SERVES);
    fputs("\nExamples:\n", stream);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].help.arguments)
            fprintf(stream, "  %s\n", commands[i].help.example);
}

static int print_command_help(const struct help_command *command)
{
    fputs("usage:\n", stdout);
    help_print_command(stdout, command);
    fputs("\nOptions:\n", stdout);
    help_print_options(stdout, command->accepted);
    printf("\nExample:\n  %s\n", command->example);
    return 0;
}

static int run_command(size_t i, int argc, char **argv)
{
    struct options options;
    char error[256];

    if (options_parse(&options, commands[i].help.accepted, argc, argv, error, sizeof error) < 0) {
        fprintf(stderr, "%s\n", error);
        return COULD_NOT;
    }
    return options.help ? print_command_help(&commands[i].help) : commands[i].run(&options);
}

static int run_words(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return COULD_NOT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("dfu-sim %s\n", DFURT_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].help.name) == 0)
            return run_command(i, argc - 1, argv + 1);
    fprintf(stderr, "dfu-sim: unknown command '%s'; see dfu-sim --help\n", argv[1]);
    return COULD_NOT;
}

// What was printed has arrived, or the status says that it has not.
int main(int argc, char **argv)
{
    int status = usb_standard_streams_open() ? run_words(argc, argv) : COULD_NOT;

    if (usb_stdout_error() == 0)
        return status;
    fprintf(stderr, "dfu-sim: standard output cannot be written: %s\n",
            strerror(usb_stdout_error()));
    return COULD_NOT;
}
