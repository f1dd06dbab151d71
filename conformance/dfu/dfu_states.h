// SPDX-License-Identifier: MIT
//
// dfu_states.h - what the ways into the states share.

#ifndef CONFORMANCE_DFU_STATES_H
#define CONFORMANCE_DFU_STATES_H

#include <conformance/dfu_steps.h>

// The check is INCONCLUSIVE: the state was not reached, because of this step. Returns false.
bool dfu_not_reached(struct probe *probe, uint8_t bState, const char *step);

// dfuIDLE, in the alternate setting that checks work in; or the check is INCONCLUSIVE.
bool dfu_enter_idle(struct probe *probe);

// Does the answer say that the device is in this state? Where GETSTATE says none, GETSTATUS does.
bool dfu_says(struct probe *probe, uint8_t question, uint8_t bState);

// Enter a state, and from there dfuERROR by a request that it does not have.
bool dfu_enter_error_from(struct probe *probe, bool (*enter)(struct probe *), uint8_t subject);

#endif
