// SPDX-License-Identifier: MIT
//
// clauses.h - the clauses of DFU 1.1 that a device can meet or break: chapters 3 to 7, appendices A
// and B.
//
// docs/traceability.md is made of it: for each clause its checks, or the reason why there is none.

#ifndef CONFORMANCE_CLAUSES_H
#define CONFORMANCE_CLAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct clause {
    const char *section; // "4.1.2"
    const char *subject; // what it is about, in our words
    const char *also; // globs of checks that test it too, though they cite a table of A.2; or NULL
    const char *untested; // why no check tests it; NULL: some do
};

// Ends with a NULL section; in the order of the specification.
extern const struct clause clauses[];

struct check;

// Does this check test this clause: does it cite it, or is it one of `also`?
bool clause_is_tested_by(const struct clause *clause, const struct check *check);

// Write the page, in Markdown.
void clauses_write(FILE *out);

#endif
