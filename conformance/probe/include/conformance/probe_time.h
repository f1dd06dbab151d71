// SPDX-License-Identifier: MIT
//
// probe_time.h - judging times on a host that may itself be late.
//
// The suite measures the device's time together with the host's, which may be a busy or a virtual
// machine. So no time limit is judged by a comparison alone.
//
// The target measures by how much the host was late during each step (target.h), a sleep by its own
// overrun, and before a check is repeated plain requests show how fast this host is at best.
// expect_within() has three answers: the limit was kept; it was exceeded by more than the lateness;
// or that is undecided, and then the runner repeats the check, up to TIME_ATTEMPTS times, before it
// is INCONCLUSIVE: "this host was late by N ms". An exceeded limit is a FAIL only where this host
// is known to have been in time, five times: what is between host and device can be late, too.
// Where no request of the run was answered within the limit, the two cannot be told apart, and no
// repetition changes that.
//
// The same goes for a state that ends by itself. After a DETACH that waits for a bus reset, the
// probe notes when the detach timer may have run out; an answer after that says nothing about
// appDETACH. A wait that is meant to let the timer run out ends this, and so does a request that
// ends the state.
//
// Where the target's time is virtual only the device takes time, and the first answer counts.

#ifndef CONFORMANCE_PROBE_TIME_H
#define CONFORMANCE_PROBE_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct probe;
struct transcript_entry;

enum { TIME_ATTEMPTS = 10 };

struct probe_time {
    unsigned attempt;    // how often the check was repeated; the runner's
    uint64_t fastest_us; // the request of this run that took least, lateness apart; 0: none yet
    bool again;          // repeat it: undecided because this host was late, or more is known now
    uint64_t late_us;    // the most that this host was late by in one step of this attempt
    uint64_t prompt_us;  // what a plain request takes on this host, where that is long; else 0

    // appDETACH that ends by itself: until when it lasts, 0 where there is none; for how long; how
    // many requests it has to outlast, DETACH included; and for how long the check has waited in it
    // on purpose.
    uint64_t ends_us;
    unsigned lasts_ms;
    unsigned requests;
    unsigned waited_ms;
    bool depends; // the check has relied on such a state
    bool ran_out; // and was too late for it
};

// Begin a check, or an attempt at it: forget all but attempt.
void probe_time_begin(struct probe *probe);

// A step is complete: update the lateness from it, and its late_us from a sleep's overrun.
void probe_time_step(struct probe *probe, struct transcript_entry *entry);

// appDETACH was left for DFU mode in time: no answer after that depends on it.
void probe_time_forget_state(struct probe *probe);

// Measure how fast this host is: the quicker one of two plain requests.
void probe_calibrate(struct probe *probe);

// The last transfer took no longer than the limit.
bool expect_last_within(struct probe *probe, const char *what, unsigned limit_ms);

// took_us is a time of the device in which this host was late by late_us (probe_late_us()).
bool expect_within(
    struct probe *probe, const char *what, uint64_t took_us, uint64_t late_us, unsigned limit_ms);

// The check goes on until appDETACH is over: what is sent at its end is not late.
void probe_outlast_detach(struct probe *probe);

// Is a time or a state that is not as expected the device's doing, in this attempt? Else the check
// is repeated.
bool probe_believes(const struct probe *probe);

// For the expectations: does this host's lateness allow a verdict? Returns false if the check is to
// be repeated, or is INCONCLUSIVE because the host was late.
bool probe_in_time(struct probe *probe, bool met);

#endif
