// SPDX-License-Identifier: MIT
//
// report_files.h - the report written as a file, when the run is over.
//
// Each writer puts the whole report on a stream that the caller opened and closes, and returns 0,
// or a negative errno if it could not all be written.

#ifndef CONFORMANCE_REPORT_FILES_H
#define CONFORMANCE_REPORT_FILES_H

#include <stdio.h>

#include "report.h"

int report_json_write(const struct report *report, FILE *out);  // docs/report-json.md
int report_junit_write(const struct report *report, FILE *out); // JUnit XML, as CI systems read it
int report_html_write(const struct report *report, FILE *out);  // one self-contained page

// text with the characters that mean something to XML and HTML escaped, and those that cannot
// stand there replaced.
void report_put_xml(FILE *out, const char *text);

#endif
