// SPDX-License-Identifier: MIT
//
// trace.h - kinds of trace lines that a simulated device writes to stderr.

#ifndef SIM_TRACE_H
#define SIM_TRACE_H

enum {
    SIM_TRACE_INSTRUCTIONS = 1, // virtual board only
    SIM_TRACE_MMIO = 2,         // virtual board only
    SIM_TRACE_STATES = 4,       // resets, hand-overs, DFU states
    SIM_TRACE_PACKETS = 8,      // what goes over the wire
};

#endif
