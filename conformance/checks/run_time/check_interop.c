// SPDX-License-Identifier: MIT
//
// What stock tools send, request for request, and how they react to the answers: a device that
// passes here works with them. These are interoperability, not the specification, and so no must:
// the sources are dfu-util 0.11, fwupd 2.0 and webdfu; of WinUSB and STM32CubeProgrammer, which
// have none to read, what their documentation says. Where a tool cannot do with a device that is
// right, the note says so, and what helps.

#include <stdio.h>

#include <conformance/check_common.h>
#include <conformance/dfu_steps.h>

enum {
    DETACH_MS = 1000,       // all three tools ask for that
    FWUPD_STATUS_MS = 1500, // fwupd gives GETSTATUS that long
    FWUPD_BLOCK = 64,       // of a device whose wTransferSize it does not find
    POLL_MAX_MS = 5000,     // a longer bwPollTimeout looks like a hang
};

// ---- dfu-util at run time ----

static unsigned settings_of_dfu(const struct device *device)
{
    unsigned count = 0;
    for (size_t i = 0; i < device->config.interface_count; i++)
        count += device->config.interfaces[i].bInterfaceNumber == device->dfu->bInterfaceNumber;
    return count;
}

// Setting 0 is selected where there are alternates; where there are none, and the interface is not
// the first, too, but then a STALL, which is legal, does not reach the tool: the kernel takes it
// for success.
static bool select_alternate_0(struct probe *probe)
{
    const struct device *device = probe_device(probe);
    unsigned settings = device->dfu ? settings_of_dfu(device) : 0;
    if (!device->dfu || (device->dfu->bInterfaceNumber == 0 && settings == 1))
        return true;
    int result = probe_set_interface(probe, device->dfu->bInterfaceNumber, 0);
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "SET_INTERFACE: %s", usb_result_text(result));
    return expect(probe, result == 0 || (result == USB_STALL && settings == 1),
                  "SET_INTERFACE to alternate 0 is carried out", "%s", usb_result_text(result));
}

static bool sleep_poll(struct probe *probe, const struct dfu_status_reply *status)
{
    if (!expect(probe, status->bwPollTimeout <= POLL_MAX_MS, "bwPollTimeout that can be slept",
                "%u ms", (unsigned)status->bwPollTimeout))
        return false;
    probe_sleep(probe, status->bwPollTimeout, "bwPollTimeout");
    return true;
}

static bool expect_application_state(struct probe *probe, uint8_t bState, const char *tool)
{
    char expected[PROBE_WORDS];
    snprintf(expected, sizeof expected, "bState appIDLE or appDETACH: %s takes others for DFU mode",
             tool);
    return expect(probe, bState <= DFURT_STATE_appDETACH, expected, "%u, %s", bState,
                  usb_dfu_state_name(bState));
}

// dfu-util reads a STALL as appIDLE and sleeps bwPollTimeout; any other error ends it, and another
// state than appIDLE and appDETACH is DFU mode to it: it sends no DETACH.
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
    return sleep_poll(probe, &status) && expect_application_state(probe, status.bState, "dfu-util");
}

// dfu-util prints a warning for an error of DETACH and continues; RT-DETACH-01 judges the device.
static bool detach_as_dfu_util_does(struct probe *probe)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, DETACH_MS, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result < 0)
        probe_note(probe, "DETACH: %s; dfu-util warns and continues", usb_result_text(result));
    return expect_dfu_mode(probe, PROBE_DFU_UTIL_MS);
}

static void dfu_util_detach(struct probe *probe)
{
    if (select_alternate_0(probe) && dfu_util_status(probe))
        detach_as_dfu_util_does(probe);
}

// ---- dfu-util in DFU mode ----

