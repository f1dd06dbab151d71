// SPDX-License-Identifier: MIT
//
// What a verdict means for counts: TAP, JUnit, JSON, the page, the table and the exit status all
// use this file, so that they agree.

#include <conformance/report.h>

enum outcome result_outcome(const struct result *result)
{
    switch (result->verdict) {
    case VERDICT_PASS:
        return OUTCOME_MET;
    case VERDICT_FAIL:
        return result->waiver ? OUTCOME_TOLERATED : OUTCOME_BROKEN;
    case VERDICT_WARN:
        return OUTCOME_TOLERATED;
    case VERDICT_SKIP:
        return OUTCOME_SKIPPED;
    case VERDICT_INCONCLUSIVE:
        return result->check->level == LEVEL_INFO ? OUTCOME_SKIPPED : OUTCOME_NOT_JUDGED;
    }
    return OUTCOME_NOT_JUDGED;
}

bool result_informs(const struct result *result)
{
    return result->verdict == VERDICT_PASS && *result->finding.expected;
}

const char *result_text(const struct result *result)
{
    if (result->waiver)
        return "waived";
    return result_informs(result) ? "informs" : verdict_text(result->verdict);
}

unsigned report_count(const struct report *report, enum outcome outcome)
{
    unsigned count = 0;
    for (size_t i = 0; i < report->count; i++)
        count += result_outcome(&report->results[i]) == outcome;
    return count;
}

enum run_status report_status(const struct report *report)
{
    if (report->not_as_found)
        return RUN_NOT_AS_FOUND;
    if (report->host_fault)
        return RUN_COULD_NOT;
    if (report_count(report, OUTCOME_BROKEN))
        return RUN_FAILED;
    if (report->not_used)
        return RUN_COULD_NOT;
    if (!report_count(report, OUTCOME_MET) && !report_count(report, OUTCOME_TOLERATED))
        return RUN_COULD_NOT;
    return report_count(report, OUTCOME_NOT_JUDGED) || report->losses ? RUN_NOT_JUDGED : RUN_MET;
}

const char *run_status_text(enum run_status status)
{
    switch (status) {
    case RUN_MET:
        return "everything that applies was judged and met";
    case RUN_FAILED:
        return "a requirement is not met";
    case RUN_COULD_NOT:
        return "the run was not possible, or judged nothing";
    case RUN_NOT_JUDGED:
        return "no check failed, but a requirement could not be judged, or the device was lost";
    case RUN_NOT_AS_FOUND:
        return "the device is not as it was found";
    }
    return "?";
}
