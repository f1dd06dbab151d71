// SPDX-License-Identifier: MIT
//
// The image of a plain device: all that it uploads.

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>
#include <conformance/download.h>
#include <conformance/modes.h>

// ---- Is it firmware? ----

enum { STUB = 256 }; // no firmware of a USB device is as small

static bool is_constant(const uint8_t *bytes, size_t length)
{
    return memcmp(bytes, bytes + 1, length - 1) == 0;
}

static bool is_text(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isprint(bytes[i]) && !isspace(bytes[i]) && bytes[i] != '\0')
            return false;
    }
    return true;
}

// The same block again and again; the last one may be cut.
static bool repeats(const uint8_t *bytes, size_t length, size_t block_size)
{
    return length > block_size && memcmp(bytes, bytes + block_size, length - block_size) == 0;
}

// Why it cannot be firmware, or NULL.
static const char *implausible(const uint8_t *bytes, size_t length, size_t block_size)
{
    if (length < STUB)
        return "the upload is too short to be firmware";
    if (is_constant(bytes, length))
        return "the upload is blank, as from a device that is read protected";
    if (is_text(bytes, length))
        return "the upload is a text, not firmware";
    if (repeats(bytes, length, block_size))
        return "the upload repeats one block";
    return NULL;
}

// ---- Keep ----

static bool refuse_loader_that_leaves(struct probe *probe)
{
    snprintf(probe->backup->why, sizeof probe->backup->why,
             "the boot loader leaves DFU mode by itself after %u ms, in the middle of an upload "
             "too, and would start what a download has left by then; give the image with "
             "--restore",
             (unsigned)(probe->loader.stays_us / 1000));
    return false;
}

// A run of all checks uploads the image some 43 times and downloads it some 35 times, of which a
// block takes three requests or more.
static bool upload_and_foretell(
    struct probe *probe, uint8_t **ret_bytes, size_t *ret_length, char *why, size_t size)
{
    enum { UPLOADS = 43 + 35 * 3 };
    uint64_t start_us = probe_now_us(probe);
    if (!upload_all(probe, SIZE_MAX, ret_bytes, ret_length, why, size))
        return false;
    backup_foretell(probe, "upload", *ret_length, probe_now_us(probe) - start_us, UPLOADS);
    return true;
}

static bool upload_twice(struct probe *probe, uint8_t **ret_bytes, size_t *ret_length)
{
    struct backup *backup = probe->backup;
    uint8_t *first = NULL, *second = NULL;
    size_t first_length = 0, second_length = 0;
    char why[PROBE_WORDS];
    bool read = upload_and_foretell(probe, &first, &first_length, why, sizeof why) &&
                upload_all(probe, SIZE_MAX, &second, &second_length, why, sizeof why) &&
                dfu_to_idle(probe);
    bool equal = read && first_length == second_length && first_length > 0 &&
                 memcmp(first, second, first_length) == 0;
    free(second);
    if (equal) {
        *ret_bytes = first;
        *ret_length = first_length;
        return true;
    }
    free(first);
    if (!read)
        return backup_refuse(backup, "the firmware could not be uploaded for a backup");
    return backup_refuse(backup, first_length == 0 ? "the upload is empty: no backup can be made"
                                                   : "two uploads differ: no backup can be made");
}

static bool is_blank_byte(uint8_t byte)
{
    return byte == 0xFF || byte == 0x00;
}

// An interrupted download leaves a mix of the old image, the new one (a byte of each block, or each
// byte, changed) and erased flash.
static bool resembles(const uint8_t *kept, const uint8_t *found, size_t length)
{
    size_t others = 0;
    for (size_t i = 0; i < length; i++)
        others += kept[i] != found[i] && found[i] != backup_changed_byte(kept[i], i) &&
                  !is_blank_byte(found[i]);
    return others <= length / 128 + 1;
}

static bool is_own_left_over(struct probe *probe)
{
    struct backup *backup = probe->backup;
    uint8_t *found;
    size_t length;
    char why[PROBE_WORDS];
    if (backup->restore != &backup->file.left ||
        !(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD))
        return true;
    if (!upload_all(probe, backup->file.left.length, &found, &length, why, sizeof why))
        return backup_refuse(backup,
                             "the firmware of the device could not be read, to compare it with "
                             "the backup of an earlier run");
    bool own = resembles(backup->file.left.bytes, found, length);
    free(found);
    return own || backup_refuse(backup, "the backup of an earlier run is not of the firmware that "
                                        "the device holds; give it with --restore, or delete it");
}

static bool take_given(struct probe *probe)
{
    struct backup *backup = probe->backup;
    if (backup->restore->has_address)
        return backup_refuse(backup, "the file to restore is for a DfuSe device");
    if (!is_own_left_over(probe))
        return false;
    backup->bytes = malloc(backup->restore->length);
    if (!backup->bytes)
        return backup_refuse(backup, "out of memory for the image");
    memcpy(backup->bytes, backup->restore->bytes, backup->restore->length);
    backup->length = backup->restore->length;
    return true;
}

