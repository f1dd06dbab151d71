// SPDX-License-Identifier: MIT
//
// Options form sets, and each command names the sets that it accepts. getopt_long prints no
// messages of its own; the first wrong argument ends the parsing with one line, and combinations
// that exclude each other are tested after the last option.

#include "option_table.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <usb/command_line.h>
#include <usb/text.h>

struct parser {
    struct options options;
    const char *name; // of the subcommand
    uint32_t given;   // options with a value: bits of their rows
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int
fail(const struct parser *parser, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(parser->error, parser->error_size, "dfu-sim %s: ", parser->name);

    va_start(arguments, format);
    if (length > 0 && (size_t)length < parser->error_size)
        vsnprintf(parser->error + length, parser->error_size - (size_t)length, format, arguments);
    va_end(arguments);
    return -1;
}

// ---- One function for each option that is more than a word ----

static int parse_number(const char *text, unsigned limit, unsigned *ret_number)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || number > limit)
        return -1;
    *ret_number = (unsigned)number;
    return 0;
}

static int parse_count(struct parser *parser, const char *text)
{
    unsigned count;

    if (parse_number(text, OPTIONS_MAX_COUNT, &count) < 0 || count == 0)
        return fail(parser, "--count: expected a number from 1 to %d, not '%s'", OPTIONS_MAX_COUNT,
                    text);
    parser->options.count = count;
    return 0;
}

enum { CABLE_MAX = 3600 * 1000 };

static int
parse_cable(struct parser *parser, const char *option, const char *text, uint32_t *ret_number)
{
    unsigned number;

    if (parse_number(text, CABLE_MAX, &number) < 0 || number == 0)
        return fail(parser, "%s: expected a number from 1 to %d, not '%s'", option, CABLE_MAX,
                    text);
    *ret_number = number;
    return 0;
}

// unix:PATH
static int parse_listen_unix(struct parser *parser, const char *path)
{
    struct options *options = &parser->options;

    if (*path == '\0' || strlen(path) >= sizeof options->listen_port)
        return fail(parser, "--listen: expected unix:PATH, of at most %zu bytes, not 'unix:%s'",
                    sizeof options->listen_port - 1, path);
    strcpy(options->listen_host, USBIP_UNIX_HOST);
    strcpy(options->listen_port, path);
    return 0;
}

// ADDR:PORT, with brackets around an IPv6 address.
static int parse_listen_address(struct parser *parser, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t host_length = colon ? (size_t)(colon - text) : 0;
    unsigned port;

    if (host_length >= 2 && host[0] == '[' && host[host_length - 1] == ']') {
        host++;
        host_length -= 2;
    }
    if (host_length == 0 || host_length >= sizeof parser->options.listen_host ||
        parse_number(colon + 1, 65535, &port) < 0)
        return fail(parser,
                    "--listen: expected ADDR:PORT, as 127.0.0.1:3240, or unix:PATH, not '%s'",
                    text);
    snprintf(parser->options.listen_host, sizeof parser->options.listen_host, "%.*s",
             (int)host_length, host);
    snprintf(parser->options.listen_port, sizeof parser->options.listen_port, "%u", port);
    return 0;
}

static int parse_listen(struct parser *parser, const char *text)
{
    parser->options.listen = text;
    if (strncmp(text, "unix:", 5) == 0)
        return parse_listen_unix(parser, text + 5);
    return parse_listen_address(parser, text);
}

static int parse_trace(struct parser *parser, const char *text)
{
    static const struct {
        const char *name;
        unsigned bit;
    } flags[] = {
        {"instructions", SIM_TRACE_INSTRUCTIONS},
        {"mmio", SIM_TRACE_MMIO},
        {"states", SIM_TRACE_STATES},
        {"packets", SIM_TRACE_PACKETS},
    };

    while (*text) {
        size_t length = strcspn(text, ",");
        size_t i = 0;

        while (i < sizeof flags / sizeof *flags &&
               (strlen(flags[i].name) != length || strncmp(flags[i].name, text, length) != 0))
            i++;
        if (i == sizeof flags / sizeof *flags)
            return fail(parser,
                        "--trace: expected a list of instructions,mmio,states,packets, not '%s'",
                        text);
        parser->options.sim.trace |= flags[i].bit;
        text += length;
        text += *text == ',';
    }
    return 0;
}

static int parse_serial(struct parser *parser, const char *text)
{
    enum { MOST = 126 }; // bLength is a byte (USB 2.0 9.6.7)

    if (strlen(text) > MOST)
        return fail(parser, "--serial: expected at most %d bytes, not %zu", MOST, strlen(text));
    parser->options.sim.serial = text;
    return 0;
}

static int parse_via(struct parser *parser, const char *text)
{
    static const char *const names[] = {
        [OPTIONS_VIA_AUTO] = "auto",
        [OPTIONS_VIA_VHCI] = "vhci",
        [OPTIONS_VIA_GUEST] = "guest",
        [OPTIONS_VIA_MOCK] = "mock",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        parser->options.via = (enum options_via)i;
        return 0;
    }
    return fail(parser, "--via: expected auto, vhci, guest or mock, not '%s'", text);
}

// ---- The loop ----

static const char letters[] = "+:h";

static const struct option_row *row_of(int letter)
{
    const struct option_row *row = option_table;

    while (row->name && row->letter != letter)
        row++;
    return row->name ? row : NULL;
}

