// SPDX-License-Identifier: MIT
//
// An upload ends with the first block that is shorter than wTransferSize (DFU 1.1 6.2). The buffer
// doubles as it fills, and the upload ends early at a limit of bytes or of time, since a wrong
// device may never send a short block.
//
// Checks download the image of the backup block by block; backup->at and backup->block say which
// block is next. When a check asks for more blocks than the image has, the last block is sent
// again, so that no other bytes reach the flash.

#include <stdio.h>
#include <stdlib.h>

#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/download.h>

// ---- Upload ----

static bool grow(uint8_t **bytes, size_t *room, size_t needed)
{
    if (needed <= *room)
        return true;
    size_t more = *room ? 2 * *room : 65536;
    while (more < needed)
        more *= 2;
    uint8_t *larger = realloc(*bytes, more);
    if (!larger)
        return false;
    *bytes = larger;
    *room = more;
    return true;
}

static bool end_upload(uint8_t *bytes, char *why, size_t size, const char *text)
{
    free(bytes);
    snprintf(why, size, "%s", text);
    return false;
}

bool upload_all(struct probe *probe,
                size_t most,
                uint8_t **ret_bytes,
                size_t *ret_length,
                char *why,
                size_t size)
{
    uint16_t block_size = dfu_transfer_size(probe);
    uint64_t end_us = probe_now_us(probe) + UPLOAD_LIMIT_MS * UINT64_C(1000);
    uint8_t *bytes = NULL;
    size_t length = 0, room = 0;
    if (!dfu_rewind(probe))
        return end_upload(bytes, why, size, "dfuIDLE was not reached");
    for (uint16_t block = 0; length < most; block++) {
        if (length > UPLOAD_MOST_BYTES)
            return end_upload(bytes, why, size, "the upload is longer than 16 MB");
        if (probe_now_us(probe) > end_us)
            return end_upload(bytes, why, size, "the upload takes longer than 10 minutes");
        if (!grow(&bytes, &room, length + block_size))
            return end_upload(bytes, why, size, "out of memory for the upload");
        const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_UPLOAD, block, block_size);
        int result = probe_control(probe, &setup, bytes + length);
        if (result < 0) {
            char text[PROBE_WORDS / 2];
            snprintf(text, sizeof text, "UPLOAD of block %u: %s", block, usb_result_text(result));
            return end_upload(bytes, why, size, text);
        }
        length += (size_t)result;
        if (result < block_size)
            break;
    }
    *ret_bytes = bytes;
    *ret_length = length < most ? length : most;
    return true;
}

// ---- Download ----

static bool expect_taken(
    struct probe *probe, int result, uint16_t length, unsigned block, char *why, size_t size)
{
    char words[PROBE_WORDS / 2];
    if (result != length) {
        snprintf(why, size, "block %u: %s", block, usb_result_text(result));
        return false;
    }
    if (dfu_finish_block(probe, result, words, sizeof words))
        return true;
    snprintf(why, size, "block %u: %s", block, words);
    return false;
}

bool download_bytes(
    struct probe *probe, const uint8_t *bytes, size_t length, char *why, size_t size)
{
    uint16_t block_size = dfu_transfer_size(probe);
    uint16_t block = 0;
    if (!dfu_rewind(probe)) {
        snprintf(why, size, "dfuIDLE was not reached");
        return false;
    }
    gate_begin_image(&probe->gate);
    for (size_t at = 0; at < length; at += block_size, block++) {
        uint16_t part = length - at < block_size ? (uint16_t)(length - at) : block_size;
        int result = dfu_dnload(probe, block, bytes + at, part);
        if (!expect_taken(probe, result, part, block, why, size))
            return false;
    }
    return true;
}

// ---- The image that is kept ----

void download_begin(struct probe *probe)
{
    dfu_rewind(probe); // else the first block is refused, or is no first one
    if (probe->backup) {
        probe->backup->at = 0;
        probe->backup->block = 0;
    }
    gate_begin_image(&probe->gate);
}

static uint16_t next_length(struct probe *probe)
{
    uint16_t block_size = dfu_transfer_size(probe);
    size_t left = probe->backup->length - probe->backup->at;
    return left < block_size ? (uint16_t)left : block_size;
}

static void step_back(struct probe *probe)
{
    struct backup *backup = probe->backup;
    uint16_t block_size = dfu_transfer_size(probe);
    size_t last = backup->length % block_size ? backup->length % block_size : block_size;
    backup->at -= last;
    backup->block--;
}

int download_next_block(struct probe *probe)
{
    struct backup *backup = probe->backup;
    if (!backup || !backup->bytes) {
        probe_refuse(probe, probe->gate.leave.write ? GATE_NEEDS_KEPT : GATE_NEEDS_WRITE);
        return USB_UNSUPPORTED;
    }
    if (backup->at >= backup->length)
        step_back(probe);
    uint16_t length = next_length(probe);
    int result = dfu_dnload(probe, backup->block, backup->bytes + backup->at, length);
    if (result == length) {
        backup->at += length;
        backup->block++;
    }
    return result;
}

// As many blocks as leave more than rest bytes.
static bool download_until(struct probe *probe, size_t rest, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    download_begin(probe);
    while (backup->length - backup->at > rest) {
        uint16_t length = next_length(probe);
        unsigned block = backup->block;
        int result = download_next_block(probe);
        if (!expect_taken(probe, result, length, block, why, size))
            return false;
    }
    return true;
}

bool download_image(struct probe *probe, char *why, size_t size)
{
    return download_until(probe, 0, why, size);
}

bool download_all_but_last(struct probe *probe, char *why, size_t size)
{
    return download_until(probe, dfu_transfer_size(probe), why, size);
}

int download_end(struct probe *probe)
{
    return dfu_dnload(probe, probe->backup->block, NULL, 0);
}

// A device that is not manifestation tolerant waits for a bus reset when bwPollTimeout is over, and
// need not answer until then (DFU 1.1 7, A.2.9).
static bool waits_for_reset(struct probe *probe, int result, const struct dfu_status_reply *status)
{
    bool tolerant = device_attributes(&probe->dfu_mode) & DFURT_ATTR_MANIFESTATION_TOLERANT;
    bool silent = result == USB_STALL || result == USB_TIMEOUT;
    return !tolerant && silent && status->bState == DFURT_STATE_dfuMANIFEST;
}

bool download_has_manifested(const struct dfu_status_reply *status)
{
    return status->bState == DFURT_STATE_dfuIDLE ||
           status->bState == DFURT_STATE_dfuMANIFEST_WAIT_RESET;
}

bool download_manifest(struct probe *probe,
                       struct dfu_status_reply *ret_last,
                       char *why,
                       size_t size)
{
    *ret_last = (struct dfu_status_reply){.bState = DFURT_STATE_dfuMANIFEST_SYNC};
    int result = download_end(probe);
    probe->backup->fate.manifesting |= result == 0;
    if (result == 0)
        result = dfu_poll(probe, ret_last);
    if (result == USB_GONE && probe->loader.restart == RESTART_UNKNOWN)
        probe->loader.restart = RESTART_SEEN;
    if (result == USB_GONE || (result == 0 && download_has_manifested(ret_last)) ||
        waits_for_reset(probe, result, ret_last))
        return true;
    char words[PROBE_WORDS / 2];
    dfu_poll_text(words, sizeof words, result, ret_last);
    snprintf(why, size, "manifestation: %s", words);
    return false;
}
