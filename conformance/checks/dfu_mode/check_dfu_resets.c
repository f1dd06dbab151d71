// SPDX-License-Identifier: MIT
//
// Bus resets in DFU mode (DFU 1.1 A.2.3 to A.2.11).

#include "dfu_transfers.h"
#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/modes.h>

static bool reset_and_find(struct probe *probe)
{
    int result = probe_reset(probe);
    if (result == USB_GONE)
        return expect_return(probe, PROBE_RETURN_MS, "the device after the bus reset");
    return result == 0 || probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));
}

// Is the firmware not what the device was seen to start at run time, as far as it is known? A
// device may hold the same bytes, and have refused to manifest them.
static bool is_doubtful(struct probe *probe)
{
    const struct backup *backup = probe->backup;
    if (!backup || !backup->fate.unproved)
        return false;
    probe_inconclusive(probe, "the firmware is not known to be valid: %s", backup->fate.doubt);
    return true;
}

// A bus reset with valid firmware ends DFU mode, in this state. That the firmware is valid is known
// of a device that was seen at run time.
static void expect_reset_ends(struct probe *probe, uint8_t bState)
{
    char why[PROBE_WORDS];
    if (!probe->run_time.seen) {
        probe_inapplicable(probe, "a device whose firmware is known to be valid");
        return;
    }
    if (!backup_restore(probe, why, sizeof why)) {
        probe_inconclusive(probe, "%s", why);
        return;
    }
    if (!is_doubtful(probe) && dfu_enter_state(probe, bState, DFU_NO_QUESTION) &&
        reset_and_find(probe))
        expect(probe, probe->mode == DEVICE_RUN_TIME, "run time after the bus reset",
               "the device is in DFU mode");
}

static void reset_in_idle(struct probe *probe)
{
    expect_reset_ends(probe, DFURT_STATE_dfuIDLE);
}

static void reset_in_upload_idle(struct probe *probe)
{
    expect_reset_ends(probe, DFURT_STATE_dfuUPLOAD_IDLE);
}

static void reset_in_error(struct probe *probe)
{
    expect_reset_ends(probe, DFURT_STATE_dfuERROR);
}

// The proof before the first write, or an earlier check, may have brought it into the state, and no
// bus reset out of it.
static void reset_after_manifestation(struct probe *probe)
{
    if (!probe->run_time.seen) {
        probe_inapplicable(probe, "a device whose firmware is known to start");
        return;
    }
    struct dfu_status_reply last;
    char why[PROBE_WORDS];
    backup_ready(probe, why, sizeof why);
    if (!mode_needs_power(probe) && !given(probe, expect_download(probe, &last)))
        return;
    mode_outwait_restart(probe);
    if (probe->mode == DEVICE_RUN_TIME) {
        probe_inapplicable(probe, "a device that waits for a bus reset after manifestation");
        return;
    }
    if (!reset_and_find(probe))
        return;
    expect(probe, probe->mode == DEVICE_RUN_TIME, "run time after the bus reset",
           "the device is in DFU mode");
}

// All of the image is there, and only manifestation is missing: a loader that does not detect this
// starts the complete image, unless something else than its firmware keeps it in DFU mode.
static void reset_before_manifestation(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!prepare_download(probe) || !given(probe, expect_image_taken(probe)) ||
        !reset_and_find(probe))
        return;
    if (probe->mode == DEVICE_RUN_TIME) {
        expect(probe, true, "run time, or errFIRMWARE", "run time");
        probe_note(probe, "the device starts the firmware that it has, as it may");
        return;
    }
    if (!expect_getstatus(probe, &status))
        return;
    if (status.bState == DFURT_STATE_dfuIDLE && !probe->run_time.seen) {
        probe_inapplicable(probe, "a device whose firmware is known to start");
        return;
    }
    expect(probe, status.bState == DFURT_STATE_dfuERROR, "dfuERROR", "%s",
           usb_dfu_state_name(status.bState));
    expect_number(probe, "bStatus", status.bStatus, DFURT_STATUS_errFIRMWARE);
}

#define IN_DFU_MODE (NEED_DFU_MODE | NEED_DFU_INTERFACE)
#define WRITING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_PLAIN | NEED_WRITE)
#define RESETTING (IN_DFU_MODE | NEED_PLAIN | NEED_RESET)

// clang-format off
static const struct check checks[] = {
    {"DM-RESET-01", "DFU 1.1 A.2.3", LEVEL_MUST,
     "a bus reset in dfuIDLE with valid firmware leads to run time",
     RESETTING, reset_in_idle, .judges_return = true},
    {"DM-RESET-02", "DFU 1.1 A.2.10", LEVEL_MUST,
     "a bus reset in dfuUPLOAD-IDLE with valid firmware leads to run time",
     RESETTING | NEED_CAN_UPLOAD, reset_in_upload_idle},
    {"DM-RESET-03", "DFU 1.1 A.2.11", LEVEL_MUST,
     "a bus reset in dfuERROR with valid firmware leads to run time",
     RESETTING, reset_in_error},
    {"DM-RESET-04", "DFU 1.1 A.2.9", LEVEL_MUST,
     "a bus reset after manifestation leads to run time",
     WRITING | NEED_RESET, reset_after_manifestation},
    {"DM-RESET-05", "DFU 1.1 A.2.6", LEVEL_MUST,
     "a bus reset before manifestation leads to run time, or to dfuERROR with errFIRMWARE",
     WRITING | NEED_RESET, reset_before_manifestation},
};
// clang-format on

const struct check_group check_dfu_resets = {
    .title = "Bus reset in DFU mode",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
