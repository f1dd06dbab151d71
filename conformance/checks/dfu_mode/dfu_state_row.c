// SPDX-License-Identifier: MIT
//
// Enters the state of a row, sends its request, judges the answer, and asks for the state that
// follows: by GETSTATE, which changes no state; for GETSTATUS it is the one that the reply
// announces.

#include <stdio.h>

#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/download.h>
#include <conformance/modes.h>

#include "dfu_state_row.h"
#include "dfu_transfers.h"

static void put_states(char *text, size_t size, unsigned states)
{
    size_t used = 0;
    text[0] = '\0';
    for (uint8_t state = 0; state <= DFURT_STATE_dfuERROR; state++) {
        if ((states & 1u << state) && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " or " : "",
                                     usb_dfu_state_name(state));
    }
}

static bool is_one_of(uint8_t state, unsigned states)
{
    return state <= DFURT_STATE_dfuERROR && (states & 1u << state);
}

// By GETSTATE.
static bool expect_next(struct probe *probe, uint8_t state, unsigned states)
{
    char expected[PROBE_WORDS];
    uint8_t bState = 0;
    put_states(expected, sizeof expected, states);
    while (!(states & 1u << bState))
        bState++;
    return expect_agreed(probe, state, is_one_of(state, states) ? state : bState, expected);
}

bool expect_bState_of(struct probe *probe, uint8_t bState, unsigned states)
{
    char expected[PROBE_WORDS];
    put_states(expected, sizeof expected, states);
    return expect(probe, is_one_of(bState, states), expected, "GETSTATUS: bState %u, %s", bState,
                  usb_dfu_state_name(bState));
}

static bool is_busy(uint8_t bState)
{
    return bState == DFURT_STATE_dfuDNBUSY || bState == DFURT_STATE_dfuMANIFEST;
}

// In dfuDNBUSY and dfuMANIFEST each request leads to dfuERROR, GETSTATE too. Only dfuERROR answers
// it: where the first one STALLed and the next one is answered, the state had stayed.
static bool expect_error_at_once(struct probe *probe, const struct usbdev_setup_packet *getstate)
{
    const struct state_row *row = probe->check->row;
    uint8_t state;
    return !is_busy(row->state) ||
           probe_control(probe, getstate, &state) != DFURT_STATE_REPLY_SIZE ||
           expect(probe, false, "GETSTATE is answered after the STALL, in dfuERROR",
                  "it STALLed, as in %s", usb_dfu_state_name(row->state));
}

// What is no state, or not answered, is judged by the row of GETSTATE in that state: GETSTATUS says
// which one it is.
bool expect_state_after(struct probe *probe, unsigned states)
{
    struct dfu_status_reply status;
    uint8_t state;
    int result = USB_UNSUPPORTED;
    const struct usbdev_setup_packet getstate =
        dfu_setup(probe, DFURT_GETSTATE, 0, DFURT_STATE_REPLY_SIZE);
    if (!dfu_lacks_getstate(probe))
        result = probe_control(probe, &getstate, &state);
    if (result == DFURT_STATE_REPLY_SIZE && state <= DFURT_STATE_dfuERROR)
        return expect_next(probe, state, states);
    if (result == USB_GONE || result == USB_IO)
        return expect_result(probe, result, DFURT_STATE_REPLY_SIZE, &state);
    if (states & 1u << DFURT_STATE_dfuDNLOAD_SYNC)
        states |= 1u << DFURT_STATE_dfuDNBUSY | 1u << DFURT_STATE_dfuDNLOAD_IDLE;
    if (states & 1u << DFURT_STATE_dfuMANIFEST_SYNC)
        states |= 1u << DFURT_STATE_dfuMANIFEST | 1u << DFURT_STATE_dfuIDLE;
    return expect_getstatus(probe, &status) && expect_bState_of(probe, status.bState, states) &&
           (result != USB_STALL || expect_error_at_once(probe, &getstate));
}

static bool is_dnload_of_nothing(const struct state_row *row)
{
    return row->bRequest == DFURT_DNLOAD && row->wLength == 0;
}

