// SPDX-License-Identifier: MIT
//
// Upload, download, manifestation and errors in DFU mode (DFU 1.1 chapters 6 and 7, A.2.9).

#include <string.h>

#include "check_common.h"
#include <conformance/dfu_steps.h>
#include <conformance/modes.h>

static uint16_t first_block(const struct probe *probe)
{
    return device_is_dfuse(&probe->dfu_mode) ? DFUSE_FIRST_BLOCK : 0;
}

static bool expect_bState(struct probe *probe, uint8_t expected, const char *when)
{
    uint8_t state;
    return expect_getstate(probe, &state) &&
           expect(probe, state == expected, usb_dfu_state_name(expected), "%s %s",
                  usb_dfu_state_name(state), when);
}

// ---- Status ----

static void idle_is_ok(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE) || !expect_getstatus(probe, &status))
        return;
    expect_number(probe, "bStatus in dfuIDLE", status.bStatus, DFURT_STATUS_OK);
}

static void getstate_agrees(struct probe *probe)
{
    static const uint8_t states[] = {DFURT_STATE_dfuIDLE, DFURT_STATE_dfuERROR};
    for (size_t i = 0; i < sizeof states; ++i) {
        struct dfu_status_reply status;
        uint8_t state;
        if (!dfu_enter_state(probe, states[i]) || !expect_getstatus(probe, &status) ||
            !expect_getstate(probe, &state) ||
            !expect_number(probe, "bState of GETSTATE", state, status.bState))
            return;
    }
}

static void unexpected_request_status(struct probe *probe)
{
    struct dfu_status_reply status;
    if (dfu_enter_state(probe, DFURT_STATE_dfuERROR) && expect_getstatus(probe, &status))
        expect_number(probe, "bStatus after an unexpected request", status.bStatus,
                      DFURT_STATUS_errSTALLEDPKT);
}

static void status_string(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t string[255];
    if (!dfu_enter_state(probe, DFURT_STATE_dfuERROR) || !expect_getstatus(probe, &status) ||
        status.iString == 0)
        return;
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, status.iString, 0x0409, sizeof string);
    int length;
    expect_accepted(probe, &setup, string, &length);
}

static void idle_poll_short(struct probe *probe)
{
    enum { SHORT_MS = 1000 };
    struct dfu_status_reply status;
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE) && expect_getstatus(probe, &status))
        expect(probe, status.bwPollTimeout <= SHORT_MS, "bwPollTimeout of at most 1000 ms", "%u ms",
               (unsigned)status.bwPollTimeout);
}

// ---- Upload ----

// One UPLOAD of length bytes from dfuIDLE.
static bool upload_first(struct probe *probe, uint8_t *data, uint16_t length, int *ret_length)
{
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, first_block(probe), length);
    return dfu_enter_state(probe, DFURT_STATE_dfuIDLE) &&
           expect_accepted(probe, &setup, data, ret_length);
}

static void upload_whole_block(struct probe *probe)
{
    uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    int length;
    if (!upload_first(probe, data, size, &length))
        return;
    expect_bState(probe, length == size ? DFURT_STATE_dfuUPLOAD_IDLE : DFURT_STATE_dfuIDLE,
                  "after a whole block");
}

static void upload_one_byte(struct probe *probe)
{
    uint8_t byte;
    int length;
    if (upload_first(probe, &byte, 1, &length))
        expect_number(probe, "the bytes returned", (unsigned)length, 1);
}

static void upload_repeats(struct probe *probe)
{
    uint8_t first[PROBE_CONTROL_MAX], second[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    int length, again;
    if (upload_first(probe, first, size, &length) && upload_first(probe, second, size, &again))
        expect(probe, again == length && memcmp(first, second, (size_t)length) == 0,
               "the same bytes after ABORT and UPLOAD", "%d bytes, then %d others", length, again);
}

static void upload_ends_short(struct probe *probe)
{
    enum { MOST_BLOCKS = 2048 };
    uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE))
        return;
    for (unsigned block = 0; block < MOST_BLOCKS; ++block) {
        const struct usbdev_setup_packet setup =
            dfu_setup(probe, DFURT_UPLOAD, (uint16_t)(first_block(probe) + block), size);
        int length;
        if (!expect_accepted(probe, &setup, data, &length))
            return;
        if (length < size) {
            expect_bState(probe, DFURT_STATE_dfuIDLE, "after a short block");
            return;
        }
    }
    expect(probe, false, "a short block at the end of the firmware", "%u whole blocks",
           (unsigned)MOST_BLOCKS);
}