bool backup_keep_image(struct probe *probe)
{
    struct backup *backup = probe->backup;
    uint8_t *bytes;
    size_t length;
    if (!backup_given_whole_blocks(probe))
        return false;
    if (backup->restore)
        return take_given(probe);
    if (backup->options.scratch_given)
        return backup_refuse(backup, "--scratch names a page of a DfuSe device, and this is none");
    if (probe->loader.breaks_off)
        return refuse_loader_that_leaves(probe);
    if (!(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD))
        return backup_refuse(backup, "the device cannot upload what would be overwritten; give its "
                                     "image with --restore");
    if (!upload_twice(probe, &bytes, &length))
        return false;
    const char *problem = implausible(bytes, length, dfu_transfer_size(probe));
    if (problem) {
        free(bytes);
        return backup_refuse(backup, problem);
    }
    backup->bytes = bytes;
    backup->length = length;
    backup->fate.verified = true;
    return true;
}

// ---- Compare ----

void backup_difference(
    char *why, size_t size, uint32_t base, const uint8_t *kept, const uint8_t *found, size_t length)
{
    size_t first = length, last = 0, count = 0;
    for (size_t i = 0; i < length; i++) {
        if (kept[i] == found[i])
            continue;
        first = first < i ? first : i;
        last = i;
        count++;
    }
    snprintf(why, size, "%zu of %zu bytes differ, between %08zXh and %08zXh", count, length,
             base + first, base + last);
}

// In dfuIDLE before and after.
static bool compare(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    size_t more = backup->restore ? 0 : 1; // what was kept ended there
    uint8_t *found;
    size_t length;
    if (!upload_all(probe, backup->length + more, &found, &length, why, size))
        return false;
    backup->fate.differs =
        length != backup->length || memcmp(found, backup->bytes, backup->length) != 0;
    if (length > backup->length)
        snprintf(why, size, "the upload is longer than the %zu bytes that were downloaded",
                 backup->length);
    else if (length < backup->length)
        snprintf(why, size, "%zu bytes are uploaded, of %zu", length, backup->length);
    else if (backup->fate.differs)
        backup_difference(why, size, 0, backup->bytes, found, length);
    free(found);
    return dfu_to_idle(probe) && !backup->fate.differs;
}

// A device that hangs at what ends a download may hold all of it, and is read once it has power
// again; but the download did not end.
static bool comes_back(struct probe *probe, char *why, size_t size)
{
    if (mode_quieten(probe))
        return true;
    if (probe->target->capabilities & TARGET_CAN_POWER)
        probe_power_cycle(probe);
    snprintf(why, size, "the device did not come back");
    return false;
}

bool backup_to_dfu_idle(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    mode_outwait_restart(probe);
    if (probe->mode == DEVICE_DFU_MODE && dfu_to_idle(probe)) {
        backup->fate.manifesting = false;
        return true;
    }
    if (!comes_back(probe, why, size))
        return false;
    backup->fate.manifesting = false;
    if (!mode_enter_dfu(probe, why, size))
        return false;
    if (dfu_to_idle(probe))
        return true;
    snprintf(why, size, "%s",
             mode_needs_power(probe) ? MODE_NEEDS_POWER : "dfuIDLE was not reached");
    return false;
}

bool backup_compare_image(struct probe *probe, char *why, size_t size)
{
    if (!(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD)) {
        struct backup *backup = probe->backup;
        backup->fate.unproved = true;
        snprintf(backup->fate.doubt, sizeof backup->fate.doubt,
                 "the device accepted the whole image and cannot upload it");
        return true;
    }
    return compare(probe, why, size);
}

// A loader that does not judge an image starts whatever is manifested. One that was not seen to
// program what it is sent is asked before, and so is one whose image was read as other bytes
// afterwards. It is manifested a second time, because a block may have been lost on the way; not a
// third time. A person's own image is taken as it is.
static bool may_be_manifested(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    bool spoilt = backup->fate.spoilt > 0;
    if (!spoilt && (backup->fate.may_manifest || backup->restore))
        return true;
    if (backup->fate.spoilt > 1) {
        backup->fate.differs = true; // as it was read then; why says where
        return false;
    }
    if (!download_image(probe, why, size))
        return false;
    enum backup_reading reading =
        backup_read_piece(probe, backup->bytes, backup->length, why, size);
    backup->fate.differs = reading == BACKUP_READS_OTHER;
    backup->fate.may_manifest = spoilt ? reading == BACKUP_READS_SAME : !backup->fate.differs;
    return backup->fate.may_manifest && backup_to_dfu_idle(probe, why, size);
}

bool backup_put_image(struct probe *probe, char *why, size_t size)
{
    struct dfu_status_reply last;
    return may_be_manifested(probe, why, size) && download_image(probe, why, size) &&
           download_manifest(probe, &last, why, size);
}
