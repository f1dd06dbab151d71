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
// lead to DFU mode again, where a check has begun a download.

#include <stdio.h>

#include "run.h"
#include <conformance/modes.h>
#include <usb/requests.h>

enum {
    EXPERIMENTS = 3,
    MARGIN_MS = 500,
    LONGEST_MS = 120000,
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

static bool leaves_alone(struct run *run, unsigned ms)
{
    return probe_wait_leave(&run->probe, ms, "the boot loader, whether it leaves by itself") == 0 &&
           is_back_at_run_time(run);
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
    bool again = departures->experiments < EXPERIMENTS && seen_us > departures->stayed_us;
    if (!again || run->options->stop_on_loss || !enter(run))
        return;
    departures->experiments++;
    if (!leaves_alone(run, somewhat_longer_ms(seen_us))) {
        departures->stayed_us = seen_us;
        return;
    }
    probe->loader.stays_us = run->watch.losses.departure.stayed_us;
    departures->whatever_is_asked =
        enter(run) && leaves_though_asked(run, somewhat_longer_ms(probe->loader.stays_us));
}

// Host and device measure from different moments.
static bool is_due(const struct run *run, const struct departure *last)
{
    uint64_t due_us = run->probe.loader.stays_us / 4 * 3;
    uint64_t waited_us = run->departures.whatever_is_asked ? last->stayed_us : last->idle_us;
    return run->probe.loader.stays_us && waited_us >= due_us;
}

bool left_dfu_mode_by_itself(struct run *run, const struct loss_counts *before)
{
    struct losses *losses = &run->watch.losses;
    const struct loss_counts now = losses->counts;
    const struct departure last = losses->departure;
    struct report *report = run->report;
    if (now.returns == before->returns)
        return false;
    if (!run->probe.loader.stays_us && run->probe.mode == DEVICE_RUN_TIME)
        experiment(run, last.stayed_us);
    bool due = is_due(run, &last);
    losses_take_back(losses, due ? before : &now);
    if (!due)
        return false;
    report->departures += now.returns - before->returns;
    snprintf(report->departure, sizeof report->departure,
             "the boot loader leaves DFU mode by itself %u ms after %s, which DFU 1.1 does not "
             "forbid: %u time%s in this run",
             (unsigned)(run->probe.loader.stays_us / 1000),
             run->departures.whatever_is_asked ? "its enumeration" : "the last request",
             report->departures, report->departures == 1 ? "" : "s");
    return true;
}
