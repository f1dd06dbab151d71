// SPDX-License-Identifier: MIT
//
// Download and manifestation in DFU mode (DFU 1.1 6.1, chapter 7, A.2.9).
//
// DM-DNLOAD-08 is retired: blocks of less than wTransferSize, which a host may send (6.1), would
// reach unknown memory in loaders that compute the address from wBlockNum.

#include <string.h>

#include "dfu_transfers.h"
#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/download.h>

// ---- Download ----

// A longer time is judged by DM-DNLOAD-02; what comes after it is not seen.
static bool given_poll(struct probe *probe, const struct dfu_status_reply *status)
{
    return status->bwPollTimeout <= DFU_LONGEST_POLL_MS ||
           probe_inconclusive(probe, "bwPollTimeout %u ms: the suite waits for %u ms",
                              (unsigned)status->bwPollTimeout, (unsigned)DFU_LONGEST_POLL_MS);
}

// dfu_poll() has ended in this state.
static bool expect_ended(struct probe *probe,
                         int result,
                         const struct dfu_status_reply *status,
                         uint8_t bState,
                         const char *expected)
{
    char words[PROBE_WORDS];
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "GETSTATUS: %s", usb_result_text(result));
    if (result == DFU_STILL_BUSY && !given_poll(probe, status))
        return false;
    dfu_poll_text(words, sizeof words, result, status);
    return expect(probe, result == 0 && status->bState == bState, expected, "%s", words);
}

// The first GETSTATUS in dfuDNLOAD-SYNC is DM-STATE-3-GETSTATUS's.
static bool given_announced(struct probe *probe, struct dfu_status_reply *ret_status)
{
    return given(probe, expect_getstatus(probe, ret_status));
}

static void dnload_leaves_busy(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC, DFU_NO_QUESTION) ||
        !given_announced(probe, &status))
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
    if (dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC, DFU_NO_QUESTION) &&
        given_announced(probe, &status))
        expect(probe, status.bwPollTimeout <= BOUND_MS, "bwPollTimeout of at most 30 s", "%u ms",
               (unsigned)status.bwPollTimeout);
}

// A GETSTATUS that STALLs on the way is the row's, or DM-DNLOAD-01's. A DfuSe device is sent Set
// Address Pointer: that it is carried out is DS-CMD-01's.
// A status that was there before is judged by DM-STATUS-01 and DM-STATE-10-CLRSTATUS.
static bool given_status_ok(struct probe *probe)
{
    struct dfu_status_reply status;
    return dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) &&
           given(probe,
                 expect_getstatus(probe, &status) &&
                     expect_number(probe, "bStatus before", status.bStatus, DFURT_STATUS_OK));
}

static void dnload_ends(struct probe *probe)
{
    struct dfu_status_reply status = {.bState = DFURT_STATE_dfuDNLOAD_SYNC};
    if (!given_status_ok(probe) ||
        !dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC, DFU_NO_QUESTION))
        return;
    int result = dfu_poll(probe, &status);
    if (result == USB_STALL && !given(probe, expect_result(probe, result, 0, NULL)))
        return;
    bool judged_there = device_is_dfuse(&probe->dfu_mode) && result == 0;
    if (judged_there && status.bState == DFURT_STATE_dfuERROR && dfuse_is_read_protected(probe))
        return;
    bool met = expect_ended(probe, result, &status, DFURT_STATE_dfuDNLOAD_IDLE,
                            "dfuDNBUSY ends within 30 s, in dfuDNLOAD-IDLE");
    if (judged_there ? given(probe, met) : met)
        expect_number(probe, "bStatus after the block", status.bStatus, DFURT_STATUS_OK);
}

// The bytes are those that are there: the next of the image, blank ones of the scratch page.
static bool oversized_block(struct probe *probe, uint16_t size, uint8_t *data, uint16_t *ret_block)
{
    const struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    if (!backup_given(probe))
        return false;
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
    if (!dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_IDLE, DFU_NO_QUESTION) ||
        !oversized_block(probe, (uint16_t)(size + 1), data, &block))
        return;
    expect_stalled(probe, dfu_dnload(probe, block, data, (uint16_t)(size + 1)), NULL);
    expect_alive(probe);
}