// What the attempt meets decides nothing: the state's own row judges it.
static void try_detach(struct probe *probe, uint8_t state)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, 0, 0);
    const struct judgement before = probe->judgement;
    char why[PROBE_WORDS];
    if (backup_restore(probe, why, sizeof why) && dfu_enter_state(probe, state, DFU_NO_QUESTION))
        probe_control(probe, &detach, NULL);
    probe->judgement = before;
}

// Some boot loaders leave DFU mode at DETACH, and start what is there. So it is sent only while the
// device holds its own firmware; and in mid download only if the device has refused it in each
// state before, whether their rows have run or not.
static bool given_safe_detach(struct probe *probe, const struct state_row *row)
{
    char why[PROBE_WORDS];
    bool writes = row->state >= DFURT_STATE_dfuDNLOAD_SYNC &&
                  row->state <= DFURT_STATE_dfuMANIFEST && !device_is_dfuse(&probe->dfu_mode);
    for (uint8_t state = DFURT_STATE_dfuIDLE; writes && state < row->state; state++) {
        if (probe->loader.detach != DM_DETACH_TAKEN && !(probe->loader.detach_in & 1u << state))
            try_detach(probe, state);
        probe->loader.detach_in |= 1u << state;
    }
    if (writes && probe->loader.detach == DM_DETACH_TAKEN)
        return probe_skip(probe, "needs a device that STALLs DETACH in the states before: this one "
                                 "could start half an image");
    probe->loader.detach_in |= 1u << row->state;
    return backup_restore(probe, why, sizeof why) || probe_inconclusive(probe, "%s", why);
}

// A device that accepts the request although it must not keeps its firmware: the data is the next
// block of the backup's image, or DfuSe's Set Address Pointer.
static bool enter(struct probe *probe, const struct state_row *row, uint16_t *ret_block)
{
    *ret_block = dfu_first_block(probe);
    if (row->bRequest == DFURT_DETACH && !given_safe_detach(probe, row))
        return false;
    if (is_dnload_of_nothing(row))
        return dfu_enter_state_with_image(probe, row->state, row->bRequest);
    if (row->bRequest == DFURT_DNLOAD && !dfu_prepare_dnload(probe))
        return false;
    if (row->state == DFURT_STATE_dfuUPLOAD_IDLE)
        return dfu_enter_upload_idle(probe, ret_block);
    if (row->bRequest == DFURT_UPLOAD && row->outcome == ACCEPTED && !dfu_point_at_start(probe))
        return false;
    if (row->state == DFURT_STATE_dfuERROR)
        return dfu_enter_error(probe, row->bRequest);
    return dfu_enter_state(probe, row->state, row->bRequest);
}

// Behind the last block of an image there is no block that a device must accept.
static bool has_next_block(struct probe *probe, const struct state_row *row)
{
    bool next = row->bRequest == DFURT_DNLOAD && row->outcome == ACCEPTED &&
                row->state == DFURT_STATE_dfuDNLOAD_IDLE && !device_is_dfuse(&probe->dfu_mode);
    return !next || !probe->backup || probe->backup->length > dfu_transfer_size(probe) ||
           probe_inapplicable(probe, "a device with firmware of more than a block");
}

static int send(struct probe *probe, const struct state_row *row, uint16_t block, uint8_t *data)
{
    if (is_dnload_of_nothing(row))
        return download_end(probe);
    if (row->bRequest == DFURT_DNLOAD)
        return dfu_dnload_something(probe);
    if (row->bRequest == DFURT_UPLOAD && row->outcome == ACCEPTED)
        return dfu_upload(probe, block, data, dfu_small_block(probe));
    bool uploads = row->bRequest == DFURT_UPLOAD;
    const struct usbdev_setup_packet setup = dfu_setup(
        probe, row->bRequest, uploads ? block : 0, uploads ? dfu_small_block(probe) : row->wLength);
    return probe_control(probe, &setup, data);
}