static void upload_too_long(struct probe *probe)
{
    uint8_t data[PROBE_CONTROL_MAX + 1];
    uint16_t size = (uint16_t)(dfu_transfer_size(probe) + 1);
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, first_block(probe), size);
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE))
        return;
    int result = probe_control(probe, &setup, data);
    expect(probe, result != USB_TIMEOUT && result != USB_OVERFLOW,
           "STALL, or no more than wLength bytes", "%s", usb_result_text(result));
    expect_alive(probe, "after an UPLOAD of more than wTransferSize");
}

// ---- Download ----

static void dnload_leaves_busy(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC) || !expect_getstatus(probe, &status))
        return;
    if (status.bState == DFURT_STATE_dfuDNBUSY) {
        probe_sleep(probe, (unsigned)status.bwPollTimeout, "bwPollTimeout");
        if (!expect_getstatus(probe, &status))
            return;
    }
    bool moved = status.bState == DFURT_STATE_dfuDNLOAD_IDLE ||
                 status.bState == DFURT_STATE_dfuDNBUSY; // it may ask for more time
    expect(probe, moved, "dfuDNLOAD-IDLE, or dfuDNBUSY with a new bwPollTimeout", "%s",
           usb_dfu_state_name(status.bState));
}

static void dnload_poll_bounded(struct probe *probe)
{
    enum { BOUND_MS = 30000 };
    struct dfu_status_reply status;
    if (dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC) && expect_getstatus(probe, &status))
        expect(probe, status.bwPollTimeout <= BOUND_MS, "bwPollTimeout of at most 30 s", "%u ms",
               (unsigned)status.bwPollTimeout);
}

static void dnload_ends(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC))
        return;
    expect(probe, dfu_poll(probe, &status), "an end to dfuDNBUSY",
           "no end, or GETSTATUS was not answered");
    expect_number(probe, "bStatus after the block", status.bStatus, DFURT_STATUS_OK);
}

static void dnload_too_long(struct probe *probe)
{
    uint8_t data[PROBE_CONTROL_MAX] = {0};
    uint16_t size = dfu_transfer_size(probe);
    if (size >= PROBE_CONTROL_MAX) {
        probe_skip(probe, "needs a wTransferSize below %u", (unsigned)PROBE_CONTROL_MAX);
        return;
    }
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_IDLE))
        return;
    int result = dfu_dnload(probe, 1, data, (uint16_t)(size + 1));
    expect(probe, result == USB_STALL, "STALL", "%s",
           result < 0 ? usb_result_text(result) : "the block was accepted");
    expect_alive(probe, "after a DNLOAD of more than wTransferSize");
}

static void dnload_aborted(struct probe *probe)
{
    const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
    struct dfu_status_reply status;
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_IDLE) ||
        !expect_length(probe, &abort, NULL, 0) ||
        !expect_bState(probe, DFURT_STATE_dfuIDLE, "after ABORT"))
        return;
    int result = dfu_dnload_something(probe);
    if (expect(probe, result >= 0, "a new download can begin", "%s", usb_result_text(result)))
        expect(probe, dfu_poll(probe, &status) && status.bState == DFURT_STATE_dfuDNLOAD_IDLE,
               "dfuDNLOAD-IDLE after its first block", "%s", usb_dfu_state_name(status.bState));
}

// ---- The whole of plain DFU 1.1 ----

// Download the firmware that is there, blocks of this size, and manifest.
static bool download(struct probe *probe, uint16_t size, struct dfu_status_reply *ret_status)
{
    const struct backup *backup = &probe->backup;
    uint16_t block = 0;
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC) ||
        !dfu_enter_state(probe, DFURT_STATE_dfuIDLE))
        return false;
    for (size_t at = 0; at < backup->length; at += size, ++block) {
        size_t left = backup->length - at;
        uint16_t length = left < size ? (uint16_t)left : size;
        int result = dfu_dnload(probe, block, backup->bytes + at, length);
        if (!expect_result(probe, result, length, NULL) ||
            !expect(probe,
                    dfu_poll(probe, ret_status) && ret_status->bState == DFURT_STATE_dfuDNLOAD_IDLE,
                    "dfuDNLOAD-IDLE after each block", "%s, status %02xh",
                    usb_dfu_state_name(ret_status->bState), ret_status->bStatus))
            return false;
    }
    return expect_result(probe, dfu_dnload(probe, block, NULL, 0), 0, NULL) &&
           expect(probe, dfu_poll(probe, ret_status), "an end to manifestation",
                  "no end, or GETSTATUS was not answered");
}

static void download_manifests(struct probe *probe)
{
    struct dfu_status_reply status;
    bool tolerant = (device_attributes(&probe->dfu_mode) & DFURT_ATTR_MANIFESTATION_TOLERANT) != 0;
    uint8_t expected = tolerant ? DFURT_STATE_dfuIDLE : DFURT_STATE_dfuMANIFEST_WAIT_RESET;
    if (!download(probe, dfu_transfer_size(probe), &status))
        return;
    probe->backup.dirty = status.bStatus != DFURT_STATUS_OK;
    expect_number(probe, "bStatus after manifestation", status.bStatus, DFURT_STATUS_OK);
    expect(probe, status.bState == expected, usb_dfu_state_name(expected), "%s",
           usb_dfu_state_name(status.bState));
}

