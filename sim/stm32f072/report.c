// SPDX-License-Identifier: MIT
//
// The first trouble since a reset counts. A device that resets itself in trouble goes round, so the
// same line is not said twice in a row, and after some different ones no more are. An address that
// was warned of is remembered in a list of fixed size; when the list is full, further addresses are
// not reported.

#include <stm32f072/report.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
    if (strcmp(line, report->trouble) == 0 || report->trouble_count == F072_MAX_TROUBLES)
        return;
    report->trouble_count++;
    memcpy(report->trouble, line, sizeof line);
    if (!report->quiet)
        fprintf(stderr, "stm32f072: %s\n", report->trouble);
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

static bool remember(struct f072_report *report, uint32_t address)
{
    for (unsigned i = 0; i < report->warning_count; i++)
        if (report->warned[i] == address)
            return false;

    if (report->warning_count == F072_MAX_WARNINGS)
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
