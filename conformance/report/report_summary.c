// SPDX-License-Identifier: MIT
//
// The end of a run on a terminal: each FAIL and WARN in full, once for each cause, INCONCLUSIVE
// results and trouble by cause, the reasons of SKIPs, the counts, and last the ids of what failed.

#include <inttypes.h>
#include <string.h>

#include "report_text.h"

// Of ids there are too many for a person where one cause has more than MOST_IDS.
enum { IDS_TEXT = 4096, MOST_IDS = 12 };

static void add_id(char ids[IDS_TEXT], const struct result *result)
{
    size_t length = strlen(ids);
    snprintf(ids + length, IDS_TEXT - length, "%s%s", length ? " " : "", result->check->id);
}

// The first ids and how many more there are; all of them when verbose.
static void add_ids_of_cause(const struct report_text *text,
                             const struct report *report,
                             size_t first,
                             size_t count,
                             char ids[IDS_TEXT])
{
    size_t shown = text->verbose || count <= MOST_IDS ? count : MOST_IDS;
    size_t index = first;
    for (size_t i = 0; i < shown; i++) {
        add_id(ids, &report->results[index]);
        index = report_next_of_cause(report, index);
    }
    if (shown < count) {
        size_t length = strlen(ids);
        snprintf(ids + length, IDS_TEXT - length, " and %zu more (--verbose)", count - shown);
    }
}

static void put_cause(const struct report_text *text, const struct report *report, size_t first)
{
    const struct result *result = &report->results[first];
    size_t count = report_count_of_cause(report, first);
    char ids[IDS_TEXT] = "";
    if (count == 1) {
        text_result(text, result);
        return;
    }
    add_ids_of_cause(text, report, first, count, ids);
    text_verdict(text, result);
    fprintf(text->out, "%zu checks of one cause\n", count);
    if (*result->finding.message) {
        fprintf(text->out, "%*s", TEXT_VERDICT_WIDTH, "");
        text_wrapped(text, TEXT_VERDICT_WIDTH, result->finding.message);
    }
    text_trouble(text, result);
    fprintf(text->out, "%*s", TEXT_VERDICT_WIDTH, "");
    text_wrapped(text, TEXT_VERDICT_WIDTH, ids);
}

// What was found wrong, in full, and the other checks that found the same.
static void put_found(const struct report_text *text, const struct report *report, size_t first)
{
    size_t next = report_next_of_cause(report, first);
    char ids[IDS_TEXT] = "";
    add_ids_of_cause(text, report, next, report_count_of_cause(report, first) - 1, ids);
    fputc('\n', text->out);
    text_result(text, &report->results[first]);
    text_also(text, ids);
}

// The verdict is good, but the device is in trouble.
static void put_in_trouble(const struct report_text *text, const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct result *result = &report->results[i];
        bool is_quiet = result->verdict == VERDICT_PASS || result->verdict == VERDICT_SKIP;
        if (!is_quiet || !*result->trouble || !report_is_first_of_cause(report, i))
            continue;
        fputc('\n', text->out);
        put_cause(text, report, i);
    }
}

static void put_in_full(const struct report_text *text, const struct report *report)
{
    static const enum verdict order[] = {VERDICT_WARN, VERDICT_FAIL};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (size_t j = 0; j < report->count; j++) {
            if (report->results[j].verdict == order[i] && report_is_first_of_cause(report, j))
                put_found(text, report, j);
        }
    }
}

static void put_not_judged(const struct report_text *text, const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->results[i].verdict != VERDICT_INCONCLUSIVE ||
            !report_is_first_of_cause(report, i))
            continue;
        fputc('\n', text->out);
        put_cause(text, report, i);
    }
}

// A paragraph of the table, since it is about what was not asked.
static void put_skipped(const struct report_text *text, const struct report *report)
{
    enum { INDENT = 2 };
    char reasons[REPORT_SKIPS];
    char line[REPORT_SKIPS + 16];
    report_skips(report, reasons);
    if (!*reasons)
        return;
    snprintf(line, sizeof line, "skipped: %s", reasons);
    fprintf(text->out, "%*s", INDENT, "");
    text_wrapped(text, INDENT, line);
}

static void put_counts(const struct report_text *text, const struct report *report)
{
    const unsigned *counts = report->counts;
    char profile[REPORT_TEXT];
    char line[512];
    int length = snprintf(line, sizeof line,
                          "%u passed, %u failed, %u warned, %u skipped, %u inconclusive", //
                          counts[VERDICT_PASS], counts[VERDICT_FAIL], counts[VERDICT_WARN],
                          counts[VERDICT_SKIP], counts[VERDICT_INCONCLUSIVE]);
    if (report->waived)
        length +=
            snprintf(line + length, sizeof line - (size_t)length, ", %u waived", report->waived);
    if (report->inapplicable)
        length += snprintf(line + length, sizeof line - (size_t)length,
                           ", %u for other kinds of device", report->inapplicable);
    report_profile(report, profile);
    snprintf(line + length, sizeof line - (size_t)length,
             "; %" PRIu64 ".%03" PRIu64 " s of the device's time; profile: %s",
             report->took_us / 1000000, report->took_us / 1000 % 1000, profile);
    fputc('\n', text->out);
    text_items(text, 0, line);
}

// The ids of the results with this verdict, unless there are too many for a line or two.
static void
put_ids(const struct report_text *text, const struct report *report, enum verdict verdict)
{
    char ids[IDS_TEXT] = "";
    unsigned count = 0;
    for (size_t i = 0; i < report->count; i++) {
        if (report->results[i].verdict != verdict || report->results[i].waiver)
            continue;
        add_id(ids, &report->results[i]);
        count++;
    }
    if (count == 0 || (verdict == VERDICT_INCONCLUSIVE && count > MOST_IDS))
        return;
    fprintf(text->out, "%-14s", verdict_text(verdict));
    text_wrapped(text, 14, ids);
}

// How the run ended, and how to look at the first failure alone.
static void put_status(const struct report_text *text, const struct report *report)
{
    char line[256];
    int length = snprintf(line, sizeof line, "exit status %d: %s", (int)report->status,
                          report->status == RUN_COULD_NOT && report->not_used
                              ? "the file to restore, or the page of --scratch, was not used"
                              : run_status_text(report->status));
    for (size_t i = 0; i < report->count && report->status == RUN_FAILED; i++) {
        const struct result *result = &report->results[i];
        if (result_outcome(result) != OUTCOME_BROKEN)
            continue;
        snprintf(line + length, sizeof line - (size_t)length,
                 "; one alone: --only %s --capture FILE", result->check->id);
        break;
    }
    text_items(text, 0, line);
}

void text_summary(const struct report_text *text, const struct report *report)
{
    put_skipped(text, report);
    put_not_judged(text, report);
    put_in_trouble(text, report);
    put_in_full(text, report);
    put_counts(text, report);
    put_ids(text, report, VERDICT_INCONCLUSIVE);
    put_ids(text, report, VERDICT_WARN);
    put_ids(text, report, VERDICT_FAIL);
    if (*report->departure)
        text_wrapped(text, 0, report->departure);
    if (*report->loss)
        text_wrapped(text, 0, report->loss);
    if (report->status != RUN_MET)
        put_status(text, report);
    if (*report->flash)
        fprintf(text->out, "%s\n", report->flash);
}
