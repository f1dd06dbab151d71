// SPDX-License-Identifier: MIT
//
// dfu-sim: puts a simulated USB device where real programs find it.

#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments; // NULL: not for people
    const char *summary;
} commands[] = {
    {"serve", command_serve, " [--listen ADDR:PORT] [--count N] [DEVICE]",
     "a USB/IP server, by default on 127.0.0.1:3240"},
    {"attach", command_attach, " [--count N] [DEVICE]",
     "plug the device into this machine's vhci-hcd until Ctrl-C"},
    {"run", command_run, " [--via auto|vhci|guest|mock] [--count N] [DEVICE] -- COMMAND...",
     "run a command with the device plugged in by the best way available"},
    {"guest", command_guest, " -- COMMAND...",
     "run a command in a virtual machine whose kernel has USB"},
    {"list", command_list, "", "the devices, legal variations and defects that can be simulated"},
    {"guest-agent", command_guest_agent, NULL, NULL}, // started by guest/init
};

static void print_usage(FILE *stream)
{
    fprintf(stream, "usage:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].arguments)
            fprintf(stream, "  dfu-sim %s%s\n      %s\n", commands[i].name, commands[i].arguments,
                    commands[i].summary);
    fprintf(
        stream,
        "\n"
        "DEVICE:\n"
        "  --device NAME      one of dfu-sim list; by default will-detach\n"
        "  --firmware FILE    an image (ELF, hex, bin or .dfu) on the virtual STM32F072 instead\n"
        "  --chip NAME        the virtual chip: f072 (default), f042, f070 (the xB) or f070x6\n"
        "  --boot ADDRESS     the vector table that a boot loader in flash would jump to\n"
        "  --pin PIN=LEVEL[@MS],...  drive a pin from power-on, or from then on: PA1=0\n"
        "  --uart FILE        write what the USARTs send to this file; - is stdout\n"
        "  --gdb PORT         wait at reset for GDB on this port of 127.0.0.1; 0 takes a free one\n"
        "  --defect NAME      give the device one defect of dfu-sim list\n"
        "  --serial TEXT      serial number of a native device; with --count, of all of them\n"
        "  --away MS          the device stays off the bus for MS each time it leaves\n"
        "  --unplug N         unplug the device at the N-th control request\n"
        "  --flash FILE       keep the contents of its flash memory in this file\n"
        "  --trace WHAT       instructions,mmio,states,packets: write these to stderr\n"
        "  --capture FILE     write the traffic as pcapng, for Wireshark\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("dfu-sim %s\n", DFURT_VERSION);
        return 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "dfu-sim: unknown command '%s'; see dfu-sim --help\n", argv[1]);
    return 2;
}
