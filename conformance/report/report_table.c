// SPDX-License-Identifier: MIT
//
// A run on a person's terminal. During the run each finished group of checks has a line, and one
// more line is rewritten with the current check; report_summary.c writes the findings.

#include <inttypes.h>
#include <string.h>

#include "report_text.h"

static struct report_text text_of(const struct report_table *table)
{
    const struct report_table_options *options = &table->options;
    return (struct report_text){
        .out = options->out,
        .columns = options->columns < REPORT_COLUMNS_MIN ? REPORT_COLUMNS_MIN : options->columns,
        .colour = options->colour,
        .verbose = options->verbose,
    };
}

static void clear_progress(struct report_table *table)
{
    if (table->line_open)
        fputs("\r\033[K", table->options.out);
    table->line_open = false;
}

// Cut at the terminal's width, because the rewritten line must not wrap.
static void put_progress(struct report_table *table, const char *words)
{
    static const char mark[] = "  ....  ";
    int room = (int)(text_of(table).columns - sizeof mark);
    clear_progress(table);
    fprintf(table->options.out, "%s%.*s", mark, room, words);
    fflush(table->options.out);
    table->line_open = true;
}

static void
print_device(const struct report_text *text, const char *mode, const struct report_device *device)
{
    char name[REPORT_DEVICE];
    char line[REPORT_DEVICE + 16];
    if (!device->seen)
        return;
    report_name_device(device, name);
    snprintf(line, sizeof line, "%s: %s", mode, name);
    fputs("  ", text->out);
    text_wrapped(text, 2, line);
}

static void begin(void *context, const struct report *report)
{
    struct report_table *table = context;
    struct report_text text = text_of(table);
    char line[1024];
    snprintf(line, sizeof line,
             *report->where ? "dfu-conformance %s: %s (%s)" : "dfu-conformance %s: %s",
             report->suite_version, report->target, report->where);
    text_wrapped(&text, 0, line);
    print_device(&text, "run time", &report->run_time);
    print_device(&text, "DFU mode", &report->dfu_mode);
    if (*report->slow) {
        fputs("  ", text.out);
        text_wrapped(&text, 2, report->slow);
    }
    if (!table->options.verbose)
        fputc('\n', text.out);
    fflush(text.out);
}

static void check_begin(void *context, const struct check *check)
{
    struct report_table *table = context;
    if (!table->options.progress)
        return;
    table->running = check;
    put_progress(table, check->id);
}

static void waiting(void *context, unsigned ms, const char *what)
{
    struct report_table *table = context;
    enum { WORTH_SAYING_MS = 100 };
    char words[256];
    if (!table->options.progress || ms < WORTH_SAYING_MS)
        return;
    snprintf(words, sizeof words, "%s: up to %u.%u s for %s",
             table->running ? table->running->id : "", ms / 1000, ms / 100 % 10, what);
    put_progress(table, words);
}

// ---- Groups ----

enum { TIME_WIDTH = 9 };

struct group_counts {
    unsigned verdicts[VERDICT_INCONCLUSIVE + 1];
    unsigned waived;
    uint64_t took_us;
};

// Not so where the whole group is skipped or INCONCLUSIVE, which the summary counts with the
// reasons, or is for other kinds of device.
static bool is_judged(const struct group_counts *counts)
{
    return counts->verdicts[VERDICT_PASS] + counts->verdicts[VERDICT_FAIL] +
               counts->verdicts[VERDICT_WARN] + counts->waived >
           0;
}

static struct group_counts count_group(const struct report *report, size_t begin, size_t end)
{
    struct group_counts counts = {.waived = 0};
    for (size_t i = begin; i < end; i++) {
        const struct result *result = &report->results[i];
        counts.took_us += result->took_us;
        if (result->waiver)
            counts.waived++;
        else if (!result->inapplicable)
            counts.verdicts[result->verdict]++;
    }
    return counts;
}

