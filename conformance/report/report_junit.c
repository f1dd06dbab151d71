// SPDX-License-Identifier: MIT
//
// The report as JUnit XML, the dialect that CI systems show: a test suite for the run, a test case
// for each check, the group as its class. FAIL is a failure; INCONCLUSIVE is an error, or a skipped
// test where the requirement only informs; SKIP is a skipped test; WARN and waived failures pass,
// with their finding in system-out. A run that judged nothing or left the device changed has one
// more test case, in error, because JUnit has no exit status.

#include <errno.h>

#include <conformance/report_files.h>

// XML 1.0 has no other control characters than these, not even escaped.
static void put_character(FILE *out, unsigned char character)
{
    switch (character) {
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '&':
        fputs("&amp;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    default:
        fputc(character >= 0x20 || character == '\n' || character == '\t' ? character : '?', out);
        break;
    }
}

void report_put_xml(FILE *out, const char *text)
{
    while (*text)
        put_character(out, (unsigned char)*text++);
}

static void put_finding(FILE *out, const struct result *result)
{
    const struct finding *finding = &result->finding;
    const struct {
        const char *name, *text;
    } rows[] = {
        {"sent", finding->sent},         {"expected", finding->expected},
        {"received", finding->received}, {"note", finding->message},
        {"trouble", result->trouble},    {"waived", result->waiver},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].text || !rows[i].text[0])
            continue;
        fprintf(out, "%s: ", rows[i].name);
        report_put_xml(out, rows[i].text);
        fputc('\n', out);
    }
}

static const char *summary(const struct result *result)
{
    const struct finding *finding = &result->finding;

    return finding->message[0] ? finding->message : finding->received;
}

static void put_element(FILE *out, const char *element, const struct result *result)
{
    fprintf(out, "    <%s message=\"", element);
    report_put_xml(out, summary(result));
    fputs("\">", out);
    put_finding(out, result);
    fprintf(out, "</%s>\n", element);
}

static void put_output(FILE *out, const struct result *result)
{
    bool plain = result->verdict == VERDICT_PASS && !result_informs(result);
    if (plain && !result->finding.message[0] && !result->trouble[0])
        return;
    fputs("    <system-out>", out);
    put_finding(out, result);
    fputs("</system-out>\n", out);
}

static void put_case(FILE *out, const struct result *result)
{
    const struct check_group *group = catalogue_group_of(result->check);
    fputs("  <testcase classname=\"dfu-conformance.", out);
    report_put_xml(out, group ? group->title : "Other checks");
    fprintf(out, "\" name=\"%s ", result->check->id);
    report_put_xml(out, result->check->sentence);
    fputs(" [", out);
    report_put_xml(out, result->check->section);
    fputs("]", out);
    fprintf(out, "\" time=\"%.6f\">\n", (double)result->took_us / 1e6);
    switch (result_outcome(result)) {
    case OUTCOME_SKIPPED:
        put_element(out, "skipped", result);
        break;
    case OUTCOME_NOT_JUDGED:
        put_element(out, "error", result);
        break;
    case OUTCOME_BROKEN:
        put_element(out, "failure", result);
        break;
    case OUTCOME_MET:
    case OUTCOME_TOLERATED:
        put_output(out, result);
        break;
    }
    fputs("  </testcase>\n", out);
}

// A loss of the device need not have made any check INCONCLUSIVE.
static bool run_is_in_error(const struct report *report)
{
    return report->status == RUN_COULD_NOT || report->status == RUN_NOT_AS_FOUND ||
           (report->status == RUN_NOT_JUDGED && !report_count(report, OUTCOME_NOT_JUDGED));
}

static void put_run(FILE *out, const struct report *report)
{
    fputs("  <testcase classname=\"dfu-conformance\" name=\"the run\">\n    <error message=\"",
          out);
    report_put_xml(out, run_status_text(report->status));
    fputs("\">", out);
    report_put_xml(out, *report->ending ? report->ending : report->loss);
    fputs("</error>\n  </testcase>\n", out);
}

static void put_property(FILE *out, const char *name, const char *value)
{
    if (!*value)
        return;
    fprintf(out, "    <property name=\"%s\" value=\"", name);
    report_put_xml(out, value);
    fputs("\"/>\n", out);
}

static void put_properties(FILE *out, const struct report *report)
{
    char profile[REPORT_TEXT];
    report_profile(report, profile);
    fputs("  <properties>\n", out);
    put_property(out, "suite", report->suite_version);
    put_property(out, "commit", report->suite_commit);
    put_property(out, "target", report->target);
    put_property(out, "where", report->where);
    put_property(out, "profile", profile);
    put_property(out, "product", report->run_time.product);
    put_property(out, "serial", report->run_time.serial);
    put_property(out, "departure", report->departure);
    put_property(out, "loss", report->loss);
    put_property(out, "ending", report->ending);
    put_property(out, "flash", report->flash);
    put_property(out, "status", run_status_text(report->status));
    fputs("  </properties>\n", out);
}

// ISO 8601, as JUnit's readers want it: without a zone, and so in UTC.
static void put_timestamp(FILE *out, const struct report *report)
{
    char text[32];
    struct tm utc;
    if (report->started && gmtime_r(&report->started, &utc) &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc))
        fprintf(out, " timestamp=\"%s\"", text);
    if (*report->host) {
        fputs(" hostname=\"", out);
        report_put_xml(out, report->host);
        fputc('"', out);
    }
}

int report_junit_write(const struct report *report, FILE *out)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"dfu-conformance ", out);
    report_put_xml(out, report->target);
    fputc('"', out);
    put_timestamp(out, report);
    fprintf(out, " tests=\"%zu\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.6f\">\n",
            report->count + run_is_in_error(report), report_count(report, OUTCOME_BROKEN),
            report_count(report, OUTCOME_NOT_JUDGED) + run_is_in_error(report),
            report_count(report, OUTCOME_SKIPPED), (double)report->took_us / 1e6);
    put_properties(out, report);
    for (size_t i = 0; i < report->count; i++)
        put_case(out, &report->results[i]);
    if (run_is_in_error(report))
        put_run(out, report);
    fputs("</testsuite>\n", out);
    return ferror(out) ? -EIO : 0;
}
