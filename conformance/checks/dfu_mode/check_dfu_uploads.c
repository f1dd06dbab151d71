// SPDX-License-Identifier: MIT
//
// Status and upload in DFU mode (DFU 1.1 6.1.2, 6.2).

#include <string.h>

#include "dfu_transfers.h"
#include <conformance/dfu_steps.h>
#include <conformance/download.h>

// ---- Status ----

// An error that an earlier request led to may still be in bStatus; how it is cleared is judged by
// DM-STATE-10-CLRSTATUS. One more error, cleared, tells that from a status that is dfuIDLE's own.
static bool given_cleared(struct probe *probe, uint8_t bStatus)
{
    struct dfu_status_reply error, idle;
    size_t first = probe->transcript.total;
    bool asked = dfu_enter_error(probe, DFU_NO_QUESTION) &&
                 given(probe, expect_getstatus(probe, &error)) && dfu_to_idle(probe) &&
                 given(probe, expect_getstatus(probe, &idle));
    transcript_set_aside(&probe->transcript, first);
    return asked &&
           ((idle.bStatus == bStatus && idle.bStatus != error.bStatus) ||
            probe_inconclusive(probe, "bStatus %u in dfuIDLE is that of an error before", bStatus));
}

static void idle_is_ok(struct probe *probe)
{
    struct dfu_status_reply status;
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) &&
        expect_getstatus(probe, &status) &&
        (status.bStatus == DFURT_STATUS_OK || given_cleared(probe, status.bStatus)))
        expect_number(probe, "bStatus in dfuIDLE", status.bStatus, DFURT_STATUS_OK);
}

static void state_of_dfu_mode(struct probe *probe)
{
    struct dfu_status_reply status;
    if (given(probe, expect_getstatus(probe, &status)))
        expect(probe, status.bState >= DFURT_STATE_dfuIDLE && status.bState <= DFURT_STATE_dfuERROR,
               "bState 02h to 0Ah", "%02Xh", status.bState);
}

static void getstate_agrees(struct probe *probe)
{
    static const uint8_t states[] = {DFURT_STATE_dfuIDLE, DFURT_STATE_dfuERROR};
    for (size_t i = 0; i < sizeof states; i++) {
        struct dfu_status_reply status;
        uint8_t state;
        if (!dfu_enter_state(probe, states[i], DFU_NO_QUESTION) ||
            !expect_getstatus(probe, &status) || !given(probe, expect_getstate(probe, &state)) ||
            !expect_number(probe, "bState of GETSTATE", state, status.bState))
            return;
    }
}

static bool expect_status_that_exists(struct probe *probe, struct dfu_status_reply *ret_status)
{
    return dfu_enter_state(probe, DFURT_STATE_dfuERROR, DFU_NO_QUESTION) &&
           expect_getstatus(probe, ret_status) &&
           expect(probe, ret_status->bStatus <= DFURT_STATUS_errSTALLEDPKT, "bStatus 00h to 0Fh",
                  "%02Xh", ret_status->bStatus);
}

static void status_exists(struct probe *probe)
{
    struct dfu_status_reply status;
    expect_status_that_exists(probe, &status);
}

static void unexpected_request_status(struct probe *probe)
{
    struct dfu_status_reply status;
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) &&
        given(probe, expect_status_that_exists(probe, &status)))
        expect_number(probe, "bStatus after an unexpected request", status.bStatus,
                      DFURT_STATUS_errSTALLEDPKT);
}

static void status_string(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t string[255];
    if (!dfu_enter_state(probe, DFURT_STATE_dfuERROR, DFU_NO_QUESTION) ||
        !expect_getstatus(probe, &status) || status.iString == 0)
        return;
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, status.iString, probe_language(probe), sizeof string);
    int length;
    expect_accepted(probe, &setup, string, &length);
}

static void idle_poll_short(struct probe *probe)
{
    enum { SHORT_MS = 1000 };
    struct dfu_status_reply status;
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) &&
        expect_getstatus(probe, &status))
        expect(probe, status.bwPollTimeout <= SHORT_MS, "bwPollTimeout of at most 1000 ms", "%u ms",
               (unsigned)status.bwPollTimeout);
}

