// SPDX-License-Identifier: MIT
//
// pace.h - virtual time that follows the wall clock, for simulated devices that real programs use.
//
// Between two requests of a program at least as much virtual time passes as the program waited: a
// program that obeys bwPollTimeout is never early. Transfers take their virtual time besides, so
// virtual time may run ahead of the wall clock. A device that is slower than the wall clock stays
// behind: it is advanced a step at a time, so that its owner can serve sockets, signals and clocks
// in between.
//
//     while (sim_pace_step(&pace, host, now_ns) && wall_clock() < limit_ns)
//         ;

#ifndef SIM_PACE_H
#define SIM_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include <sim/host.h>

// Zeroed, it starts at the first step.
struct sim_pace {
    uint64_t wall_ns; // the device has run until then
};

// Run a millisecond more, but no longer than until wall_ns (of any monotonic clock, not 0). A
// backlog of more than a second is dropped. A device at rest advances to wall_ns at once, however
// long that is. Returns whether the device is still behind.
bool sim_pace_step(struct sim_pace *pace, struct sim_host *host, uint64_t wall_ns);

#endif
