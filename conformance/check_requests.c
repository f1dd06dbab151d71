// SPDX-License-Identifier: MIT
//
// The DFU requests at run time, one by one (DFU 1.1 chapters 3 and 6.1).

#include <stdio.h>

#include "probe.h"

// GETSTATUS and GETSTATE are optional in appIDLE (table A.2.1): a STALL ends the check well.
static bool ask(struct probe *probe, uint8_t bRequest, uint8_t *reply, uint16_t length)
{
    const struct usb_setup setup = dfu_setup(probe, bRequest, 0, length);
    int result = probe_control(probe, &setup, reply);
    if (result == TARGET_ERR_STALL) {
        expect(probe, true, "", "STALL");
        probe_note(probe, "the device STALLs it in appIDLE, as it may");
        return false;
    }
    return expect_result(probe, result, length, reply);
}

static void getstatus_length(struct probe *probe)
{
    uint8_t reply[DFU_STATUS_REPLY_SIZE];
    ask(probe, DFU_GETSTATUS, reply, sizeof reply);
}

static void getstate_length(struct probe *probe)
{
    uint8_t state;
    ask(probe, DFU_GETSTATE, &state, sizeof state);
}

static const struct check checks[] = {
    {"REQ-01a", "DFU 1.1 6.1.2", LEVEL_MUST, "GETSTATUS returns 6 bytes", NEED_RUN_TIME,
     getstatus_length},
    {"REQ-01b", "DFU 1.1 6.1.5", LEVEL_MUST, "GETSTATE returns 1 byte", NEED_RUN_TIME,
     getstate_length},
};

const struct check_group check_requests = {
    .title = "Requests at run time",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
