// SPDX-License-Identifier: MIT
//
// modes.h - from run time into DFU mode and back, and into a quiet state.
//
// This is how the runner moves the device between checks. It judges nothing: where a step fails, it
// says in one line why the device could not be brought there.

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

// What checks wrote over is put back first (backup.h). Then DfuSe's request to leave, with
// --allow-write; a bus reset; a power cycle where the target can;
// and where ask is true, a person with a hand on the plug.
bool mode_enter_run_time(struct probe *probe, bool ask, char *why, size_t size);

// The same, with nothing put back.
bool mode_leave_dfu(struct probe *probe, bool ask, char *why, size_t size);

// Back to appIDLE or dfuIDLE, whatever the last check left behind; waits for a device that has
// left the bus. Returns false only if the device is gone for good.
bool mode_quieten(struct probe *probe);

#endif
