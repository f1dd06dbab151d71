// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "modes.h"
#include "runner.h"

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

// ---- Identity ----

// A string descriptor as UTF-8; empty if there is none. What UTF-16 cannot mean becomes '?'.
static void read_string(struct probe *probe, uint8_t index, char text[REPORT_TEXT])
{
    uint8_t bytes[255];
    const struct usb_setup setup = get_descriptor(USB_DT_STRING, index, 0x0409, sizeof bytes);
    size_t used = 0;
    int length = index ? probe_control(probe, &setup, bytes) : 0;
    for (int i = 2; i + 1 < length && used + 4 < REPORT_TEXT; i += 2) {
        unsigned unit = load_le16(bytes + i);
        if (unit < 0x20 || (unit >= 0x7F && unit < 0xA0) || (unit >= 0xD800 && unit < 0xE000)) {
            text[used++] = '?';
        } else if (unit < 0x80) {
            text[used++] = (char)unit;
        } else if (unit < 0x800) {
            text[used++] = (char)(0xC0 | unit >> 6);
            text[used++] = (char)(0x80 | (unit & 0x3F));
        } else {
            text[used++] = (char)(0xE0 | unit >> 12);
            text[used++] = (char)(0x80 | (unit >> 6 & 0x3F));
            text[used++] = (char)(0x80 | (unit & 0x3F));
        }
    }
    text[used] = '\0';
}

// Read the descriptors that the host read when it enumerated the device, so that the traffic of the
// run shows them: without them a capture cannot be dissected.
static void read_descriptors(struct probe *probe)
{
    uint8_t bytes[TARGET_CONFIGURATION_MAX];
    struct usb_setup setup = get_descriptor(USB_DT_DEVICE, 0, 0, USB_DEVICE_DESCRIPTOR_SIZE);

    probe_control(probe, &setup, bytes);
    setup = get_descriptor(USB_DT_CONFIGURATION, 0, 0,
                           (uint16_t)probe->target->descriptors.configuration_length);
    probe_control(probe, &setup, bytes);
}

// The first time that the device is seen in a mode, keep what it says of itself.
static void identify(struct runner *runner)
{
    struct probe *probe = &runner->probe;
    struct report_device *device =
        probe->mode == DEVICE_RUN_TIME ? &runner->report->run_time : &runner->report->dfu_mode;
    if (device->seen)
        return;
    device->seen = true;
    device->descriptors = probe->target->descriptors;
    read_descriptors(probe);
    read_string(probe, device->descriptors.device[14], device->manufacturer);
    read_string(probe, device->descriptors.device[15], device->product);
    read_string(probe, device->descriptors.device[16], device->serial);
}

// ---- What a check needs ----

struct need_of_target {
    unsigned need;
    unsigned capability;
};

static const struct need_of_target needs_of_target[] = {
    {NEED_RESET, TARGET_CAN_RESET},     {NEED_RAW, TARGET_CAN_RAW},
    {NEED_ADDRESS, TARGET_CAN_ADDRESS}, {NEED_DEFAULT, TARGET_CAN_DEFAULT},
    {NEED_SUSPEND, TARGET_CAN_SUSPEND}, {NEED_ANY_LENGTH, TARGET_CAN_ANY_LENGTH},
};

static unsigned missing_of_target(const struct runner *runner, unsigned needs)
{
    for (size_t i = 0; i < sizeof needs_of_target / sizeof needs_of_target[0]; ++i) {
        if ((needs & needs_of_target[i].need) &&
            !(runner->probe.target->capabilities & needs_of_target[i].capability))
            return needs_of_target[i].need;
    }
    return 0;
}

// bitWillDetach is a property of the run-time device; the boot loader often says something else.
static unsigned missing_of_run_time(const struct runner *runner, unsigned needs)
{
    const struct device *device = &runner->probe.run_time;
    if (!(needs & (NEED_WILL_DETACH | NEED_WAIT_RESET)))
        return 0;
    if (!device->functional)
        return NEED_FUNCTIONAL;
    if ((needs & NEED_WILL_DETACH) && !device_will_detach(device))
        return NEED_WILL_DETACH;
    if ((needs & NEED_WAIT_RESET) && device_will_detach(device))
        return NEED_WAIT_RESET;
    return 0;
}

static unsigned missing_of_device(const struct runner *runner, unsigned needs)
{
    const struct device *device = probe_device(&runner->probe);
    uint8_t attributes = device_attributes(device);
    if ((needs & NEED_DFU_INTERFACE) && !device->dfu)
        return NEED_DFU_INTERFACE;
    if ((needs & NEED_FUNCTIONAL) && !device->functional)
        return NEED_FUNCTIONAL;
    if ((needs & NEED_CAN_DNLOAD) && !(attributes & DFU_ATTR_CAN_DNLOAD))
        return NEED_CAN_DNLOAD;
    if ((needs & NEED_CAN_UPLOAD) && !(attributes & DFU_ATTR_CAN_UPLOAD))
        return NEED_CAN_UPLOAD;
    if ((needs & NEED_DFUSE) && !device_is_dfuse(device))
        return NEED_DFUSE;
    if ((needs & NEED_PLAIN) && device_is_dfuse(device))
        return NEED_PLAIN;
    if ((needs & NEED_DNLOAD_BEGUN) && !device_is_dfuse(device) && !runner->options->allow_write)
        return NEED_DNLOAD_BEGUN;
    if ((needs & NEED_OTHER_INTERFACE) && device_other_interface(device) < 0)
        return NEED_OTHER_INTERFACE;
    return 0;
}

