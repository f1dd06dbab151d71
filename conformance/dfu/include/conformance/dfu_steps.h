// SPDX-License-Identifier: MIT
//
// dfu_steps.h - how a device in DFU mode is moved through its states (DFU 1.1 A.2), for the runner
// and for checks. What is asked of the device here is judged elsewhere, by the check whose subject
// it is: a step that fails makes the check that needed it INCONCLUSIVE.

#ifndef CONFORMANCE_DFU_STEPS_H
#define CONFORMANCE_DFU_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include <conformance/probe.h>

// DfuSe (AN3156): commands are downloads of block 0; data begins at block 2.
enum {
    DFUSE_SET_ADDRESS = 0x21,
    DFUSE_ERASE = 0x41,
    DFUSE_FIRST_BLOCK = 2,
};

// wTransferSize, but no more than a check's control transfer can be.
uint16_t dfu_transfer_size(const struct probe *probe);

// One DNLOAD. Returns what probe_control() returns.
int dfu_dnload(struct probe *probe, uint16_t block, const uint8_t *data, uint16_t length);

// A DfuSe command with an address.
int dfuse_command(struct probe *probe, uint8_t command, uint32_t address);

// The address of the first region that alternate 0 names, "@Internal Flash /0x08000000/..."
// (UM0424 10.3.2); ST's parts begin there too, so that is the default.
uint32_t dfuse_address(struct probe *probe);

// GETSTATUS. Returns false if it was not answered in full.
bool dfu_ask(struct probe *probe, struct dfu_status_reply *ret_status);

// GETSTATUS until the device is neither dfuDNBUSY, dfuMANIFEST nor on the way there, each
// bwPollTimeout waited. Returns false if it was not answered or never ended.
bool dfu_poll(struct probe *probe, struct dfu_status_reply *ret_status);

// From wherever the state machine stands to dfuIDLE.
bool dfu_to_idle(struct probe *probe);

// Make sure that a download can be begun without loss: keep a plain device's firmware (backup.h).
// Returns false, and the check is a SKIP, where that cannot be done.
bool dfu_prepare_dnload(struct probe *probe);

// From dfuIDLE or dfuDNLOAD-IDLE, a block of a download that harms nothing: DfuSe's set-address
// command, or the beginning of the firmware that is there. Returns what probe_control() returns.
int dfu_dnload_something(struct probe *probe);

// Bring the device into a state, 2 to 7, 9 or 10. Returns false, and the check is INCONCLUSIVE, or
// a SKIP where the device passes over the state. A busy state ends by itself: what is asked after
// probe->busy_until_us says nothing of it.
bool dfu_enter_state(struct probe *probe, uint8_t bState);

#endif
