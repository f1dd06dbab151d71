// SPDX-License-Identifier: MIT
//
// report_files.h - the report written as a file, when the run is over.
//
// Each writer puts the whole report on a stream that the caller opened and closes, and returns 0,
// or a negative errno if it could not all be written.

#ifndef CONFORMANCE_REPORT_FILES_H
#define CONFORMANCE_REPORT_FILES_H

#include <stdio.h>

#include <conformance/report.h>

int report_json_write(const struct report *report, FILE *out);  // docs/report-json.md
int report_junit_write(const struct report *report, FILE *out); // JUnit XML, as CI systems read it
int report_html_write(const struct report *report, FILE *out);  // one self-contained page

// Where the reports of a run go; NULL for those that nobody asked for.
struct report_paths {
    const char *json;
    const char *junit;
    const char *html;
};

// Write each report that was asked for. Returns 0, or -1 with one line in error.
int report_files_write(const struct report_paths *paths,
                       const struct report *report,
                       char *error,
                       size_t error_size);

// text with the characters that mean something to XML and HTML escaped, and those that cannot
// stand there replaced.
void report_put_xml(FILE *out, const char *text);

#endif
