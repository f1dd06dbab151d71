// SPDX-License-Identifier: MIT
//
// One defect, one FAIL: a must or should that was not met is INCONCLUSIVE where a requirement that
// it presumes (presumptions.h) is not met either, and names the one that is. What it found stays in
// its result.
//
// A device that was lost at a request is judged by the check that is about that request
// (request_judges.h), wherever the request was sent; where that check is met, or there is none, by
// the first check of the run that was lost there.
//
// The verdict on what is presumed is taken from the report; a check that has not run yet, or was
// not selected, is run for it, once. So a check says the same in a whole run and alone. A waived
// FAIL excuses itself alone; so does one that is no loss where the device was lost.

#include <string.h>

#include "run.h"
#include <conformance/presumptions.h>
#include <conformance/request_judges.h>

static const struct result *result_of(const struct report *report, const struct check *check)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->results[i].check == check)
            return &report->results[i];
    }
    return NULL;
}

// The same was received; or the same was expected and received, as far as the figures, which the
// requests of one sentence differ in.
static bool are_alike(const struct finding *a, const struct finding *b)
{
    size_t length = strcspn(a->received, ",:");
    return strcmp(a->received, b->received) == 0 ||
           (strcmp(a->expected, b->expected) == 0 && length == strcspn(b->received, ",:") &&
            memcmp(a->received, b->received, length) == 0);
}

// Was sent and expected what the presumption is about?
static bool is_of(const struct presumption *presumption, const struct finding *finding)
{
    return (!presumption->expected || strcmp(presumption->expected, finding->expected) == 0) &&
           (!presumption->sent || strstr(finding->sent, presumption->sent));
}

// Can what is presumed explain what the check found?
static bool explains(const struct presumption *presumption, const struct finding *finding)
{
    const char *received = presumption->received;
    return is_of(presumption, finding) &&
           (!received || strncmp(received, finding->received, strlen(received)) == 0);
}

static const struct check *
find_root(struct run *run, const struct check *check, const struct finding *finding);

// Was the device lost or silent at a request that has a judge? A request of DFU that a check sent
// last, and was not answered, is what presumptions.c is about.
static bool is_silent(const struct finding *finding)
{
    bool standard = (finding->lost_at[0] & USBDEV_TYPE_MASK) == USBDEV_TYPE_STANDARD;
    return finding->lost || finding->unanswered > 1 || (finding->unanswered && standard);
}

// The at-th check that is about the request at which the device was lost, or NULL.
static const struct check *judge_at(const struct finding *finding, size_t at)
{
    return is_silent(finding)
               ? judge_of_request(finding->lost_in, finding->lost_at, finding->lost_late, at)
               : NULL;
}

static bool is_lost_at_own_request(const struct check *check, const struct finding *finding)
{
    const struct check *judge;
    for (size_t at = 0; finding->lost && (judge = judge_at(finding, at)) != NULL; at++) {
        if (judge == check)
            return true;
    }
    return false;
}

// Run a check that has not run, twice: the first run may see what the check that presumes it has
// left behind. Each check is tried once in a run.
static const struct trial *try_twice(struct run *run, const struct check *check)
{
    static struct attempt attempt; // nothing of it is needed once another one is made
    for (unsigned i = 0; i < RUN_TRIALS; i++) {
        if (run->trials[i].check == check)
            return &run->trials[i];
    }
    bool fails = true;
    for (int i = 0; fails && i < 2; i++) {
        attempt = (struct attempt){.judgement.verdict = VERDICT_INCONCLUSIVE};
        try_check_until_judged(run, check, &attempt);
        judge_loss(run, check, &attempt);
        fails = attempt.judgement.verdict == VERDICT_FAIL && !run->lost;
    }
    struct trial *trial = &run->trials[run->trial_count++ % RUN_TRIALS];
    *trial = (struct trial){
        .check = check,
        .fails = fails,
        .finding = attempt.judgement.finding,
    };
    return trial;
}

static bool is_in_catalogue(const struct check_group *const *group, const struct check *check)
{
    for (; *group; group++) {
        if (check >= (*group)->checks && check < (*group)->checks + (*group)->count)
            return true;
    }
    return false;
}

static bool may_be_tried(const struct run *run, const struct check *check)
{
    const struct check_group *const *groups = run->options->catalogue; // NULL: the suite's own
    return !run->lost && !waiver_for(run, check, VERDICT_FAIL) &&
           (!groups || is_in_catalogue(groups, check));
}

