// SPDX-License-Identifier: MIT
//
// Upload, download, manifestation and errors in DFU mode (DFU 1.1 chapters 6 and 7, A.2.9).
//
// DM-DNLOAD-08 is retired: blocks of less than wTransferSize, which a host may send (6.1), would
// reach unknown memory in loaders that compute the address from wBlockNum.

#include <string.h>

#include <conformance/backup.h>
#include <conformance/check_common.h>
#include <conformance/dfu_steps.h>
#include <conformance/download.h>

static bool expect_bState(struct probe *probe, uint8_t expected, const char *when)
{
    struct dfu_status_reply status;
    uint8_t state;
    if (!dfu_ask_state(probe, &state)) { // judged by the rows of GETSTATE
        if (!expect_getstatus(probe, &status))
            return false;
        state = status.bState;
    }
    return expect(probe, state == expected, usb_dfu_state_name(expected), "%s %s",
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
    for (size_t i = 0; i < sizeof states; i++) {
        struct dfu_status_reply status;
        uint8_t state;
        if (!dfu_enter_state(probe, states[i]) || !expect_getstatus(probe, &status) ||
            !given(probe, expect_getstate(probe, &state)) ||
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
        usb_get_descriptor(USBDEV_DT_STRING, status.iString, probe_language(probe), sizeof string);
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
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE) || !dfu_point_at_start(probe))
        return false;
    *ret_length = dfu_upload(probe, dfu_first_block(probe), data, length);
    return expect_carried_out(probe, *ret_length);
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

static void upload_small_block(struct probe *probe)
{
    uint8_t data[UINT8_MAX];
    uint16_t least = device_max_packet0(probe_device(probe));
    int length;
    if (least == 0 || least > dfu_transfer_size(probe)) {
        probe_inconclusive(probe, "bMaxPacketSize0 %u and wTransferSize %u leave no block", least,
                           dfu_transfer_size(probe));
        return;
    }
    if (!upload_first(probe, data, least, &length) ||
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

static void upload_repeats(struct probe *probe)
{
    static uint8_t first[PROBE_CONTROL_MAX], second[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    int length, again;
    if (upload_first(probe, first, size, &length) && upload_first(probe, second, size, &again))
        expect(probe, again == length && memcmp(first, second, (size_t)length) == 0,
               "the same bytes in two uploads", "%d bytes, then %d others", length, again);
}

// The upload is limited in bytes and in time; a longer one is not judged.
static void upload_ends_short(struct probe *probe)
{
    enum { LIMIT_MS = 300000 };
    static uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    uint64_t end_us = probe_now_us(probe) + LIMIT_MS * UINT64_C(1000);
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE))
        return;
    size_t total = 0;
    for (uint16_t block = 0;; block++) {
        int length = dfu_upload(probe, block, data, size);
        if (!expect_carried_out(probe, length))
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
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE))
        return;
    int result = probe_control(probe, &setup, data);
    if (result == USB_STALL && dfu_is_read_protected(probe))
        return;
    expect(probe, result != USB_TIMEOUT && result != USB_OVERFLOW,
           "STALL, or no more than wLength bytes", "%s", usb_result_text(result));
    expect_alive(probe, "after an UPLOAD of more than wTransferSize");
}

// ---- Download ----

// A longer time is judged by DM-DNLOAD-02; what comes after it is not seen.
static bool given_poll(struct probe *probe, const struct dfu_status_reply *status)
{
    return status->bwPollTimeout <= DFU_LONGEST_POLL_MS ||
           probe_inconclusive(probe, "bwPollTimeout %u ms: the suite waits for %u ms",
                              (unsigned)status->bwPollTimeout, (unsigned)DFU_LONGEST_POLL_MS);
}

// dfu_poll() ends in this state.
static bool expect_polled(struct probe *probe,
                          uint8_t bState,
                          const char *expected,
                          struct dfu_status_reply *ret_status)
{
    struct dfu_status_reply status = {.bState = DFURT_STATE_dfuDNLOAD_SYNC};
    char words[PROBE_WORDS];
    int result = dfu_poll(probe, &status);
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "GETSTATUS: %s", usb_result_text(result));
    if (result == USB_TIMEOUT && !given_poll(probe, &status))
        return false;
    dfu_poll_text(words, sizeof words, result, &status);
    *ret_status = status;
    return expect(probe, result == 0 && status.bState == bState, expected, "%s", words);
}

static void dnload_leaves_busy(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC) || !expect_getstatus(probe, &status))
        return;
    if (status.bState == DFURT_STATE_dfuDNBUSY) {
        if (!given_poll(probe, &status))
            return;
        probe_sleep(probe, status.bwPollTimeout, "bwPollTimeout");
        if (!expect_getstatus(probe, &status))
            return;
    }
    bool moved = status.bState == DFURT_STATE_dfuDNLOAD_IDLE ||
                 status.bState == DFURT_STATE_dfuDNBUSY || // it may ask for more time
                 status.bState == DFURT_STATE_dfuERROR;    // DM-DNLOAD-03 judges what came of it
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
    if (dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC) &&
        expect_polled(probe, DFURT_STATE_dfuDNLOAD_IDLE,
                      "dfuDNBUSY ends within 30 s, in dfuDNLOAD-IDLE", &status))
        expect_number(probe, "bStatus after the block", status.bStatus, DFURT_STATUS_OK);
}