// A device that is not manifestation tolerant can be read again only after it has been restarted.
static bool through_run_time(struct probe *probe)
{
    char why[PROBE_WORDS];
    return (mode_enter_run_time(probe, false, why, sizeof why) &&
            mode_enter_dfu(probe, why, sizeof why)) ||
           probe_inconclusive(probe, "%s", why);
}

static void download_reads_back(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t data[PROBE_CONTROL_MAX];
    const struct backup *backup = &probe->backup;
    uint16_t size = dfu_transfer_size(probe);
    if (!download(probe, size, &status))
        return;
    probe->backup.dirty = status.bStatus != DFURT_STATUS_OK;
    if (status.bState == DFURT_STATE_dfuMANIFEST_WAIT_RESET && !through_run_time(probe))
        return;
    for (size_t at = 0, block = 0; at < backup->length; at += size, ++block) {
        size_t left = backup->length - at;
        const struct usbdev_setup_packet setup =
            dfu_setup(probe, DFURT_UPLOAD, (uint16_t)block, size);
        int length;
        if (!expect_accepted(probe, &setup, data, &length) ||
            !expect(probe,
                    (size_t)length == (left < size ? left : size) &&
                        memcmp(data, backup->bytes + at, (size_t)length) == 0,
                    "the bytes that were downloaded", "others in block %zu", block))
            return;
    }
}

static void download_odd_blocks(struct probe *probe)
{
    enum { ODD = 63 };
    struct dfu_status_reply status;
    if (!download(probe, ODD, &status))
        return;
    probe->backup.dirty = status.bStatus != DFURT_STATUS_OK;
    expect_number(probe, "bStatus after manifestation", status.bStatus, DFURT_STATUS_OK);
}

// ---- Bus resets in DFU mode ----

// A bus reset with valid firmware ends DFU mode, in this state.
static void expect_reset_ends(struct probe *probe, uint8_t bState)
{
    char why[PROBE_WORDS];
    if (!backup_restore(probe, why, sizeof why)) {
        probe_inconclusive(probe, "%s", why);
        return;
    }
    if (!dfu_enter_state(probe, bState))
        return;
    int result = probe_reset(probe);
    if (result == USB_GONE &&
        !expect_return(probe, PROBE_FWUPD_MS, "the device after the bus reset"))
        return;
    if (result < 0 && result != USB_GONE) {
        probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));
        return;
    }
    expect(probe, probe->mode == DEVICE_RUN_TIME, "run time after the bus reset",
           "the device is in DFU mode");
}

static void reset_in_idle(struct probe *probe)
{
    expect_reset_ends(probe, DFURT_STATE_dfuIDLE);
}

static void reset_in_upload_idle(struct probe *probe)
{
    expect_reset_ends(probe, DFURT_STATE_dfuUPLOAD_IDLE);
}

static void reset_in_error(struct probe *probe)
{
    expect_reset_ends(probe, DFURT_STATE_dfuERROR);
}

static void reset_after_manifestation(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!download(probe, dfu_transfer_size(probe), &status))
        return;
    probe->backup.dirty = status.bStatus != DFURT_STATUS_OK;
    int result = probe_reset(probe);
    if (result == USB_GONE)
        expect_return(probe, PROBE_FWUPD_MS, "the device after the bus reset");
    expect(probe, probe->mode == DEVICE_RUN_TIME, "run time after the bus reset",
           "the device is in DFU mode");
}

static void reset_with_corrupt_firmware(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_IDLE))
        return;
    int result = probe_reset(probe);
    if (result == USB_GONE)
        expect_return(probe, PROBE_FWUPD_MS, "the device after the bus reset");
    if (!expect(probe, probe->mode == DEVICE_DFU_MODE, "DFU mode: half a download is no firmware",
                "the device is at run time") ||
        !expect_getstatus(probe, &status))
        return;
    expect(probe, status.bState == DFURT_STATE_dfuERROR, "dfuERROR", "%s",
           usb_dfu_state_name(status.bState));
    expect_number(probe, "bStatus", status.bStatus, DFURT_STATUS_errFIRMWARE);
}

#define IN_DFU_MODE (NEED_DFU_MODE | NEED_DFU_INTERFACE)
#define UPLOADING (IN_DFU_MODE | NEED_CAN_UPLOAD)
#define DNLOADING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_DNLOAD_BEGUN)
#define WRITING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_PLAIN | NEED_WRITE)
#define RESETTING (IN_DFU_MODE | NEED_PLAIN | NEED_RESET)