// ---- Upload ----

// An UPLOAD that STALLed in dfuIDLE: does one of a small block, too? DM-STATE-2-UPLOAD judges that.
static bool given_upload(struct probe *probe, int result)
{
    uint8_t data[DEVICE_MOST_PACKET0];
    size_t first = probe->transcript.total;
    if (result != USB_STALL || probe->judgement.decided)
        return true;
    bool stalls = dfu_to_idle(probe) && dfu_point_at_start(probe) &&
                  dfu_upload(probe, dfu_first_block(probe), data, dfu_small_block(probe)) < 0;
    transcript_set_aside(&probe->transcript, first);
    return !stalls || probe_inconclusive(probe, "UPLOAD STALLs in dfuIDLE; DM-STATE-2-UPLOAD "
                                                "judges that");
}

// One UPLOAD of length bytes from dfuIDLE.
static bool upload_first(struct probe *probe, uint8_t *data, uint16_t length, int *ret_length)
{
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) || !dfu_point_at_start(probe))
        return false;
    *ret_length = dfu_upload(probe, dfu_first_block(probe), data, length);
    return given_upload(probe, *ret_length) && expect_carried_out(probe, *ret_length);
}

static void upload_whole_block(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    int length;
    if (!upload_first(probe, data, size, &length))
        return;
    expect_bState(probe, length == size ? DFURT_STATE_dfuUPLOAD_IDLE : DFURT_STATE_dfuIDLE,
                  "after a whole block");
}

// A short block ends the upload (6.2): it is all of the firmware, unless a larger one returns more.
static bool has_more_firmware(struct probe *probe, int length)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    size_t first = probe->transcript.total;
    int whole = dfu_to_idle(probe) && dfu_point_at_start(probe)
                    ? dfu_upload(probe, dfu_first_block(probe), data, dfu_transfer_size(probe))
                    : 0;
    transcript_set_aside(&probe->transcript, first);
    return whole > length ||
           probe_inapplicable(probe, "a device with firmware of more than bMaxPacketSize0 bytes");
}

static void upload_small_block(struct probe *probe)
{
    uint8_t data[DEVICE_MOST_PACKET0 + 2];
    uint16_t least = device_max_packet0(probe_device(probe));
    int length;
    if (least == 0 || least > dfu_transfer_size(probe)) {
        probe_inconclusive(probe, "bMaxPacketSize0 %u and wTransferSize %u leave no block", least,
                           dfu_transfer_size(probe));
        return;
    }
    if (!upload_first(probe, data, least, &length) ||
        (length < least && !has_more_firmware(probe, length)) ||
        !expect_number(probe, "the bytes returned", (unsigned)length, least) ||
        least + 2 > dfu_transfer_size(probe))
        return;
    // A device that looks at no wLength is found out by one that is no whole packet. What else it
    // makes of such a block is its own.
    length = dfu_to_idle(probe) && dfu_point_at_start(probe)
                 ? dfu_upload(probe, dfu_first_block(probe), data, (uint16_t)(least + 2))
                 : 0;
    expect(probe, length != USB_OVERFLOW, "no more than wLength bytes", "%s",
           usb_result_text(length));
}

// One of four may be misread.
static void upload_repeats(struct probe *probe)
{
    enum { READINGS = 4 };
    static uint8_t bytes[READINGS][PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    int length[READINGS];
    bool same = false;
    for (size_t i = 0; i < READINGS && !same; i++) {
        if (!upload_first(probe, bytes[i], size, &length[i]))
            return;
        same = i > 0 && length[i] == length[i - 1] &&
               memcmp(bytes[i], bytes[i - 1], (size_t)length[i]) == 0;
    }
    expect(probe, same, "the same bytes in two uploads", "%d bytes, then %d others", length[0],
           length[1]);
}

// The upload is limited in bytes and in time; a longer one is not judged.
static void upload_ends_short(struct probe *probe)
{
    enum { LIMIT_MS = 300000 };
    static uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    uint64_t end_us = probe_now_us(probe) + LIMIT_MS * UINT64_C(1000);
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION))
        return;
    size_t total = 0;
    for (uint16_t block = 0;; block++) {
        int length = dfu_upload(probe, block, data, size);
        if ((total == 0 && !given_upload(probe, length)) || !expect_carried_out(probe, length))
            return;
        total += (size_t)length;
        if (length < size) {
            expect_bState(probe, DFURT_STATE_dfuIDLE, "after a short block");
            return;
        }
        if (total > UPLOAD_MOST_BYTES || probe_now_us(probe) > end_us) {
            probe_inconclusive(probe, "the upload continued after %zu bytes", total);
            return;
        }
    }
}

