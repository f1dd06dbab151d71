// SPDX-License-Identifier: MIT
//
// What stock tools send, request for request: a device that passes here works with them. These
// are interoperability, not the specification: the sources are dfu-util 0.11 and fwupd.

#include <stdio.h>

#include "check_common.h"

enum {
    DETACH_MS = 1000,       // both tools ask for that
    FWUPD_STATUS_MS = 1500, // fwupd gives GETSTATUS that long
    POLL_MAX_MS = 5000,     // a longer bwPollTimeout looks like a hang
};

static bool select_alternate_0(struct probe *probe)
{
    const struct device *device = probe_device(probe);
    uint8_t number = device->dfu ? device->dfu->bInterfaceNumber : 0;
    int result = probe_set_interface(probe, number, 0);
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "SET_INTERFACE: %s", usb_result_text(result));
    return expect(probe, result == 0, "SET_INTERFACE to alternate 0 is carried out", "%s",
                  usb_result_text(result));
}

// dfu-util reads a STALL as appIDLE and sleeps bwPollTimeout; any other error ends it.
static bool dfu_util_status(struct probe *probe)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_GETSTATUS, 0, sizeof reply);
    int result = probe_control(probe, &setup, reply);
    if (result == USB_STALL)
        return expect(probe, true, "an answer or a STALL", "STALL");
    if (!expect_result(probe, result, sizeof reply, reply))
        return false;

    struct dfu_status_reply status = dfu_status_load(reply);
    if (!expect(probe, status.bwPollTimeout <= POLL_MAX_MS, "bwPollTimeout that can be slept",
                "%u ms", (unsigned)status.bwPollTimeout))
        return false;
    probe_sleep(probe, status.bwPollTimeout, "bwPollTimeout");
    return true;
}

static void dfu_util_detach(struct probe *probe)
{
    if (select_alternate_0(probe) && dfu_util_status(probe) && expect_detach(probe, DETACH_MS))
        expect_dfu_mode(probe, PROBE_DFU_UTIL_MS);
}

// dfu-util clears an error and aborts what is under way, then wants dfuIDLE.
static void dfu_util_begins(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!select_alternate_0(probe) || !expect_getstatus(probe, &status))
        return;
    if (status.bState == DFURT_STATE_dfuERROR) {
        const struct usbdev_setup_packet clear = dfu_setup(probe, DFURT_CLRSTATUS, 0, 0);
        if (!expect_length(probe, &clear, NULL, 0) || !expect_getstatus(probe, &status))
            return;
    } else if (status.bState == DFURT_STATE_dfuDNLOAD_IDLE ||
               status.bState == DFURT_STATE_dfuUPLOAD_IDLE) {
        const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
        if (!expect_length(probe, &abort, NULL, 0) || !expect_getstatus(probe, &status))
            return;
    }
    expect_number(probe, "bState when dfu-util begins", status.bState, DFURT_STATE_dfuIDLE);
}

static void dfu_util_status_ok(struct probe *probe)
{
    struct dfu_status_reply status;
    if (expect_getstatus(probe, &status))
        expect_number(probe, "bStatus when dfu-util begins", status.bStatus, DFURT_STATUS_OK);
}

static void fwupd_status(struct probe *probe)
{
    struct dfu_status_reply status;
    if (expect_getstatus(probe, &status))
        expect_last_within(probe, "GETSTATUS", FWUPD_STATUS_MS);
}

static void fwupd_detach(struct probe *probe)
{
    struct dfu_status_reply status;
    if (given(probe, expect_getstatus(probe, &status)) && expect_detach(probe, DETACH_MS))
        expect_dfu_mode(probe, PROBE_FWUPD_MS);
}

#define DETACH (NEED_RUN_TIME | NEED_DETACH | NEED_DFU_INTERFACE | NEED_FUNCTIONAL)

// clang-format off
static const struct check checks[] = {
    {"INTEROP-DFUUTIL-01", "dfu-util 0.11", LEVEL_MUST,
     "dfu-util -e works: select, status, DETACH, reset if it is needed, DFU mode within 5 s",
     DETACH, dfu_util_detach},
    {"INTEROP-DFUUTIL-02", "dfu-util 0.11", LEVEL_MUST,
     "dfu-util finds the boot loader in dfuIDLE, or can bring it there",
     NEED_DFU_MODE, dfu_util_begins},
    {"INTEROP-DFUUTIL-03", "dfu-util 0.11", LEVEL_MUST,
     "dfu-util finds the boot loader without an error",
     NEED_DFU_MODE, dfu_util_status_ok},
    {"INTEROP-FWUPD-01", "fwupd", LEVEL_SHOULD,
     "fwupd can attach: GETSTATUS returns 6 bytes within 1.5 s at run time",
     NEED_RUN_TIME | NEED_DFU_INTERFACE, fwupd_status},
    {"INTEROP-FWUPD-02", "fwupd", LEVEL_SHOULD,
     "fwupd can detach: status, DETACH, reset if it is needed, DFU mode within 10 s",
     DETACH, fwupd_detach},
};
// clang-format on

const struct check_group check_interop = {
    .title = "dfu-util and fwupd",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
