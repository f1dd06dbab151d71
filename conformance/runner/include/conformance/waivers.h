// SPDX-License-Identifier: MIT
//
// waivers.h - known deviations of a product, each with its reason.
//
// A text file, a waiver a line: an id or a glob, blanks, the reason. # begins a comment line.
//
//     # boot loader in ROM, cannot be changed
//     DM-DESC-04   the ROM reports its own transfer size
//
// A waived check still runs and its finding is still shown; it does not fail the run.

#ifndef CONFORMANCE_WAIVERS_H
#define CONFORMANCE_WAIVERS_H

#include <stddef.h>
#include <stdio.h>

enum { WAIVER_TEXT = 256 };

struct waiver {
    char glob[WAIVER_TEXT];
    char reason[WAIVER_TEXT];
};

struct waivers {
    struct waiver *list;
    size_t count;
};

// Read waivers. A line without a reason, a line that is too long or an id that names no check is an
// error: returns -1 with one line in error that begins with name and the line's number.
int waivers_read(struct waivers *waivers, FILE *in, const char *name, char *error, size_t size);
void waivers_finish(struct waivers *waivers);

// The reason why this check is waived, or NULL.
const char *waivers_reason(const struct waivers *waivers, const char *id);

#endif
