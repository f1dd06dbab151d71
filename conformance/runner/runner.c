// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "config.h"
#include "identity.h"
#include "needs.h"
#include <conformance/modes.h>
#include <conformance/runner.h>

struct runner {
    const struct runner_options *options;
    struct probe probe;
    struct report *report;
    uint64_t start_us;
    bool lost;                     // the device is gone for good
    char no_dfu_mode[PROBE_WORDS]; // why DFU mode could not be reached, once that was tried
    char no_run_time[PROBE_WORDS]; // why run time could not be reached again
};

// ---- Listeners ----

static void tell_begin(struct runner *runner)
{
    for (size_t i = 0; i < runner->options->listener_count; ++i) {
        const struct report_listener *listener = &runner->options->listeners[i];
        if (listener->begin)
            listener->begin(listener->context, runner->report);
    }
}

static void tell_check_begin(struct runner *runner, const struct check *check)
{
    for (size_t i = 0; i < runner->options->listener_count; ++i) {
        const struct report_listener *listener = &runner->options->listeners[i];
        if (listener->check_begin)
            listener->check_begin(listener->context, check);
    }
}

static void tell_check_end(struct runner *runner, const struct result *result)
{
    for (size_t i = 0; i < runner->options->listener_count; ++i) {
        const struct report_listener *listener = &runner->options->listeners[i];
        if (listener->check_end)
            listener->check_end(listener->context, runner->report, result);
    }
}

static void tell_end(struct runner *runner)
{
    for (size_t i = 0; i < runner->options->listener_count; ++i) {
        const struct report_listener *listener = &runner->options->listeners[i];
        if (listener->end)
            listener->end(listener->context, runner->report);
    }
}

static void pass_on_traffic(void *context,
                            const struct transcript_entry *entry,
                            const uint8_t *data,
                            size_t data_size)
{
    const struct runner *runner = context;
    for (size_t i = 0; i < runner->options->listener_count; ++i) {
        const struct report_listener *listener = &runner->options->listeners[i];
        if (listener->traffic)
            listener->traffic(listener->context, entry, data, data_size);
    }
}

static void pass_on_waiting(void *context, unsigned ms, const char *what)
{
    const struct runner *runner = context;
    for (size_t i = 0; i < runner->options->listener_count; ++i) {
        const struct report_listener *listener = &runner->options->listeners[i];
        if (listener->waiting)
            listener->waiting(listener->context, ms, what);
    }
}

// ---- One check ----

// INCONCLUSIVE if the device cannot be brought into the mode. What failed once is not tried again.
static bool enter_mode(struct runner *runner, const struct check *check)
{
    struct probe *probe = &runner->probe;
    if ((check->needs & NEED_DFU_MODE) && probe->mode != DEVICE_DFU_MODE) {
        if (*runner->no_dfu_mode || !mode_enter_dfu(probe, runner->no_dfu_mode, PROBE_WORDS))
            return probe_inconclusive(probe, "DFU mode was not reached: %s", runner->no_dfu_mode);
    } else if ((check->needs & NEED_RUN_TIME) && probe->mode != DEVICE_RUN_TIME) {
        if (*runner->no_run_time ||
            !mode_enter_run_time(probe, runner->options->ask, runner->no_run_time, PROBE_WORDS))
            return probe_inconclusive(probe, "run time was not reached: %s", runner->no_run_time);
    }
    identify(probe, runner->report);
    return true;
}

static void run_on_device(struct runner *runner, const struct check *check)
{
    struct probe *probe = &runner->probe;
    if (!needs_before_mode(probe, runner->options, check) || !enter_mode(runner, check) ||
        !needs_in_mode(probe, runner->options, check))
        return;
    probe_begin(probe, check);
    check->run(probe);
    probe_end(probe);
}

static uint64_t frames_so_far(const struct runner *runner)
{
    const struct report_capture *capture = runner->options->capture;
    return capture ? report_capture_frames(capture) : 0;
}

static void keep_transfers(struct result *result, const struct transcript *transcript)
{
    size_t count = transcript_count(transcript);
    result->transfers_dropped = transcript_dropped(transcript);
    result->transfers = count ? calloc(count, sizeof *result->transfers) : NULL;
    for (size_t i = 0; result->transfers && i < count; ++i)
        result->transfers[result->transfer_count++] = *transcript_get(transcript, i);
}

static void count_result(struct report *report, const struct result *result)
{
    if (result->inapplicable)
        ++report->inapplicable;
    else if (result->waiver)
        ++report->waived;
    else
        ++report->counts[result->verdict];
}

