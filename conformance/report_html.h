// SPDX-License-Identifier: MIT
//
// report_html.h - the drawings of the HTML report, apart from its text.

#ifndef CONFORMANCE_REPORT_HTML_H
#define CONFORMANCE_REPORT_HTML_H

#include <stdio.h>

#include "report.h"

// What went over the bus in the check that saw the device leave and come back, as a sequence chart
// with its times. Nothing if no check did.
void report_html_detach(FILE *out, const struct report *report);

#endif
