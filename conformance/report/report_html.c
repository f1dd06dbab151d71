// SPDX-License-Identifier: MIT
//
// The report as one HTML page that needs nothing else: no script, no font, no picture from
// elsewhere. The order is that of a reader's interest: the verdict, what failed and why, the
// device, then every check. Colours follow the reader's light or dark setting.

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "report_html.h"
#include <conformance/report_files.h>

enum { LINE_TEXT = 256 };

void html_put(FILE *out, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report_put_xml(out, text);
}

// ---- The verdict at a glance ----

static const char *headline(const struct report *report)
{
    switch (report->status) {
    case RUN_MET:
        return "Every requirement that applies was met";
    case RUN_FAILED:
        return "Not conformant";
    case RUN_COULD_NOT:
        return "Nothing was judged";
    case RUN_NOT_JUDGED:
        return "No requirement was broken, but not all could be judged";
    case RUN_NOT_AS_FOUND:
        return "The device is not as it was found";
    }
    return "?";
}

static enum verdict tone_of(const struct report *report)
{
    if (report->status == RUN_FAILED || report->status == RUN_NOT_AS_FOUND)
        return VERDICT_FAIL;
    return report->status == RUN_MET ? VERDICT_PASS : VERDICT_INCONCLUSIVE;
}

// The counts as a bar: how much of all is green.
static void put_bar(FILE *out, const struct report *report)
{
    fputs("<div class=\"bar\" aria-hidden=\"true\">", out);
    for (unsigned i = 0; i <= VERDICT_INCONCLUSIVE; i++) {
        if (report->counts[i])
            fprintf(out, "<span class=\"%s\" style=\"flex:%u\"></span>",
                    verdict_text((enum verdict)i), report->counts[i]);
    }
    fputs("</div>", out);
}

static void put_counts(FILE *out, const struct report *report)
{
    fputs("<ul class=\"chips\" id=\"counts\">", out);
    for (unsigned i = 0; i <= VERDICT_INCONCLUSIVE; i++) {
        const char *verdict = verdict_text((enum verdict)i);
        const char *tone = report->counts[i] ? "tone" : "soft";
        if (report->counts[i] || i <= VERDICT_FAIL)
            fprintf(out, "<li class=\"%s %s\"><b>%u</b> %s</li>", verdict, tone, report->counts[i],
                    verdict);
    }
    if (report->waived)
        fprintf(out, "<li class=\"soft\"><b>%u</b> waived</li>", report->waived);
    if (report->inapplicable)
        fprintf(out, "<li class=\"soft\"><b>%u</b> for other kinds of device</li>",
                report->inapplicable);
    fputs("</ul>", out);
}

// What was tested: as it was seen first.
static void put_tested(FILE *out, const struct report *report)
{
    const struct report_device *device =
        report->run_time.seen ? &report->run_time : &report->dfu_mode;
    char name[REPORT_DEVICE];

    if (!device->seen)
        return;
    report_name_device(device, name);
    fputs("<dt>device</dt><dd id=\"device\">", out);
    html_put(out, "%s", name);
    fputs("</dd>", out);
}

static void put_skips(FILE *out, const struct report *report)
{
    char reasons[REPORT_SKIPS];

    report_skips(report, reasons);
    if (!*reasons)
        return;
    fputs("<dt>skipped</dt><dd id=\"skipped\">", out);
    html_put(out, "%s", reasons);
    fputs("</dd>", out);
}

