// SPDX-License-Identifier: MIT
//
// dfu_state_row.h - one function that serves each row of the state table in DFU mode, and how the
// state that follows a request is judged. A set of states has a bit for each, STATE() of
// state_rows.h.

#ifndef CONFORMANCE_DFU_STATE_ROW_H
#define CONFORMANCE_DFU_STATE_ROW_H

#include <conformance/check_common.h>
#include <conformance/state_rows.h>

// The run function of a check whose row says in which state a request is sent, what the answer is,
// and which states may follow.
void dfu_follow_row(struct probe *probe);

// The device is in one of these states: by GETSTATE, or by GETSTATUS where that is not answered,
// which the rows of GETSTATE judge. GETSTATUS moves on from the two states that wait for it.
bool expect_state_after(struct probe *probe, unsigned states);

// The reply of a GETSTATUS announces one of these states.
bool expect_bState_of(struct probe *probe, uint8_t bState, unsigned states);

#endif
