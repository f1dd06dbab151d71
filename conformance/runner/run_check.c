// SPDX-License-Identifier: MIT
//
// One check, from what it needs to its result. It runs within a limit of time; afterwards the
// device is brought back to appIDLE or dfuIDLE, if necessary by a bus reset or a power cycle.
//
// A check in which the device was lost is a matter of blame.c.

#include <stdio.h>
#include <stdlib.h>

#include "identity.h"
#include "needs.h"
#include "run.h"
#include <conformance/modes.h>

enum {
    CHECK_LIMIT_MS = 600000,   // a whole upload of a large flash in small blocks takes minutes
    SILENCE_LIMIT_MS = 180000, // lost to transfers that timed out, in all checks together
    SLEEP_LIMIT_MS = 600000,   // spent on times that the device asks for
};

// ---- Running ----

// A late host may miss the end of the detach timer, and finds the device at run time again.
static bool enter_dfu_mode(struct run *run)
{
    enum { TRIES = 3 };
    struct probe *probe = &run->probe;
    for (int i = 0; i < TRIES; i++) {
        if (mode_enter_dfu(probe, run->no_dfu_mode, PROBE_WORDS)) {
            run->no_dfu_mode[0] = '\0';
            return true;
        }
        if (probe->target->capabilities & TARGET_VIRTUAL_TIME || !device_answers(probe))
            break;
    }
    return false;
}

// A check for either mode is one of the mode in which the device was found: a firmware that a
// request makes restart as its boot loader would otherwise be judged there.
static enum device_mode mode_for(const struct run *run, const struct check *check)
{
    if (check->needs & NEED_DFU_MODE)
        return DEVICE_DFU_MODE;
    return check->needs & NEED_RUN_TIME ? DEVICE_RUN_TIME : run->found_in;
}

// INCONCLUSIVE if the device cannot be brought into the mode. What failed is tried again in the
// next group only.
static bool enter_mode_of(struct run *run, const struct check *check)
{
    struct probe *probe = &run->probe;
    enum device_mode mode = mode_for(run, check);
    if (mode == DEVICE_DFU_MODE && probe->mode != mode) {
        if (*run->no_dfu_mode || !enter_dfu_mode(run))
            return probe_inconclusive(probe, "DFU mode was not reached: %s", run->no_dfu_mode);
    } else if (mode == DEVICE_RUN_TIME && probe->mode != mode) {
        if (*run->no_run_time ||
            !mode_enter_run_time(probe, run->options->ask, run->no_run_time, PROBE_WORDS))
            return probe_inconclusive(probe, "run time was not reached: %s", run->no_run_time);
    }
    identify(probe, run->report);
    return true;
}

// The check's first request is to find a device that has answered since it was enumerated: a loss
// at it would be taken for a late effect of what let the device leave.
static void hear_device(struct run *run)
{
    if (run->watch.losses.found)
        device_answers(&run->probe);
}

// No check begins on a device that was lost on the way: it is brought back, and the way is another
// one once it was lost there twice. The pauses behind each request show where; but a boot loader
// may be one that leaves by itself, which is found out later (departures.c).
static bool enter_mode(struct run *run, const struct check *check)
{
    enum { TRIES = 4 };
    const struct losses *losses = &run->watch.losses;
    bool behind_each = run->pauses.behind_each;
    bool entered = enter_mode_of(run, check);
    for (int i = 1; i < TRIES && entered && (losses->silent > 1 || !pauses_end_way(run)); i++) {
        pauses_begin_attempt(run, mode_for(run, check) == DEVICE_RUN_TIME);
        entered = quieten_or_recover(run) && enter_mode_of(run, check);
    }
    pauses_begin_attempt(run, behind_each);
    if (entered)
        hear_device(run);
    return entered;
}

// Returns whether the check itself began, with what was counted until then.
static bool run_on_device(struct run *run, const struct check *check, struct loss_counts *ret_began)
{
    struct probe *probe = &run->probe;
    if (!needs_before_mode(probe, run->options, check) || !enter_mode(run, check) ||
        !needs_in_mode(probe, run->options, check))
        return false;
    probe_begin(probe, check);
    if (probe->time.attempt)
        probe_calibrate(probe);
    *ret_began = run->watch.losses.counts;
    probe->on_the_way--;
    check->run(probe);
    probe->on_the_way++;
    pauses_end_check(run);
    probe_end(probe);
    return true;
}