// When, and on which host.
static void put_origin(FILE *out, const struct report *report)
{
    char text[64];
    struct tm local;

    if (report->started && localtime_r(&report->started, &local) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M %z", &local))
        fprintf(out, "<dt>date</dt><dd id=\"date\">%s</dd>", text);
    if (report->host[0]) {
        fputs("<dt>host</dt><dd id=\"host\">", out);
        html_put(out, "%s", report->host);
        fputs("</dd>", out);
    }
}

static void put_summary(FILE *out, const struct report *report)
{
    char profile[REPORT_TEXT];

    report_profile(report, profile);
    fprintf(out, "<div class=\"band %s\"><p class=\"headline\" id=\"headline\">%s</p>",
            verdict_text(tone_of(report)), headline(report));
    put_bar(out, report);
    put_counts(out, report);
    fputs("</div>\n<dl><dt>target</dt><dd>", out);
    html_put(out, report->where[0] ? "%s (%s)" : "%s%s", report->target, report->where);
    fputs("</dd>", out);
    put_tested(out, report);
    fputs("<dt>profile</dt><dd id=\"profile\">", out);
    html_put(out, "%s", profile);
    fputs("</dd>", out);
    put_skips(out, report);
    fprintf(out, "<dt>suite</dt><dd>dfu-conformance %s%s%s%s against %s: %zu checks, ",
            report->suite_version, *report->suite_commit ? " (" : "", report->suite_commit,
            *report->suite_commit ? ")" : "",
            report->chapter9 ? "chapter 9 of USB 2.0" : "USB DFU 1.1", report->count);
    fprintf(out, "%.2f s of the device's time</dd>", (double)report->took_us / 1e6);
    put_origin(out, report);
    fputs("</dl>\n", out);
    const char *const lines[] = {report->departure, report->loss, report->ending, report->flash};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!lines[i][0])
            continue;
        fputs("<p>", out);
        html_put(out, "%s", lines[i]);
        fputs("</p>\n", out);
    }
}

// ---- What was found ----

static void put_row(FILE *out, const char *name, const char *text)
{
    if (!text || !text[0])
        return;
    fprintf(out, "<dt>%s</dt><dd class=\"mono\">", name);
    html_put(out, "%s", text);
    fputs("</dd>", out);
}

static void put_finding(FILE *out, const struct result *result)
{
    fputs("<dl>", out);
    put_row(out, "sent", result->finding.sent);
    put_row(out, "expected", result->finding.expected);
    put_row(out, "received", result->finding.received);
    put_row(out, "note", result->finding.message);
    put_row(out, "trouble", result->trouble);
    put_row(out, "waived", result->waiver);
    if (result->first_frame)
        fprintf(out, "<dt>capture</dt><dd>frames %" PRIu64 " to %" PRIu64 "</dd>",
                result->first_frame, result->last_frame);
    fputs("</dl>", out);
}

static void put_transfers(FILE *out, const struct result *result)
{
    char line[LINE_TEXT];

    if (result->transfer_count == 0)
        return;
    fputs("<details><summary>what went over the bus</summary><pre>", out);
    if (result->transfers_dropped)
        fprintf(out, "(%zu earlier ones omitted)\n", result->transfers_dropped);
    for (size_t i = 0; i < result->transfer_count; i++) {
        transcript_line(&result->transfers[i], line, sizeof line);
        fprintf(out, "%10.3f ms  ", (double)result->transfers[i].start_us / 1000);
        html_put(out, "%s", line);
        fputc('\n', out);
    }
    fputs("</pre></details>", out);
}

// A waived result shows only that it is waived.
static void put_verdict(FILE *out, const struct result *result)
{
    const char *verdict = verdict_text(result->verdict);

    fprintf(out, "<article class=\"band %s\"><span class=\"verdict\">%s%s</span> ",
            result->waiver ? "waived" : verdict, verdict, result->waiver ? ", waived" : "");
}

// The ids of a result and of those after it with its cause.
static void put_ids(FILE *out, const struct report *report, size_t index)
{
    for (size_t i = index; i < report->count; i = report_next_of_cause(report, i))
        fprintf(out, "<a href=\"#%s\">%s</a> ", report->results[i].check->id,
                report->results[i].check->id);
}

// Several results that could not be judged for one cause: the cause, and their ids.
static void put_cause(FILE *out, const struct report *report, size_t first)
{
    const struct result *result = &report->results[first];

    put_verdict(out, result);
    fprintf(out, "<b>%zu checks of one cause</b><p>", report_count_of_cause(report, first));
    html_put(out, "%s", result->finding.message);
    fputs("</p>", out);
    if (result->trouble[0]) {
        fputs("<dl>", out);
        put_row(out, "trouble", result->trouble);
        fputs("</dl>", out);
    }
    fputs("<p class=\"mono ids\">", out);
    put_ids(out, report, first);
    fputs("</p></article>\n", out);
}

// A result in full, and the ids of others that found the same.
static void put_trouble(FILE *out, const struct report *report, size_t first)
{
    const struct result *result = &report->results[first];
    size_t next = report_next_of_cause(report, first);

    put_verdict(out, result);
    fprintf(out, "<b class=\"mono\">%s</b> <span class=\"soft\">%s</span><p>", result->check->id,
            result->check->section);
    html_put(out, "%s", result->check->sentence);
    fputs("</p>", out);
    put_finding(out, result);
    if (next < report->count) {
        fputs("<p class=\"ids\">also <span class=\"mono\">", out);
        put_ids(out, report, next);
        fputs("</span></p>", out);
    }
    put_transfers(out, result);
    fputs("</article>\n", out);
}