static const char *waiver_for(const struct runner *runner, const struct check *check)
{
    enum verdict verdict = runner->probe.verdict;
    if (!runner->options->waivers || (verdict != VERDICT_FAIL && verdict != VERDICT_WARN))
        return NULL;
    return waivers_reason(runner->options->waivers, check->id);
}

static void run_check(struct runner *runner, const struct check *check)
{
    struct probe *probe = &runner->probe;
    struct result *result = &runner->report->results[runner->report->count];
    uint64_t start_us = probe_now_us(probe);
    uint64_t frames = frames_so_far(runner);
    tell_check_begin(runner, check);

    probe_begin(probe, check);
    if (runner->lost)
        probe_inconclusive(probe, "the device is gone");
    else
        run_on_device(runner, check);

    *result = (struct result){
        .check = check,
        .verdict = probe->verdict,
        .inapplicable = probe->inapplicable,
        .waiver = waiver_for(runner, check),
        .finding = probe->finding,
        .start_us = start_us - runner->start_us,
        .took_us = probe_now_us(probe) - start_us,
    };
    if (frames_so_far(runner) > frames) {
        result->first_frame = frames + 1;
        result->last_frame = frames_so_far(runner);
    }
    keep_transfers(result, &probe->transcript);
    ++runner->report->count;
    count_result(runner->report, result);
    // A SKIP may have come to light on the way only.
    if (!runner->lost && transcript_count(&probe->transcript) > 0)
        runner->lost = !mode_quieten(probe);
    if (!runner->lost)
        identify(probe, runner->report); // the check may have brought it into the other mode
    tell_check_end(runner, result);
}

// ---- The run ----

static bool selected(const struct runner_options *options, const struct check *check)
{
    return !options->only || glob_list_matches(options->only, check->id);
}

static const struct check_group *const *groups_of(const struct runner_options *options)
{
    return options->catalogue ? options->catalogue : catalogue;
}

static size_t count_selected(const struct runner_options *options)
{
    size_t count = 0;
    for (const struct check_group *const *group = groups_of(options); *group; ++group) {
        for (size_t i = 0; i < (*group)->count; ++i)
            count += selected(options, &(*group)->checks[i]);
    }
    return count;
}

static void run_all(struct runner *runner)
{
    for (const struct check_group *const *group = groups_of(runner->options); *group; ++group) {
        for (size_t i = 0; i < (*group)->count; ++i) {
            if (selected(runner->options, &(*group)->checks[i]))
                run_check(runner, &(*group)->checks[i]);
        }
    }
}

static bool bring_home(struct runner *runner, char *ending, size_t size)
{
    struct probe *probe = &runner->probe;
    if (runner->lost) {
        snprintf(ending, size, "the device left the bus and did not come back");
        return false;
    }
    if (probe->mode == DEVICE_DFU_MODE && probe->run_time.seen)
        return mode_enter_run_time(probe, runner->options->ask, ending, size);
    return backup_restore(probe, ending, size);
}

// What the target knows to be wrong with the device explains the rest.
static void go_home(struct runner *runner)
{
    struct probe *probe = &runner->probe;
    struct report *report = runner->report;
    report->not_as_found = !bring_home(runner, report->ending, sizeof report->ending);
    const char *trouble =
        probe->target->ops->trouble ? probe->target->ops->trouble(probe->target) : NULL;
    if (trouble)
        snprintf(report->ending, sizeof report->ending, "%s", trouble);
    backup_finish(&probe->backup);
}

enum run_status runner_run(const struct runner_options *options,
                           struct target *target,
                           const char *spec,
                           struct report *report)
{
    struct runner runner = {.options = options, .report = report};
    *report = (struct report){
        .suite_version = SUITE_VERSION,
        .suite_commit = SUITE_COMMIT,
        .started = time(NULL),
        .target = spec,
        .where = target->where,
        .planned = count_selected(options),
    };
    report_name_host(report->host);
    report->results = calloc(report->planned ? report->planned : 1, sizeof *report->results);
    if (!report->results)
        return RUN_COULD_NOT;

    probe_init(&runner.probe, target);
    runner.probe.strict = options->strict;
    runner.probe.waiting = pass_on_waiting;
    runner.probe.waiting_context = &runner;
    runner.probe.transcript.tap = pass_on_traffic;
    runner.probe.transcript.tap_context = &runner;
    runner.start_us = probe_now_us(&runner.probe);
    identify(&runner.probe, report);
    tell_begin(&runner);

    run_all(&runner);
    go_home(&runner);
    report->took_us = probe_now_us(&runner.probe) - runner.start_us;
    report->status = report_status(report);
    tell_end(&runner);
    return report->status;
}

void report_finish(struct report *report)
{
    for (size_t i = 0; i < report->count; ++i)
        free(report->results[i].transfers);
    free(report->results);
    *report = (struct report){.results = NULL};
}
