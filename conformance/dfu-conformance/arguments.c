// SPDX-License-Identifier: MIT
//
// getopt_long parses the options into struct arguments; it prints no messages. Numbers and globs
// are validated here; the argument of --target is parsed when the target is opened. Combinations
// that make no sense are refused after the last option, so that their order does not matter.

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "config.h"
#include <conformance/catalogue.h>
#include <usb/command_line.h>
#include <usb/text.h>

bool in_github_job(void)
{
    const char *in_job = getenv("GITHUB_ACTIONS");
    return in_job && strcmp(in_job, "true") == 0;
}

int report_error(const char *text)
{
    if (in_github_job())
        report_github_error(stderr, text);
    else
        fprintf(stderr, "dfu-conformance: %s\n", text);
    return RUN_COULD_NOT;
}

int report_option_error(const char *option, const char *text)
{
    char line[ERROR_TEXT + 32];
    snprintf(line, sizeof line, "%s: %s", option, text);
    return report_error(line);
}

static const char usage_text[] =
    "usage: dfu-conformance --target SPEC [OPTION...]\n"
    "       dfu-conformance --list [--only ID[,ID...]]\n"
    "\n"
    "Checks a DFU device against DFU 1.1 and reports for each requirement whether\n"
    "it is met.\n"
    "\n"
    "  --target SPEC    usb:VID:PID[,serial=S][,path=BUS-PORTS][,power=COMMAND]\n"
    "                   usbip:HOST:PORT[/BUSID] or usbip:unix:PATH[,busid=BUSID]\n"
    "                   sim[:DEVICE[,defect=NAME][,serial=S][,away=MS]\n"
    "                     [,unplug=REQUEST][,path=BUS-PORTS][,moves=BUS-PORTS]\n"
    "                     [,twin=BUS-PORTS]]; dfu-sim list names them\n"
    "                   sim:f072,firmware=FILE[,chip=NAME][,boot=ADDRESS]\n"
    "                     [,pin=PIN=LEVEL[@MS][+...]][,uart=FILE][,gdb=PORT]\n"
    "  --list           show the requirements and exit\n"
    "  --only ID,...    only these; * and ? as in a shell\n"
    "  --skip ID,...    none of these; they are shown as skipped\n"
    "  --chapter9       only what chapter 9 of USB 2.0 requires of any device\n"
    "  --no-detach      send no DETACH: the device stays at run time\n"
    "  --allow-write    checks may write to the device's flash, and put back what\n"
    "                   was there\n"
    "  --restore FILE   what is put back: the device's firmware, .bin or .dfu\n"
    "  --file FILE.dfu  judge this firmware file, too; nothing of it is sent\n"
    "  --scratch ADDRESS   the page of a DfuSe device that checks may write\n"
    "  --allow-vendor   checks may send vendor requests, whose effect only the\n"
    "                   product defines\n"
    "  --dfu-mode VID:PID  the device in DFU mode, if it enumerates at another\n"
    "                   place on the bus\n"
    "  --max-time SECONDS  end the run after that time; what is left is\n"
    "                   INCONCLUSIVE\n"
    "  --return-time MS    how long the device may be away after a detach or a bus\n"
    "                   reset\n"
    "  --stop-on-loss   do not reset a device that does not come back: for a\n"
    "                   debugger\n"
    "  --strict         a broken \"should\" is a FAIL, not a WARN\n"
    "  --waive FILE     known deviations: an id and a reason a line\n"
    "  --verbose        a line for each check, not only for each group\n"
    "  --tap[=14]       write TAP version 13 (or 14) instead\n"
    "  --json FILE      write the report as JSON too\n"
    "  --junit FILE     write it as JUnit XML too\n"
    "  --html FILE      write it as a page to read too\n"
    "  --capture FILE   write the traffic as pcapng, for Wireshark\n"
    "  -h, --help, --version\n"
    "\n"
    "Examples:\n"
    "  dfu-conformance --target usb:1209:0001 --html report.html\n"
    "  dfu-conformance --target sim:f072,firmware=app.elf --junit dfu.xml\n"
    "  dfu-conformance --target sim:wait-reset,defect=second-detach --verbose\n"
    "  dfu-conformance --target usb:16c0:05dc --chapter9\n"
    "\n"
    "What is sent to the device:\n"
    "  always           standard requests; GETSTATUS, GETSTATE and UPLOAD; a few\n"
    "                   class requests that DFU does not have, and of the reserved\n"
    "                   type; at run time DFU's other requests, in appIDLE and\n"
    "                   appDETACH; in DFU mode DfuSe's Set Address Pointer before\n"
    "                   a read\n"
    "  but --no-detach  DETACH, and requests that a wrong device takes for it\n"
    "  --allow-write    in DFU mode DNLOAD: the image that the device uploads, or a\n"
    "                   page that is blank or named by --scratch; DfuSe's erase of\n"
    "                   that page; its request to leave DFU mode\n"
    "  --allow-vendor   vendor requests; bulk and interrupt OUT\n"
    "  never            DfuSe's mass erase and Read Unprotect; SET_DESCRIPTOR;\n"
    "                   TEST_MODE\n"
    "\n"
    "Exit status: 0 everything that applies was judged and met, 1 a check failed,\n"
    "2 the run was not possible or judged nothing, 3 no check failed but a must or\n"
    "a should is INCONCLUSIVE or the device was lost, 4 the device is not as it was\n"
    "found (this one before all others).\n";