// The bytes are those that are there: the next of the image, blank ones of the scratch page.
static bool oversized_block(struct probe *probe, uint16_t size, uint8_t *data, uint16_t *ret_block)
{
    const struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    if (!backup_ready(probe, why, sizeof why))
        return probe_skip(probe, "%s", why);
    size_t from = backup->is_page ? 0 : dfu_transfer_size(probe);
    if (backup->length < from + size)
        return probe_skip(probe, "needs %s of more than a block",
                          backup->is_page ? "a scratch page" : "firmware");
    memcpy(data, backup->bytes + from, size);
    *ret_block = backup->is_page ? DFUSE_FIRST_BLOCK : 1;
    return !backup->is_page || !dfu_to_idle(probe) ||
           dfuse_point_at(probe, backup->address, why, sizeof why) ||
           probe_inconclusive(probe, "%s", why);
}

static void dnload_too_long(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    uint16_t block;
    if (size == PROBE_CONTROL_MAX || !dfu_has_whole_blocks(probe)) {
        probe_inapplicable(probe, "a wTransferSize that a host can exceed");
        return;
    }
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_IDLE) ||
        !oversized_block(probe, (uint16_t)(size + 1), data, &block))
        return;
    int result = dfu_dnload(probe, block, data, (uint16_t)(size + 1));
    expect(probe, result == USB_STALL, "STALL", "%s",
           result < 0 ? usb_result_text(result) : "the block was accepted");
    expect_alive(probe, "after a DNLOAD of more than wTransferSize");
}

static void dnload_aborted(struct probe *probe)
{
    const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
    struct dfu_status_reply status;
    // A status that was there before is judged by DM-STATUS-01 and DM-STATE-10-CLRSTATUS.
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE) || !expect_getstatus(probe, &status) ||
        !given(probe, expect_number(probe, "bStatus before", status.bStatus, DFURT_STATUS_OK)) ||
        !dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_IDLE) ||
        !expect_length(probe, &abort, NULL, 0) ||
        !expect_bState(probe, DFURT_STATE_dfuIDLE, "after ABORT") ||
        !expect_getstatus(probe, &status) ||
        !expect_number(probe, "bStatus after ABORT", status.bStatus, DFURT_STATUS_OK) ||
        !dfu_to_idle(probe))
        return;
    download_begin(probe);
    int result = dfu_dnload_something(probe);
    if (expect_carried_out(probe, result))
        expect_polled(probe, DFURT_STATE_dfuDNLOAD_IDLE, "dfuDNLOAD-IDLE after its first block",
                      &status);
}

// ---- The whole of plain DFU 1.1 ----

static bool prepare(struct probe *probe)
{
    return dfu_prepare_dnload(probe) && dfu_enter_state(probe, DFURT_STATE_dfuIDLE);
}

// That the first block is taken is judged by itself.
static bool expect_image_taken(struct probe *probe)
{
    char why[PROBE_WORDS] = "";
    bool taken = download_image(probe, why, sizeof why);
    bool begun = probe->backup->at > dfu_transfer_size(probe);
    bool met = expect(probe, taken, "each block is accepted, next is dfuDNLOAD-IDLE", "%s", why);
    return begun ? met : given(probe, met);
}