static void dnload_aborted(struct probe *probe)
{
    const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
    struct dfu_status_reply status;
    if (!given_status_ok(probe) ||
        !dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_IDLE, DFU_NO_QUESTION) ||
        !expect_length(probe, &abort, NULL, 0) ||
        !expect_bState(probe, DFURT_STATE_dfuIDLE, "after ABORT") ||
        !expect_getstatus(probe, &status) ||
        !expect_number(probe, "bStatus after ABORT", status.bStatus, DFURT_STATUS_OK) ||
        !dfu_to_idle(probe))
        return;
    download_begin(probe);
    if (!expect_carried_out(probe, dfu_dnload_something(probe)))
        return;
    status.bState = DFURT_STATE_dfuDNLOAD_SYNC;
    int result = dfu_poll(probe, &status);
    expect_ended(probe, result, &status, DFURT_STATE_dfuDNLOAD_IDLE,
                 "dfuDNLOAD-IDLE after its first block");
}

// ---- The whole of plain DFU 1.1 ----

static void download_manifests(struct probe *probe)
{
    bool tolerant = (device_attributes(&probe->dfu_mode) & DFURT_ATTR_MANIFESTATION_TOLERANT) != 0;
    uint8_t expected = tolerant ? DFURT_STATE_dfuIDLE : DFURT_STATE_dfuMANIFEST_WAIT_RESET;
    struct dfu_status_reply status;
    if (!given_status_ok(probe) || !expect_download(probe, &status))
        return;
    if (!download_has_manifested(&status)) {
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

static bool is_there(struct probe *probe)
{
    uint8_t state;
    int result = probe_getstate(probe, &state);
    return result != USB_GONE && result != USB_IO;
}

// The proof before the first write (backup.h) says what an upload returns after one byte of the
// image was changed: other bytes break the requirement; the old bytes may be those of a second
// bank. Then the image is downloaded as it is; the comparison restarts a device that cannot be read
// before that.
static void download_reads_back(struct probe *probe)
{
    const struct backup *backup = probe->backup;
    struct dfu_status_reply last;
    char why[PROBE_WORDS] = "";
    if (!backup_ready(probe, why, sizeof why)) {
        if (backup->fate.lost && backup->fate.differs)
            expect(probe, false, "the bytes that were downloaded", "%s", backup->fate.loss);
        else if (backup->fate.unproved)
            probe_inconclusive(probe, "%s", backup->fate.doubt);
        else
            backup_given(probe);
        return;
    }
    if (!given(probe, expect_download(probe, &last)))
        return;
    if (backup->restore)
        probe_note(probe, "only the image of --restore was downloaded: a device that discards "
                          "downloads may answer the same");
    else if (backup->fate.read_back < backup->length)
        probe_note(probe,
                   "of the last %zu bytes no change is read back before manifestation: that they "
                   "are programmed is not judged",
                   backup->length - backup->fate.read_back);
    bool restored = backup_restore(probe, why, sizeof why);
    // A loader that loses the end of an image does not come back after its manifestation. One that
    // is gone at another time was unplugged, as far as is known here.
    if (!restored && !backup->fate.manifesting && !is_there(probe))
        probe_inconclusive(probe, "%s", why);
    else
        expect(probe, restored, "the bytes that were downloaded", "%s", why);
}

#define IN_DFU_MODE (NEED_DFU_MODE | NEED_DFU_INTERFACE)
#define DNLOADING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_DNLOAD_BEGUN)
#define WRITING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_PLAIN | NEED_WRITE)

// clang-format off
static const struct check checks[] = {
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
};
// clang-format on

const struct check_group check_dfu_downloads = {
    .title = "Download in DFU mode",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
