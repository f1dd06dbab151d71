// SPDX-License-Identifier: MIT
//
// gates.h - gates in front of three kinds of device, to be asked.

#ifndef CONFORMANCE_TEST_GATES_H
#define CONFORMANCE_TEST_GATES_H

#include <conformance/gate.h>

enum { OUT = 0x21, IN = 0xA1, STALL = -1, GONE = -2, GATE_IMAGE_SIZE = 10 };

// A DfuSe boot loader in dfuIDLE: 128 KB of flash whose last page is kept where it may be written,
// and memory that cannot be read.
struct gate gate_of_dfuse(bool may_write);

// A plain one in dfuIDLE; where it may be written gate_image is kept.
extern const uint8_t gate_image[GATE_IMAGE_SIZE];
struct gate gate_of_plain(bool may_write);

// A device at run time whose state this is: enum dfurt_state, or GATE_STATE_...
struct gate gate_of_run_time(int state);

// The gate sees a DNLOAD and what came of it: as many bytes as were accepted, or STALL.
void gate_sends(
    struct gate *gate, uint16_t wBlockNum, uint16_t wLength, const uint8_t *data, int result);

#endif
