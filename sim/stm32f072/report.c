// SPDX-License-Identifier: MIT
//
// Trouble is kept until the next power-on and only the first one counts. An address that was warned
// of is remembered in a list of fixed size; when the list is full, further addresses are not
// reported.

#include <stm32f072/report.h>

#include <stdarg.h>
#include <stdio.h>

void f072_trouble(struct f072_report *report, const char *format, ...)
{
    va_list arguments;

    if (report->in_trouble)
        return;

    report->in_trouble = true;
    va_start(arguments, format);
    vsnprintf(report->trouble, sizeof report->trouble, format, arguments);
    va_end(arguments);
    if (!report->quiet)
        fprintf(stderr, "stm32f072: %s\n", report->trouble);
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
