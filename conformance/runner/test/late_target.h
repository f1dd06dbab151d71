// SPDX-License-Identifier: MIT
//
// late_target.h - another target on a host that is late: at every step, at every n-th, or at random
// ones, it does something else for a while, before it carries the step out or before it looks at
// the result. How long in all is what late_us() returns.

#ifndef CONFORMANCE_LATE_TARGET_H
#define CONFORMANCE_LATE_TARGET_H

#include "wrapped_target.h"

struct late_target {
    struct wrapped_target wrapped;
    unsigned late_ms;
    unsigned every; // 1: at every step
    uint32_t seed;  // not 0: at random steps, one of every
    bool after;     // late for the result, not for the step
    bool untold;    // on the way to the device, where the host does not see it
    unsigned steps;
    bool is_late; // at this step
};

void late_target_init(struct late_target *late, struct target *target);

#endif
