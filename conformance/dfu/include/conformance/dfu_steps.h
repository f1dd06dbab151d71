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
#include <usb/dfuse_layout.h>

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

// The memory that the name of an alternate setting describes. Returns whether there is a region;
// ret_layout->problem says what is wrong with the name.
bool dfuse_read_layout(struct probe *probe, uint8_t iInterface, struct dfuse_layout *ret_layout);

// SET_ADDRESS to the first region of the DFU interface's first alternate setting. Returns what
// probe_control() returns; USB_UNSUPPORTED, and nothing is sent, where its name is no layout.
int dfuse_set_first_address(struct probe *probe);

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
