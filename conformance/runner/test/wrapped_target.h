// SPDX-License-Identifier: MIT
//
// wrapped_target.h - for tests: a target that passes each step on to another one, between two
// hooks.

#ifndef CONFORMANCE_WRAPPED_TARGET_H
#define CONFORMANCE_WRAPPED_TARGET_H

#include <stdbool.h>

#include <conformance/target.h>

enum wrapped_step {
    WRAPPED_REQUEST, // a control transfer, those of set_configuration() and its like included
    WRAPPED_TRANSFER,
    WRAPPED_BUS, // reset() to resume()
    WRAPPED_POWER_CYCLE,
    WRAPPED_WAIT_LEAVE,
    WRAPPED_WAIT_RETURN,
    WRAPPED_SLEEP,
};

// Base of such targets; concrete ones embed it as their first member.
struct wrapped_target {
    struct target base;
    struct target *target;
    uint64_t late_us; // what late_us() returns

    // Before a step that takes ms at most. Returns whether it is to be carried out; where it is
    // not, *ret_result is its result.
    bool (*before)(struct wrapped_target *wrapped,
                   enum wrapped_step step,
                   unsigned ms,
                   int *ret_result);

    // After each step but a sleep, and once at the beginning; base is again as the target's, which
    // may have changed. May be NULL.
    void (*after)(struct wrapped_target *wrapped);
};

// Wrap a target, with the hooks that are filled in.
void wrapped_target_init(struct wrapped_target *wrapped, struct target *target);

#endif
