// SPDX-License-Identifier: MIT
//
// watch.h - the target of a run: the device under test, with limits of time.
//
// Everything that a run does to the device goes through here. The watch enforces limits: after the
// time of the check or of the run is over, each call returns USB_IO at once and the target is not
// called; a request of the suite's own way that is fatal (fatal.h) returns USB_UNSUPPORTED.
// It records losses (losses.h) and the time of transfers that timed out, and stores the target's
// trouble, which it asks for before each power cycle that ends it.
//
// Limits are times of this machine's clock, because a person waits for it. Where the target's time
// is virtual, a wait takes none of it.

#ifndef CONFORMANCE_WATCH_H
#define CONFORMANCE_WATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "losses.h"
#include <conformance/target.h>

struct watch {
    struct target base;    // the target that the run uses; a copy of target's but for ops
    struct target *target; // the device

    uint64_t check_end_ms;                    // 0: no check runs, and there is no limit
    uint64_t run_end_ms;                      // 0: no limit
    bool out_of_time;                         // a call was refused
    const volatile sig_atomic_t *interrupted; // a check ends when it is not 0; or NULL
    const bool *restoring; // while it is true the flash is put back, and no check ends; or NULL

    struct losses losses;

    char trouble[TARGET_TROUBLE];       // the first that is new since watch_forget_trouble(), or ""
    char known_trouble[TARGET_TROUBLE]; // what the target told last, or ""

    unsigned timeouts;    // transfers that timed out, in this run
    uint64_t timeouts_ms; // and how long they took, on this machine's clock
    uint64_t slept_ms;    // how long was slept in all, where the target's time is this machine's
};

// target stays the caller's.
void watch_init(struct watch *watch, struct target *target, const struct losses_view *view);

// This machine's clock.
uint64_t watch_clock_ms(void);

// A check begins that may take limit_ms, within what is left of the run; 0: it has ended.
void watch_begin(struct watch *watch, unsigned limit_ms);

// How long the check may still take; UINT64_MAX where there is no limit.
uint64_t watch_left_ms(const struct watch *watch);

// Ask the target for trouble, and keep it in watch->trouble if it is new.
void watch_look_for_trouble(struct watch *watch);

// A check begins: trouble that the target is in already is not attributed to it.
void watch_forget_trouble(struct watch *watch);

#endif
