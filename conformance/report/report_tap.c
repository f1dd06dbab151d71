// SPDX-License-Identifier: MIT
//
// Test Anything Protocol. Versions 13 and 14 differ in their first line alone, as far as it is used
// here: no subtests, YAML blocks indented by two. A FAIL that is not waived and a must or should
// that is INCONCLUSIVE are a bare "not ok": only what was judged is green. A WARN and a waived
// finding are "not ok ... # TODO", which no harness counts as failed; a SKIP is "ok ... # SKIP".
// Every result but a plain PASS, and each with trouble, has a YAML block. A run that judged
// nothing, or that left the device changed, ends with "Bail out!", for a harness that does not see
// the exit status.

#include <inttypes.h>

#include <conformance/report.h>

// In a description # begins a directive and \ escapes.
static void print_description(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

// A double-quoted YAML scalar.
static void print_scalar(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            fprintf(out, "\\x%02x", (unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void print_pair(FILE *out, const char *key, const char *text)
{
    if (!*text)
        return;
    fprintf(out, "  %s: ", key);
    print_scalar(out, text);
    fputc('\n', out);
}

static void print_transfers(FILE *out, const struct result *result)
{
    char line[PROBE_WORDS + 100];
    if (!result->transfer_count)
        return;
    if (result->transfers_dropped)
        fprintf(out, "  transfers_dropped: %zu\n", result->transfers_dropped);
    fprintf(out, "  transfers:\n");
    for (size_t i = 0; i < result->transfer_count; i++) {
        transcript_line(&result->transfers[i], line, sizeof line);
        fprintf(out, "    - ");
        print_scalar(out, line);
        fputc('\n', out);
    }
}

static void print_yaml(FILE *out, const struct result *result)
{
    fprintf(out, "  ---\n");
    print_pair(out, "section", result->check->section);
    print_pair(out, "level", level_text(result->check->level));
    print_pair(out, "verdict", result_text(result));
    print_pair(out, "sent", result->finding.sent);
    print_pair(out, "expected", result->finding.expected);
    print_pair(out, "received", result->finding.received);
    print_pair(out, "message", result->finding.message);
    print_pair(out, "trouble", result->trouble);
    fprintf(out, "  start_us: %" PRIu64 "\n  took_us: %" PRIu64 "\n", result->start_us,
            result->took_us);
    if (result->first_frame)
        fprintf(out, "  frames: [%" PRIu64 ", %" PRIu64 "]\n", result->first_frame,
                result->last_frame);
    if (result->verdict != VERDICT_PASS && result->verdict != VERDICT_SKIP)
        print_transfers(out, result);
    fprintf(out, "  ...\n");
}

static void begin(void *context, const struct report *report)
{
    struct report_tap *tap = context;
    fprintf(tap->out, "TAP version %u\n1..%zu\n# dfu-conformance %s: %s\n", tap->version,
            report->planned, report->suite_version, report->target);
    if (*report->slow)
        fprintf(tap->out, "# %s\n", report->slow);
    fflush(tap->out);
}

static void print_directive(FILE *out, const struct result *result)
{
    switch (result_outcome(result)) {
    case OUTCOME_MET:
    case OUTCOME_BROKEN:
    case OUTCOME_NOT_JUDGED:
        break;
    case OUTCOME_TOLERATED:
        fprintf(out, " # TODO %s%s", result->waiver ? "waived: " : "a should, not a must",
                result->waiver ? result->waiver : "");
        break;
    case OUTCOME_SKIPPED:
        fprintf(out, " # SKIP %s%s",
                result->verdict == VERDICT_SKIP ? "" : "inconclusive: ", result->finding.message);
        break;
    }
}

static bool is_ok(const struct result *result)
{
    enum outcome outcome = result_outcome(result);
    return outcome == OUTCOME_MET || outcome == OUTCOME_SKIPPED;
}

static void check_end(void *context, const struct report *report, const struct result *result)
{
    struct report_tap *tap = context;
    (void)report;
    fprintf(tap->out, "%sok %zu - %s: ", is_ok(result) ? "" : "not ", ++tap->number,
            result->check->id);
    print_description(tap->out, result->check->sentence);
    print_directive(tap->out, result);
    fputc('\n', tap->out);
    bool plain = result->verdict == VERDICT_PASS && !result_informs(result);
    if (!plain || *result->finding.message || *result->trouble)
        print_yaml(tap->out, result);
    fflush(tap->out);
}

static void end(void *context, const struct report *report)
{
    struct report_tap *tap = context;
    const char *text = *report->ending ? report->ending : run_status_text(report->status);
    if (*report->departure)
        fprintf(tap->out, "# %s\n", report->departure);
    if (*report->loss)
        fprintf(tap->out, "# %s\n", report->loss);
    if (*report->flash)
        fprintf(tap->out, "# %s\n", report->flash);
    if (report->status == RUN_COULD_NOT || report->status == RUN_NOT_AS_FOUND)
        fprintf(tap->out, "Bail out! %s\n", text);
    else if (*report->ending)
        fprintf(tap->out, "# %s\n", text);
    fflush(tap->out);
}

struct report_listener report_tap(struct report_tap *tap, FILE *out, unsigned version)
{
    *tap = (struct report_tap){.out = out, .version = version};
    return (struct report_listener){
        .begin = begin,
        .check_end = check_end,
        .end = end,
        .context = tap,
    };
}
