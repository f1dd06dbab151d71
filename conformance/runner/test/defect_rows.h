// SPDX-License-Identifier: MIT
//
// defect_rows.h - what the suite must say of each device with a deliberate defect.
//
// A row is written from the specification before the suite is run on the device: the requirement
// that the defect is about, its subject, and every other one that is reported, each with the
// reason. What is not in the row must not be reported. A check that sees the defect because it
// presumes the subject is INCONCLUSIVE (presumptions.h), and not in the row.

#ifndef CONFORMANCE_DEFECT_ROWS_H
#define CONFORMANCE_DEFECT_ROWS_H

#include <stdbool.h>

enum { MOST_CONSEQUENCES = 14, MOST_SENTENCES = 2 };

struct consequence {
    const char *id;
    const char *why; // a few words, and the section where it is not the subject's
};

struct defect_row {
    const char *defect; // NULL ends a table
    const char *device;
    const char *subject; // the id of a requirement; NULL: no request shows it

    // The boot loader has the defect, too: what is CH9-X here is broken as DM-CH9-X there.
    bool both_modes;

    // The device remembers what was done to it, so that what a check finds depends on those before
    // it: why. The subject must be reported in a whole run or alone, the others in a whole run.
    // NULL: it does not.
    const char *remembers;

    // One defect is one FAIL. Each of these is another one, of another sentence that the device
    // breaks: why, with the section. Ends with an id of NULL, as does the next list.
    struct consequence also[MOST_SENTENCES];

    // What else is reported, and is no FAIL beside the subject's.
    struct consequence follows[MOST_CONSEQUENCES];
};

extern const struct defect_row run_time_rows[];
extern const struct defect_row chapter9_rows[];
extern const struct defect_row dfu_mode_rows[];
extern const struct defect_row answer_rows[];

#endif
