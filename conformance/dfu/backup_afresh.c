// SPDX-License-Identifier: MIT
//
// An upload after a download may come from a copy in the boot loader's RAM, which says nothing of
// what was programmed. So what was restored is read again when DFU mode was left and entered again:
// after the first restoration of a run, and after the last one. A device that does so by itself
// after manifestation is read in its next stay anyway. One that was not seen at run time may hold
// firmware without a way back: it is not made to leave.

#include <stdio.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>
#include <conformance/modes.h>

// Returns whether it is in another stay now.
static bool enter_anew(struct probe *probe)
{
    char why[PROBE_WORDS];
    uint64_t stay = probe->since.returned_us;
    if (probe->mode == DEVICE_DFU_MODE)
        mode_leave_dfu(probe, false, why, sizeof why);
    if (!mode_enter_dfu(probe, why, sizeof why))
        mode_quieten(probe); // a device that enters it without a disconnect is found by a reset
    return probe->mode == DEVICE_DFU_MODE && probe->since.returned_us != stay && dfu_to_idle(probe);
}

static void doubt(struct backup *backup, const char *why)
{
    backup->fate.unproved = true;
    snprintf(backup->fate.doubt, sizeof backup->fate.doubt,
             "it was read back equal, and then %.200s", why);
}

static bool may_leave(const struct probe *probe)
{
    return !probe->backup->fate.stays && probe->run_time.seen && probe->gate.leave.detach;
}

static bool may_be_read_afresh(const struct probe *probe)
{
    return !probe->backup->fate.unproved && may_leave(probe);
}

bool backup_starts_between(struct probe *probe)
{
    if (!may_leave(probe))
        return true;
    bool anew = enter_anew(probe);
    bool found = anew || (probe->mode == DEVICE_DFU_MODE && dfu_to_idle(probe));
    probe->backup->fate.stays = found && !anew;
    return found;
}

// A check that is ended on the way, by a signal, says nothing of the device: it is read at the end
// of the run then.
bool backup_reads_afresh(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    if (!may_be_read_afresh(probe))
        return true;
    gate_restored(&probe->gate); // it may leave DFU mode
    bool anew = enter_anew(probe);
    bool found = anew || (probe->mode == DEVICE_DFU_MODE && dfu_to_idle(probe));
    if (!found || probe->target->moved)
        return true;
    bool same = backup_compare(probe, why, size); // a bus reset, too, may end a copy
    backup->fate.afresh = backup->fate.seen_afresh = same && anew;
    backup->fate.stays = same && !anew;
    if (!same)
        gate_assume_written(&probe->gate);
    return same;
}

void backup_read_last(struct probe *probe)
{
    struct backup *backup = probe->backup;
    bool home = probe->mode == DEVICE_RUN_TIME;
    char why[PROBE_WORDS];
    if (!backup->bytes || !backup->fate.written || !backup->fate.verified || backup->fate.afresh ||
        probe->gate.dirty || !may_be_read_afresh(probe))
        return;
    if (!backup_reads_afresh(probe, why, sizeof why))
        backup_lose(backup, why);
    else if (!backup->fate.afresh && !backup->fate.stays)
        doubt(backup, probe->target->moved
                          ? "the device came back at another place"
                          : "the device left DFU mode and was not found in it again");
    else if (home && !mode_leave_dfu(probe, false, why, sizeof why))
        doubt(backup, why);
}
