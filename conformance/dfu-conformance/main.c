// SPDX-License-Identifier: MIT
//
// dfu-conformance - the command.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arguments.h"
#include "named_files.h"
#include <conformance/backup.h>
#include <conformance/catalogue.h>
#include <conformance/image_file.h>
#include <conformance/report.h>
#include <conformance/report_capture.h>
#include <conformance/report_files.h>
#include <conformance/runner.h>
#include <conformance/target.h>
#include <conformance/waivers.h>
#include <usb/command_line.h>

static void list_checks(const char *only)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
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
        return report_error(text);
    }
    int result = waivers_read(waivers, in, path, text, sizeof text);
    fclose(in);
    return result < 0 ? report_option_error("--waive", text) : 0;
}

// Everything that listens to a run, in the order in which it is told.
struct listeners {
    struct report_table table;
    struct report_tap tap;
    struct report_github github;
    FILE *github_summary;
    struct report_capture capture;
    struct report_listener list[3];
    size_t count;
};

static void add(struct listeners *listeners, struct report_listener listener)
{
    listeners->list[listeners->count++] = listener;
}

static unsigned columns_of(FILE *out)
{
    enum { USUAL = 80, MOST = 1000 };
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    long number = columns ? strtol(columns, NULL, 10) : 0;
    if (number > 0 && number < MOST)
        return (unsigned)number;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return USUAL;
}

static void add_table(const struct arguments *arguments, struct listeners *listeners, FILE *out)
{
    bool terminal = isatty(fileno(out));
    const char *no_color = getenv("NO_COLOR");
    const struct report_table_options options = {
        .out = out,
        .columns = columns_of(out),
        .colour = terminal && !(no_color && *no_color),
        .progress = terminal,
        .verbose = arguments->verbose,
    };
    add(listeners, report_table(&listeners->table, &options));
}

// In a job of GitHub Actions. A summary page that cannot be written is only a warning.
static void add_github(struct listeners *listeners, FILE *out)
{
    const char *summary = getenv("GITHUB_STEP_SUMMARY");
    if (!in_github_job())
        return;
    if (summary && *summary && !(listeners->github_summary = fopen(summary, "ae")))
        fprintf(stderr, "dfu-conformance: warning: GITHUB_STEP_SUMMARY: %s: %s\n", summary,
                strerror(errno));
    add(listeners, report_github(&listeners->github, out, listeners->github_summary));
}

static int add_listeners(struct arguments *arguments, struct listeners *listeners)
{
    char text[ERROR_TEXT];
    FILE *out = report_files_use_stdout(&arguments->files) ? stderr : stdout;
    if (arguments->capture) {
        if (report_capture_open(&listeners->capture, arguments->capture, arguments->target, text,
                                sizeof text) < 0)
            return report_error(text);
        add(listeners, report_capture(&listeners->capture));
        arguments->run.capture = &listeners->capture;
    }
    if (arguments->tap)
        add(listeners, report_tap(&listeners->tap, out, arguments->tap));
    else
        add_table(arguments, listeners, out);
    if (!arguments->tap)
        add_github(listeners, out);
    arguments->run.listeners = listeners->list;
    arguments->run.listener_count = listeners->count;
    return 0;
}

// A run whose output was lost cannot be relied upon, so its status is 2, except that status 4 takes
// precedence.
static int status_with(int status, int other)
{
    return status == RUN_NOT_AS_FOUND ? status : other;
}

// What is to be done about the device comes on stderr where it did not arrive on stdout.
static int run_on_target(struct arguments *arguments, struct target *target)
{
    char text[ERROR_TEXT];
    struct report report;
    int status = (int)runner_run(&arguments->run, target, arguments->target, &report);
    if (status == RUN_NOT_AS_FOUND && *report.flash && usb_stdout_error())
        fprintf(stderr, "dfu-conformance: %s\n", report.flash);
    if (*report.ending)
        fprintf(stderr, "dfu-conformance: %s\n", report.ending);
    if (report_files_write(&arguments->files, &report, text, sizeof text) < 0)
        status = status_with(status, report_error(text));
    report_finish(&report);
    return status;
}

static int take_dfu_mode(struct target_spec *spec, const char *ids, char *error, size_t size)
{
    char why[ERROR_TEXT / 2];
    if (!ids || target_ids_parse(spec, ids, why, sizeof why) == 0)
        return 0;
    snprintf(error, size, "--dfu-mode %s", why);
    return -1;
}

// $XDG_STATE_HOME, as the XDG base directory specification has it; without a home, here.
static const char *backup_folder(void)
{
    static char folder[BACKUP_PATH];
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (state && *state == '/')
        snprintf(folder, sizeof folder, "%s/dfurt", state);
    else if (home && *home == '/')
        snprintf(folder, sizeof folder, "%s/.local/state/dfurt", home);
    else
        snprintf(folder, sizeof folder, ".");
    return folder;
}

