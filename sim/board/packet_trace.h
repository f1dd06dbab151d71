// SPDX-License-Identifier: MIT
//
// packet_trace.h - prints each packet on the wire as a line.
//
//        231.104567 ms  SETUP  0.0  80 06 00 01 00 00 40 00  ACK
//        231.155239 ms  IN     0.0  DATA1, 18 bytes: 12 01 00 02 00 00 00 40 ..
//
// Address and endpoint, then the data. NAKs are omitted: there are thousands of them.

#ifndef SIM_PACKET_TRACE_H
#define SIM_PACKET_TRACE_H

#include <stdio.h>

#include <sim/wire.h>

// A device that does what this one does, closes it when it is closed, and writes a trace. NULL,
// with device untouched, if there is no memory.
struct sim_device *packet_trace_open(struct sim_device *device, FILE *out);

#endif
