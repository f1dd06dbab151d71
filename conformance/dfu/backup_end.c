// SPDX-License-Identifier: MIT
//
// The last line of a run: how the flash was left, and what a person has to do if it is not as it
// was.

#include <stdio.h>
#include <unistd.h>

#include "backup_private.h"

// Why no check asked for leave to write.
static const char *untried_text(const struct device *device)
{
    if (!device->seen)
        return "DFU mode was not reached";
    if (!device->functional)
        return "the boot loader has no functional descriptor, which says what can be written";
    if (!(device_attributes(device) & DFURT_ATTR_CAN_DNLOAD))
        return "the boot loader cannot download (bitCanDnload = 0)";
    return "no check needed to write";
}

// The device was told to program what was there. A file that it programs as other bytes restores
// nothing, whoever downloads it.
static enum flash_ending end_lost(struct probe *probe, const char *path, char *line, size_t size)
{
    const struct backup *backup = probe->backup;
    const char *loss =
        backup->fate.lost ? backup->fate.loss : "the device was written to and no longer answers";
    bool unread = backup->fate.lost && backup->fate.unread;
    if (!unread && (backup->fate.differs || backup->fate.differs_beside)) {
        snprintf(line, size,
                 "flash LOST: %.120s; the device does not program what it is sent: restore with "
                 "its maker's tool and file%s%.100s",
                 loss, *path ? ", not with " : "", path);
        return FLASH_LOST;
    }
    snprintf(line, size,
             "flash %s: %.120s; restore with dfu-conformance --allow-write --restore "
             "%.120s",
             unread ? "NOT verified" : "LOST", loss, *path ? path : "FILE");
    return unread ? FLASH_NOT_VERIFIED : FLASH_LOST;
}

// What was seen of a restoration, and no more.
static const char *restored_text(const struct backup *backup)
{
    if (!backup->fate.afresh)
        return "restored (read back equal, in the same stay in DFU mode)";
    return "restored (verified)";
}

static enum flash_ending end_unkept(struct probe *probe, char *line, size_t size)
{
    const struct backup *backup = probe->backup;
    if (*backup->file.path && access(backup->file.path, F_OK) == 0) {
        snprintf(line, size, "flash NOT verified: an interrupted run left the backup %.120s; %s",
                 backup->file.path,
                 backup->file.damaged
                     ? "it cannot be read or is damaged: give the firmware with --allow-write "
                       "--restore, and delete it"
                     : "put it back with --allow-write --restore and this file, or delete it if "
                       "you have flashed the device since");
        return FLASH_NOT_VERIFIED;
    }
    snprintf(line, size, "flash not written: %s",
             !probe->gate.leave.write         ? "--allow-write was not given"
             : backup->tried || backup->moved ? backup->why
                                              : untried_text(&probe->dfu_mode));
    return FLASH_NOT_WRITTEN;
}

enum flash_ending backup_end(struct probe *probe, char *line, size_t size)
{
    struct backup *backup = probe->backup;
    const char *path =
        backup->options.restore_path ? backup->options.restore_path : backup->file.path;
    if (!backup->bytes)
        return end_unkept(probe, line, size);
    if (backup->fate.untouched) {
        snprintf(line, size, "flash NOT verified: the device refused each block (%.120s)%s%.100s",
                 backup->fate.loss, *path ? "; what was read is in " : "", path);
        return FLASH_NOT_VERIFIED;
    }
    if (backup->fate.lost || probe->gate.dirty)
        return end_lost(probe, path, line, size);
    if (backup->fate.unproved || !backup->fate.verified) {
        snprintf(line, size, "flash NOT verified: %.180s%s%.100s", backup->fate.doubt,
                 *path ? "; what was read is in " : "", path);
        return FLASH_NOT_VERIFIED;
    }
    backup_file_remove(backup);
    snprintf(line, size, "flash %s%s",
             backup->fate.written ? restored_text(backup) : "unchanged (verified)",
             backup->is_page && !backup->rest ? ": the page that was written" : "");
    return backup->fate.written ? FLASH_RESTORED : FLASH_UNCHANGED;
}