enum option_value {
    OPTION_TARGET = 256,
    OPTION_LIST,
    OPTION_ONLY,
    OPTION_SKIP,
    OPTION_CHAPTER9,
    OPTION_NO_DETACH,
    OPTION_ALLOW_WRITE,
    OPTION_ALLOW_VENDOR,
    OPTION_RESTORE,
    OPTION_FILE,
    OPTION_SCRATCH,
    OPTION_DFU_MODE,
    OPTION_MAX_TIME,
    OPTION_RETURN_TIME,
    OPTION_STOP_ON_LOSS,
    OPTION_STRICT,
    OPTION_WAIVE,
    OPTION_TAP,
    OPTION_JSON,
    OPTION_JUNIT,
    OPTION_HTML,
    OPTION_CAPTURE,
    OPTION_VERBOSE,
    OPTION_VERSION,
    OPTION_HELP = 'h',
};

static const char letters[] = ":h";

static const struct option long_options[] = {
    {"target", required_argument, NULL, OPTION_TARGET},
    {"list", no_argument, NULL, OPTION_LIST},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"chapter9", no_argument, NULL, OPTION_CHAPTER9},
    {"skip", required_argument, NULL, OPTION_SKIP},
    {"no-detach", no_argument, NULL, OPTION_NO_DETACH},
    {"allow-write", no_argument, NULL, OPTION_ALLOW_WRITE},
    {"allow-vendor", no_argument, NULL, OPTION_ALLOW_VENDOR},
    {"restore", required_argument, NULL, OPTION_RESTORE},
    {"file", required_argument, NULL, OPTION_FILE},
    {"scratch", required_argument, NULL, OPTION_SCRATCH},
    {"dfu-mode", required_argument, NULL, OPTION_DFU_MODE},
    {"max-time", required_argument, NULL, OPTION_MAX_TIME},
    {"return-time", required_argument, NULL, OPTION_RETURN_TIME},
    {"stop-on-loss", no_argument, NULL, OPTION_STOP_ON_LOSS},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"waive", required_argument, NULL, OPTION_WAIVE},
    {"tap", optional_argument, NULL, OPTION_TAP},
    {"json", required_argument, NULL, OPTION_JSON},
    {"junit", required_argument, NULL, OPTION_JUNIT},
    {"html", required_argument, NULL, OPTION_HTML},
    {"capture", required_argument, NULL, OPTION_CAPTURE},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL},
};

static int take_tap(struct arguments *arguments)
{
    char text[ERROR_TEXT];
    if (!optarg || strcmp(optarg, "13") == 0 || strcmp(optarg, "14") == 0) {
        arguments->tap = optarg && optarg[1] == '4' ? 14 : 13;
        return -1;
    }
    snprintf(text, sizeof text, "--tap: expected version 13 or 14, not '%s'", optarg);
    return report_error(text);
}

// A number of at least 1 and at most a day's milliseconds.
static int take_number(unsigned *ret_number, const char *option, const char *unit)
{
    enum { MOST = 86400000 };
    char text[ERROR_TEXT];
    char *end;
    errno = 0;
    unsigned long number = strtoul(optarg, &end, 10);
    if (errno || end == optarg || *end || strchr(optarg, '-') || number < 1 || number > MOST) {
        snprintf(text, sizeof text, "%s %.64s: expected a number of %s, 1 to %d", option, optarg,
                 unit, MOST);
        return report_error(text);
    }
    *ret_number = (unsigned)number;
    return -1;
}