static const struct check *
root_by_trying(struct run *run, const struct check *check, struct finding *ret_finding)
{
    if (!may_be_tried(run, check))
        return NULL;
    const struct trial trial = *try_twice(run, check);
    *ret_finding = trial.finding;
    if (!trial.fails)
        return NULL;
    if (is_lost_at_own_request(check, ret_finding))
        return check;
    const struct check *root = find_root(run, check, ret_finding);
    return root ? root : check;
}

// The check that has the FAIL where this one is not met, and what this one found.
static const struct check *
root_at(struct run *run, const struct check *check, struct finding *ret_finding)
{
    const struct result *result = result_of(run->report, check);
    if (!result)
        return root_by_trying(run, check, ret_finding);
    *ret_finding = result->finding;
    if (result->verdict == VERDICT_FAIL && !result->waiver)
        return check;
    return result->root;
}

// A loss is explained by a loss alone. What was answered before the device left was answered.
static bool loses_so(const struct finding *presumed, const struct finding *own)
{
    return (presumed->lost || !own->lost) && (!presumed->lost_late || own->lost_late);
}

// Of a check that is not met: the one that has the FAIL for it, or NULL.
static const struct check *
find_root(struct run *run, const struct check *check, const struct finding *finding)
{
    const struct finding own = *finding;
    struct presumption presumption;
    for (size_t at = 0; presumption_of(check, at, &presumption); at++) {
        struct finding other;
        const struct check *root =
            explains(&presumption, &own) ? root_at(run, presumption.check, &other) : NULL;
        if (root && is_of(&presumption, &other) && loses_so(&other, &own) &&
            (!presumption.alike || are_alike(&own, &other)))
            return root;
    }
    return NULL;
}

// bmRequestType and bRequest; the rest differs from check to check.
static bool are_lost_at_one_request(const struct finding *a, const struct finding *b)
{
    return is_silent(a) && (b->lost || b->unanswered) && a->lost_at[0] == b->lost_at[0] &&
           a->lost_at[1] == b->lost_at[1];
}

// The first check of this run that has the FAIL for a loss at the same request.
static const struct check *first_lost_there(const struct report *report, const struct finding *own)
{
    static const uint8_t none[USBDEV_SETUP_SIZE]; // it left by itself
    if (!is_silent(own) || memcmp(own->lost_at, none, sizeof none) == 0)
        return NULL;
    for (size_t i = 0; i < report->count; i++) {
        const struct result *result = &report->results[i];
        const struct finding *other = &result->finding;
        if (result->verdict == VERDICT_FAIL && !result->waiver && is_silent(other) &&
            other->lost_in == own->lost_in &&
            memcmp(other->lost_at, own->lost_at, sizeof own->lost_at) == 0)
            return result->check;
    }
    return NULL;
}

// The first of those that is not met for the same reason, which may be the check itself; or NULL.
// What a request does that is answered, and leads the device away, may be seen before it leaves.
static const struct check *
find_judge(struct run *run, const struct check *check, const struct finding *finding)
{
    const struct finding own = *finding;
    const struct check *judge;
    for (size_t at = 0; (judge = judge_at(&own, at)) != NULL; at++) {
        struct finding other;
        if (judge == check)
            return check;
        const struct check *root = root_at(run, judge, &other);
        if (root && (own.lost_late || are_lost_at_one_request(&own, &other)))
            return root;
    }
    return first_lost_there(run->report, &own);
}

// A request that is not answered may be one that a presumption is about. One at which the device is
// lost is judged as such first.
static const struct check *
find_either(struct run *run, const struct check *check, const struct finding *finding)
{
    const struct finding own = *finding;
    const struct check *root =
        own.lost ? find_judge(run, check, &own) : find_root(run, check, &own);
    if (root)
        return root;
    return own.lost ? find_root(run, check, &own) : find_judge(run, check, &own);
}

const struct check *
judge_consequence(struct run *run, const struct check *check, struct attempt *attempt)
{
    // A device that did not come back is in no mode in which more could be judged.
    bool judges_loss = check->judges_return && attempt->stranded;
    enum verdict verdict = attempt->judgement.verdict;
    if ((verdict != VERDICT_FAIL && verdict != VERDICT_WARN) || run->lost || judges_loss ||
        waiver_for(run, check, verdict))
        return NULL;
    struct finding *finding = &attempt->judgement.finding;
    const struct check *root = find_either(run, check, finding);
    if (!root || root == check)
        return NULL;
    attempt->judgement.verdict = VERDICT_INCONCLUSIVE;
    if (finding->lost)
        snprintf(finding->message, sizeof finding->message, "the device is lost by what %s judges",
                 root->id);
    else
        snprintf(finding->message, sizeof finding->message,
                 "this check presumes %s, which is not met", root->id);
    return root;
}
