// SPDX-License-Identifier: MIT
//
// What GitHub Actions shows of a run: workflow commands on standard output, which become
// annotations of the job, and a summary page in Markdown.

#include <string.h>

#include <conformance/report.h>

// In the data of a workflow command % and line ends are escaped; in a property : and , as well.
static void put_escaped(FILE *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (strchr(special, *text))
            fprintf(out, "%%%02X", (unsigned char)*text);
        else
            fputc(*text, out);
    }
}

static const char in_data[] = "%\r\n", in_property[] = "%\r\n:,";

static void put_annotation(FILE *out, const struct result *result)
{
    const struct finding *finding = &result->finding;
    fputs(result->verdict == VERDICT_FAIL ? "::error title=" : "::warning title=", out);
    put_escaped(out, result->check->id, in_property);
    fputs("::", out);
    put_escaped(out, result->check->sentence, in_data);
    put_escaped(out, " [", in_data);
    put_escaped(out, result->check->section, in_data);
    put_escaped(out, "]", in_data);
    if (*finding->expected) {
        put_escaped(out, "\nexpected ", in_data);
        put_escaped(out, finding->expected, in_data);
    }
    if (*finding->received) {
        put_escaped(out, "\nreceived ", in_data);
        put_escaped(out, finding->received, in_data);
    }
    if (*result->trouble) {
        put_escaped(out, "\ntrouble ", in_data);
        put_escaped(out, result->trouble, in_data);
    }
    fputc('\n', out);
}

void report_github_error(FILE *out, const char *text)
{
    fputs("::error title=dfu-conformance::", out);
    put_escaped(out, text, in_data);
    fputc('\n', out);
}

// Of a run that is red for another reason than a FAIL.
static void put_outcome(FILE *out, const struct report *report)
{
    const char *const more[] = {report->loss, report->ending, report->flash};
    fputs("::error title=dfu-conformance::", out);
    put_escaped(out, run_status_text(report->status), in_data);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        put_escaped(out, *more[i] ? "\n" : "", in_data);
        put_escaped(out, more[i], in_data);
    }
    fputc('\n', out);
}

// A cell of a table: no | and no markup of its own.
static void put_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("|\\`*_<>[]", *text))
            fputc('\\', out);
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
    }
    fputs(" | ", out);
}

static void put_rows(FILE *out, const struct report *report)
{
    fputs("| | check | requirement | expected | received |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < report->count; i++) {
        const struct result *result = &report->results[i];
        if ((result->verdict != VERDICT_FAIL && result->verdict != VERDICT_WARN) || result->waiver)
            continue;
        fputs("| ", out);
        put_cell(out, verdict_text(result->verdict));
        put_cell(out, result->check->id);
        put_cell(out, result->check->sentence);
        put_cell(out, result->finding.expected);
        put_cell(out, result->finding.received);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void put_summary(FILE *out, const struct report *report)
{
    const unsigned *counts = report->counts;
    fputs("### DFU conformance: ", out);
    put_cell(out, report->target);
    fprintf(
        out, "%s\n\n%u passed, %u failed, %u warned, %u skipped, %u inconclusive, %u waived\n\n",
        run_status_text(report->status), counts[VERDICT_PASS], counts[VERDICT_FAIL],
        counts[VERDICT_WARN], counts[VERDICT_SKIP], counts[VERDICT_INCONCLUSIVE], report->waived);
    if (counts[VERDICT_FAIL] || counts[VERDICT_WARN])
        put_rows(out, report);
    if (*report->departure)
        fprintf(out, "%s\n\n", report->departure);
    if (*report->loss)
        fprintf(out, "%s\n\n", report->loss);
    if (*report->ending)
        fprintf(out, "%s\n\n", report->ending);
    if (*report->flash)
        fprintf(out, "%s\n\n", report->flash);
}

static void end(void *context, const struct report *report)
{
    const struct report_github *github = context;
    for (size_t i = 0; i < report->count; i++) {
        const struct result *result = &report->results[i];
        if ((result->verdict == VERDICT_FAIL || result->verdict == VERDICT_WARN) && !result->waiver)
            put_annotation(github->out, result);
    }
    if (report->status != RUN_MET && report->status != RUN_FAILED)
        put_outcome(github->out, report);
    fflush(github->out);
    if (github->summary)
        put_summary(github->summary, report);
}

struct report_listener report_github(struct report_github *github, FILE *out, FILE *summary)
{
    *github = (struct report_github){.out = out, .summary = summary};
    return (struct report_listener){.end = end, .context = github};
}
