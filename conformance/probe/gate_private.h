// SPDX-License-Identifier: MIT
//
// gate_private.h - the gate, for the files that it is made of: gate.c decides, gate_saw.c learns
// from what was sent.

#ifndef CONFORMANCE_GATE_PRIVATE_H
#define CONFORMANCE_GATE_PRIVATE_H

#include <conformance/gate.h>

// DfuSe's command, a DNLOAD of block 0 with data (AN3156 5).
bool gate_is_command(const struct usbdev_setup_packet *setup);

// Set Address Pointer (AN3156 5.2), to the DFU interface of a DfuSe device.
bool gate_is_set_address(const struct gate *gate,
                         const struct usbdev_setup_packet *setup,
                         const uint8_t *data);

#endif
