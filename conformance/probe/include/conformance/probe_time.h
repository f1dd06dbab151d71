// SPDX-License-Identifier: MIT
//
// probe_time.h - judging times on a host that may itself be late.
//
// What the suite measures is the device's time and its own host's: a busy machine, a virtual one, a
// debugger. So no time limit is judged by a bare comparison.
//
// How late the host was is learnt from what it does alone: a sleep that ends late, and, before a
// check is repeated, plain requests in the same second. expect_within() knows three answers: the
// limit was kept; it was not, even if all the lateness that is known is taken off; or nobody can
// tell, and then the runner repeats the check, up to TIME_ATTEMPTS times, before it is
// INCONCLUSIVE: "this host was late by N ms". A limit that was not kept is believed at the fifth
// time only, since a host can be late once without anybody knowing.
//
// The same goes for a state that ends by itself. After a DETACH that waits for a bus reset, the
// probe notes when the detach timer may have run out; what is found later says nothing of
// appDETACH, whether it was expected or not. A wait that is meant to let the timer run out ends
// this, and so does a request that ends the state.
//
// Where the target's time is virtual nothing but the device takes time, and the first answer
// counts.

#ifndef CONFORMANCE_PROBE_TIME_H
#define CONFORMANCE_PROBE_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct probe;
struct transcript_entry;

enum { TIME_ATTEMPTS = 10 };

struct probe_time {
    unsigned attempt; // how often the check was repeated; the runner's
    bool again;       // repeat it: nothing could be told for this host's lateness
    uint64_t late_us; // the most that this host is known to have been late by, in this attempt

    // appDETACH that ends by itself: until when it lasts, 0 where there is none; for how long; and
    // for how long the check has waited in it on purpose.
    uint64_t ends_us;
    unsigned lasts_ms;
    unsigned waited_ms;
    bool depends; // the check has relied on such a state
    bool ran_out; // and was too late for it
};

// Begin a check, or an attempt at it: forget all but attempt.
void probe_time_begin(struct probe *probe);

// A step is complete: learn from it, and set its late_us.
void probe_time_step(struct probe *probe, struct transcript_entry *entry);

// Measure how late this host is: a short sleep, and the quicker one of two plain requests.
void probe_calibrate(struct probe *probe);

// The last transfer took no longer than the limit.
bool expect_last_within(struct probe *probe, const char *what, unsigned limit_ms);

// took_us is a time of the device in which the host took steps; each may have been late.
bool expect_within(
    struct probe *probe, const char *what, uint64_t took_us, unsigned steps, unsigned limit_ms);

// For the expectations: may a finding be believed? Returns false if the check is to be repeated, or
// is INCONCLUSIVE for the host's sake.
bool probe_in_time(struct probe *probe, bool met);

#endif
