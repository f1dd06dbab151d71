// SPDX-License-Identifier: MIT
//
// watched_run.h - a run of the suite on a device of the simulator, with its flash watched.

#ifndef CONFORMANCE_WATCHED_RUN_H
#define CONFORMANCE_WATCHED_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/runner.h>

struct flash_log {
    uint8_t *opened; // the flash as it was when the device was opened
    size_t size;
    uint32_t address; // of the firmware
    size_t length;    // 0: not known
    unsigned changes; // pages erased and half-words programmed
    unsigned pieces;  // starts of firmware that is not whole
    bool same;        // at the end as at the beginning: all of it, or the firmware, in another bank
};

enum { WATCHED_TEXT = 65536 };

struct watched_run {
    struct flash_log flash;
    enum run_status status;
    char left[PROBE_WORDS];    // how the flash was left, as the report says
    char wrong[WATCHED_TEXT];  // what was reported, a line each
    char broken[WATCHED_TEXT]; // ids that FAIL or WARN, a blank behind each
};

// Run everything on sim:NAME. A device that cannot be opened fails the test.
void watched_run(struct watched_run *run, const char *name, bool allow_write);

// One report on stderr for a person; returns 1.
unsigned watched_run_complain(const char *name, const struct watched_run *run);

#endif