// The worst comes first.
static void put_troubles(FILE *out, const struct report *report)
{
    static const enum verdict order[] = {VERDICT_FAIL, VERDICT_WARN, VERDICT_INCONCLUSIVE};
    bool any = false;

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        for (size_t j = 0; j < report->count; j++) {
            if (report->results[j].verdict != order[i] || !report_is_first_of_cause(report, j))
                continue;
            if (!any)
                fputs("<h2>What was found</h2>\n", out);
            any = true;
            if (order[i] == VERDICT_INCONCLUSIVE && report_count_of_cause(report, j) > 1)
                put_cause(out, report, j);
            else
                put_trouble(out, report, j);
        }
    }
}

// ---- Every check, by group ----

static void put_remark(FILE *out, const char *name, const char *text)
{
    if (!text[0])
        return;
    fprintf(out, "<br><span class=\"soft\">%s", name);
    html_put(out, "%s", text);
    fputs("</span>", out);
}

static void put_result(FILE *out, const struct result *result)
{
    fprintf(out, "<tr class=\"check %s\" id=\"%s\"><td class=\"verdict\">%s</td>",
            result_text(result), result->check->id, result_text(result));
    fprintf(out, "<td class=\"mono id\">%s</td><td>", result->check->id);
    html_put(out, "%s", result->check->sentence);
    put_remark(out, "", result->finding.message);
    put_remark(out, "", result->trouble);
    if (result_informs(result)) {
        put_remark(out, "expected ", result->finding.expected);
        put_remark(out, "received ", result->finding.received);
    }
    fputs("</td><td class=\"section soft\">", out);
    html_put(out, "%s, %s", result->check->section, level_text(result->check->level));
    fputs("</td></tr>\n", out);
}

static void put_group_head(FILE *out, const struct result *results, size_t count)
{
    const struct check_group *group = catalogue_group_of(results->check);
    unsigned counts[VERDICT_INCONCLUSIVE + 1] = {0};
    unsigned inapplicable = 0;

    for (size_t i = 0; i < count; i++) {
        inapplicable += results[i].inapplicable;
        counts[results[i].verdict] += !results[i].inapplicable;
    }
    fputs("<details class=\"group\"><summary>", out);
    html_put(out, "%s", group ? group->title : "Other checks");
    for (unsigned i = 0; i <= VERDICT_INCONCLUSIVE; i++) {
        const char *verdict = verdict_text((enum verdict)i);
        if (counts[i])
            fprintf(out, "<span class=\"%s tone\">%u %s</span>", verdict, counts[i], verdict);
    }
    if (inapplicable)
        fprintf(out, "<span class=\"soft\">%u for other kinds of device</span>", inapplicable);
    fputs("</summary>\n<table>", out);
}

// Results stand in the order of the catalogue: those of a group follow each other.
static size_t group_length(const struct result *results, size_t left)
{
    size_t length = 1;

    while (length < left &&
           catalogue_group_of(results[length].check) == catalogue_group_of(results->check))
        length++;
    return length;
}

static void put_results(FILE *out, const struct report *report)
{
    fputs("<h2>Every check</h2>\n", out);
    for (size_t i = 0, length; i < report->count; i += length) {
        length = group_length(&report->results[i], report->count - i);
        put_group_head(out, &report->results[i], length);
        for (size_t j = i; j < i + length; j++) {
            if (!report->results[j].inapplicable)
                put_result(out, &report->results[j]);
        }
        fputs("</table></details>\n", out);
    }
}

int report_html_write(const struct report *report, FILE *out)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
          out);
    html_put(out, "%s: %s", headline(report), report->target);
    fprintf(out, "</title><style>%s</style></head><body>\n<h1>%s conformance report</h1>\n",
            report_html_style, report->chapter9 ? "USB" : "DFU");
    put_summary(out, report);
    put_troubles(out, report);
    if (!report->chapter9) {
        report_html_states(out, report);
        report_html_detach(out, report);
    }
    report_html_devices(out, report);
    put_results(out, report);
    fputs("</body></html>\n", out);
    return ferror(out) ? -EIO : 0;
}
