// SPDX-License-Identifier: MIT
//
// small_run.h - for tests of the runner: a run of a few checks on a fake target.

#ifndef CONFORMANCE_SMALL_RUN_H
#define CONFORMANCE_SMALL_RUN_H

#include <conformance/runner.h>

#include "fake_target.h"

struct run {
    struct fake_target fake;
    struct report report;
    enum run_status status;
};

// The target, at run time; the test may change it before the run.
void start(struct run *run, uint8_t bmAttributes);

// The run. report_finish() is to be called for its report.
void finish(struct run *run, const struct runner_options *options);

// Fails the test where there is none.
const struct result *result_of(const struct run *run, const char *id);

// A group of checks that end in each way.
extern const struct check_group *const groups[];

// Functions of checks: one that is met; one that reads the device descriptor; one that sends the
// standard request 77h, which a script may answer.
void passes(struct probe *probe);
void reads_device(struct probe *probe);
void asks_unsupported(struct probe *probe);

#endif