// An upload that returns less than it was asked for is over (DFU 1.1 6.2).
static unsigned next_states(const struct probe *probe, const struct state_row *row, int result)
{
    if (row->outcome == EITHER)
        return result == USB_STALL ? 1u << DFURT_STATE_dfuERROR : 1u << DFURT_STATE_dfuIDLE;
    if (row->bRequest == DFURT_UPLOAD && row->outcome == ACCEPTED)
        return result < dfu_small_block(probe) ? 1u << DFURT_STATE_dfuIDLE
                                               : 1u << DFURT_STATE_dfuUPLOAD_IDLE;
    return row->next;
}

static bool comes_back(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint16_t length;
    return probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS), "the device") == 0 &&
           probe_ask_device(probe, bytes, &length) >= 0;
}

// In dfuMANIFEST-SYNC a device may leave for its firmware, as a wrong one does: then it comes back.
// One that hangs at the question does not, and the runner asks once more before it is a FAIL.
static bool hangs_at_question(struct probe *probe, const struct state_row *row)
{
    return row->state == DFURT_STATE_dfuMANIFEST_SYNC && row->outcome == ACCEPTED &&
           !comes_back(probe);
}

// A device that comes back has left by itself; another one may have been unplugged.
static bool expect_no_leave(struct probe *probe, const struct state_row *row, int result)
{
    size_t first = probe->transcript.total;
    bool may_leave = row->bRequest == DFURT_DETACH || is_dnload_of_nothing(row);
    bool left = row->outcome == STALLED && may_leave &&
                probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") == 0 &&
                probe_wait_return(probe, mode_return_ms(probe), "the device") == 0;
    bool hangs = hangs_at_question(probe, row);
    transcript_set_aside(&probe->transcript, first);
    if (hangs)
        return expect(probe, false, "an answer", "%s, and it did not come back",
                      usb_result_text(result));
    return left ? expect(probe, false, "STALL", "the device left the bus")
                : probe_inconclusive(probe, "%s", usb_result_text(result));
}

// A Set Address Pointer that a read protected device refuses, at the DNLOAD or at the GETSTATUS
// that carries it out.
static bool
is_protected(struct probe *probe, const struct state_row *row, int result, const uint8_t *data)
{
    bool refused = row->bRequest == DFURT_DNLOAD && result == USB_STALL;
    bool failed = row->bRequest == DFURT_GETSTATUS && row->state == DFURT_STATE_dfuDNLOAD_SYNC &&
                  result == DFURT_STATUS_REPLY_SIZE && data[4] == DFURT_STATE_dfuERROR;
    return row->outcome == ACCEPTED && (refused || failed) && dfuse_is_read_protected(probe);
}

static bool
expect_outcome(struct probe *probe, const struct state_row *row, int result, const uint8_t *data)
{
    if (result == USB_GONE || result == USB_IO)
        return expect_no_leave(probe, row, result);
    if (result == USB_UNSUPPORTED)
        return probe_inconclusive(probe, "the alternate setting does not name its memory");
    bool stalled = result == USB_STALL;
    if (row->outcome == STALLED)
        return expect(probe, stalled, "STALL", "%s",
                      result < 0 ? usb_result_text(result) : "the request was accepted");
    if (row->outcome == EITHER && stalled) {
        probe_note(probe, "the device follows the table, not figure A.1");
        return true;
    }
    bool asks = row->bRequest == DFURT_GETSTATUS || row->bRequest == DFURT_GETSTATE;
    if (asks && row->outcome == ACCEPTED)
        return expect_result(probe, result, row->wLength, data);
    return expect(probe, result >= 0, "the request is accepted", "%s", usb_result_text(result));
}

// An error of the device leads to dfuERROR from any state (figure A.1). That a whole image
// manifests without one is DM-DNLOAD-06's.
static bool
has_failed_to_manifest(struct probe *probe, const struct state_row *row, const uint8_t *data)
{
    uint8_t bStatus = data[0], bState = data[4];
    return row->state == DFURT_STATE_dfuMANIFEST_SYNC && bState == DFURT_STATE_dfuERROR &&
           bStatus >= DFURT_STATUS_errTARGET && bStatus <= DFURT_STATUS_errVENDOR &&
           !probe_inconclusive(probe, "the manifestation ended in %s: DM-DNLOAD-06 judges it",
                               usb_dfu_status_name(bStatus));
}

