// SPDX-License-Identifier: MIT
//
// dfu-conformance - the command.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include <conformance/catalogue.h>
#include <conformance/report.h>
#include <conformance/report_capture.h>
#include <conformance/report_files.h>
#include <conformance/runner.h>
#include <conformance/target.h>
#include <conformance/waivers.h>

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

// Everything that listens to a run, in the order in which it is told.
struct listeners {
    struct report_table table;
    struct report_tap tap;
    struct report_capture capture;
    struct report_listener list[2];
    size_t count;
};

static int add_listeners(struct arguments *arguments, struct listeners *listeners)
{
    char text[ERROR_TEXT];
    bool terminal = isatty(STDOUT_FILENO);
    if (arguments->capture) {
        if (report_capture_open(&listeners->capture, arguments->capture, arguments->target, text,
                                sizeof text) < 0)
            return complain(text);
        listeners->list[listeners->count++] = report_capture(&listeners->capture);
        arguments->run.capture = &listeners->capture;
    }
    listeners->list[listeners->count++] =
        arguments->tap
            ? report_tap(&listeners->tap, stdout)
            : report_table(&listeners->table, stdout, terminal && !getenv("NO_COLOR"), terminal);
    arguments->run.listeners = listeners->list;
    arguments->run.listener_count = listeners->count;
    return 0;
}

// A run whose words are lost is no run that can be relied upon; that the device is not as it was
// found is worse.
static int status_with(int status, int other)
{
    return status == RUN_NOT_AS_FOUND ? status : other;
}

static int run_on_target(struct arguments *arguments, struct target *target)
{
    char text[ERROR_TEXT];
    struct report report;
    int status = runner_run(&arguments->run, target, arguments->target, &report);
    if (*report.ending)
        complain(report.ending);
    if (report_files_write(&arguments->files, &report, text, sizeof text) < 0)
        status = status_with(status, complain(text));
    report_finish(&report);
    return status;
}

static int open_and_run(struct arguments *arguments)
{
    char text[ERROR_TEXT];
    struct target_spec spec;
    if (target_spec_parse(&spec, arguments->target, text, sizeof text) < 0)
        return complain(text);
    struct target *target = target_open(&spec, text, sizeof text);
    if (!target)
        return complain(text);
    arguments->run.ask = spec.kind == TARGET_KIND_USB && isatty(STDOUT_FILENO);
    int status = run_on_target(arguments, target);
    target->ops->close(target);
    return status;
}

// Everything that is written is opened before the device is.
static int run(struct arguments *arguments)
{
    char text[ERROR_TEXT];
    struct listeners listeners = {.count = 0};
    int status = add_listeners(arguments, &listeners);
    if (status == 0 && report_files_open(&arguments->files, text, sizeof text) < 0)
        status = complain(text);
    if (status == 0)
        status = open_and_run(arguments);
    report_files_close(&arguments->files);
    if (arguments->run.capture && report_capture_close(&listeners.capture, text, sizeof text) < 0)
        status = status_with(status, complain(text));
    return status;
}

static int run_with_waivers(struct arguments *arguments)
{
    struct waivers waivers = {.count = 0};
    int status = arguments->waive ? read_waivers(arguments->waive, &waivers) : 0;
    if (status != 0)
        return status;
    arguments->run.waivers = &waivers;
    status = run(arguments);
    waivers_finish(&waivers);
    return status;
}

// What was printed has arrived, or the status says that it has not. SIGPIPE is ignored: a reader
// that went away must not end a run in the middle of the device's DFU mode.
static int finish_stdout(int status)
{
    char text[ERROR_TEXT];
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    snprintf(text, sizeof text, "standard output cannot be written: %s",
             errno ? strerror(errno) : "an error before the end");
    return status_with(status, complain(text));
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.target = NULL};
    signal(SIGPIPE, SIG_IGN);
    int status = arguments_take(&arguments, argc, argv);
    if (status >= 0)
        return finish_stdout(status);
    if (arguments.list) {
        list_checks(arguments.run.only);
        return finish_stdout(0);
    }
    return finish_stdout(run_with_waivers(&arguments));
}
