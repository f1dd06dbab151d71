// SPDX-License-Identifier: MIT
//
// late_target.h - another target on a host that is late: at every step, at every n-th, or at random
// ones, it does something else for a while, before it carries the step out or before it looks at
// the result. How long in all is what late_us() returns.

#ifndef CONFORMANCE_LATE_TARGET_H
#define CONFORMANCE_LATE_TARGET_H

#include <stdbool.h>

#include <conformance/target.h>

struct late_target {
    struct target base;
    struct target *target;
    unsigned late_ms;
    unsigned every; // 1: at every step
    uint32_t seed;  // not 0: at random steps, one of every
    bool after;     // late for the result, not for the step
    unsigned steps;
    uint64_t late_us; // in all
};

void late_target_init(struct late_target *late, struct target *target);

#endif
