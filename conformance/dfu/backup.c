// SPDX-License-Identifier: MIT
//
// When a backup is made, restored and compared. What is particular to a plain device's image is in
// backup_image.c, to a DfuSe device's page in backup_page.c.

#include <stdio.h>
#include <stdlib.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>

bool backup_refuse(struct backup *backup, const char *why)
{
    snprintf(backup->why, sizeof backup->why, "%s", why);
    return false;
}

// Boot loaders compute an address from wBlockNum and the wTransferSize that they go by.
bool backup_given_whole_blocks(struct probe *probe)
{
    if (!dfu_has_whole_blocks(probe))
        return backup_refuse(probe->backup,
                             "this host cannot send blocks of the device's wTransferSize");
    return dfu_transfer_size(probe) >= device_max_packet0(&probe->dfu_mode) ||
           backup_refuse(probe->backup, "wTransferSize is less than bMaxPacketSize0, so that it is "
                                        "not what the boot loader goes by");
}

void backup_tell_gate(struct probe *probe, bool ready)
{
    const struct backup *backup = probe->backup;
    if (!ready || probe->target->moved)
        gate_keep_nothing(&probe->gate);
    else if (backup->is_page)
        gate_keep_page(&probe->gate, backup->address, backup->length);
    else
        gate_keep_image(&probe->gate, backup->bytes, backup->length);
}

// ---- Put back ----

// Each step of a page begins in whatever state the device is; that of an image is in dfuIDLE.
static bool is_within_reach(struct probe *probe, char *why, size_t size)
{
    return (probe->backup->is_page && probe->mode == DEVICE_DFU_MODE) ||
           backup_to_dfu_idle(probe, why, size);
}

static bool put_back(struct probe *probe, char *why, size_t size)
{
    return is_within_reach(probe, why, size) &&
           (probe->backup->is_page ? backup_put_page(probe, why, size)
                                   : backup_put_image(probe, why, size));
}

static bool compare(struct probe *probe, char *why, size_t size)
{
    return is_within_reach(probe, why, size) &&
           (probe->backup->is_page ? backup_compare_page(probe, why, size)
                                   : backup_compare_image(probe, why, size));
}

// What another board holds says nothing, nor does a byte that is misread once.
bool backup_compare(struct probe *probe, char *why, size_t size)
{
    return backup_is_in_its_place(probe, why, size) &&
           (compare(probe, why, size) ||
            (probe->backup->fate.differs && compare(probe, why, size)));
}

static bool put_back_and_compare(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    backup->fate.afresh = false;
    if (!put_back(probe, why, size))
        return false;
    uint64_t stay = probe->since.returned_us;
    bool same = backup_compare(probe, why, size);
    backup->fate.afresh = same && probe->since.returned_us != stay;
    backup->fate.seen_afresh |= backup->fate.afresh;
    if (same && !backup->fate.seen_afresh)
        same = backup_reads_afresh(probe, why, size);
    backup->fate.spoilt += !same && backup->fate.differs && !backup->is_page;
    return same && backup_restore_rest(probe, why, size);
}

// A device that programs other bytes than it receives loses more with each write. One that refuses
// a download does not: checks send what a restore sends.
void backup_lose(struct backup *backup, const char *why)
{
    snprintf(backup->fate.loss, sizeof backup->fate.loss, "%s", why);
    snprintf(backup->why, sizeof backup->why, "the backup could not be restored: %.240s", why);
    backup->fate.lost = true;
    backup->ready &= !backup->fate.differs;
}

// Another device is sent nothing of it.
static bool is_ours(struct probe *probe, char *why, size_t size)
{
    if (backup_has_its_owner(probe, why, size))
        return true;
    probe->backup->ready = false;
    backup_tell_gate(probe, false);
    return false;
}

// A device that refused every block is unchanged. The gate stays open for restoring, even where
// checks may no longer write.
static bool restore_to_the_end(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    if (!is_ours(probe, why, size)) {
        backup_lose(backup, why);
        return false;
    }
    backup_tell_gate(probe, true);
    bool restored = !probe->gate.accepted && backup_compare(probe, why, size) &&
                    backup_restore_rest(probe, why, size);
    bool was_refused = backup->fate.lost || backup->fate.refused;
    backup->fate.unproved &= !backup->fate.refused; // that doubt was about the last time
    backup->fate.unread = backup->fate.untouched = backup->fate.differs_beside = false;
    for (int i = 0; !restored && i < (was_refused ? 1 : BACKUP_TRIES); i++) {
        backup->fate.differs = false;
        restored = put_back_and_compare(probe, why, size);
    }
    backup->fate.refused = !restored;
    if (!restored && !backup->fate.differs)
        restored = backup_is_whole(probe, why, size);
    backup->fate.verified = restored;
    backup->fate.lost = !restored;
    if (restored) {
        gate_restored(&probe->gate);
    } else {
        backup_lose(backup, why);
        if (!probe->gate.dirty) // it was read equal, and then not to the end
            gate_assume_written(&probe->gate);
    }
    backup_tell_gate(probe, backup->ready);
    return restored;
}

bool backup_restore_now(struct probe *probe, char *why, size_t size)
{
    probe->backup->restoring = true;
    bool restored = restore_to_the_end(probe, why, size);
    probe->backup->restoring = false;
    return restored;
}

// It was read as other bytes each time that it was put back.
static bool is_spoilt(const struct backup *backup)
{
    return backup->fate.lost && backup->fate.differs && !backup->is_page;
}

