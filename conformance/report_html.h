// SPDX-License-Identifier: MIT
//
// report_html.h - the drawings of the HTML report, apart from its text.

#ifndef CONFORMANCE_REPORT_HTML_H
#define CONFORMANCE_REPORT_HTML_H

#include <stdio.h>

#include "report.h"

// The states of DFU 1.1 figure A.1 and the requests of table 3.2 as a grid: which cells a check
// tried, and what it found. Nothing if the run tried none.
void report_html_states(FILE *out, const struct report *report);

// What went over the bus in the check that saw the device leave and come back, as a sequence chart
// with its times. Nothing if no check did.
void report_html_detach(FILE *out, const struct report *report);

#endif
