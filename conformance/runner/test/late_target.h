// SPDX-License-Identifier: MIT
//
// late_target.h - another target on a host that is late: at every step, or at every n-th, it does
// something else for a while, before it carries the step out or before it looks at the result.

#ifndef CONFORMANCE_LATE_TARGET_H
#define CONFORMANCE_LATE_TARGET_H

#include <stdbool.h>

#include <conformance/target.h>

struct late_target {
    struct target base;
    struct target *target;
    unsigned late_ms;
    unsigned every; // 1: at every step
    bool after;     // late for the result, not for the step
    unsigned steps;
};

void late_target_init(struct late_target *late, struct target *target);

#endif
