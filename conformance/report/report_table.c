// SPDX-License-Identifier: MIT

#include <inttypes.h>
#include <string.h>

#include <conformance/report.h>

static const char *colour_of(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASS:
        return "\033[32m";
    case VERDICT_FAIL:
        return "\033[1;31m";
    case VERDICT_WARN:
        return "\033[33m";
    case VERDICT_SKIP:
        return "\033[2m";
    case VERDICT_INCONCLUSIVE:
        return "\033[35m";
    }
    return "";
}

// A short word, so that the ids stand in one column.
static const char *short_text(enum verdict verdict)
{
    return verdict == VERDICT_INCONCLUSIVE ? "????" : verdict_text(verdict);
}

static void clear_progress(struct report_table *table)
{
    if (table->line_open)
        fputs("\r\033[K", table->out);
    table->line_open = false;
}

static void print_device(FILE *out, const char *mode, const struct report_device *device)
{
    const uint8_t *bytes = device->descriptors.device;
    if (!device->seen)
        return;
    fprintf(out, "  %s: %04x:%04x", mode, usbdev_load_le16(bytes + 8),
            usbdev_load_le16(bytes + 10));
    if (*device->manufacturer || *device->product)
        fprintf(out, " %s%s%s", device->manufacturer, *device->manufacturer ? " " : "",
                device->product);
    if (*device->serial)
        fprintf(out, ", serial %s", device->serial);
    fputc('\n', out);
}

static void begin(void *context, const struct report *report)
{
    struct report_table *table = context;
    fprintf(table->out, "dfu-conformance %s: %s", report->suite_version, report->target);
    if (*report->where)
        fprintf(table->out, " (%s)", report->where);
    fputc('\n', table->out);
    print_device(table->out, "run time", &report->run_time);
    print_device(table->out, "DFU mode", &report->dfu_mode);
}

static void check_begin(void *context, const struct check *check)
{
    struct report_table *table = context;
    if (!table->progress)
        return;
    clear_progress(table);
    fprintf(table->out, "  ....  %s", check->id);
    fflush(table->out);
    table->line_open = true;
    table->running = check;
}

static void waiting(void *context, unsigned ms, const char *what)
{
    struct report_table *table = context;
    enum { WORTH_SAYING_MS = 100 };
    if (!table->progress || ms < WORTH_SAYING_MS)
        return;
    clear_progress(table);
    fprintf(table->out, "  ....  %s: up to %u.%u s for %s",
            table->running ? table->running->id : "", ms / 1000, ms / 100 % 10, what);
    fflush(table->out);
    table->line_open = true;
}

static void print_words(struct report_table *table, const char *name, const char *words)
{
    if (*words)
        fprintf(table->out, "          %-9s %s\n", name, words);
}

static void print_finding(struct report_table *table, const struct result *result)
{
    print_words(table, "sent", result->finding.sent);
    print_words(table, "expected", result->finding.expected);
    print_words(table, "received", result->finding.received);
    print_words(table, *result->finding.received ? "note" : "because", result->finding.message);
    if (result->first_frame && result->verdict != VERDICT_PASS)
        fprintf(table->out, "          %-9s %" PRIu64 " to %" PRIu64 " of the capture\n", "frames",
                result->first_frame, result->last_frame);
    if (result->waiver)
        print_words(table, "waived", result->waiver);
}

static void check_end(void *context, const struct report *report, const struct result *result)
{
    struct report_table *table = context;
    (void)report;
    clear_progress(table);
    if (result->inapplicable)
        return;
    const struct check_group *group = catalogue_group_of(result->check);
    if (group != table->group && group)
        fprintf(table->out, "\n%s\n", group->title);
    table->group = group;

    fprintf(table->out, "  %s%s%s  %-24s %s [%s]\n",
            table->colour ? colour_of(result->verdict) : "", short_text(result->verdict),
            table->colour ? "\033[0m" : "", result->check->id, result->check->sentence,
            result->check->section);
    print_finding(table, result);
}

static void end(void *context, const struct report *report)
{
    struct report_table *table = context;
    const unsigned *counts = report->counts;
    char profile[REPORT_TEXT];
    clear_progress(table);
    fputc('\n', table->out);
    print_device(table->out, "DFU mode", &report->dfu_mode);
    report_profile(report, profile);
    fprintf(table->out, "  profile: %s\n", profile);
    fprintf(table->out, "%u passed, %u failed, %u warned, %u skipped, %u inconclusive",
            counts[VERDICT_PASS], counts[VERDICT_FAIL], counts[VERDICT_WARN], counts[VERDICT_SKIP],
            counts[VERDICT_INCONCLUSIVE]);
    if (report->waived)
        fprintf(table->out, ", %u waived", report->waived);
    if (report->inapplicable)
        fprintf(table->out, ", %u for other kinds of device", report->inapplicable);
    fprintf(table->out, "; %" PRIu64 ".%03" PRIu64 " s of the device's time\n",
            report->took_us / 1000000, report->took_us / 1000 % 1000);
    if (report->status != RUN_MET)
        fprintf(table->out, "exit status %d: %s\n", (int)report->status,
                run_status_text(report->status));
    fflush(table->out);
}

struct report_listener
report_table(struct report_table *table, FILE *out, bool colour, bool progress)
{
    *table = (struct report_table){.out = out, .colour = colour, .progress = progress};
    return (struct report_listener){
        .begin = begin,
        .check_begin = check_begin,
        .waiting = waiting,
        .check_end = check_end,
        .end = end,
        .context = table,
    };
}
