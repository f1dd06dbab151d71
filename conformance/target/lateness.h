// SPDX-License-Identifier: MIT
//
// lateness.h - by how much this host is late, measured while it is.
//
// A thread sleeps for a few milliseconds again and again and adds up by how much it wakes too late:
// the machine was stopped, suspended or short of processors. To that is added the time that the
// caller's own thread was ready to run and waited for a processor (schedstat), where the kernel
// counts it. The same delay may be in both, so the sum is an upper bound.

#ifndef CONFORMANCE_LATENESS_H
#define CONFORMANCE_LATENESS_H

#include <stdint.h>

struct lateness;

#define LATENESS_NOT_OPENED                                                                        \
    "no thread can be started that measures this host: end other programs, or raise ulimit -u"

// Begin to measure, for the calling thread. Returns NULL if that is not possible.
struct lateness *lateness_open(void);

// In all since then; also a delay that has only just ended. It never decreases.
uint64_t lateness_us(struct lateness *lateness);

// NULL is allowed.
void lateness_close(struct lateness *lateness);

#endif