// The boot loader directly after its enumeration, before any request: detached from run time again.
static bool given_fresh_dfu_mode(struct probe *probe)
{
    if (!probe->run_time.seen) {
        probe_note(probe, "the run began in DFU mode: the device was not seen after a detach");
        return true;
    }
    return back_to_run_time(probe) && given(probe, expect_detach(probe, probe_detach_time(probe)) &&
                                                       expect_dfu_mode(probe, PROBE_RETURN_MS));
}

static bool send_without_data(struct probe *probe, uint8_t bRequest)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, 0);
    return expect_length(probe, &setup, NULL, 0);
}

// dfu-util clears an error and aborts what is under way, and asks again each time.
static bool dfu_util_settles(struct probe *probe, struct dfu_status_reply *status)
{
    enum { ROUNDS = 10 };
    for (int i = 0; i < ROUNDS; i++) {
        if (!expect_getstatus(probe, status) || !sleep_poll(probe, status))
            return false;
        if (status->bState == DFURT_STATE_dfuERROR) {
            if (!send_without_data(probe, DFURT_CLRSTATUS))
                return false;
        } else if (status->bState == DFURT_STATE_dfuDNLOAD_IDLE ||
                   status->bState == DFURT_STATE_dfuUPLOAD_IDLE) {
            if (!send_without_data(probe, DFURT_ABORT))
                return false;
        } else {
            break;
        }
    }
    return true;
}

static void dfu_util_begins(struct probe *probe)
{
    struct dfu_status_reply status;
    if (given_fresh_dfu_mode(probe) && select_alternate_0(probe) &&
        dfu_util_settles(probe, &status))
        expect_number(probe, "bState when dfu-util begins", status.bState, DFURT_STATE_dfuIDLE);
}

// A status other than OK is cleared once; then dfu-util exits.
static void dfu_util_status_ok(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!given_fresh_dfu_mode(probe) || !given(probe, select_alternate_0(probe)) ||
        !given(probe, dfu_util_settles(probe, &status)))
        return;
    if (status.bStatus != DFURT_STATUS_OK &&
        (!send_without_data(probe, DFURT_CLRSTATUS) || !expect_getstatus(probe, &status)))
        return;
    expect_number(probe, "bStatus when dfu-util begins", status.bStatus, DFURT_STATUS_OK);
}

// dfu-util waits 5 s after DETACH before it looks for the boot loader, which may have started its
// firmware again by then.
static void dfu_util_finds(struct probe *probe)
{
    if (!given_fresh_dfu_mode(probe))
        return;
    probe->judgement.awaits_departure = true;
    expect(probe, true, "the boot loader", "the boot loader");
    if (probe_wait_leave(probe, PROBE_DFU_UTIL_MS, "dfu-util to look for the boot loader") != 0)
        return;
    unsigned stayed_ms = (unsigned)((probe_now_us(probe) - probe->since.returned_us) / 1000);
    probe_note(probe,
               "the boot loader left DFU mode by itself %u ms after it came up, as it may: "
               "dfu-util, which looks for it 5 s after DETACH, does not find it, unless -E sets a "
               "shorter time",
               stayed_ms);
}

// ---- fwupd ----

static void fwupd_status(struct probe *probe)
{
    struct dfu_status_reply status;
    if (expect_getstatus(probe, &status))
        expect_last_within(probe, "GETSTATUS", FWUPD_STATUS_MS);
}

// fwupd stops where GETSTATUS is not answered (INTEROP-FWUPD-01) and where DETACH ends in an error,
// and sends none to a device whose state is one of DFU mode.
static void fwupd_detach(struct probe *probe)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_GETSTATUS, 0, sizeof reply);
    int result = probe_control(probe, &setup, reply);
    if (result == USB_STALL) {
        probe_inapplicable(probe, "a device that answers GETSTATUS in appIDLE");
        return;
    }
    if (given(probe, expect_result(probe, result, sizeof reply, reply)) &&
        expect_application_state(probe, dfu_status_load(reply).bState, "fwupd") &&
        expect_detach(probe, DETACH_MS))
        expect_dfu_mode(probe, PROBE_FWUPD_MS);
}

