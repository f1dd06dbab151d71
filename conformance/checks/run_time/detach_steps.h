// SPDX-License-Identifier: MIT
//
// detach_steps.h - steps that the checks of DETACH at run time are made of.

#ifndef CONFORMANCE_DETACH_STEPS_H
#define CONFORMANCE_DETACH_STEPS_H

#include <conformance/check_common.h>

// How long the detach timer runs after a DETACH with this wValue (DFU 1.1 5.1).
unsigned detach_timer_ms(const struct probe *probe, unsigned wValue);

// When even a coarse timer has expired.
unsigned after_detach_timer_ms(const struct probe *probe, unsigned wValue);

// DETACH is carried out, or the check is INCONCLUSIVE.
bool given_detach(struct probe *probe);

// DETACH, and the device leaves, by itself or by a bus reset as bitWillDetach says, and is back.
// One that leaves before the status stage of DETACH, which RT-DETACH-01 judges, has left as well.
bool given_departure(struct probe *probe);

// Whether an earlier check has seen what this one judges, which is met then: one of probe->trips.
bool was_seen(struct probe *probe, const struct check *in, const char *expected);

// Into DFU mode, where that is not what the check judges.
bool given_dfu_mode(struct probe *probe);

#endif
