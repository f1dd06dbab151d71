// SPDX-License-Identifier: MIT
//
// Results that have one cause: a device that does not come back makes a hundred checks
// INCONCLUSIVE, and that is one thing to say. The cause is the verdict with the words of its
// reason, and the trouble that the device came into. The trouble stands at the check in which it
// was noticed; those after it with the same reason have the same cause. A request with the same
// wrong answer in both modes, or in two checks, is one cause, too.

#include <string.h>

#include <conformance/report.h>

static bool was_answered_as(const struct result *later, const struct result *first)
{
    const struct finding *a = &later->finding;
    const struct finding *b = &first->finding;
    if (later->root) // the message names it
        return true;
    if (!*a->received || !*b->received)
        return *a->received == *b->received;
    bool is_found_wrong = later->verdict == VERDICT_FAIL || later->verdict == VERDICT_WARN;
    return is_found_wrong && strcmp(a->sent, b->sent) == 0 &&
           strcmp(a->expected, b->expected) == 0 && strcmp(a->received, b->received) == 0;
}

static bool has_cause_of(const struct result *later, const struct result *first)
{
    return later->verdict == first->verdict && later->inapplicable == first->inapplicable &&
           !later->waiver == !first->waiver &&
           strcmp(later->finding.message, first->finding.message) == 0 &&
           (strcmp(later->trouble, first->trouble) == 0 ||
            (*later->trouble == '\0' && *later->finding.message != '\0')) &&
           was_answered_as(later, first);
}

// The first result with the cause of this one.
static size_t first_of_cause(const struct report *report, size_t index)
{
    size_t i = 0;
    while (i < index && !has_cause_of(&report->results[index], &report->results[i]))
        i++;
    return i;
}

bool report_is_first_of_cause(const struct report *report, size_t index)
{
    return first_of_cause(report, index) == index;
}

size_t report_next_of_cause(const struct report *report, size_t index)
{
    size_t first = first_of_cause(report, index);
    size_t i = index + 1;
    while (i < report->count && first_of_cause(report, i) != first)
        i++;
    return i;
}

size_t report_count_of_cause(const struct report *report, size_t index)
{
    size_t count = 0;
    for (size_t i = index; i < report->count; i = report_next_of_cause(report, i))
        count++;
    return count;
}

void report_skips(const struct report *report, char text[REPORT_SKIPS])
{
    size_t length = 0;
    *text = '\0';
    for (size_t i = 0; i < report->count && length < REPORT_SKIPS; i++) {
        const struct result *result = &report->results[i];
        if (result->verdict == VERDICT_SKIP && !result->inapplicable &&
            report_is_first_of_cause(report, i))
            length += (size_t)snprintf(text + length, REPORT_SKIPS - length, "%s%zu (%s)",
                                       length ? ", " : "", report_count_of_cause(report, i),
                                       result->finding.message);
    }
}
