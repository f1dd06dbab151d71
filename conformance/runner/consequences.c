// SPDX-License-Identifier: MIT
//
// One defect, one FAIL: a check that was not met is INCONCLUSIVE where a requirement that it
// presumes (presumptions.h) is not met either, and names the one that is. What it found stays in
// its result.
//
// The verdict on what is presumed is taken from the report; a check that has not run yet, or was
// not selected, is run for it. So a check says the same in a whole run and alone. A waived FAIL
// excuses itself alone; so does one that is no loss where the device was lost.

#include <string.h>

#include "run.h"
#include <conformance/presumptions.h>

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

static bool is_loss(const struct finding *finding)
{
    return strcmp(finding->expected, BLAME_EXPECTED) == 0;
}

static bool applies(const struct presumption *presumption, const struct finding *finding)
{
    return !presumption->expected || strcmp(presumption->expected, finding->expected) == 0;
}

static const struct check *
find_root(struct run *run, const struct check *check, const struct finding *finding);

// Is a check that has not run not met, in two runs of it? The first may see what the check that
// presumes it has left behind.
static bool fails_twice(struct run *run, const struct check *check, struct finding *ret_finding)
{
    static struct attempt attempt; // nothing of it is needed once another one is made
    bool fails = true;
    for (int i = 0; fails && i < 2; i++) {
        attempt = (struct attempt){.judgement.verdict = VERDICT_INCONCLUSIVE};
        try_check_until_judged(run, check, &attempt);
        judge_loss(run, check, &attempt);
        fails = attempt.judgement.verdict == VERDICT_FAIL && !run->lost;
        *ret_finding = attempt.judgement.finding;
    }
    return fails;
}

static const struct check *
root_by_trying(struct run *run, const struct check *check, struct finding *ret_finding)
{
    if (run->lost || waiver_for(run, check, VERDICT_FAIL) || !fails_twice(run, check, ret_finding))
        return NULL;
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

// Of a check that is not met: the one that has the FAIL for it, or NULL.
static const struct check *
find_root(struct run *run, const struct check *check, const struct finding *finding)
{
    const struct finding own = *finding;
    struct presumption presumption;
    for (size_t at = 0; presumption_of(check, at, &presumption); at++) {
        struct finding other;
        const struct check *root =
            applies(&presumption, &own) ? root_at(run, presumption.check, &other) : NULL;
        if (root && applies(&presumption, &other) && (!is_loss(&own) || is_loss(&other)) &&
            (!presumption.same_sentence || are_alike(&own, &other)))
            return root;
    }
    return NULL;
}

const struct check *
judge_consequence(struct run *run, const struct check *check, struct attempt *attempt)
{
    // A device that did not come back is in no mode in which more could be judged.
    bool judges_loss = check->judges_return && attempt->stranded;
    if (attempt->judgement.verdict != VERDICT_FAIL || run->lost || judges_loss ||
        waiver_for(run, check, VERDICT_FAIL))
        return NULL;
    const struct check *root = find_root(run, check, &attempt->judgement.finding);
    if (!root)
        return NULL;
    attempt->judgement.verdict = VERDICT_INCONCLUSIVE;
    snprintf(attempt->judgement.finding.message, sizeof attempt->judgement.finding.message,
             "this check presumes %s, which is not met", root->id);
    return root;
}