// ---- Signals ----
//
// Until the device is open a signal ends the program as usual, also where it waits for a named
// pipe. A signal that the program was started to ignore, as by nohup, stays ignored.

static volatile sig_atomic_t interrupted; // the signal

static void on_signal(int signal_number)
{
    interrupted = signal_number;
}

static void hold_signals_back(struct arguments *arguments)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    arguments->run.interrupted = &interrupted;
}

// The device is as it was, or the exit status says that it is not.
static void give_signal_back(int status)
{
    if (!interrupted || status == RUN_NOT_AS_FOUND)
        return;
    fflush(stdout);
    signal(interrupted, SIG_DFL);
    raise(interrupted);
}

// ---- The run ----

static int open_and_run(struct arguments *arguments, const struct target_spec *spec)
{
    char text[ERROR_TEXT];
    struct target *target = target_open(spec, text, sizeof text);
    if (!target)
        return report_error(text);
    hold_signals_back(arguments);
    arguments->run.ask = spec->kind == TARGET_KIND_USB && isatty(STDOUT_FILENO);
    // A device that is simulated here ends with this process: there is nothing to put back later.
    if (spec->kind != TARGET_KIND_SIM)
        arguments->run.backup.folder = backup_folder();
    int status = run_on_target(arguments, target);
    target->ops->close(target);
    return status;
}

// Everything that is written is opened before the device is.
static int run(struct arguments *arguments)
{
    char text[ERROR_TEXT];
    struct target_spec spec;
    struct listeners listeners = {.count = 0};
    if (target_spec_parse(&spec, arguments->target, text, sizeof text) < 0 ||
        take_dfu_mode(&spec, arguments->dfu_mode, text, sizeof text) < 0)
        return report_error(text);
    int status = 0;
    if (report_files_open(&arguments->files, text, sizeof text) < 0 ||
        named_files_check(arguments, &spec, text, sizeof text) < 0)
        status = report_error(text);
    if (status == 0)
        status = add_listeners(arguments, &listeners);
    if (status == 0)
        status = open_and_run(arguments, &spec);
    report_files_close(&arguments->files);
    if (listeners.github_summary)
        fclose(listeners.github_summary);
    if (arguments->run.capture && report_capture_close(&listeners.capture, text, sizeof text) < 0)
        status = status_with(status, report_error(text));
    return status;
}

static int run_with_file(struct arguments *arguments)
{
    struct image_file file = {.bytes = NULL};
    char text[ERROR_TEXT];
    if (arguments->file && !image_file_load(&file, arguments->file, text, sizeof text))
        return report_option_error("--file", text);
    arguments->run.file = arguments->file ? &file : NULL;
    int status = run(arguments);
    image_file_finish(&file);
    return status;
}

// The image of --restore is read before the first request is sent.
static int run_with_image(struct arguments *arguments)
{
    struct image_file image = {.bytes = NULL};
    char text[ERROR_TEXT];
    const char *path = arguments->run.backup.restore_path;
    if (path && !image_file_read(&image, path, text, sizeof text))
        return report_option_error("--restore", text);
    arguments->run.restore = path ? &image : NULL;
    int status = run_with_file(arguments);
    image_file_finish(&image);
    return status;
}

static int run_with_waivers(struct arguments *arguments)
{
    struct waivers waivers = {.count = 0};
    int status = arguments->waive ? read_waivers(arguments->waive, &waivers) : 0;
    if (status != 0)
        return status;
    arguments->run.waivers = &waivers;
    status = run_with_image(arguments);
    waivers_finish(&waivers);
    return status;
}

static void tell_file(const char *what, const char *path)
{
    fprintf(stderr, "dfu-conformance: %s %s\n", what, path);
}

// What was printed has arrived, or the status says that it has not.
static int finish_stdout(int status)
{
    char text[ERROR_TEXT];
    if (!usb_stdout_error())
        return status;
    snprintf(text, sizeof text, "standard output cannot be written: %s",
             strerror(usb_stdout_error()));
    return status_with(status, report_error(text));
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.target = NULL};
    if (!usb_standard_streams_open())
        return RUN_COULD_NOT;
    int status = arguments_take(&arguments, argc, argv);
    if (status >= 0)
        return finish_stdout(status);
    if (arguments.list) {
        list_checks(arguments.run.only);
        return finish_stdout(0);
    }
    signal(SIGPIPE, SIG_IGN); // the run goes on until the device is as it was
    arguments.run.backup.tell = tell_file;
    status = finish_stdout(run_with_waivers(&arguments));
    give_signal_back(status);
    return status;
}
