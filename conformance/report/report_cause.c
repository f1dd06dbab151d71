// SPDX-License-Identifier: MIT
//
// Results that have one cause: a device that does not come back makes a hundred checks
// INCONCLUSIVE, and that is one thing to say. The cause is the verdict with the words of its
// reason, and the trouble that the device came into.

#include <string.h>

#include <conformance/report.h>

static bool same_cause(const struct result *one, const struct result *other)
{
    return one->verdict == other->verdict && one->inapplicable == other->inapplicable &&
           strcmp(one->finding.message, other->finding.message) == 0 &&
           strcmp(one->trouble, other->trouble) == 0 && *one->finding.received == '\0' &&
           *other->finding.received == '\0';
}

bool report_is_first_of_cause(const struct report *report, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_cause(&report->results[i], &report->results[index]))
            return false;
    return true;
}

size_t report_next_of_cause(const struct report *report, size_t index)
{
    for (size_t i = index + 1; i < report->count; i++)
        if (same_cause(&report->results[i], &report->results[index]))
            return i;
    return report->count;
}

size_t report_count_of_cause(const struct report *report, size_t index)
{
    size_t count = 0;
    for (size_t i = index; i < report->count; i = report_next_of_cause(report, i))
        count++;
    return count;
}