bool backup_restore(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    char reason[PROBE_WORDS] = "";
    if (!backup || !backup->bytes || !probe->gate.dirty)
        return true;
    backup->fate.written |= probe->gate.accepted;
    if (!is_spoilt(backup) && backup_restore_now(probe, reason, sizeof reason))
        return true;
    snprintf(why, size, "%s", backup->why);
    return false;
}

// ---- Keep ----

// The backup of an earlier run is used only if it is known to be of this device.
static bool take_left_over(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char error[PROBE_WORDS];
    bool left_over;
    if (!backup_file_find(probe, &left_over))
        return false;
    if (!left_over || backup->restore)
        return true;
    if (!backup->file.has_serial) {
        snprintf(backup->why, sizeof backup->why,
                 "%.150s is the backup of an interrupted run, and the device has no serial number; "
                 "give it with --restore, or delete it",
                 backup->file.path);
        return false;
    }
    backup->file.damaged =
        !image_file_read(&backup->file.left, backup->file.path, error, sizeof error);
    if (backup->file.damaged)
        return backup_refuse(backup, error);
    backup->restore = &backup->file.left;
    if (backup->options.tell)
        backup->options.tell("an earlier run was interrupted; its backup is put back:",
                             backup->file.path);
    return true;
}

static bool is_for_this_device(const struct probe *probe, const struct image_file *image)
{
    const struct device *devices[] = {&probe->dfu_mode, &probe->run_time};
    for (size_t i = 0; i < 2; i++) {
        if (devices[i]->seen &&
            (image->idVendor == 0xFFFF || image->idVendor == device_vendor(devices[i])) &&
            (image->idProduct == 0xFFFF || image->idProduct == device_product(devices[i])))
            return true;
    }
    return !image->has_suffix;
}

static bool refuse_suffix(struct probe *probe, const struct image_file *image)
{
    snprintf(probe->backup->why, sizeof probe->backup->why,
             "the suffix of the file to restore is for %04x:%04x, and this device is %04x:%04x",
             image->idVendor, image->idProduct, device_vendor(&probe->dfu_mode),
             device_product(&probe->dfu_mode));
    return false;
}

static bool keep_by_dialect(struct probe *probe)
{
    switch (probe->gate.dialect) {
    case GATE_PLAIN:
        return backup_keep_image(probe);
    case GATE_DFUSE:
        return backup_keep_page(probe);
    case GATE_DIALECT_UNKNOWN:
        break;
    }
    return backup_refuse(probe->backup, "bcdDFUVersion and the names of the alternate settings "
                                        "disagree about whether the device is DfuSe");
}

// A device that is lost when its memory is read may be lost again when it is to be put back.
static bool is_still_there(struct probe *probe)
{
    return probe->backup->restore || dfu_to_idle(probe) ||
           backup_refuse(probe->backup, "the device was lost while its memory was read");
}

// An image that was given is downloaded even if no check writes.
static bool keep(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    if (!probe->gate.leave.write)
        return backup_refuse(backup, gate_answer_text(GATE_NEEDS_WRITE));
    backup_know_owner(probe);
    if (!take_left_over(probe))
        return false;
    if (backup->restore && !is_for_this_device(probe, backup->restore))
        return refuse_suffix(probe, backup->restore);
    if (!backup->restore && !dfu_leaves_error(probe))
        return backup_refuse(backup, "the device does not leave dfuERROR, so that nothing could be "
                                     "put back behind a download that fails");
    if (!keep_by_dialect(probe))
        return false;
    if ((backup->is_page && !backup_keep_rest(probe)) || !is_still_there(probe) ||
        !backup_file_write(probe)) {
        free(backup->bytes); // nothing is put back
        backup->bytes = NULL;
        return false;
    }
    if (backup->restore) {
        gate_assume_written(&probe->gate);
        backup->fate.written = true;
        backup_restore_now(probe, why, sizeof why);
        return !backup->fate.differs;
    }
    return true;
}

bool backup_ready(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    if (!backup) {
        snprintf(why, size, "%s", gate_answer_text(GATE_NEEDS_WRITE));
        return false;
    }
    if (!backup->tried && backup_is_in_its_place(probe, backup->why, sizeof backup->why)) {
        backup->tried = true;
        backup->moved = false;
        backup->ready = keep(probe) && backup_prove(probe);
        backup_tell_gate(probe, backup->ready);
        dfu_to_idle(probe);
    }
    if (backup->ready && is_ours(probe, backup->why, sizeof backup->why)) {
        backup_tell_gate(probe, true);
        return true;
    }
    snprintf(why, size, "%s", backup->why);
    return false;
}

bool backup_given(struct probe *probe)
{
    char why[PROBE_WORDS];
    if (backup_ready(probe, why, sizeof why))
        return true;
    const struct backup *backup = probe->backup;
    return backup && (backup->no_file || backup->moved) ? probe_inconclusive(probe, "%s", why)
                                                        : probe_skip(probe, "%s", why);
}

bool backup_is_left_over(struct probe *probe)
{
    bool left_over;
    return backup_file_find(probe, &left_over) && left_over;
}

void backup_finish(struct backup *backup)
{
    backup_file_close(backup);
    image_file_finish(&backup->file.left);
    free(backup->bytes);
    free(backup->rest);
    free(backup->restless);
    free(backup->others);
    *backup = (struct backup){.bytes = NULL};
}
