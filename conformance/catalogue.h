// SPDX-License-Identifier: MIT
//
// catalogue.h - every requirement, as data.
//
// A check is one requirement: an id that never changes once released, the section it comes from,
// its level, one sentence, what it needs, and the function that looks. Checks live in check_*.c by
// subject, each file one group: a table with the functions above it. The order of the catalogue is
// the order in which a run goes: what disturbs the device least comes first.
//
// Adding a check: write the function (probe.h says what it may do), add a row to the group's table.
// Adding a group: define it in its own file, name it in catalogue.c.

#ifndef CONFORMANCE_CATALOGUE_H
#define CONFORMANCE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

struct probe;

enum level {
    LEVEL_MUST,   // broken: FAIL
    LEVEL_SHOULD, // broken: WARN, or FAIL under --strict
    LEVEL_INFO,   // broken: PASS with a note
};

// What a check needs. What is not there makes it a SKIP, with the reason.
enum need {
    // The mode the runner brings the device into first. Neither: as it is.
    NEED_RUN_TIME = 1 << 0,
    NEED_DFU_MODE = 1 << 1,

    // Of the person who runs it.
    NEED_DETACH = 1 << 2, // it sends DETACH, or what a wrong device takes for it (--no-detach)
    NEED_WRITE = 1 << 3,  // it may change flash (--allow-write)

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

    // To begin a download: with DfuSe nothing; else leave to write, for the first block is data.
    NEED_DNLOAD_BEGUN = 1 << 19,
};

struct check {
    const char *id;
    const char *section;
    enum level level;
    const char *sentence; // what is required, one sentence without a full stop
    unsigned needs;       // enum need
    void (*run)(struct probe *probe);
    const void *row; // what a function that serves several checks tells them apart by
};

struct check_group {
    const char *title;
    const struct check *checks;
    size_t count;
};

// Ends with NULL.
extern const struct check_group *const catalogue[];

// The groups, each in the file of its name: check_descriptors.c, ...
extern const struct check_group check_descriptors;
extern const struct check_group check_chapter9_descriptors;
extern const struct check_group check_chapter9_strings;
extern const struct check_group check_chapter9_requests;
extern const struct check_group check_requests;
extern const struct check_group check_states;
extern const struct check_group check_detach;
extern const struct check_group check_interop;
extern const struct check_group check_dfu_descriptors;
extern const struct check_group check_dfu_states;
extern const struct check_group check_dfu_transfers;
extern const struct check_group check_dfuse;

// The check with this id, or NULL.
const struct check *catalogue_find(const char *id);

size_t catalogue_count(void);

// The group that this check of the catalogue belongs to; NULL for a check from elsewhere.
const struct check_group *catalogue_group_of(const struct check *check);

const char *level_text(enum level level); // "must", "should", "inform"

// What one need (one bit) is, to complete "needs ...": "a device with bitWillDetach = 1".
const char *need_text(unsigned need);

// Does id match one of the comma-separated globs? * and ? as in a shell, case ignored.
bool glob_list_matches(const char *globs, const char *id);

// The first glob of the list that matches no check, copied to ret_glob; false if each matches one.
bool glob_list_unknown(const char *globs, char *ret_glob, size_t size);

#endif
