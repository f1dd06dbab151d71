// SPDX-License-Identifier: MIT
//
// modes.h - from run time into DFU mode and back, and into a quiet state.
//
// The runner moves the device with it between checks. It judges nothing: where a step fails, one
// line says why the mode was not reached.

#ifndef CONFORMANCE_MODES_H
#define CONFORMANCE_MODES_H

#include <stdbool.h>
#include <stddef.h>

#include <conformance/probe.h>

// How long the device is waited for when it has left the bus: 60 s, or --return-time if that is
// more.
unsigned mode_return_ms(const struct probe *probe);

// DETACH, then a bus reset unless bitWillDetach, then wait for DFU mode (DFU 1.1 5.1).
bool mode_enter_dfu(struct probe *probe, char *why, size_t size);

// The backup is restored first (backup.h). Then these are tried: DfuSe's request to leave, with
// --allow-write; a bus reset; a power cycle where the target can; and where ask is true, a person
// who replugs the device.
bool mode_enter_run_time(struct probe *probe, bool ask, char *why, size_t size);

// The same without restoring.
bool mode_leave_dfu(struct probe *probe, bool ask, char *why, size_t size);

// DfuSe's request to leave for the application at the address pointer, a zero-length DNLOAD (AN3156
// 5.5). Returns whether the device left the bus and came back.
bool mode_request_leave(struct probe *probe);

// A device that has manifested, and says dfuIDLE or was reset and is still in DFU mode, may start
// its firmware by itself a moment later, and nothing is written until then. It is waited for, until
// it was once seen to stay.
void mode_outwait_restart(struct probe *probe);

// Is the device in dfuMANIFEST-WAIT-RESET, which a bus reset did not end?
bool mode_needs_power(struct probe *probe);
#define MODE_NEEDS_POWER                                                                           \
    "no bus reset ends dfuMANIFEST-WAIT-RESET (DM-RESET-04): unplug the device and plug it in "    \
    "again"

// Back to appIDLE or dfuIDLE from any state; waits for a device that has left the bus. Returns
// false only if the device does not come back.
bool mode_quieten(struct probe *probe);

#endif
