// SPDX-License-Identifier: MIT
//
// presumptions.h - what a requirement presumes: other requirements, without which a device cannot
// meet it.
//
// One wrong answer of a device is often seen by several checks. It is a FAIL of the requirement
// that it is about; the checks that see it because they presume that requirement are INCONCLUSIVE
// and name it. A check that is met is met, whatever it presumes.

#ifndef CONFORMANCE_PRESUMPTIONS_H
#define CONFORMANCE_PRESUMPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <conformance/check.h>

struct presumption {
    const struct check *check; // that judges what is presumed

    // It is presumed as far as both are broken in the same way. So it is where the check judges the
    // same sentence of a specification for another request.
    bool alike;

    const char *expected; // it is presumed where both expected these words; NULL: always
    const char *received; // and where the check received what begins so; NULL: whatever it received
    const char *sent;     // and where both sent this request; NULL: whatever they sent
};

// The at-th presumption of a check. Returns false behind the last one.
bool presumption_of(const struct check *check, size_t at, struct presumption *ret_presumption);

#endif
