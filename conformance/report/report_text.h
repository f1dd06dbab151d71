// SPDX-License-Identifier: MIT
//
// report_text.h - lines for a person's terminal: wrapped between words, in colour or not.

#ifndef CONFORMANCE_REPORT_TEXT_H
#define CONFORMANCE_REPORT_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include <conformance/report.h>

struct report_text {
    FILE *out;
    unsigned columns; // of the terminal, at least REPORT_COLUMNS_MIN
    bool colour;
    bool verbose; // ids in full, where they are many
};

// Text at this column, where the caller has brought the line. It is wrapped between words, further
// lines are indented to the same column, and the last one ends with a line feed. A word that is
// wider than the terminal is not broken.
void text_wrapped(const struct report_text *text, unsigned column, const char *words);

// The same for "1 passed, 2 failed; ...": wrapped behind a comma or a semicolon only.
void text_items(const struct report_text *text, unsigned column, const char *words);

// The verdict of a result in its colour, padded to a column of its own; one that is waived or only
// informs says so instead, and is dim.
void text_verdict(const struct report_text *text, const struct result *result);

// The column behind text_verdict().
enum { TEXT_VERDICT_WIDTH = 8 };

// The rows of a result: sent, expected and received, or the reason; and the trouble after the
// check.
void text_finding(const struct report_text *text, const struct result *result);

// The trouble alone.
void text_trouble(const struct report_text *text, const struct result *result);

// Further checks with this finding, by their ids; none if "".
void text_also(const struct report_text *text, const char *ids);

// One check in full: verdict, id, section, sentence and finding.
void text_result(const struct report_text *text, const struct result *result);

// The findings in full, then the counts and the ids of what failed.
void text_summary(const struct report_text *text, const struct report *report);

#endif
