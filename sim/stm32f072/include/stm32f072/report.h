// SPDX-License-Identifier: MIT
//
// report.h - output of the virtual chip: trouble, warnings and traces.
//
// Trouble is the first lasting failure since a reset: a line that sim_device_ops.trouble() hands
// out until there is other trouble after a later reset, or until the next power-on. stderr gets
// each different line when it comes for the first time, and at the end how often it came. A warning
// is a line on stderr, printed once for each address it is about, so that a polling loop does not
// fill the screen. A trace is a line on stderr, when asked for.

#ifndef F072_REPORT_H
#define F072_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    F072_MAX_WARNINGS = 64,
    F072_MAX_TROUBLES = 8, // different lines: on stderr, and in a row from one power-on to the next
    F072_TROUBLE_SIZE = 512,
};

struct f072_report {
    unsigned trace;                  // SIM_TRACE_... bits
    bool quiet;                      // neither on stderr: tests that provoke them
    char trouble[F072_TROUBLE_SIZE]; // the last one, or ""
    bool in_trouble;                 // since the last reset
    unsigned trouble_count;          // since power-on
    struct {
        char line[F072_TROUBLE_SIZE];
        unsigned times;
    } told[F072_MAX_TROUBLES]; // on stderr
    unsigned told_count;
    uint32_t warned[F072_MAX_WARNINGS]; // addresses that a warning was printed for
    unsigned warning_count;
};

// Keep this line as the trouble, unless there has been some since the last reset.
void f072_trouble(struct f072_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The chip starts anew: by a reset, or as the boot loader leaves for firmware; by power-on.
void f072_report_reset(struct f072_report *report);
void f072_report_power_on(struct f072_report *report);

// The chip is no longer needed: say how often trouble came that was printed once.
void f072_report_close(const struct f072_report *report);

// Would f072_warn_once() print? For a caller whose line takes time to make.
bool f072_would_warn(const struct f072_report *report, uint32_t address);

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
