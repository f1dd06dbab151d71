// SPDX-License-Identifier: MIT
//
// f072_history.h - the recorded past of a virtual board, for reverse execution.
//
// The board is deterministic: the same calls of struct sim_device_ops lead to the same state. So
// its past is a copy at intervals, and the calls since. To return to an earlier instruction the
// last copy before it is restored, and the calls are made again until it is reached.
//
// An instruction is named by the cycle counter before it, which no other instruction has.
//
// Memory is bounded: F072_MAX_SNAPSHOTS copies, F072_SNAPSHOT_MS of virtual time apart, and
// F072_MAX_CALLS calls. The oldest are dropped first.

#ifndef F072_HISTORY_H
#define F072_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "f072_board_private.h"

enum {
    F072_SNAPSHOT_MS = 10,
    F072_MAX_SNAPSHOTS = 500, // 5 s, about 50 MB
    F072_MAX_CALLS = 1 << 17, // about 6 MB, and their data
};

// A call of the board's struct sim_device_ops.
struct f072_call {
    enum f072_call_kind {
        F072_CALL_ADVANCE,
        F072_CALL_POWER,
        F072_CALL_BUS_RESET,
        F072_CALL_SOF,
        F072_CALL_RESUME,
        F072_CALL_SETUP,
        F072_CALL_OUT,
        F072_CALL_IN,
        F072_CALL_LPM,
    } kind;
    uint64_t until_ns;     // ADVANCE
    bool flag;             // POWER: on; BUS_RESET: se0; OUT: data1
    uint16_t frame;        // SOF
    uint16_t bmAttributes; // LPM
    uint8_t address;
    uint8_t endpoint;
    uint16_t length; // of the data of SETUP, OUT: at most SIM_MAX_PACKET
    uint8_t *data;
};

struct f072_history;

// Empty. NULL if there is no memory.
struct f072_history *f072_history_open(struct f072_board *board);
void f072_history_close(struct f072_history *history);

// A call is about to be made, with call->length bytes of data, which are copied. At intervals the
// board is copied before it.
void f072_history_record(struct f072_history *history,
                         const struct f072_call *call,
                         const uint8_t *data);

// The state was changed by more than calls: history begins here. Within an ADVANCE that is the last
// call.
void f072_history_restart(struct f072_history *history);

// Empty again.
void f072_history_forget(struct f072_history *history);

// ---- Into the past and back ----
//
// Within an ADVANCE, which stays the last call. The board does not repeat its output: the UART,
// lines on stderr, its flash file.

bool f072_history_is_past(const struct f072_history *history);

// When history begins, UINT64_MAX: there is none.
uint64_t f072_history_begin_ns(const struct f072_history *history);

// Both make the calls from a snapshot on until the function that is called before each instruction
// (armv6m_debug.h) holds the board, or the present is reached; *ret_held tells which.
//
// From the last snapshot that lies before this cycle. Returns false where there is none. *ret_begin
// is the snapshot's cycle.
bool f072_history_replay(struct f072_history *history,
                         uint64_t cycles,
                         uint64_t *ret_begin,
                         bool *ret_held);

// From the last snapshot that lies before this cycle or at it; where there is none it goes to the
// beginning of history. Returns false where there is no history.
bool f072_history_seek(struct f072_history *history, uint64_t cycles, bool *ret_held);

// Make the next call again. Returns false, and makes none, where the next one is the call in
// progress: then the board is in its present, or will be once its caller goes on.
bool f072_history_next(struct f072_history *history);

// Output is enabled again once the board has arrived where it was when it went into the past.
// now_ns is its time.
void f072_history_catch_up(struct f072_history *history, uint64_t now_ns);

#endif
