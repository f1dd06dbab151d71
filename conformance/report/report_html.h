// SPDX-License-Identifier: MIT
//
// report_html.h - the parts of the HTML report, for report_html.c, which puts the page together.
//
// A part writes nothing if the run has no data for it. Colours come from the style sheet: an
// element with the class of a verdict ("FAIL") has that verdict's tone, and so has all in it.

#ifndef CONFORMANCE_REPORT_HTML_H
#define CONFORMANCE_REPORT_HTML_H

#include <stdio.h>

#include <conformance/report.h>

extern const char report_html_style[];

// Text, escaped: for what a device or a person wrote, never for markup.
void html_put(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The state tables of DFU 1.1 A.2 as a grid: states down, requests across, a verdict a cell.
void report_html_states(FILE *out, const struct report *report);

// The transfers of a check that detached the device, as a sequence chart with times.
void report_html_detach(FILE *out, const struct report *report);

// The descriptors of the device in each mode, one by one.
void report_html_devices(FILE *out, const struct report *report);

#endif