static int take_scratch(struct arguments *arguments)
{
    char text[ERROR_TEXT];
    char *end;
    errno = 0;
    unsigned long address = strtoul(optarg, &end, 16);
    if (errno || *end || end == optarg || address > UINT32_MAX) {
        snprintf(text, sizeof text, "--scratch: expected an address such as 0x0801F800, not '%s'",
                 optarg);
        return report_error(text);
    }
    arguments->run.backup.scratch_given = true;
    arguments->run.backup.scratch = (uint32_t)address;
    return -1;
}

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
    case OPTION_CHAPTER9:
        arguments->run.chapter9 = true;
        return -1;
    case OPTION_SKIP:
        arguments->run.skip = optarg;
        return -1;
    case OPTION_NO_DETACH:
        arguments->run.no_detach = true;
        return -1;
    case OPTION_ALLOW_WRITE:
        arguments->run.allow_write = true;
        return -1;
    case OPTION_ALLOW_VENDOR:
        arguments->run.allow_vendor = true;
        return -1;
    case OPTION_RESTORE:
        arguments->run.backup.restore_path = optarg;
        return -1;
    case OPTION_FILE:
        arguments->file = optarg;
        return -1;
    case OPTION_SCRATCH:
        return take_scratch(arguments);
    case OPTION_DFU_MODE:
        arguments->dfu_mode = optarg;
        return -1;
    case OPTION_MAX_TIME:
        return take_number(&arguments->run.max_time_s, "--max-time", "seconds");
    case OPTION_RETURN_TIME:
        return take_number(&arguments->run.return_ms, "--return-time", "milliseconds");
    case OPTION_STOP_ON_LOSS:
        arguments->run.stop_on_loss = true;
        return -1;
    case OPTION_STRICT:
        arguments->run.strict = true;
        return -1;
    case OPTION_WAIVE:
        arguments->waive = optarg;
        return -1;
    case OPTION_TAP:
        return take_tap(arguments);
    case OPTION_JSON:
        arguments->files.list[REPORT_FILE_JSON].path = optarg;
        return -1;
    case OPTION_JUNIT:
        arguments->files.list[REPORT_FILE_JUNIT].path = optarg;
        return -1;
    case OPTION_HTML:
        arguments->files.list[REPORT_FILE_HTML].path = optarg;
        return -1;
    case OPTION_CAPTURE:
        arguments->capture = optarg;
        return -1;
    case OPTION_VERBOSE:
        arguments->verbose = true;
        return -1;
    case OPTION_HELP:
        fputs(usage_text, stdout);
        return 0;
    case OPTION_VERSION:
        printf("dfu-conformance %s\n", SUITE_VERSION);
        return 0;
    default:
        return -1;
    }
}

// What getopt_long returned ':' or '?' for.
static int refuse_option(int option, const char *word)
{
    char text[ERROR_TEXT];
    char letter[USB_OPTION_TEXT];
    if (option == ':')
        return report_option_error(word, "the value is missing");
    snprintf(text, sizeof text, "no option is called '%s' (see --help)",
             usb_unknown_option(letters, word, letter));
    return report_error(text);
}

// An id that matches no check is an error, because a misspelt id would select nothing.
static int check_globs(const char *option, const char *globs)
{
    char text[ERROR_TEXT];
    char unknown[ERROR_TEXT / 2];
    if (!globs || !glob_list_unknown(globs, unknown, sizeof unknown))
        return -1;
    const char *retired = catalogue_retired(unknown);
    if (retired) {
        snprintf(text, sizeof text, "%s: %.100s is retired: %s", option, unknown, retired);
        return report_error(text);
    }
    snprintf(text, sizeof text, "%s: no check is called '%s' (see --list)", option, unknown);
    return report_error(text);
}

// What no option takes. An option that is given twice would lose its first value in silence.
static int check_value(uint64_t *given, int index)
{
    const char *problem = NULL;
    char option[32];
    if (!*optarg)
        problem = "the value is empty";
    else if (usb_text_has_control(optarg))
        problem = "a control character in the value";
    else if (*given >> index & 1)
        problem = "given twice; give it once";
    *given |= UINT64_C(1) << index;
    snprintf(option, sizeof option, "--%s", long_options[index].name);
    return problem ? report_option_error(option, problem) : -1;
}

int arguments_take(struct arguments *arguments, int argc, char **argv)
{
    char text[ERROR_TEXT];
    uint64_t given = 0;
    int option, index;
    while ((option = getopt_long(argc, argv, letters, long_options, &index)) != -1) {
        if (option == ':' || option == '?')
            return refuse_option(option, argv[optind - 1]);
        int status = optarg ? check_value(&given, index) : -1;
        if (status < 0)
            status = take_option(arguments, option);
        if (status >= 0)
            return status;
    }
    if (optind < argc) {
        snprintf(text, sizeof text, "unexpected argument '%s' (see --help)", argv[optind]);
        return report_error(text);
    }
    if (!arguments->list && !arguments->target)
        return report_error("--target is missing: for example --target usb:1209:0001 (see --help)");
    if (!arguments->run.allow_write &&
        (arguments->run.backup.restore_path || arguments->run.backup.scratch_given))
        return report_error("--restore and --scratch need --allow-write");
    if (arguments->run.backup.restore_path && arguments->run.backup.scratch_given)
        return report_error("--restore and --scratch exclude each other: checks write what "
                            "--restore puts back");
    int status = check_globs("--only", arguments->run.only);
    return status >= 0 ? status : check_globs("--skip", arguments->run.skip);
}
