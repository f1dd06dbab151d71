// SPDX-License-Identifier: MIT
//
// report_html.h - the parts of the HTML report, for report_html.c, which puts the page together.
//
// Each part writes nothing if the run has nothing to show there. Colours come from the style sheet:
// an element with the class of a verdict ("FAIL") has that verdict's tone, and so has all in it.

#ifndef CONFORMANCE_REPORT_HTML_H
#define CONFORMANCE_REPORT_HTML_H

#include <stdio.h>

#include <conformance/report.h>

extern const char report_html_style[];

// Text that is escaped whole: what a device or a person wrote goes out by this, and no markup does.
void html_put(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The state tables of DFU 1.1 A.2 as a grid: states down, requests across, a verdict a cell.
void report_html_states(FILE *out, const struct report *report);

// What went over the bus in a check that detached the device, as a sequence chart with its times.
void report_html_detach(FILE *out, const struct report *report);

// What the device says of itself in each mode, descriptor by descriptor.
void report_html_devices(FILE *out, const struct report *report);

#endif