static void upload_too_long(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    if (size == PROBE_CONTROL_MAX || !dfu_has_whole_blocks(probe)) {
        probe_inapplicable(probe, "a wTransferSize that a host can exceed");
        return;
    }
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, dfu_first_block(probe), (uint16_t)(size + 1));
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION))
        return;
    int result = probe_control(probe, &setup, data);
    if (result == USB_STALL && dfu_is_read_protected(probe))
        return;
    expect(probe, result != USB_TIMEOUT && result != USB_OVERFLOW,
           "STALL, or no more than wLength bytes", "%s", usb_result_text(result));
    expect_alive(probe);
}

#define IN_DFU_MODE (NEED_DFU_MODE | NEED_DFU_INTERFACE)
#define UPLOADING (IN_DFU_MODE | NEED_CAN_UPLOAD)

// clang-format off
static const struct check checks[] = {
    {"DM-STATUS-01", "DFU 1.1 6.1.2", LEVEL_MUST,
     "in dfuIDLE bStatus is OK",
     IN_DFU_MODE, idle_is_ok},
    {"DM-STATUS-07", "DFU 1.1 6.1.2", LEVEL_MUST,
     "bState is a state of DFU mode",
     IN_DFU_MODE, state_of_dfu_mode},
    {"DM-STATUS-02", "DFU 1.1 6.1.5", LEVEL_MUST,
     "GETSTATE returns what GETSTATUS says, in dfuIDLE and dfuERROR",
     IN_DFU_MODE, getstate_agrees},
    {"DM-STATUS-03", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "after an unexpected request bStatus is errSTALLEDPKT",
     IN_DFU_MODE, unexpected_request_status},
    {"DM-STATUS-06", "DFU 1.1 6.1.2", LEVEL_MUST,
     "in dfuERROR bStatus is a status that exists",
     IN_DFU_MODE, status_exists},
    {"DM-STATUS-04", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "in dfuERROR iString is 0 or names a string that can be read",
     IN_DFU_MODE, status_string},
    {"DM-STATUS-05", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "bwPollTimeout in dfuIDLE is short",
     IN_DFU_MODE, idle_poll_short},

    {"DM-UPLOAD-01", "DFU 1.1 6.2", LEVEL_MUST,
     "UPLOAD returns a block of wTransferSize, or a short block that ends the upload",
     UPLOADING, upload_whole_block},
    {"DM-UPLOAD-02", "DFU 1.1 6.2", LEVEL_MUST,
     "UPLOAD of bMaxPacketSize0 bytes returns as many",
     UPLOADING, upload_small_block},
    {"DM-UPLOAD-03", "DFU 1.1 6.2", LEVEL_MUST,
     "a second upload returns the same bytes",
     UPLOADING, upload_repeats},
    {"DM-UPLOAD-04", "DFU 1.1 6.2", LEVEL_MUST,
     "an upload ends in a short block and dfuIDLE",
     UPLOADING | NEED_PLAIN, upload_ends_short},
    {"DM-UPLOAD-05", "DFU 1.1 6.2", LEVEL_SHOULD,
     "UPLOAD of more than wTransferSize STALLs or is answered, and endpoint 0 works afterwards",
     UPLOADING, upload_too_long},
};
// clang-format on

const struct check_group check_dfu_uploads = {
    .title = "Status and upload in DFU mode",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
