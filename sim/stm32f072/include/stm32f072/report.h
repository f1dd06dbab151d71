// SPDX-License-Identifier: MIT
//
// report.h - what the virtual chip has to say to a person: trouble, warnings and traces.
//
// Trouble is the first thing that went wrong for good since power-on: a line on stderr, which
// sim_device_ops.trouble() hands out until the next power-on. A warning is a line on stderr,
// printed once for each address it is about, so that a polling loop does not fill the screen. A
// trace is a line on stderr, when asked for.

#ifndef F072_REPORT_H
#define F072_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum { F072_MAX_WARNINGS = 64 };

struct f072_report {
    unsigned trace; // SIM_TRACE_... bits
    bool quiet;     // neither on stderr: tests that provoke them
    char trouble[512];
    bool in_trouble;                    // since power-on
    uint32_t warned[F072_MAX_WARNINGS]; // addresses that a warning was printed for
    unsigned warning_count;
};

// Keep this line as the trouble, unless there has been some since power-on.
void f072_trouble(struct f072_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Print a warning about address, the first time only. Returns whether it was the first.
bool f072_warn_once(struct f072_report *report, uint32_t address, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Print a line, if one of the SIM_TRACE_... bits is wanted.
void f072_trace(const struct f072_report *report,
                unsigned bits,
                uint64_t now_ns,
                const char *format,
                ...) __attribute__((format(printf, 4, 5)));

#endif