// Where the value of an option goes that is taken as it is; NULL for the others.
static const char **text_of(struct options *options, int letter)
{
    switch (letter) {
    case 'd':
        return &options->sim.device;
    case 'f':
        return &options->sim.firmware;
    case 'x':
        return &options->sim.defect;
    case 'm':
        return &options->sim.flash;
    case 'C':
        return &options->sim.chip;
    case 'B':
        return &options->sim.boot;
    case 'P':
        return &options->sim.pins;
    case 'U':
        return &options->sim.uart;
    case 'G':
        return &options->sim.gdb;
    case 'c':
        return &options->capture;
    default:
        return NULL;
    }
}

static int apply(struct parser *parser, int option, const char *value)
{
    const char **text = text_of(&parser->options, option);

    if (text) {
        *text = value;
        return 0;
    }
    switch (option) {
    case 'a':
        return parse_cable(parser, "--away", value, &parser->options.sim.cable.away_ms);
    case 'u':
        return parse_cable(parser, "--unplug", value, &parser->options.sim.cable.unplug_at);
    case 't':
        return parse_trace(parser, value);
    case 'l':
        return parse_listen(parser, value);
    case 'n':
        return parse_count(parser, value);
    case 's':
        return parse_serial(parser, value);
    case 'h':
        parser->options.help = true;
        return 0;
    default: // 'v'
        return parse_via(parser, value);
    }
}

// What no option takes. An option that is given twice would lose its first value in silence; only
// --trace adds to it, and `run` itself adds the --via that it chose.
static int check_value(struct parser *parser, const struct option_row *row, const char *value)
{
    uint32_t bit = UINT32_C(1) << (row - option_table);

    if (*value == '\0')
        return fail(parser, "--%s: the value is empty", row->name);
    if (usb_text_has_control(value))
        return fail(parser, "--%s: a control character in the value", row->name);
    if ((parser->given & bit) && row->letter != 't' && row->letter != 'v')
        return fail(parser, "--%s: given twice; give it once", row->name);
    parser->given |= bit;
    return 0;
}

static int parse_option(struct parser *parser, unsigned accepted, int option, char **argv)
{
    const char *word = argv[optind - 1];
    const struct option_row *row = row_of(option);
    char letter[USB_OPTION_TEXT];

    if (option == ':')
        return fail(parser, "%s: the value is missing", word);
    if (!row)
        return fail(parser, "unknown option: %s; see dfu-sim %s --help",
                    usb_unknown_option(letters, word, letter), parser->name);
    if (row->set && !(accepted & row->set))
        return fail(parser, "--%s is not an option of this command; see dfu-sim %s --help",
                    row->name, parser->name);
    if (row->argument && check_value(parser, row, optarg) < 0)
        return -1;
    return apply(parser, option, optarg);
}

static int check_files(const struct parser *parser)
{
    const struct options *options = &parser->options;
    const struct usb_named_file files[] = {
        {"--firmware", options->sim.firmware, false},
        {"--flash", options->sim.flash, true},
        {"--uart", options->sim.uart, true},
        {"--capture", options->capture, true},
    };
    char problem[256];

    if (usb_named_files_check(files, sizeof files / sizeof *files, problem, sizeof problem) < 0)
        return fail(parser, "%s", problem);
    return 0;
}

static int check_whole(const struct parser *parser, unsigned accepted)
{
    const struct options *options = &parser->options;

    if (options->sim.device && options->sim.firmware)
        return fail(parser, "--device and --firmware exclude each other: choose one");
    if (options->sim.uart && strcmp(options->sim.uart, "-") != 0 && options->count > 1)
        return fail(parser, "--uart is the output of one device: leave --count out");
    if (options->sim.gdb && options->count > 1)
        return fail(parser, "--gdb is the port of one device: leave --count out");
    if (options->sim.flash && options->count > 1)
        return fail(parser, "--flash is the memory of one device: leave --count out");
    if (*options->command && !(accepted & OPTIONS_COMMAND))
        return fail(parser, "unexpected argument '%s'; see dfu-sim %s --help", *options->command,
                    parser->name);
    if (!*options->command && (accepted & OPTIONS_COMMAND))
        return fail(parser, "missing COMMAND; put it after --, as in -- dfu-util -l");
    return check_files(parser);
}

int options_parse(struct options *ret_options,
                  unsigned accepted,
                  int argc,
                  char **argv,
                  char *error,
                  size_t error_size)
{
    struct parser parser = {
        .options = {.count = 1},
        .name = argv[0],
        .error = error,
        .error_size = error_size,
    };
    struct option long_options[OPTION_TABLE_MAX] = {0};
    int option;

    for (size_t i = 0; option_table[i].name; i++)
        long_options[i] = (struct option){
            option_table[i].name, option_table[i].argument ? required_argument : no_argument, NULL,
            option_table[i].letter};
    parse_listen(&parser, "127.0.0.1:3240");
    optind = 0; // start afresh
    while ((option = getopt_long(argc, argv, letters, long_options, NULL)) != -1)
        if (parse_option(&parser, accepted, option, argv) < 0)
            return -1;
    parser.options.words = argv;
    parser.options.command = argv + optind;
    if (!parser.options.help && check_whole(&parser, accepted) < 0)
        return -1;
    *ret_options = parser.options;
    return 0;
}