// A finding after the limit was made without the device, so it does not count.
static void say_out_of_time(struct run *run)
{
    struct probe *probe = &run->probe;
    bool run_is_over = run->watch.run_end_ms && watch_clock_ms() >= run->watch.run_end_ms;
    probe->judgement.decided = false;
    probe->judgement.finding = (struct finding){.sent = ""};
    if (run->options->interrupted && *run->options->interrupted)
        probe_inconclusive(probe, "the run was interrupted");
    else if (run_is_over)
        probe_inconclusive(probe, "--max-time expired during the check");
    else
        probe_inconclusive(probe, "the check was ended after %u s", CHECK_LIMIT_MS / 1000);
}

static void take_attempt(const struct probe *probe, struct attempt *attempt)
{
    attempt->judgement = probe->judgement;
    attempt->transcript = probe->transcript;
    attempt->mode = probe->mode;
    attempt->again = probe->time.again;
}

void try_check(struct run *run, const struct check *check, bool again, struct attempt *attempt)
{
    struct probe *probe = &run->probe;
    const struct losses *losses = &run->watch.losses;
    const struct loss_counts before = losses->counts;
    struct loss_counts began;
    char where[PROBE_WORDS];
    probe_begin(probe, check);
    watch_begin(&run->watch, CHECK_LIMIT_MS);
    pauses_begin_attempt(run, again);
    bool ran = run_on_device(run, check, &began);
    bool departed =
        ran && losses->counts.departures > began.departures && !probe->judgement.awaits_departure;
    if (run->watch.out_of_time)
        say_out_of_time(run);
    watch_begin(&run->watch, 0);
    take_attempt(probe, attempt);

    // A need may turn out to be unmet only after the mode was changed.
    run->lost = transcript_count(&probe->transcript) > 0 && !quieten_or_recover(run);
    pauses_begin_attempt(run, false);
    snprintf(where, sizeof where, "in %s", check->id);
    attempt->departed = count_losses(run, &before, where) && departed;
    attempt->lost = run->lost || losses->counts.all > before.all;
    attempt->unasked = ran && losses->counts.unasked > began.unasked;
    attempt->stranded = losses->counts.stranded > before.stranded;
    attempt->loss = attempt->unasked ? losses->last_unasked : losses->last;
}

// Until this host was in time to judge, or has been late too often.
static void try_until_judged(struct run *run, const struct check *check, struct attempt *attempt)
{
    struct probe_time *time = &run->probe.time;
    time->attempt = 0;
    try_check(run, check, false, attempt);
    while (attempt->again && !run->lost && !run->watch.out_of_time) {
        time->attempt++;
        try_check(run, check, false, attempt);
    }
    time->attempt = 0;
}

// Until the boot loader stays in DFU mode for as long as the check takes.
void try_check_until_judged(struct run *run, const struct check *check, struct attempt *attempt)
{
    enum { TRIES = 4 };
    try_until_judged(run, check, attempt);
    for (int i = 1; attempt->departed && i < TRIES && !run->lost && !run->watch.out_of_time; i++)
        try_until_judged(run, check, attempt);
    if (!attempt->departed)
        return;
    attempt->judgement.verdict = VERDICT_INCONCLUSIVE;
    attempt->judgement.finding = (struct finding){.sent = ""};
    snprintf(attempt->judgement.finding.message, sizeof attempt->judgement.finding.message,
             "the boot loader leaves DFU mode by itself after %u ms, before the check is over",
             (unsigned)(run->probe.loader.stays_us / 1000));
}

// ---- The result ----

static uint64_t frames_so_far(const struct run *run)
{
    const struct report_capture *capture = run->options->capture;
    return capture ? report_capture_frames(capture) : 0;
}

static void keep_transfers(struct result *result, const struct transcript *transcript)
{
    size_t count = transcript_count(transcript);
    result->transfers_dropped = transcript_dropped(transcript);
    result->transfers = count ? calloc(count, sizeof *result->transfers) : NULL;
    for (size_t i = 0; result->transfers && i < count; i++)
        result->transfers[result->transfer_count++] = *transcript_get(transcript, i);
}

static void count_result(struct report *report, const struct result *result)
{
    if (result->inapplicable)
        report->inapplicable++;
    else if (result->waiver)
        report->waived++;
    else
        report->counts[result->verdict]++;
}