// fwupd takes the descriptor behind an interface descriptor of class FEh for that interface's own,
// and has no wTransferSize where that is the next alternate setting: then it sends blocks of 64
// bytes, which loaders that compute an address from wBlockNum scatter.
static void fwupd_finds_size(struct probe *probe)
{
    const struct device *device = &probe->dfu_mode;
    const struct usb_interface *next = device->dfu + 1;
    const struct usb_interface *end = device->config.interfaces + device->config.interface_count;
    bool hidden = next < end && next->bInterfaceNumber == device->dfu->bInterfaceNumber &&
                  device->functional && device->functional->offset > next->offset;
    expect(probe, true, "a functional descriptor", "one");
    if (hidden && device->functional->wTransferSize != FWUPD_BLOCK)
        probe_note(
            probe,
            "several alternate settings stand before the functional descriptor, as they may: "
            "fwupd does not see wTransferSize; its quirk is DfuForceTransferSize = %u",
            device->functional->wTransferSize);
}

// Behind the download of nothing fwupd asks GETSTATUS once and reads back at once, which a device
// in dfuMANIFEST refuses; its quirk manifest-poll waits for manifestation, but only after that.
static void fwupd_reads_back(struct probe *probe)
{
    expect(probe, true, "a functional descriptor", "one");
    probe_note(probe,
               "fwupd reads back without waiting for manifestation, and fails where the device "
               "refuses that, as A.2.8 demands; its quirk is ignore-upload");
}

// ---- webdfu, and hosts that cannot reset the bus ----

// webdfu waits 5 s for the device to leave, and cannot reset the bus; nor can a program on WinUSB.
static void webdfu_detach(struct probe *probe)
{
    if (!device_will_detach(&probe->run_time)) {
        expect(probe, true, "bitWillDetach", "0");
        probe_note(probe, "bitWillDetach = 0: webdfu, and dfu-util on Windows, cannot bring the "
                          "device into DFU mode, for they cannot reset the bus");
        return;
    }
    if (select_alternate_0(probe) && expect_detach(probe, DETACH_MS))
        expect_leave(probe);
}

// First webdfu clears an error that GETSTATUS reports; that either request fails is nothing to it.
static void webdfu_clears(struct probe *probe)
{
    const struct usbdev_setup_packet clear = dfu_setup(probe, DFURT_CLRSTATUS, 0, 0);
    struct dfu_status_reply status;
    if (dfu_ask(probe, &status) && status.bState == DFURT_STATE_dfuERROR)
        probe_control(probe, &clear, NULL);
}

// Of a DfuSe device it asks GETSTATE, and sends ABORT where that is not dfuIDLE, which STALLs in
// dfuERROR (A.2.11): then it gives up.
static void webdfu_begins_dfuse(struct probe *probe)
{
    uint8_t state;
    if (!expect_getstate(probe, &state) ||
        (state != DFURT_STATE_dfuIDLE && !send_without_data(probe, DFURT_ABORT)) ||
        !expect_getstate(probe, &state))
        return;
    expect_number(probe, "bState when webdfu begins to read", state, DFURT_STATE_dfuIDLE);
}

static void webdfu_reads(struct probe *probe)
{
    static uint8_t block[PROBE_CONTROL_MAX];
    if (!given_fresh_dfu_mode(probe) || !select_alternate_0(probe))
        return;
    webdfu_clears(probe);
    if (device_is_dfuse(&probe->dfu_mode)) {
        webdfu_begins_dfuse(probe);
        return;
    }
    int result = dfu_upload(probe, 0, block, dfu_transfer_size(probe));
    expect(probe, result >= 0, "the first block of an UPLOAD", "%s", usb_result_text(result));
}

// ---- STM32CubeProgrammer ----

