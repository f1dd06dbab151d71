// SPDX-License-Identifier: MIT
//
// dfu_steps.h - how a device in DFU mode is moved through its states (DFU 1.1 A.2), for the runner
// and for checks. A step that fails makes the check that needed it INCONCLUSIVE; the check whose
// subject the step is judges it.

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

// The longest that one bwPollTimeout is waited for. It has 24 bits, more than four hours.
enum { DFU_LONGEST_POLL_MS = 120000 };

// ---- Sizes ----

// What one block carries: wTransferSize, or less where this host cannot send so much at once.
uint16_t dfu_transfer_size(const struct probe *probe);

// Can this host transfer blocks of the whole wTransferSize? Loaders that compute an address from
// wBlockNum need that.
bool dfu_has_whole_blocks(const struct probe *probe);

// A length that UPLOAD can always be asked for: 64 bytes, but no more than wTransferSize and no
// less than bMaxPacketSize0 (DFU 1.1 6.1).
uint16_t dfu_small_block(const struct probe *probe);

// wBlockNum of the first block of data: 2 with DfuSe, else 0.
uint16_t dfu_first_block(const struct probe *probe);

// ---- Questions ----

// GETSTATUS. Returns false if it was not answered in full.
bool dfu_ask(struct probe *probe, struct dfu_status_reply *ret_status);

// Is GETSTATUS asked instead of GETSTATE, which the device does not have, or has wrong?
bool dfu_lacks_getstate(const struct probe *probe);

// The state, by GETSTATE; by GETSTATUS from a device without GETSTATE. Returns false if neither was
// answered.
bool dfu_ask_state(struct probe *probe, uint8_t *ret_state);

// How long a wait of ms is: no longer than DFU_LONGEST_POLL_MS, and a second where the device has
// turned out to be ready long before a bwPollTimeout that was longer than that.
unsigned dfu_wait_ms(const struct probe *probe, uint64_t ms);

enum { DFU_STILL_BUSY = 1 };

// GETSTATUS until the device is neither dfuDNBUSY, dfuMANIFEST nor on the way there, each
// bwPollTimeout waited to its end or for dfu_wait_ms(); 30 s at most, or as long as one such wait.
// Returns 0, DFU_STILL_BUSY if that was not enough, or an enum usb_result. ret_status is the last
// answer, if there was one.
int dfu_poll(struct probe *probe, struct dfu_status_reply *ret_status);

// What dfu_poll() returned and left in status, as words: "dfuERROR, errPROG", "STALL", "dfuDNBUSY
// for more than 30 s".
void dfu_poll_text(char *text, size_t size, int result, const struct dfu_status_reply *status);

// What follows a DNLOAD that returned result: GETSTATUS until the block is done. Returns whether
// the device is in dfuDNLOAD-IDLE then; if not, text says what came instead.
bool dfu_finish_block(struct probe *probe, int result, char *text, size_t size);

// ---- Requests ----

// One DNLOAD. Returns what probe_control() returns.
int dfu_dnload(struct probe *probe, uint16_t block, const uint8_t *data, uint16_t length);

// One UPLOAD from a device that may be read protected: that is a SKIP. Returns what probe_control()
// returns.
int dfu_upload(struct probe *probe, uint16_t block, uint8_t *data, uint16_t length);

// After an UPLOAD that STALLed: does bStatus say errVENDOR, as ST's boot loaders do when they are
// read protected (AN3156 4.1)? Then the check is a SKIP, and true is returned.
bool dfu_is_read_protected(struct probe *probe);

// After a Set Address Pointer that failed: does bStatus say errVENDOR, and after an UPLOAD too?
// Then the check is a SKIP, and true is returned. ST's ROM carries the command out when it is
// protected (AN2662 4.5.2); that others refuse it is an error of the device's own (DFU 1.1 6.1.2).
bool dfuse_is_read_protected(struct probe *probe);

// A DfuSe command with an address.
int dfuse_command(struct probe *probe, uint8_t command, uint32_t address);

// Set Address Pointer, and on to dfuDNLOAD-IDLE. Returns false with the reason in why.
bool dfuse_point_at(struct probe *probe, uint32_t address, char *why, size_t size);

// ---- The alternate setting that checks work in: the first with two blocks to read ----

// Its layout, and the largest region of it that can be read, or NULL.
const struct dfuse_layout *dfuse_layout(const struct probe *probe);
const struct dfuse_region *dfuse_readable(const struct probe *probe);

// Select it, where another one is selected.
void dfuse_select(struct probe *probe);

// DfuSe: set the address pointer to that region, and back to dfuIDLE. Returns false, and the check
// is INCONCLUSIVE, if the device does not do that.
bool dfu_point_at_start(struct probe *probe);

// ---- States ----

// From any state to dfuIDLE. A block that was received and is not programmed yet is aborted, never
// programmed.
bool dfu_to_idle(struct probe *probe);

// To dfuIDLE, and back to the first byte: some loaders keep the position of the last transfer until
// ABORT, others until SET_INTERFACE, which tools send once before a transfer where there are
// alternate settings.
bool dfu_rewind(struct probe *probe);

// Into dfuERROR by a request that dfuIDLE does not have, which changes no memory: does a way lead
// back? Returns false only where the device stays in dfuERROR.
bool dfu_leaves_error(struct probe *probe);

// Make sure that a download can be begun without loss: keep a plain device's image (backup.h), and
// begin with its first block. Returns false, and the check is a SKIP, where that cannot be done.
bool dfu_prepare_dnload(struct probe *probe);

// A block of a download that the device may refuse: DfuSe's Set Address Pointer, or the next block
// of the image that is kept. Returns what probe_control() returns.
int dfu_dnload_something(struct probe *probe);

// The subject of a check that judges neither GETSTATUS nor GETSTATE.
enum { DFU_NO_QUESTION = 0xFF };

// Bring the device into a state, 2 to 7, 9 or 10. Returns false, and the check is INCONCLUSIVE, or
// a SKIP where the device passes over the state. That a request was accepted does not show that the
// state has changed: GETSTATE is asked, unless it is the request that the check judges: subject. A
// busy state ends by itself: an answer after probe->since.busy_until_us says nothing about it.
bool dfu_enter_state(struct probe *probe, uint8_t bState, uint8_t subject);

// dfuERROR, as the device reports it to GETSTATUS or GETSTATE, whichever the check does not judge.
bool dfu_enter_error(struct probe *probe, uint8_t subject);

// As dfu_enter_state(), with a plain device's whole image downloaded before, so that a device that
// manifests where it must not manifests a whole image.
bool dfu_enter_state_with_image(struct probe *probe, uint8_t bState, uint8_t subject);

// dfuUPLOAD-IDLE, as the device reports it to GETSTATE or GETSTATUS, and the wBlockNum that comes
// next.
bool dfu_enter_upload_idle(struct probe *probe, uint16_t *ret_next);

#endif
