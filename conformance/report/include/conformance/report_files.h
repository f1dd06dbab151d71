// SPDX-License-Identifier: MIT
//
// report_files.h - the report written as a file, when the run is over.
//
//     struct report_files files = {.list[REPORT_FILE_JSON].path = "run.json"};
//     if (report_files_open(&files, error, sizeof error) == 0) {
//         ... the run ...
//         report_files_write(&files, &report, error, sizeof error);
//     }
//     report_files_close(&files);
//
// Each writer puts the whole report on a stream that the caller opened and closes, and returns 0,
// or a negative errno if it could not all be written.

#ifndef CONFORMANCE_REPORT_FILES_H
#define CONFORMANCE_REPORT_FILES_H

#include <stdbool.h>
#include <stdio.h>

#include <conformance/report.h>

int report_json_write(const struct report *report, FILE *out);  // docs/report-json.md
int report_junit_write(const struct report *report, FILE *out); // JUnit XML, as CI systems read it
int report_html_write(const struct report *report, FILE *out);  // one self-contained page

enum report_file_kind {
    REPORT_FILE_JSON,
    REPORT_FILE_JUNIT,
    REPORT_FILE_HTML,
    REPORT_FILES,
};

struct report_file {
    const char *path; // NULL: not requested; "-": standard output
    FILE *out;        // NULL while it is not open
    bool created;     // it was not there before
};

// Where the reports of a run go. The caller fills in the paths.
struct report_files {
    struct report_file list[REPORT_FILES];
};

// Does one of them go to standard output? Then nothing else may.
bool report_files_use_stdout(const struct report_files *files);

// Open each report that was asked for, so that what cannot be written is known before the run.
// Returns 0, or -1 with one line in error; report_files_close() closes those that are open.
int report_files_open(struct report_files *files, char *error, size_t size);

// Write each of them, and close it. Returns 0, or -1 with one line in error for the first that
// could not be written.
int report_files_write(struct report_files *files,
                       const struct report *report,
                       char *error,
                       size_t size);

// Close what was not written.
void report_files_close(struct report_files *files);

// text with the characters that mean something to XML and HTML escaped, and those that cannot
// stand there replaced.
void report_put_xml(FILE *out, const char *text);

#endif
