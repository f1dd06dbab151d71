// SPDX-License-Identifier: MIT
//
// Does a plain device read what it programs? It is asked before the first check writes, in steps
// that cost as little as can be on a device that does not: two blocks of what it holds already,
// the same with each byte changed, then all of it with a byte of each block changed. Nothing of it
// is manifested.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>
#include <conformance/download.h>
#include <conformance/modes.h>

// Flash is programmed in units of a maker's choice, and the last one may wait for more bytes, or
// for manifestation: from the first byte that differs on all is erased still, or what it was. The
// first half proves enough; the rest is compared when it is manifested.
static enum backup_reading
judge(const uint8_t *old, const uint8_t *found, size_t length, size_t same)
{
    if (same == length)
        return BACKUP_READS_SAME;
    if (memcmp(found, old, length) == 0)
        return BACKUP_READS_OLD;
    for (size_t at = same; at < length; at++) {
        bool erased = found[at] == 0xFF || found[at] == 0x00;
        if (!erased && found[at] != old[at])
            return BACKUP_READS_OTHER;
    }
    return same > length / 2 ? BACKUP_READS_SAME : BACKUP_UNREAD;
}

enum backup_reading backup_read_piece(
    struct probe *probe, const uint8_t *expected, size_t length, char *why, size_t size)
{
    enum backup_reading reading = BACKUP_UNREAD;
    char unread[PROBE_WORDS];
    uint8_t *found;
    size_t found_length;
    if (!(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD) ||
        !upload_all(probe, length, &found, &found_length, unread, sizeof unread))
        return BACKUP_UNREAD;
    if (found_length == length) {
        size_t same = 0;
        while (same < length && found[same] == expected[same])
            same++;
        probe->backup->fate.read_back = same;
        reading = judge(probe->backup->bytes, found, length, same);
    }
    if (reading == BACKUP_READS_OTHER)
        backup_difference(why, size, 0, expected, found, length);
    free(found);
    return reading;
}

static enum backup_reading
write_and_read(struct probe *probe, const uint8_t *bytes, size_t length, char *why, size_t size)
{
    if (!download_bytes(probe, bytes, length, why, size))
        return BACKUP_REFUSED;
    return backup_read_piece(probe, bytes, length, why, size);
}

bool backup_reads_as_kept(struct probe *probe)
{
    const struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    uint8_t *found;
    size_t length;
    if (!upload_all(probe, backup->length, &found, &length, why, sizeof why))
        return false;
    bool equal = length == backup->length && memcmp(found, backup->bytes, length) == 0;
    free(found);
    return equal;
}

static size_t piece_length(const struct probe *probe)
{
    size_t length = 2 * (size_t)dfu_transfer_size(probe);
    return length < probe->backup->length ? length : probe->backup->length;
}

// A block that is refused because of the ABORT before is no answer.
static bool is_tried_again(enum backup_reading reading)
{
    return reading == BACKUP_READS_OTHER || reading == BACKUP_REFUSED;
}

static enum backup_reading prove_piece(struct probe *probe, char *why, size_t size)
{
    enum backup_reading reading = BACKUP_REFUSED;
    for (int i = 0; is_tried_again(reading) && i < BACKUP_TRIES; i++)
        reading = write_and_read(probe, probe->backup->bytes, piece_length(probe), why, size);
    return reading;
}

uint8_t backup_changed_byte(uint8_t byte, size_t at)
{
    return (uint8_t)(byte ^ (1 + at % 255));
}

// An upload may hold bytes that were never in memory, at the same places of each block. They are
// read as they were although others were downloaded.
static enum backup_reading prove_each_byte(struct probe *probe, char *why, size_t size)
{
    const uint8_t *bytes = probe->backup->bytes;
    size_t length = piece_length(probe);
    uint8_t *changed = malloc(length);
    if (!changed)
        return BACKUP_UNREAD;
    for (size_t i = 0; i < length; i++)
        changed[i] = backup_changed_byte(bytes[i], i);
    enum backup_reading reading = write_and_read(probe, changed, length, why, size);
    free(changed);
    if (reading == BACKUP_READS_OTHER)
        write_and_read(probe, bytes, length, why, size);
    return reading;
}

// A download that is refused is tried again, once. The last byte of each block differs, because
// some devices lose a block, or its end, and what was there before stays: behind it judge() finds
// bytes that are neither the old ones nor erased. What is lost at the end is seen when the image is
// compared after its manifestation, unless the old bytes stay there: no proof of it is possible
// without a manifestation of other bytes, and fate.read_back tells how far this one went.
static enum backup_reading prove_whole(struct probe *probe, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    uint8_t *changed = malloc(backup->length);
    if (!changed)
        return BACKUP_UNREAD;
    memcpy(changed, backup->bytes, backup->length);
    for (size_t end = 0; end < backup->length;) {
        end += dfu_transfer_size(probe);
        size_t last = (end < backup->length ? end : backup->length) - 1;
        changed[last] = backup_changed_byte(changed[last], last);
    }
    enum backup_reading reading = write_and_read(probe, changed, backup->length, why, size);
    if (reading == BACKUP_UNREAD || reading == BACKUP_REFUSED)
        reading = write_and_read(probe, changed, backup->length, why, size);
    free(changed);
    return reading;
}

enum backup_reading backup_prove_image(struct probe *probe, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    enum backup_reading reading = prove_piece(probe, why, size);
    // What does not take its own bytes may take others for a command.
    if (is_tried_again(reading))
        return reading;
    reading = prove_each_byte(probe, why, size);
    if (reading == BACKUP_READS_OTHER)
        return reading;
    reading = prove_whole(probe, why, size);
    // Leave as little of it as can be. A device that returned the old bytes may have read a copy.
    if (reading == BACKUP_READS_OTHER || reading == BACKUP_READS_OLD)
        write_and_read(probe, backup->bytes, backup->length, why, size);
    return reading;
}

// A firmware that the download has replaced, with bytes that are not its own and without a
// manifestation, does not start, or not as the same device.
bool backup_starts_as_before(struct probe *probe, char *why, size_t size)
{
    const struct device before = probe->run_time;
    char stays[PROBE_WORDS];
    if (!probe->gate.leave.detach) {
        snprintf(why, size, "--no-detach would leave the device at run time");
        return false;
    }
    if (!dfu_to_idle(probe) || !mode_leave_dfu(probe, false, why, size))
        return false;
    bool same = !before.seen || target_descriptors_equal(&before.raw, &probe->run_time.raw);
    if (!same)
        snprintf(why, size, "the device came back with other descriptors");
    mode_enter_dfu(probe, stays, sizeof stays); // else the next check says what it waits for
    return same;
}
