// SPDX-License-Identifier: MIT
//
// backup_private.h - the two kinds of backup, for backup.c.

#ifndef CONFORMANCE_BACKUP_PRIVATE_H
#define CONFORMANCE_BACKUP_PRIVATE_H

#include <conformance/backup.h>

// Fill in probe->backup: what is kept. Returns false with backup->why set.
bool backup_keep_image(struct probe *probe);
bool backup_keep_page(struct probe *probe);

// What an upload before manifestation says of what was downloaded.
enum backup_reading {
    BACKUP_READS_SAME,
    BACKUP_READS_OLD, // what is kept, and was not downloaded
    BACKUP_READS_OTHER,
    BACKUP_UNREAD,  // nothing: it cannot be read
    BACKUP_REFUSED, // nothing: it was not downloaded
};

// Read so many bytes from the start; what differs is in why for BACKUP_READS_OTHER.
enum backup_reading backup_read_piece(
    struct probe *probe, const uint8_t *expected, size_t length, char *why, size_t size);

// The byte that is written over this one, at this place of the image, to prove that it is read.
uint8_t backup_changed_byte(uint8_t byte, size_t at);

// The proof: a download differs from the firmware, and the upload must return the download. A
// device that discards downloads, or uploads other memory than it writes, cannot be restored.
// Returns whether checks may write: also where no block was accepted.
bool backup_prove(struct probe *probe);

// The gate lets through what can be put back, and nothing else.
void backup_tell_gate(struct probe *probe, bool ready);

// Restore what is kept, whatever was written, and compare it; neither a signal nor a limit of time
// ends that. Returns false with the reason in why.
bool backup_restore_now(struct probe *probe, char *why, size_t size);

// Does an upload return what is kept, to the last byte?
bool backup_reads_as_kept(struct probe *probe);

// After a download that was read as the old bytes: does the device leave DFU mode and start as the
// device that it was? It is sent back into DFU mode. Returns false with the reason in why.
bool backup_starts_as_before(struct probe *probe, char *why, size_t size);

// Bring the device to dfuIDLE from wherever it is: manifestation may have ended DFU mode, or be
// waiting for the reset that does. Returns false with the reason in why.
bool backup_to_dfu_idle(struct probe *probe, char *why, size_t size);

// Write what is kept, an image in dfuIDLE. Returns false with the reason in why.
bool backup_put_image(struct probe *probe, char *why, size_t size);
bool backup_put_page(struct probe *probe, char *why, size_t size);

// In dfuIDLE, for an image: does the device hold what is kept? Returns false with what differs, and
// where, in why.
bool backup_compare_image(struct probe *probe, char *why, size_t size);
bool backup_compare_page(struct probe *probe, char *why, size_t size);

// The device is not as it was, for this reason.
void backup_lose(struct backup *backup, const char *why);

// That of the two which is kept.
bool backup_compare(struct probe *probe, char *why, size_t size);

// The device did not take a restore, for this reason: does it hold what is kept all the same?
// backup->fate.unproved is set where that is not sure. Returns false if it does not, and adds to
// the reason what was read; backup->fate.untouched says that it is not known to have lost anything.
bool backup_is_whole(struct probe *probe, char *refusal, size_t size);

// The device refuses each block: is it because its memory is not to be written? DFU 1.1 4.2.3 gives
// an alternate setting to each of several memories, and no descriptor says which of them can be.
// Its first block is sent once more, and backup->why is set then. Without a second setting a device
// that can download has a memory that can be written.
bool backup_is_write_protected(struct probe *probe);

// What was restored was read back equal in the stay in DFU mode that wrote it. Is it read as equal
// in another one? Sets fate.afresh; fate.stays where the device does not leave DFU mode; fate.doubt
// where it left and was not found in it again. Returns false with what differs in why.
bool backup_reads_afresh(struct probe *probe, char *why, size_t size);

// This step with all of it has been made for the first time: tell a person how long the run will
// take, if that is long, where it takes so many times as long as the step.
void backup_foretell(
    struct probe *probe, const char *step, size_t length, uint64_t step_us, unsigned times);

// Between two readings: start the firmware, which may write at its starts, and come back to DFU
// mode, where the device can do so; else nothing is done. Returns whether the device is there.
bool backup_starts_between(struct probe *probe);

// A DfuSe device's memory beside the page: read unless that takes minutes, and restored where it
// has changed. A file to restore that has more elements than one says what it is to hold. keep
// returns false with backup->why set, restore with the reason in why.
bool backup_keep_rest(struct probe *probe);
bool backup_restore_rest(struct probe *probe, char *why, size_t size);

// What of it can be written, a region an element. take: those of a file to restore are what it is
// to hold. Returns false with backup->why set.
void backup_put_elements(const struct backup *backup, struct image_file *image);
bool backup_take_elements(struct probe *probe);

// The memory of other alternate settings: kept by a first reading, settled by a second one, and
// compared. compare returns false with the first difference in why; what cannot be read, or is not
// read twice as the same bytes, is no difference.
void backup_keep_others(struct probe *probe);
void backup_settle_others(struct probe *probe);
bool backup_compare_others(struct probe *probe, char *why, size_t size);

// The file. find: its path and lock, and whether an earlier run has left it. Both return false with
// backup->why set.
bool backup_file_find(struct probe *probe, bool *ret_left_over);
bool backup_file_write(struct probe *probe);
void backup_file_remove(struct backup *backup);
void backup_file_close(struct backup *backup);

// Is the device where it was opened, or the one that --target names? A download is begun, and what
// was downloaded is put back, nowhere else. Returns false with the reason in why.
bool backup_is_in_its_place(struct probe *probe, char *why, size_t size);

// The device that answers now is the one that the backup is of. has_its_owner: is it still, in its
// place and as far as that can be told? It is asked where it has been away; returns false with who
// answers in why.
void backup_know_owner(struct probe *probe);
bool backup_has_its_owner(struct probe *probe, char *why, size_t size);

// Can sectors of this region be read, erased and written?
bool backup_region_is_usable(const struct dfuse_region *region);

// Set backup->why. Returns false.
bool backup_refuse(struct backup *backup, const char *why);

// Are blocks of wTransferSize bytes what the boot loader counts? Refuses if not.
bool backup_given_whole_blocks(struct probe *probe);

// The first difference between two runs of bytes, and how many there are, as words.
void backup_difference(char *why,
                       size_t size,
                       uint32_t base,
                       const uint8_t *kept,
                       const uint8_t *found,
                       size_t length);

#endif