// "21 passed, 1 failed"; counts of 0 are omitted.
static void group_words(const struct group_counts *counts, char *words, size_t size)
{
    static const char *const names[] = {
        [VERDICT_PASS] = "passed",  [VERDICT_FAIL] = "failed",
        [VERDICT_WARN] = "warned",  [VERDICT_INCONCLUSIVE] = "inconclusive",
        [VERDICT_SKIP] = "skipped",
    };
    size_t length = 0;
    *words = '\0';
    for (size_t i = 0; i <= VERDICT_INCONCLUSIVE; i++) {
        if (counts->verdicts[i] && length < size)
            length += (size_t)snprintf(words + length, size - length, "%s%u %s", length ? ", " : "",
                                       counts->verdicts[i], names[i]);
    }
    if (counts->waived && length < size)
        snprintf(words + length, size - length, "%s%u waived", length ? ", " : "", counts->waived);
}

// On a narrow terminal the counts keep their room; a title that is wider than what is left gets a
// line of its own.
static unsigned title_width(unsigned columns)
{
    enum { WIDEST = 42, COUNTS = 24, BESIDES = 2 + 1 + TIME_WIDTH + 2 };
    return columns >= WIDEST + BESIDES + COUNTS ? WIDEST
           : columns >= 1 + BESIDES + COUNTS    ? columns - BESIDES - COUNTS
                                                : 1;
}

static void end_group(struct report_table *table, const struct report *report, size_t end)
{
    struct report_text text = text_of(table);
    int width = (int)title_width(text.columns);
    struct group_counts counts = count_group(report, table->group_begin, end);
    char words[160];
    if (table->options.verbose || !table->group || !is_judged(&counts))
        return;
    group_words(&counts, words, sizeof words);
    bool fits = strlen(table->group->title) <= (size_t)width;
    if (!fits)
        fprintf(text.out, "  %s\n", table->group->title);
    fprintf(text.out, "  %-*s %4" PRIu64 ".%02" PRIu64 " s  ", width,
            fits ? table->group->title : "", counts.took_us / 1000000,
            counts.took_us / 10000 % 100);
    text_items(&text, 2 + (unsigned)width + 1 + TIME_WIDTH + 2, words);
}

static void begin_group(struct report_table *table, const struct check_group *group, size_t begin)
{
    table->group = group;
    table->group_begin = begin;
    table->title_due = group && table->options.verbose;
}

// Before the first check of the group that has a line.
static void put_title(struct report_table *table)
{
    if (table->title_due)
        fprintf(table->options.out, "\n%s\n", table->group->title);
    table->title_due = false;
}

static void print_check(const struct report_table *table, const struct result *result)
{
    struct report_text text = text_of(table);
    char line[512];
    text_verdict(&text, result);
    snprintf(line, sizeof line, "%-24s %s [%s]", result->check->id, result->check->sentence,
             result->check->section);
    text_wrapped(&text, TEXT_VERDICT_WIDTH, line);
    text_finding(&text, result);
}

static void check_end(void *context, const struct report *report, const struct result *result)
{
    struct report_table *table = context;
    const struct check_group *group = catalogue_group_of(result->check);
    size_t index = (size_t)(result - report->results);
    clear_progress(table);
    if (group != table->group) {
        end_group(table, report, index);
        begin_group(table, group, index);
    }
    if (table->options.verbose && !result->inapplicable) {
        put_title(table);
        print_check(table, result);
    }
}

static void end(void *context, const struct report *report)
{
    struct report_table *table = context;
    struct report_text text = text_of(table);
    clear_progress(table);
    end_group(table, report, report->count);
    print_device(&text, "DFU mode", &report->dfu_mode);
    text_summary(&text, report);
    fflush(text.out);
}

struct report_listener report_table(struct report_table *table,
                                    const struct report_table_options *options)
{
    *table = (struct report_table){.options = *options};
    return (struct report_listener){
        .begin = begin,
        .check_begin = check_begin,
        .waiting = waiting,
        .check_end = check_end,
        .end = end,
        .context = table,
    };
}