// Download the image that is kept, and manifest. A device may leave DFU mode by itself then.
static bool expect_download(struct probe *probe)
{
    char why[PROBE_WORDS] = "";
    if (!prepare(probe) || !expect_image_taken(probe))
        return false;
    return expect(probe, download_manifest(probe, why, sizeof why),
                  "manifestation ends, in dfuIDLE or dfuMANIFEST-WAIT-RESET", "%s", why);
}

static void download_manifests(struct probe *probe)
{
    bool tolerant = (device_attributes(&probe->dfu_mode) & DFURT_ATTR_MANIFESTATION_TOLERANT) != 0;
    uint8_t expected = tolerant ? DFURT_STATE_dfuIDLE : DFURT_STATE_dfuMANIFEST_WAIT_RESET;
    if (!expect_download(probe))
        return;
    struct dfu_status_reply status;
    if (!dfu_ask(probe, &status)) {
        if (!tolerant)
            probe_note(probe, "the device does not answer after manifestation, as it may "
                              "(DFU 1.1 A.2.9)");
        else
            expect(probe, false, "GETSTATUS is answered after manifestation", "it is not");
        return;
    }
    expect_number(probe, "bStatus after manifestation", status.bStatus, DFURT_STATUS_OK);
    expect(probe, status.bState == expected, usb_dfu_state_name(expected), "%s",
           usb_dfu_state_name(status.bState));
}

// The proof before the first write (backup.h) says what an upload returns after one byte of the
// image was changed: other bytes break the requirement; the old bytes may be those of a second
// bank. Then the image is downloaded as it is; the comparison restarts a device that cannot be read
// before that.
static void download_reads_back(struct probe *probe)
{
    const struct backup *backup = probe->backup;
    char why[PROBE_WORDS] = "";
    if (!backup_ready(probe, why, sizeof why)) {
        if (backup->lost && backup->differs)
            expect(probe, false, "the bytes that were downloaded", "%s", backup->loss);
        else if (backup->unproved)
            probe_inconclusive(probe, "%s", backup->doubt);
        else
            probe_skip(probe, "%s", why);
        return;
    }
    if (!given(probe, expect_download(probe)))
        return;
    if (backup->restore)
        probe_note(probe, "only the image of --restore was downloaded: a device that discards "
                          "downloads may answer the same");
    expect(probe, backup_restore(probe, why, sizeof why), "the bytes that were downloaded", "%s",
           why);
}

// ---- Bus resets in DFU mode ----

static bool reset_and_find(struct probe *probe)
{
    int result = probe_reset(probe);
    if (result == USB_GONE)
        return expect_return(probe, PROBE_RETURN_MS, "the device after the bus reset");
    return result == 0 || probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));
}

// A bus reset with valid firmware ends DFU mode, in this state. That the firmware is valid is known
// of a device that was seen at run time.
static void expect_reset_ends(struct probe *probe, uint8_t bState)
{
    char why[PROBE_WORDS];
    if (!probe->run_time.seen) {
        probe_inapplicable(probe, "a device whose firmware is known to be valid");
        return;
    }
    if (!backup_restore(probe, why, sizeof why)) {
        probe_inconclusive(probe, "%s", why);
        return;
    }
    if (dfu_enter_state(probe, bState) && reset_and_find(probe))
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
    if (!probe->run_time.seen) {
        probe_inapplicable(probe, "a device whose firmware is known to start");
        return;
    }
    if (!given(probe, expect_download(probe)) || !reset_and_find(probe))
        return;
    expect(probe, probe->mode == DEVICE_RUN_TIME, "run time after the bus reset",
           "the device is in DFU mode");
}

// All of the image is there, and only manifestation is missing: a loader that does not detect this
// starts the complete image.
static void reset_before_manifestation(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!prepare(probe) || !given(probe, expect_image_taken(probe)) || !reset_and_find(probe))
        return;
    if (probe->mode == DEVICE_RUN_TIME) {
        expect(probe, true, "run time, or errFIRMWARE", "run time");
        probe_note(probe, "the device starts the firmware that it has, as it may");
        return;
    }
    if (!expect_getstatus(probe, &status))
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
     "a bus reset before manifestation leads to run time, or to dfuERROR with errFIRMWARE",
     WRITING | NEED_RESET, reset_before_manifestation},
};
// clang-format on

const struct check_group check_dfu_transfers = {
    .title = "Upload, download and reset in DFU mode",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