// GETSTATE says dfuIDLE where GETSTATUS does not.
static bool is_untrue_getstate(const struct probe *probe, const struct state_row *row)
{
    return row->bRequest == DFURT_GETSTATE && row->outcome == ACCEPTED &&
           row->state != DFURT_STATE_dfuIDLE && probe->loader.getstate == GETSTATE_UNTRUE;
}

// A device may finish before bwPollTimeout has passed, and report with GETSTATUS that it continues.
// Where bwPollTimeout is short, an answer to GETSTATUS or ABORT decides nothing. A device that is
// found gone about the end of the state may have left without the request, as one does that starts
// its firmware behind dfuMANIFEST: its time began before the host had its answer. No answer takes
// longer than the state, and is a loss in whichever.
static bool has_ended(struct probe *probe,
                      const struct state_row *row,
                      uint64_t busy_until_us,
                      int result,
                      const uint8_t *data)
{
    enum { SHORT_US = 5000 };
    uint64_t now_us = probe_now_us(probe);
    bool asks = row->bRequest == DFURT_GETSTATUS || row->bRequest == DFURT_GETSTATE;
    if (result == USB_GONE || result == USB_IO)
        return now_us + SHORT_US > busy_until_us;
    if (result < 0 && result != USB_STALL)
        return false;
    if (now_us > busy_until_us)
        return true;
    if (result < 0 || (!asks && row->bRequest != DFURT_ABORT))
        return false;
    if (row->bRequest == DFURT_GETSTATE)
        return result == DFURT_STATE_REPLY_SIZE && data[0] != row->state;
    return busy_until_us - now_us < SHORT_US;
}

// What GETSTATE says in its own row. In a state that a request leads to by being accepted: that it
// does is judged by the row of that request, and GETSTATE that does not change the state by this
// one.
static bool expect_state_of_row(struct probe *probe, const struct state_row *row, uint8_t state)
{
    const unsigned by_acceptance = 1u << DFURT_STATE_dfuDNLOAD_SYNC |
                                   1u << DFURT_STATE_dfuMANIFEST_SYNC |
                                   1u << DFURT_STATE_dfuUPLOAD_IDLE;
    if (state > DFURT_STATE_dfuERROR)
        return expect(probe, false, usb_dfu_state_name(row->state), "GETSTATE: %u, no state",
                      state);
    return state == row->state || !(by_acceptance & 1u << row->state) ||
           probe_inconclusive(probe, "%s was not reached: the device says %s",
                              usb_dfu_state_name(row->state), usb_dfu_state_name(state));
}

void dfu_follow_row(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    const struct state_row *row = probe->check->row;
    uint16_t block;
    if (!enter(probe, row, &block) || !has_next_block(probe, row))
        return;
    if (is_untrue_getstate(probe, row)) {
        probe_inconclusive(probe, "GETSTATE is not to be relied on: DM-STATUS-02 judges it");
        return;
    }
    uint64_t busy_until_us = probe->since.busy_until_us;
    int result = send(probe, row, block, data);
    if (is_busy(row->state) && has_ended(probe, row, busy_until_us, result, data)) {
        probe_skip(probe, "needs a device that is in %s for long enough to be asked",
                   usb_dfu_state_name(row->state));
        return;
    }
    bool polled = row->bRequest == DFURT_GETSTATUS || row->bRequest == DFURT_CLRSTATUS;
    if (row->state == DFURT_STATE_dfuDNBUSY && polled && result >= 0)
        probe_note(probe, "few boot loaders STALL here as A.2.5 says, and hosts tolerate it; "
                          "field.waive is a waiver for it");
    if (is_protected(probe, row, result, data) || !expect_outcome(probe, row, result, data))
        return;
    bool answered = row->outcome == ACCEPTED;
    if (row->bRequest == DFURT_GETSTATE && answered && !expect_state_of_row(probe, row, data[0]))
        return;
    if (row->bRequest == DFURT_GETSTATUS && answered &&
        (has_failed_to_manifest(probe, row, data) || !expect_bState_of(probe, data[4], row->next) ||
         is_busy(data[4])))
        return;
    expect_state_after(probe, next_states(probe, row, result));
}
