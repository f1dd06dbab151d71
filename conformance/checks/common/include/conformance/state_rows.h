// SPDX-License-Identifier: MIT
//
// state_rows.h - a cell of the state tables (DFU 1.1 A.2.1 to A.2.11) as the row of a check.

#ifndef CONFORMANCE_STATE_ROWS_H
#define CONFORMANCE_STATE_ROWS_H

#include <stdint.h>

enum state_outcome {
    STALLED,
    ACCEPTED,            // carried out; a question is answered with all of its bytes
    ANSWERED_OR_STALLED, // optional there
    EITHER, // a table and figure A.1 differ: STALL and dfuERROR, or accepted and dfuIDLE
};

struct state_row {
    uint8_t state;
    uint8_t bRequest; // above ABORT: any that DFU does not have
    uint8_t wLength;  // 0 where the request has no data; for DNLOAD and UPLOAD else any number
    enum state_outcome outcome;
    uint16_t next; // a bit for each state that may follow
};

#define STATE_ROW(...) (&(const struct state_row){__VA_ARGS__})
#define STATE(number) (1u << (number))

#endif
