// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <stdlib.h>

#include <conformance/dfu_steps.h>

static bool say(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return false;
}

// ---- Upload ----

static bool upload_all(struct probe *probe, uint8_t *bytes, size_t *ret_length)
{
    uint16_t block_size = dfu_transfer_size(probe);
    size_t length = 0;
    for (uint16_t block = 0; length + block_size <= BACKUP_MAX; ++block) {
        const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_UPLOAD, block, block_size);
        int result = probe_control(probe, &setup, bytes + length);
        if (result < 0)
            return false;
        length += (size_t)result;
        if (result < block_size) {
            *ret_length = length;
            return true;
        }
    }
    return false;
}

bool backup_take(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = &probe->backup;
    if (backup->bytes)
        return true;
    if (!(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD))
        return say(why, size, "the device cannot upload what would be overwritten");
    backup->bytes = malloc(BACKUP_MAX);
    if (!backup->bytes)
        return say(why, size, "there is no memory to keep the firmware in");
    if (upload_all(probe, backup->bytes, &backup->length) && backup->length > 0)
        return true;
    backup_finish(backup);
    return say(why, size, "the firmware could not be uploaded, to be restored later");
}

// ---- Download ----

static bool download_all(struct probe *probe)
{
    const struct backup *backup = &probe->backup;
    uint16_t block_size = dfu_transfer_size(probe);
    struct dfu_status_reply status;
    uint16_t block = 0;
    for (size_t at = 0; at < backup->length; at += block_size, ++block) {
        size_t left = backup->length - at;
        uint16_t length = left < block_size ? (uint16_t)left : block_size;
        if (dfu_dnload(probe, block, backup->bytes + at, length) != length ||
            !dfu_poll(probe, &status) || status.bState != DFURT_STATE_dfuDNLOAD_IDLE)
            return false;
    }
    return dfu_dnload(probe, block, NULL, 0) == 0 && dfu_poll(probe, &status) &&
           (status.bState == DFURT_STATE_dfuIDLE ||
            status.bState == DFURT_STATE_dfuMANIFEST_WAIT_RESET);
}

bool backup_restore(struct probe *probe, char *why, size_t size)
{
    if (!probe->backup.dirty)
        return true;
    if (!dfu_to_idle(probe) || !download_all(probe))
        return say(why, size,
                   "the firmware that the checks overwrote could not be restored: "
                   "download it again");
    probe->backup.dirty = false;
    return true;
}

void backup_finish(struct backup *backup)
{
    free(backup->bytes);
    *backup = (struct backup){.bytes = NULL};
}
