// SPDX-License-Identifier: MIT
//
// A boot loader that leaves DFU mode by itself: some seconds after it came up, or after the last
// request. DFU 1.1 has no sentence against that, so it is neither a loss nor a finding: the check
// in which it happens is repeated, after another DETACH.
//
// A loader that crashes at a request, and whose watchdog starts the firmware, looks the same once.
// Only an experiment tells them apart: the loader is entered again, and is sent nothing for longer
// than it had been there. One that leaves then needs no request to leave; whether requests keep it
// is seen by entering it once more and asking for its state until then. Afterwards a departure
// counts as the loader's own where it has been there, or has been left alone, for that time. It may
// lead to DFU mode again, where a check has begun a download: for the experiment the firmware is
// put back first.
//
// A transfer of firmware keeps most of those that requests do not keep. One that leaves in the
// middle of an upload leaves in the middle of a download too, and starts what it holds.

#include <stdio.h>

#include "run.h"
#include <conformance/dfu_steps.h>
#include <conformance/modes.h>

enum {
    EXPERIMENTS = 3,
    MARGIN_MS = 500,
    LONGEST_MS = 120000,
    ENUMERATION_MS = 250, // USB 2.0 7.1.7.3, 7.1.7.5, 9.2.6.3
};

static bool enter(struct run *run)
{
    char why[PROBE_WORDS];
    return mode_enter_dfu(&run->probe, why, sizeof why);
}

static unsigned somewhat_longer_ms(uint64_t us)
{
    uint64_t ms = us / 1000 * 3 / 2 + MARGIN_MS;
    return ms < LONGEST_MS ? (unsigned)ms : LONGEST_MS;
}

static bool is_back_at_run_time(struct run *run)
{
    struct probe *probe = &run->probe;
    return probe_wait_return(probe, mode_return_ms(probe), "the device to come back") == 0 &&
           probe->mode == DEVICE_RUN_TIME;
}

// One block, where the device can upload more than that.
static bool begins_upload(struct probe *probe)
{
    static uint8_t block[UINT16_MAX];
    uint16_t size = dfu_small_block(probe);
    const struct usbdev_setup_packet upload =
        dfu_setup(probe, DFURT_UPLOAD, dfu_first_block(probe), size);
    return probe_control(probe, &upload, block) == size;
}

static bool leaves_though_asked(struct run *run, unsigned ms)
{
    enum { QUESTIONS = 4 };
    struct probe *probe = &run->probe;
    const struct usbdev_setup_packet getstate =
        dfu_setup(probe, DFURT_GETSTATE, 0, DFURT_STATE_REPLY_SIZE);
    uint64_t end_us = probe->since.returned_us + ms * UINT64_C(1000);
    unsigned pause_ms = (unsigned)(probe->loader.stays_us / 1000 / QUESTIONS) + 1;
    uint8_t state;
    while (probe_now_us(probe) < end_us) {
        if (probe_control(probe, &getstate, &state) == USB_GONE)
            return is_back_at_run_time(run);
        probe_sleep(probe, pause_ms, "the boot loader, whether requests keep it in DFU mode");
    }
    return false;
}

static void experiment(struct run *run, uint64_t seen_us)
{
    struct probe *probe = &run->probe;
    struct departures *departures = &run->departures;
    const struct losses *losses = &run->watch.losses;
    bool again = departures->experiments < EXPERIMENTS && seen_us > departures->stayed_us;
    if (!again || run->options->stop_on_loss || !enter(run))
        return;
    departures->experiments++;
    // It was lost at a request of the way. That one is not sent any more where it is so twice.
    if (losses->silent) {
        is_back_at_run_time(run);
        return;
    }
    if (probe_wait_leave(probe, somewhat_longer_ms(seen_us),
                         "the boot loader, whether it leaves by itself") < 0) {
        departures->stayed_us = seen_us;
        return;
    }
    if (!is_back_at_run_time(run))
        return;
    probe->loader.stays_us = losses_departure(losses, losses->counts.returns - 1)->stayed_us;
    unsigned enough_ms = somewhat_longer_ms(probe->loader.stays_us);
    departures->whatever_is_asked = enter(run) && leaves_though_asked(run, enough_ms);
    probe->loader.breaks_off = departures->whatever_is_asked && enter(run) &&
                               begins_upload(probe) && leaves_though_asked(run, enough_ms);
    if (probe->mode == DEVICE_DFU_MODE)
        dfu_to_idle(probe);
}

// Host and device measure from different moments: the host finds a device that has come up after
// its enumeration, which takes another time each time.
static bool is_due(const struct run *run, const struct departure *departure)
{
    uint64_t due_us = run->probe.loader.stays_us / 4 * 3;
    uint64_t waited_us = run->departures.whatever_is_asked
                             ? departure->stayed_us + ENUMERATION_MS * UINT64_C(1000)
                             : departure->idle_us;
    return run->probe.loader.stays_us && waited_us >= due_us;
}

// What was counted before then was told as a loss, and stays one.
static bool is_counted_since(const struct loss_counts *now,
                             const struct departure *departure,
                             const struct loss_counts *before)
{
    return now->all - before->all >= departure->all &&
           now->unasked - before->unasked >= departure->unasked;
}

// The last first, since each keeps what was lost before it. Returns how many they are.
static unsigned
take_out(struct run *run, unsigned from, unsigned end, const struct loss_counts *before)
{
    struct losses *losses = &run->watch.losses;
    unsigned count = 0;
    for (unsigned number = end; number-- > from;) {
        const struct departure *departure = losses_departure(losses, number);
        if (!departure || departure->silent || !is_due(run, departure) ||
            !is_counted_since(&losses->counts, departure, before))
            continue;
        losses_take_out(losses, departure);
        count++;
    }
    return count;
}

// In the middle of a download it comes back in DFU mode, since its firmware is not whole: only then
// can it leave for run time again.
static bool is_brought_to_run_time(struct run *run)
{
    struct probe *probe = &run->probe;
    char why[PROBE_WORDS];
    if (probe->mode == DEVICE_RUN_TIME)
        return true;
    return probe->gate.accepted && probe->run_time.seen && !run->options->stop_on_loss &&
           mode_enter_run_time(probe, false, why, sizeof why);
}

static void find_out(struct run *run, unsigned number)
{
    const struct departure *departure = losses_departure(&run->watch.losses, number);
    if (run->probe.loader.stays_us || !departure || run->departures.experiments == EXPERIMENTS)
        return;
    uint64_t seen_us = departure->stayed_us;
    if (is_brought_to_run_time(run))
        experiment(run, seen_us);
}

bool left_dfu_mode_by_itself(struct run *run, const struct loss_counts *before)
{
    const struct loss_counts *counts = &run->watch.losses.counts;
    const unsigned end = counts->returns;
    struct report *report = run->report;
    if (end == before->returns)
        return false;
    find_out(run, end - 1);
    unsigned sought = take_out(run, end, counts->returns, before);
    unsigned count = take_out(run, before->returns, end, before);
    if (count == 0)
        return false;
    report->departures += count + sought;
    snprintf(report->departure, sizeof report->departure,
             "the boot loader leaves DFU mode by itself %u ms after %s, which DFU 1.1 does not "
             "forbid: %u time%s in this run",
             (unsigned)(run->probe.loader.stays_us / 1000),
             run->departures.whatever_is_asked ? "its enumeration" : "the last request",
             report->departures, report->departures == 1 ? "" : "s");
    return true;
}
