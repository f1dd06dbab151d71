// SPDX-License-Identifier: MIT
//
// interop_steps.h - steps that several tools share (check_interop.c).

#ifndef CONFORMANCE_INTEROP_STEPS_H
#define CONFORMANCE_INTEROP_STEPS_H

#include <conformance/check_common.h>

// SET_INTERFACE to setting 0 of the DFU interface is carried out, where the tools send it.
bool selects_alternate_0(struct probe *probe);

// What GETSTATUS said at run time: the tool sends DETACH in appIDLE and appDETACH alone.
bool expect_application_state(struct probe *probe, uint8_t bState, const char *tool);

// DETACH leads to DFU mode within limit_ms, whatever error it ends with, which RT-DETACH-01 judges;
// what the tool does then completes the note of it.
bool detach_despite_errors(struct probe *probe,
                           uint16_t wValue,
                           unsigned limit_ms,
                           const char *then);

// The boot loader directly after its enumeration, before any request: detached from run time again
// as above, or the check is INCONCLUSIVE.
bool given_fresh_dfu_mode(struct probe *probe, const char *then);

// A DFU request without data is carried out.
bool send_without_data(struct probe *probe, uint8_t bRequest);

#endif