// clang-format off
static const struct check checks[] = {
    {"DM-STATUS-01", "DFU 1.1 6.1.2", LEVEL_MUST,
     "in dfuIDLE bStatus is OK",
     IN_DFU_MODE, idle_is_ok},
    {"DM-STATUS-02", "DFU 1.1 6.1.5", LEVEL_MUST,
     "GETSTATE returns what GETSTATUS says, in dfuIDLE and dfuERROR",
     IN_DFU_MODE, getstate_agrees},
    {"DM-STATUS-03", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "after an unexpected request bStatus is errSTALLEDPKT",
     IN_DFU_MODE, unexpected_request_status},
    {"DM-STATUS-04", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "in dfuERROR iString is 0 or names a string that can be read",
     IN_DFU_MODE, status_string},
    {"DM-STATUS-05", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "bwPollTimeout in dfuIDLE is short",
     IN_DFU_MODE, idle_poll_short},

    {"DM-UPLOAD-01", "DFU 1.1 6.2", LEVEL_MUST,
     "UPLOAD returns a block of wTransferSize, or a short one and is over",
     UPLOADING, upload_whole_block},
    {"DM-UPLOAD-02", "DFU 1.1 6.2", LEVEL_MUST,
     "UPLOAD of 1 byte returns 1 byte",
     UPLOADING, upload_one_byte},
    {"DM-UPLOAD-03", "DFU 1.1 6.2", LEVEL_MUST,
     "an upload that is begun again returns the same bytes",
     UPLOADING, upload_repeats},
    {"DM-UPLOAD-04", "DFU 1.1 6.2", LEVEL_MUST,
     "an upload ends in a short block and dfuIDLE",
     UPLOADING | NEED_PLAIN, upload_ends_short},
    {"DM-UPLOAD-05", "DFU 1.1 6.2", LEVEL_SHOULD,
     "UPLOAD of more than wTransferSize STALLs or is answered, and endpoint 0 lives on",
     UPLOADING, upload_too_long},

    {"DM-DNLOAD-01", "DFU 1.1 6.1.2", LEVEL_MUST,
     "when bwPollTimeout has passed the device answers GETSTATUS",
     DNLOADING, dnload_leaves_busy},
    {"DM-DNLOAD-02", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "bwPollTimeout of a block is a time that a host can wait",
     DNLOADING, dnload_poll_bounded},
    {"DM-DNLOAD-03", "DFU 1.1 6.1", LEVEL_MUST,
     "dfuDNBUSY ends, with status OK",
     DNLOADING, dnload_ends},
    {"DM-DNLOAD-04", "DFU 1.1 6.1", LEVEL_SHOULD,
     "DNLOAD of more than wTransferSize STALLs",
     DNLOADING, dnload_too_long},
    {"DM-DNLOAD-05", "DFU 1.1 6.1.4", LEVEL_MUST,
     "after ABORT in the middle of a download a new one can begin",
     DNLOADING, dnload_aborted},
    {"DM-DNLOAD-06", "DFU 1.1 6.1", LEVEL_MUST,
     "a whole download manifests with status OK",
     WRITING, download_manifests},
    {"DM-DNLOAD-07", "DFU 1.1 6.2", LEVEL_MUST,
     "an upload returns what was downloaded",
     WRITING | NEED_CAN_UPLOAD, download_reads_back},
    {"DM-DNLOAD-08", "DFU 1.1 6.1", LEVEL_MUST,
     "a download in small blocks of odd length works",
     WRITING, download_odd_blocks},

    {"DM-RESET-01", "DFU 1.1 A.2.3", LEVEL_MUST,
     "a bus reset in dfuIDLE with valid firmware leads to run time",
     RESETTING, reset_in_idle},
    {"DM-RESET-02", "DFU 1.1 A.2.10", LEVEL_MUST,
     "a bus reset in dfuUPLOAD-IDLE with valid firmware leads to run time",
     RESETTING | NEED_CAN_UPLOAD, reset_in_upload_idle},
    {"DM-RESET-03", "DFU 1.1 A.2.11", LEVEL_MUST,
     "a bus reset in dfuERROR with valid firmware leads to run time",
     RESETTING, reset_in_error},
    {"DM-RESET-04", "DFU 1.1 A.2.9", LEVEL_MUST,
     "a bus reset after manifestation leads to run time",
     WRITING | NEED_RESET, reset_after_manifestation},
    {"DM-RESET-05", "DFU 1.1 A.2.6", LEVEL_MUST,
     "a bus reset in the middle of a download leads to dfuERROR with errFIRMWARE",
     WRITING | NEED_RESET, reset_with_corrupt_firmware},
};
// clang-format on

const struct check_group check_dfu_transfers = {
    .title = "Upload, download and reset in DFU mode",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
