// SPDX-License-Identifier: MIT
//
// dfu-conformance - the command.

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalogue.h"
#include "config.h"
#include "report.h"
#include "report_files.h"
#include "runner.h"
#include "target.h"
#include "waivers.h"

enum { ERROR_TEXT = 512 };

static const char usage_text[] =
    "usage: dfu-conformance --target SPEC [OPTION...]\n"
    "       dfu-conformance --list [--only ID[,ID...]]\n"
    "\n"
    "Checks a DFU device against DFU 1.1, and says of each requirement whether it is met.\n"
    "\n"
    "  --target SPEC    usb:VID:PID[,serial=S][,path=BUS-PORTS]\n"
    "                   usbip:HOST:PORT[/BUSID]\n"
    "                   sim[:DEVICE[,defect=NAME][,firmware=ELF]]\n"
    "  --list           show the requirements and end\n"
    "  --only ID,...    only these; * and ? as in a shell\n"
    "  --no-detach      send no DETACH: the device stays at run time\n"
    "  --allow-write    checks may write to the device's flash\n"
    "  --strict         a broken \"should\" is a FAIL, not a WARN\n"
    "  --waive FILE     known deviations: an id and a reason a line\n"
    "  --tap            write TAP version 14 instead of the table\n"
    "  --json FILE      write the report as JSON too\n"
    "  --junit FILE     write it as JUnit XML too\n"
    "  --html FILE      write it as a page to read too\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 no check failed, 1 a check failed, 2 the checks could not be run.\n";

struct arguments {
    const char *target;
    const char *waive;
    bool list;
    bool tap;
    struct report_paths files;
    struct runner_options run;
};

static int complain(const char *text)
{
    fprintf(stderr, "dfu-conformance: %s\n", text);
    return RUN_NOTHING_LEARNT;
}

enum option_value {
    OPTION_TARGET = 256,
    OPTION_LIST,
    OPTION_ONLY,
    OPTION_NO_DETACH,
    OPTION_ALLOW_WRITE,
    OPTION_STRICT,
    OPTION_WAIVE,
    OPTION_TAP,
    OPTION_JSON,
    OPTION_JUNIT,
    OPTION_HTML,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"target", required_argument, NULL, OPTION_TARGET},
    {"list", no_argument, NULL, OPTION_LIST},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"no-detach", no_argument, NULL, OPTION_NO_DETACH},
    {"allow-write", no_argument, NULL, OPTION_ALLOW_WRITE},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"waive", required_argument, NULL, OPTION_WAIVE},
    {"tap", no_argument, NULL, OPTION_TAP},
    {"json", required_argument, NULL, OPTION_JSON},
    {"junit", required_argument, NULL, OPTION_JUNIT},
    {"html", required_argument, NULL, OPTION_HTML},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL},
};

// Returns -1 to go on, or the exit status.
static int take_option(struct arguments *arguments, int option)
{
    switch (option) {
    case OPTION_TARGET:
        arguments->target = optarg;
        return -1;
    case OPTION_LIST:
        arguments->list = true;
        return -1;
    case OPTION_ONLY:
        arguments->run.only = optarg;
        return -1;
    case OPTION_NO_DETACH:
        arguments->run.no_detach = true;
        return -1;
    case OPTION_ALLOW_WRITE:
        arguments->run.allow_write = true;
        return -1;
    case OPTION_STRICT:
        arguments->run.strict = true;
        return -1;
    case OPTION_WAIVE:
        arguments->waive = optarg;
        return -1;
    case OPTION_TAP:
        arguments->tap = true;
        return -1;
    case OPTION_JSON:
        arguments->files.json = optarg;
        return -1;
    case OPTION_JUNIT:
        arguments->files.junit = optarg;
        return -1;
    case OPTION_HTML:
        arguments->files.html = optarg;
        return -1;
    case OPTION_HELP:
        fputs(usage_text, stdout);
        return 0;
    case OPTION_VERSION:
        printf("dfu-conformance %s\n", SUITE_VERSION);
        return 0;
    default:
        return RUN_NOTHING_LEARNT; // getopt_long has said what is wrong
    }
}

static int take_arguments(struct arguments *arguments, int argc, char **argv)
{
    char text[ERROR_TEXT];
    char unknown[ERROR_TEXT / 2];
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int status = take_option(arguments, option);
        if (status >= 0)
            return status;
    }
    if (optind < argc) {
        snprintf(text, sizeof text, "unexpected argument '%s' (see --help)", argv[optind]);
        return complain(text);
    }
    if (!arguments->list && !arguments->target)
        return complain("--target is missing (see --help)");
    if (arguments->run.only && glob_list_unknown(arguments->run.only, unknown, sizeof unknown)) {
        snprintf(text, sizeof text, "--only: no check is called '%s' (see --list)", unknown);
        return complain(text);
    }
    return -1;
}

static void list_checks(const char *only)
{
    for (const struct check_group *const *group = catalogue; *group; ++group) {
        for (size_t i = 0; i < (*group)->count; ++i) {
            const struct check *check = &(*group)->checks[i];
            if (!only || glob_list_matches(only, check->id))
                printf("%-24s %-6s  %-18s %s\n", check->id, level_text(check->level),
                       check->section, check->sentence);
        }
    }
}

static int read_waivers(const char *path, struct waivers *waivers)
{
    char text[ERROR_TEXT];
    FILE *in = fopen(path, "re");
    if (!in) {
        snprintf(text, sizeof text, "--waive: %s: %s", path, strerror(errno));
        return complain(text);
    }
    int result = waivers_read(waivers, in, path, text, sizeof text);
    fclose(in);
    return result < 0 ? complain(text) : 0;
}

static int run(struct arguments *arguments)
{
    char text[ERROR_TEXT];
    struct target_spec spec;
    if (target_spec_parse(&spec, arguments->target, text, sizeof text) < 0)
        return complain(text);
    struct target *target = target_open(&spec, text, sizeof text);
    if (!target)
        return complain(text);

    struct report_table table;
    struct report_tap tap;
    bool terminal = isatty(STDOUT_FILENO);
    struct report_listener listener =
        arguments->tap ? report_tap(&tap, stdout)
                       : report_table(&table, stdout, terminal && !getenv("NO_COLOR"), terminal);
    arguments->run.listeners = &listener;
    arguments->run.listener_count = 1;
    arguments->run.ask = spec.kind == TARGET_KIND_USB && terminal;

    struct report report;
    int status = runner_run(&arguments->run, target, arguments->target, &report);
    if (*report.ending)
        complain(report.ending);
    if (report_files_write(&arguments->files, &report, text, sizeof text) < 0)
        status = complain(text);
    report_finish(&report);
    target->ops->close(target);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.target = NULL};
    int status = take_arguments(&arguments, argc, argv);
    if (status >= 0)
        return status;
    if (arguments.list) {
        list_checks(arguments.run.only);
        return 0;
    }

    struct waivers waivers = {.count = 0};
    if (arguments.waive && (status = read_waivers(arguments.waive, &waivers)) != 0)
        return status;
    arguments.run.waivers = &waivers;
    status = run(&arguments);
    waivers_finish(&waivers);
    return status;
}
