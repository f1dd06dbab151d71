// SPDX-License-Identifier: MIT
//
// arguments.h - the command line of dfu-conformance.

#ifndef CONFORMANCE_ARGUMENTS_H
#define CONFORMANCE_ARGUMENTS_H

#include <stdbool.h>

#include <conformance/report_files.h>
#include <conformance/runner.h>

enum { ERROR_TEXT = 512 };

struct arguments {
    const char *target;
    const char *waive;
    const char *dfu_mode;
    const char *file;
    bool list;
    unsigned tap; // version of the Test Anything Protocol, 0: the table
    bool verbose;
    struct report_files files;
    const char *capture;
    struct runner_options run;
};

// Returns -1 to go on, or the exit status: help was shown, or a line says what is wrong.
int arguments_take(struct arguments *arguments, int argc, char **argv);

// Is this a job of GitHub Actions?
bool in_github_job(void);

// One line on stderr, which GitHub Actions shows beside the job; returns the exit status that goes
// with it.
int report_error(const char *text);

// The same of what an option names: "--file: ..."
int report_option_error(const char *option, const char *text);

#endif
