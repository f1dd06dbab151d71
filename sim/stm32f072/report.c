// SPDX-License-Identifier: MIT
//
// The first trouble since a reset counts. A device that resets itself in trouble goes round, and
// one that is power-cycled comes back to it: each different line is printed once, and counted. The
// lines and the addresses that were warned of are kept in lists of fixed size; when one is full,
// further ones are not printed.

#include <stm32f072/report.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void print_trouble(const struct f072_report *report, const char *line)
{
    if (!report->quiet)
        fprintf(stderr, "stm32f072: %s\n", line);
}

static void tell(struct f072_report *report, const char *line)
{
    for (unsigned i = 0; i < report->told_count; i++)
        if (strcmp(report->told[i].line, line) == 0) {
            report->told[i].times++;
            return;
        }
    if (report->told_count == F072_MAX_TROUBLES)
        return;
    snprintf(report->told[report->told_count].line, F072_TROUBLE_SIZE, "%s", line);
    report->told[report->told_count++].times = 1;
    print_trouble(report, line);
}

void f072_trouble(struct f072_report *report, const char *format, ...)
{
    char line[F072_TROUBLE_SIZE];
    va_list arguments;

    if (report->in_trouble)
        return;

    report->in_trouble = true;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    tell(report, line);
    if (strcmp(line, report->trouble) == 0 || report->trouble_count == F072_MAX_TROUBLES)
        return;
    report->trouble_count++;
    memcpy(report->trouble, line, sizeof line);
}

void f072_report_reset(struct f072_report *report)
{
    report->in_trouble = false;
}

void f072_report_power_on(struct f072_report *report)
{
    report->in_trouble = false;
    report->trouble[0] = '\0';
    report->trouble_count = 0;
}

void f072_report_close(const struct f072_report *report)
{
    char line[F072_TROUBLE_SIZE + 20];

    for (unsigned i = 0; i < report->told_count; i++) {
        if (report->told[i].times < 2)
            continue;
        snprintf(line, sizeof line, "%u times: %s", report->told[i].times, report->told[i].line);
        print_trouble(report, line);
    }
}

bool f072_would_warn(const struct f072_report *report, uint32_t address)
{
    for (unsigned i = 0; i < report->warning_count; i++)
        if (report->warned[i] == address)
            return false;

    return report->warning_count < F072_MAX_WARNINGS;
}

static bool remember(struct f072_report *report, uint32_t address)
{
    if (!f072_would_warn(report, address))
        return false;
    report->warned[report->warning_count++] = address;
    return true;
}

bool f072_warn_once(struct f072_report *report, uint32_t address, const char *format, ...)
{
    va_list arguments;

    if (!remember(report, address))
        return false;

    if (!report->quiet) {
        fputs("stm32f072: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
    }
    return true;
}

void f072_trace(
    const struct f072_report *report, unsigned bits, uint64_t now_ns, const char *format, ...)
{
    va_list arguments;

    if (!(report->trace & bits))
        return;

    fprintf(stderr, "%14.6f ms  ", (double)now_ns / 1e6);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
