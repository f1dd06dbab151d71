// SPDX-License-Identifier: MIT
//
// After a download that the device did not take to its end. What a device says of a download is not
// what its memory holds: two uploads decide, of one whose upload was seen to return what was
// downloaded. If it can start what it holds, it must. Nothing is known to be lost where no byte
// was read as another one, of a device that still answers.

#include <stdio.h>
#include <string.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>
#include <conformance/download.h>

// ---- After a restore ----

struct reading {
    bool same;
    bool other; // a byte at least
    char words[PROBE_WORDS];
};

// After a download that was not ended: what differs then says nothing of how a block is programmed.
static struct reading read_twice(struct probe *probe)
{
    struct backup *backup = probe->backup;
    struct reading reading = {.words = "the device cannot upload"};
    char *words = reading.words;
    if (backup->is_page || device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD)
        reading.same = backup_compare(probe, words, sizeof reading.words) &&
                       backup_compare(probe, words, sizeof reading.words) &&
                       backup_restore_rest(probe, words, sizeof reading.words);
    reading.other = backup->fate.differs || backup->fate.differs_beside;
    backup->fate.differs = false;
    return reading;
}

bool backup_is_whole(struct probe *probe, char *refusal, size_t size)
{
    struct backup *backup = probe->backup;
    const struct gate *gate = &probe->gate;
    char why[PROBE_WORDS] = "the upload was not seen to return what was downloaded";
    bool starts = !backup->is_page && probe->run_time.seen && gate->leave.detach;
    const struct reading reading = read_twice(probe);
    if (!reading.same) {
        size_t used = strlen(refusal);
        uint8_t state;
        backup->fate.unread = !reading.other && dfu_ask_state(probe, &state);
        backup->fate.untouched = !reading.other && !gate->worked && !gate->unanswered;
        if (strcmp(refusal, reading.words) != 0)
            snprintf(refusal + used, size - used, "; %.80s", reading.words);
        return false;
    }
    gate_restored(&probe->gate); // it may leave DFU mode
    if (starts ? !backup_starts_as_before(probe, why, sizeof why) : !backup->fate.proved) {
        backup->fate.unproved = true;
        snprintf(
            backup->fate.doubt, sizeof backup->fate.doubt,
            "the device did not take the backup (%.60s), and is read as equal to it, but %.80s",
            refusal, why);
    }
    return true;
}

// ---- A memory that is not to be written ----

static bool says_protected(const struct dfu_status_reply *status)
{
    switch (status->bStatus) {
    case DFURT_STATUS_errTARGET:
    case DFURT_STATUS_errWRITE:
    case DFURT_STATUS_errERASE:
    case DFURT_STATUS_errADDRESS:
    case DFURT_STATUS_errVENDOR:
        return status->bState == DFURT_STATE_dfuERROR;
    default:
        return false;
    }
}

bool backup_is_write_protected(struct probe *probe)
{
    struct dfu_status_reply status;
    if (probe->dfu_mode.config.interface_count < 2)
        return false;
    download_begin(probe);
    if (download_next_block(probe) < 0 || dfu_poll(probe, &status) != 0 || !says_protected(&status))
        return false;
    snprintf(
        probe->backup->why, sizeof probe->backup->why,
        "needs a memory of alternate setting 0 that can be written: its first block ends in %s",
        usb_dfu_status_name(status.bStatus));
    return true;
}