const char *waiver_for(const struct run *run, const struct check *check, enum verdict verdict)
{
    if (!run->options->waivers || (verdict != VERDICT_FAIL && verdict != VERDICT_WARN))
        return NULL;
    return waivers_reason(run->options->waivers, check->id);
}

// Why no further check is run; an empty text while the run continues.
static const char *reason_not_to_try(struct run *run)
{
    const struct watch *watch = &run->watch;
    bool limited = run->options->max_time_s != 0;
    if (*run->over)
        return run->over;
    if (run->options->interrupted && *run->options->interrupted)
        snprintf(run->over, sizeof run->over, "the run was interrupted");
    else if (limited && watch_clock_ms() >= watch->run_end_ms)
        snprintf(run->over, sizeof run->over, "--max-time %u expired before this check",
                 run->options->max_time_s);
    else if (!limited && watch->timeouts_ms >= SILENCE_LIMIT_MS)
        snprintf(run->over, sizeof run->over,
                 "the device let %u transfers time out, %u s in all: the run ends early "
                 "(--max-time SECONDS sets another limit)",
                 watch->timeouts, (unsigned)(watch->timeouts_ms / 1000));
    else if (!limited && watch->slept_ms >= SLEEP_LIMIT_MS)
        snprintf(run->over, sizeof run->over,
                 "the device asked for waits of %u s in all, by bwPollTimeout and wDetachTimeOut: "
                 "the run ends early (--max-time SECONDS sets another limit)",
                 (unsigned)(watch->slept_ms / 1000));
    if (*run->over)
        return run->over;
    return run->lost ? run->loss : "";
}

// The check may have brought the device into the other mode.
static void identify_after(struct run *run, const struct check *check)
{
    char where[PROBE_WORDS];
    const struct loss_counts before = run->watch.losses.counts;
    identify(&run->probe, run->report);
    snprintf(where, sizeof where, "after %s", check->id);
    count_losses(run, &before, where);
}

// Is it about how the device was lost for good, in an earlier check?
static bool judges_loss(struct run *run, const struct check *check)
{
    const struct loss *loss = &run->watch.losses.last;
    enum loss_way way = check->needs & NEED_DFU_MODE ? LOST_BY_RESET : LOST_BY_DETACH;
    return check->judges_return && run->lost && !*run->over && !*run->watch.base.fault &&
           loss->stranded && loss->way == way;
}

static void judge_without_trying(struct run *run, const struct check *check, const char *reason)
{
    struct probe *probe = &run->probe;
    if (!judges_loss(run, check)) {
        probe_inconclusive(probe, "%s", reason);
    } else if (needs_before_mode(probe, run->options, check)) {
        expect(probe, false, "the device comes back", "it did not come back");
        probe_note(probe, "%s", run->loss);
    }
}

static void make_attempt(struct run *run, const struct check *check, struct attempt *attempt)
{
    struct probe *probe = &run->probe;
    const char *reason = reason_not_to_try(run);
    probe_begin(probe, check);
    if (*reason) {
        judge_without_trying(run, check, reason);
        take_attempt(probe, attempt);
        return;
    }
    try_check_until_judged(run, check, attempt);
    judge_loss(run, check, attempt);
    attempt->root = judge_consequence(run, check, attempt);
    if (!run->lost)
        identify_after(run, check);
}

void run_check(struct run *run, const struct check *check)
{
    static struct attempt attempt;
    struct result *result = &run->report->results[run->report->count];
    uint64_t start_us = probe_now_us(&run->probe);
    uint64_t frames = frames_so_far(run);
    watch_forget_trouble(&run->watch);
    tell_check_begin(run, check);
    attempt = (struct attempt){.again = false};
    make_attempt(run, check, &attempt);

    *result = (struct result){
        .check = check,
        .verdict = attempt.judgement.verdict,
        .inapplicable = attempt.judgement.inapplicable,
        .waiver = waiver_for(run, check, attempt.judgement.verdict),
        .root = attempt.root,
        .finding = attempt.judgement.finding,
        .start_us = start_us - run->start_us,
        .took_us = probe_now_us(&run->probe) - start_us,
    };
    if (frames_so_far(run) > frames) {
        result->first_frame = frames + 1;
        result->last_frame = frames_so_far(run);
    }
    keep_transfers(result, &attempt.transcript);
    watch_look_for_trouble(&run->watch);
    snprintf(result->trouble, sizeof result->trouble, "%s", run->watch.trouble);
    run->report->count++;
    count_result(run->report, result);
    tell_check_end(run, result);
}
