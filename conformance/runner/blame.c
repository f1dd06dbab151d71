// SPDX-License-Identifier: MIT
//
// A device that was lost: it left the bus, or answered no request any more, and the suite did
// nothing that lets a device leave. Such a loss is counted, whatever brought the device back, and a
// run with one is not green.
//
// The check in which it happened runs once more when the device is back. Lost again, the device is
// at fault and not the cable: FAIL, so that one crash makes one FAIL. Not lost again, the check is
// INCONCLUSIVE and says how the device was lost. A finding that was made before the loss stays. So
// does what a check found where the device was lost on the suite's own way, and is not once that
// way is not taken any more.

#include <stdio.h>
#include <string.h>

#include "run.h"

bool count_losses(struct run *run, const struct loss_counts *before, const char *where)
{
    struct report *report = run->report;
    const struct losses *losses = &run->watch.losses;
    const struct loss_counts *now = &losses->counts;
    char loss[PROBE_WORDS];
    bool departed = left_dfu_mode_by_itself(run, before);
    unsigned unexpected = now->unasked - before->unasked + now->stranded - before->stranded;
    if (unexpected == 0)
        return departed;
    loss_text(losses->last.stranded ? &losses->last : &losses->last_unasked, loss, sizeof loss);
    report->losses += unexpected;
    snprintf(report->loss, sizeof report->loss, "lost %u time%s; the last time %.200s, %.60s",
             report->losses, report->losses == 1 ? "" : "s", loss, where);
    return departed;
}

static bool is_found(const struct attempt *attempt)
{
    bool broken =
        attempt->judgement.verdict == VERDICT_FAIL || attempt->judgement.verdict == VERDICT_WARN;
    return broken && !attempt->judgement.silence;
}

// Is the loss what is to be judged? A device that was let leave and stays away is judged by the
// check itself.
static bool is_of_loss(const struct attempt *attempt)
{
    if (attempt->stranded && attempt->judgement.verdict == VERDICT_FAIL &&
        attempt->judgement.silence)
        return true;
    return attempt->unasked && !is_found(attempt) && !attempt->judgement.inapplicable;
}

// The device was lost twice, so the loss is the finding. That breaks a must, whatever the level of
// the check.
static void blame_device(struct attempt *attempt)
{
    struct finding *finding = &attempt->judgement.finding;
    struct transcript_entry sent = {.kind = TRANSCRIPT_CONTROL};
    char loss[PROBE_WORDS];
    const uint8_t *request = loss_request(&attempt->loss);
    loss_text(&attempt->loss, loss, sizeof loss);
    *finding = (struct finding){
        .expected = "an answer, and the device stays on the bus",
        .lost = true,
        .lost_late = attempt->loss.late,
        .lost_in = attempt->loss.mode,
    };
    if (request) {
        memcpy(sent.setup, request, USBDEV_SETUP_SIZE);
        transcript_sent(&sent, finding->sent, sizeof finding->sent);
        memcpy(finding->lost_at, request, USBDEV_SETUP_SIZE);
    }
    snprintf(finding->received, sizeof finding->received, "twice: %.250s", loss);
    attempt->judgement.verdict = VERDICT_FAIL;
}

static void tell_loss(struct run *run, const struct check *check, struct attempt *attempt)
{
    char loss[PROBE_WORDS];
    const char *fault = run->watch.base.fault;
    bool of_loss = is_of_loss(attempt);
    loss_text(&attempt->loss, loss, sizeof loss);
    if (*fault)
        snprintf(loss, sizeof loss, "%s", fault);
    if (of_loss && attempt->judgement.verdict != VERDICT_FAIL)
        attempt->judgement.verdict = VERDICT_INCONCLUSIVE;
    if ((of_loss || *fault) && attempt->judgement.verdict == VERDICT_INCONCLUSIVE)
        snprintf(attempt->judgement.finding.message, sizeof attempt->judgement.finding.message,
                 "%s", loss);
    if (run->lost)
        snprintf(run->loss, sizeof run->loss, "%.220s, in %.60s", loss, check->id);
}

// The second time the device was not lost. What was found broken then stays.
static void say_lost_once(struct attempt *attempt, const struct loss *first)
{
    char loss[PROBE_WORDS];
    bool met = attempt->judgement.verdict == VERDICT_PASS;
    if (!met && attempt->judgement.verdict != VERDICT_INCONCLUSIVE &&
        attempt->judgement.verdict != VERDICT_SKIP)
        return;
    loss_text(first, loss, sizeof loss);
    attempt->judgement.verdict = VERDICT_INCONCLUSIVE;
    attempt->judgement.finding = (struct finding){.sent = ""};
    snprintf(attempt->judgement.finding.message, sizeof attempt->judgement.finding.message,
             "%.220s%s", loss, met ? "; repeated, the check was met" : "");
}

// Once more; and again as long as the device is lost on ways that are not taken any more.
static void repeat(struct run *run, const struct check *check, struct attempt *attempt)
{
    enum { TRIES = 4 };
    try_check(run, check, true, attempt);
    for (int i = 1; i < TRIES && !run->lost && attempt->unasked &&
                    losses_avoid(&run->watch.losses, &attempt->loss);
         i++)
        try_check(run, check, true, attempt);
}

static void note_request(struct unjudged_losses *losses, const struct loss *loss)
{
    const uint8_t *request = loss_request(loss);
    bool is_first = losses->count == 1;
    if (is_first && request)
        memcpy(losses->at, request, sizeof losses->at);
    else if (!request || memcmp(losses->at, request, sizeof losses->at) != 0)
        memset(losses->at, 0, sizeof losses->at);
}

void judge_loss(struct run *run, const struct check *check, struct attempt *attempt)
{
    if (is_of_loss(attempt) && !run->lost) {
        const struct loss first = attempt->loss;
        struct unjudged_losses *losses = &run->probe.losses[attempt->mode];
        losses->count++; // CH9-LOSS-01 may be the one that is repeated
        repeat(run, check, attempt);
        bool avoided = losses_avoid(&run->watch.losses, &first);
        if (is_of_loss(attempt) || avoided || first.late)
            losses->count--;
        else
            note_request(losses, &first);
        if (is_of_loss(attempt) && attempt->unasked)
            blame_device(attempt);
        else if (!is_of_loss(attempt) && !run->lost && !avoided)
            say_lost_once(attempt, &first);
    }
    if (attempt->lost && run->lost)
        tell_loss(run, check, attempt);
}
