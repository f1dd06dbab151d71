// SPDX-License-Identifier: MIT
//
// losing_target.h - another target whose device is lost at its n-th request: it is off the bus then
// until its power is cycled.

#ifndef CONFORMANCE_LOSING_TARGET_H
#define CONFORMANCE_LOSING_TARGET_H

#include "wrapped_target.h"

enum {
    LOSING_WAITS = 64,
};

struct losing_target {
    struct wrapped_target wrapped;
    unsigned lost_at; // counted from 1
    bool each_time;   // counted from each power-on; else it is lost once
    unsigned requests;
    bool lost;
    unsigned waits; // for a return; the first of them, each behind so many requests
    unsigned waited_at[LOSING_WAITS];
};

void losing_target_init(struct losing_target *losing, struct target *target, unsigned lost_at);

#endif