// A device of another kind than the check is for is no reason to look at the bench again.
static bool skip_for(struct probe *probe, unsigned missing)
{
    const unsigned kinds = NEED_WILL_DETACH | NEED_WAIT_RESET | NEED_CAN_DNLOAD | NEED_CAN_UPLOAD |
                           NEED_DFUSE | NEED_PLAIN | NEED_OTHER_INTERFACE;
    if (missing & kinds)
        return probe_inapplicable(probe, need_text(missing));
    return probe_skip(probe, "needs %s", need_text(missing));
}

// SKIP if something is missing that no change of mode brings. Returns whether nothing is.
static bool check_needs(struct runner *runner, const struct check *check)
{
    struct probe *probe = &runner->probe;
    bool moves = (check->needs & NEED_DETACH) ||
                 ((check->needs & NEED_DFU_MODE) && probe->mode != DEVICE_DFU_MODE);
    if (moves && runner->options->no_detach)
        return probe_skip(probe, "--no-detach");
    if ((check->needs & NEED_WRITE) && !runner->options->allow_write)
        return probe_skip(probe, "needs --allow-write");
    if ((check->needs & NEED_RUN_TIME) && !probe->run_time.seen)
        return probe_inapplicable(probe, "run time, and the device was given in DFU mode");

    unsigned missing = missing_of_target(runner, check->needs);
    if (!missing)
        missing = missing_of_run_time(runner, check->needs);
    return !missing || skip_for(probe, missing);
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
    identify(runner);
    return true;
}

static void run_on_device(struct runner *runner, const struct check *check)
{
    struct probe *probe = &runner->probe;
    if (!check_needs(runner, check) || !enter_mode(runner, check))
        return;
    unsigned missing = missing_of_device(runner, check->needs);
    if (missing) {
        skip_for(probe, missing);
        return;
    }
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
    if (!runner->lost && probe->verdict != VERDICT_SKIP)
        runner->lost = !mode_quieten(probe);
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

static void go_home(struct runner *runner)
{
    struct probe *probe = &runner->probe;
    char *ending = runner->report->ending;
    const char *trouble =
        probe->target->ops->trouble ? probe->target->ops->trouble(probe->target) : NULL;
    if (trouble)
        snprintf(ending, PROBE_WORDS, "%s", trouble);
    else if (runner->lost)
        snprintf(ending, PROBE_WORDS, "the device left the bus and did not come back");
    else if (probe->mode == DEVICE_DFU_MODE && probe->run_time.seen)
        mode_enter_run_time(probe, runner->options->ask, ending, PROBE_WORDS);
    else
        backup_restore(probe, ending, PROBE_WORDS);
    backup_finish(&probe->backup);
}

static int exit_status(const struct runner *runner)
{
    const unsigned *counts = runner->report->counts;
    if (counts[VERDICT_FAIL])
        return RUN_FAILED;
    bool learnt = counts[VERDICT_PASS] || counts[VERDICT_WARN] || runner->report->waived;
    if (runner->lost || (counts[VERDICT_INCONCLUSIVE] && !learnt))
        return RUN_NOTHING_LEARNT;
    return RUN_NONE_FAILED;
}

int runner_run(const struct runner_options *options,
               struct target *target,
               const char *spec,
               struct report *report)
{
    struct runner runner = {.options = options, .report = report};
    *report = (struct report){
        .suite_version = SUITE_VERSION,
        .target = spec,
        .where = target->where,
        .planned = count_selected(options),
    };
    report->results = calloc(report->planned ? report->planned : 1, sizeof *report->results);
    if (!report->results)
        return RUN_NOTHING_LEARNT;

    probe_init(&runner.probe, target);
    runner.probe.strict = options->strict;
    runner.probe.waiting = pass_on_waiting;
    runner.probe.waiting_context = &runner;
    runner.probe.transcript.tap = pass_on_traffic;
    runner.probe.transcript.tap_context = &runner;
    runner.start_us = probe_now_us(&runner.probe);
    identify(&runner);
    tell_begin(&runner);

    run_all(&runner);
    go_home(&runner);
    report->took_us = probe_now_us(&runner.probe) - runner.start_us;
    tell_end(&runner);
    return exit_status(&runner);
}

void report_finish(struct report *report)
{
    for (size_t i = 0; i < report->count; ++i)
        free(report->results[i].transfers);
    free(report->results);
    *report = (struct report){.results = NULL};
}
