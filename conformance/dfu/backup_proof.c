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

static enum backup_reading
read_piece(struct probe *probe, const uint8_t *expected, size_t length, char *why, size_t size)
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

enum backup_reading backup_read_piece(
    struct probe *probe, const uint8_t *expected, size_t length, char *why, size_t size)
{
    enum backup_reading reading = read_piece(probe, expected, length, why, size);
    if (reading == BACKUP_READS_OTHER) // or a byte was misread
        reading = read_piece(probe, expected, length, why, size);
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
    enum { TIMES = 35 }; // in a run of all checks
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
    uint64_t start_us = probe_now_us(probe);
    enum backup_reading reading = write_and_read(probe, changed, backup->length, why, size);
    if (reading == BACKUP_READS_SAME)
        backup_foretell(probe, "download and to upload", backup->length,
                        probe_now_us(probe) - start_us, TIMES);
    if (reading == BACKUP_UNREAD || reading == BACKUP_REFUSED)
        reading = write_and_read(probe, changed, backup->length, why, size);
    free(changed);
    return reading;
}

static enum backup_reading prove_image(struct probe *probe, char *why, size_t size)
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

// ---- What follows from it ----

static const char not_proved[] = "the upload differs from the download, so that the firmware could "
                                 "not be put back; give the image with --restore";

static void doubt(struct backup *backup, const char *why)
{
    backup->fate.unproved = true;
    snprintf(backup->fate.doubt, sizeof backup->fate.doubt, "%s", why);
}

// The old bytes are read, which may be a copy: does the firmware still start?
static bool is_left_unwritten(struct probe *probe, const char *seen)
{
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS], text[PROBE_WORDS];
    gate_restored(&probe->gate);
    backup->restoring = true;
    bool starts = backup_starts_as_before(probe, why, sizeof why);
    backup->restoring = false;
    backup->fate.verified = starts;
    backup->fate.written = !starts;
    snprintf(text, sizeof text, "%.150s: unchanged if the firmware starts as before; %.80s", seen,
             why);
    if (!starts)
        doubt(backup, text);
    return starts;
}

// A device that holds a download back until its manifestation returns the old bytes, and so does
// one whose upload is no reading of what it writes. The former still starts its firmware, and no
// upload tells one from the other where that is not seen, as with the button held. What a
// manifestation would start is not known of either.
static bool leave_unmanifested(struct probe *probe)
{
    bool unwritten = is_left_unwritten(
        probe, "the upload does not return what was downloaded, and nothing was manifested");
    return backup_refuse(probe->backup,
                         unwritten ? "the device does not program before manifestation, so that "
                                     "its upload does not prove what would be manifested; give "
                                     "its image with --restore"
                                   : not_proved);
}

static bool is_protected(struct probe *probe)
{
    return backup_is_write_protected(probe) && backup_reads_as_kept(probe);
}

static bool is_silent(enum backup_reading reading)
{
    return reading == BACKUP_UNREAD || reading == BACKUP_REFUSED;
}

// By a plug that is pulled, by a signal: it says nothing of the device.
static bool is_cut_off(struct probe *probe, enum backup_reading reading)
{
    uint8_t state;
    return is_silent(reading) && !dfu_ask_state(probe, &state);
}

static enum backup_reading prove_again(struct probe *probe, char *why, size_t size)
{
    if (probe->gate.dirty && !backup_restore_now(probe, why, size))
        return BACKUP_UNREAD;
    backup_tell_gate(probe, true);
    return prove_image(probe, why, size);
}

// A device that takes the bytes of its firmware, and none that were changed, judges them by
// themselves, as one does that wants them signed: what it has taken is firmware, if it still
// starts.
static bool leave_judged(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS], text[PROBE_WORDS];
    if (backup_starts_as_before(probe, why, sizeof why))
        return backup_refuse(backup, "the device refuses bytes that are not its firmware's");
    snprintf(text, sizeof text,
             "changed bytes were refused, so that the upload proves nothing: restored if the "
             "firmware starts as before; %.80s",
             why);
    doubt(backup, text);
    return backup_refuse(backup, not_proved);
}

bool backup_prove(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS] = "";
    backup->fate.proved = backup->is_page;
    if (backup->is_page)
        return true;
    if (backup->restore)
        return !backup->fate.refused || !backup_is_write_protected(probe);
    backup_tell_gate(probe, true);
    enum backup_reading reading = prove_image(probe, why, sizeof why);
    backup->fate.written = probe->gate.accepted;
    if (is_cut_off(probe, reading))
        reading = prove_again(probe, why, sizeof why);
    bool cut_off = is_cut_off(probe, reading);
    backup->fate.written |= probe->gate.accepted;
    backup->fate.proved = backup->fate.may_manifest = reading == BACKUP_READS_SAME;
    backup->fate.differs = reading == BACKUP_READS_OTHER;
    if (reading == BACKUP_READS_OLD)
        return leave_unmanifested(probe);
    if (reading == BACKUP_REFUSED && is_protected(probe)) {
        is_left_unwritten(probe, "each block was refused, and memory is read as before");
        return false;
    }
    if (reading == BACKUP_READS_OTHER) {
        backup_lose(backup, why);
        backup->fate.unread = backup_reads_as_kept(probe);
        return false;
    }
    bool restored = !probe->gate.dirty || backup_restore_now(probe, why, sizeof why);
    if (cut_off && backup->fate.written)
        return backup_refuse(backup, "the proof that an upload is what was downloaded was cut off");
    bool taken = restored && !backup->fate.refused && backup->fate.written;
    if (reading == BACKUP_REFUSED && taken)
        return leave_judged(probe);
    if (reading == BACKUP_UNREAD && taken) {
        doubt(backup, "changed bytes were downloaded and could not be uploaded before "
                      "manifestation, so that the upload proves nothing");
        return backup_refuse(backup, not_proved);
    }
    return !backup->fate.differs;
}