// It lists devices with the ids of ST's ROM by their serial number, and takes memory from the names
// of the alternate settings; other ids are given to it as VID= and PID=.
static void cubeprogrammer_lists(struct probe *probe)
{
    const struct device *device = &probe->dfu_mode;
    char serial[PROBE_WORDS / 2];
    if (!given_serial(probe, serial, sizeof serial) ||
        !expect(probe, *serial, "a serial number, by which it names a device", "none"))
        return;
    for (size_t i = 0; i < probe->loader.layout_count; i++) {
        if (!given(probe, expect(probe, !*probe->loader.layouts[i].problem, "a layout", "%s",
                                 probe->loader.layouts[i].problem)))
            return;
    }
    if (device_vendor(device) != 0x0483 || device_product(device) != 0xDF11)
        probe_note(probe, "STM32CubeProgrammer finds the device by VID=0x%04X PID=0x%04X",
                   device_vendor(device), device_product(device));
}

#define DETACH (NEED_RUN_TIME | NEED_DETACH | NEED_DFU_INTERFACE | NEED_FUNCTIONAL)

// clang-format off
static const struct check checks[] = {
    {"INTEROP-DFUUTIL-01", "dfu-util 0.11", LEVEL_SHOULD,
     "dfu-util -e works: select, status, DETACH, reset if it is needed, DFU mode within 5 s",
     DETACH, dfu_util_detach},
    {"INTEROP-DFUUTIL-02", "dfu-util 0.11", LEVEL_SHOULD,
     "dfu-util finds the boot loader in dfuIDLE, or can bring it there",
     NEED_DFU_MODE | NEED_DETACH, dfu_util_begins},
    {"INTEROP-DFUUTIL-03", "dfu-util 0.11", LEVEL_SHOULD,
     "dfu-util finds the boot loader without an error, or can clear it",
     NEED_DFU_MODE | NEED_DETACH, dfu_util_status_ok},
    {"INTEROP-DFUUTIL-04", "dfu-util 0.11", LEVEL_INFO,
     "dfu-util finds the boot loader 5 s after DETACH, or needs -E",
     NEED_DFU_MODE | NEED_DETACH, dfu_util_finds},
    {"INTEROP-FWUPD-01", "fwupd", LEVEL_SHOULD,
     "fwupd can attach: GETSTATUS returns 6 bytes within 1.5 s at run time",
     NEED_RUN_TIME | NEED_DFU_INTERFACE, fwupd_status},
    {"INTEROP-FWUPD-02", "fwupd", LEVEL_SHOULD,
     "fwupd can detach: status, DETACH, reset if it is needed, DFU mode within 10 s",
     DETACH, fwupd_detach},
    {"INTEROP-FWUPD-03", "fwupd", LEVEL_INFO,
     "fwupd finds wTransferSize, or needs a quirk",
     NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_FUNCTIONAL, fwupd_finds_size},
    {"INTEROP-FWUPD-04", "fwupd", LEVEL_INFO,
     "fwupd can read back what it downloaded, or needs a quirk",
     NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_CAN_UPLOAD | NEED_PLAIN, fwupd_reads_back},
    {"INTEROP-WEBDFU-01", "webdfu", LEVEL_SHOULD,
     "webdfu can detach: DETACH, and the device leaves within 5 s without a bus reset",
     DETACH, webdfu_detach},
    {"INTEROP-WEBDFU-02", "webdfu", LEVEL_INFO,
     "webdfu can begin to read: an error is cleared; then UPLOAD, or with DfuSe GETSTATE and ABORT",
     NEED_DFU_MODE | NEED_DETACH | NEED_CAN_UPLOAD, webdfu_reads},
    {"INTEROP-CUBEPROG-01", "STM32CubeProgrammer", LEVEL_INFO,
     "STM32CubeProgrammer can name the boot loader and knows its memory",
     NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_DFUSE, cubeprogrammer_lists},
};
// clang-format on

const struct check_group check_interop = {
    .title = "Stock tools",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
