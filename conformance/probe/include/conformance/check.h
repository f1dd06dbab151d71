// SPDX-License-Identifier: MIT
//
// check.h - one requirement, as data.
//
// A check is one requirement: an id that never changes once released, the section it comes from,
// its level, one sentence, what it needs, and the function that judges it (probe.h says what it may
// do).

#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct probe;

enum level {
    LEVEL_MUST,   // broken: FAIL
    LEVEL_SHOULD, // broken: WARN, or FAIL under --strict
    LEVEL_INFO,   // broken: PASS with a note
};

// What a check needs. A need that is not met makes it a SKIP, with the reason.
enum need {
    // The mode the runner brings the device into first. Neither: as it is.
    NEED_RUN_TIME = 1 << 0,
    NEED_DFU_MODE = 1 << 1,

    // Of the options.
    NEED_DETACH =
        1 << 2, // it sends DETACH, or a request that a wrong device takes for it (--no-detach)
    NEED_WRITE = 1 << 3, // it may change flash (--allow-write)

    // Of the transport: enum target_capability.
    NEED_RESET = 1 << 4,
    NEED_RAW = 1 << 5,
    NEED_ADDRESS = 1 << 6,
    NEED_DEFAULT = 1 << 7,
    NEED_SUSPEND = 1 << 8,
    NEED_ANY_LENGTH = 1 << 9,

    // Of the device, as its descriptors say.
    NEED_FUNCTIONAL = 1 << 10,      // a DFU functional descriptor at all
    NEED_WILL_DETACH = 1 << 11,     // bitWillDetach = 1
    NEED_WAIT_RESET = 1 << 12,      // bitWillDetach = 0
    NEED_CAN_DNLOAD = 1 << 13,      // bitCanDnload = 1
    NEED_CAN_UPLOAD = 1 << 14,      // bitCanUpload = 1
    NEED_DFUSE = 1 << 15,           // bcdDFUVersion 011Ah
    NEED_PLAIN = 1 << 16,           // any other bcdDFUVersion
    NEED_OTHER_INTERFACE = 1 << 17, // an interface beside the DFU one
    NEED_DFU_INTERFACE = 1 << 18,   // a DFU interface to send DFU requests to

    // To begin a download: with DfuSe nothing; else --allow-write, because the first block is data.
    NEED_DNLOAD_BEGUN = 1 << 19,

    // Of the transport, again.
    NEED_DEPART = 1 << 20, // control transfers whose stages come late or not at all
};

struct check {
    const char *id;
    const char *section;
    enum level level;
    const char *sentence; // what is required, one sentence without a full stop
    unsigned needs;       // enum need
    void (*run)(struct probe *probe);
    const void *row; // tells a function that serves several checks which one it is

    // A device that did not come back in an earlier check breaks this one: at run time from DETACH,
    // in DFU mode from a bus reset.
    bool judges_return;
};

struct check_group {
    const char *title;
    const struct check *checks;
    size_t count;
};

const char *level_text(enum level level); // "must", "should", "inform"

// What one need (one bit) is, to complete "needs ...": "a device with bitWillDetach = 1".
const char *need_text(unsigned need);

#endif
