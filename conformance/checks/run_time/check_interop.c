// SPDX-License-Identifier: MIT
//
// What stock tools send, request for request, and how they react to the answers: a device that
// passes here works with them. These are interoperability, not the specification, and so no must:
// the sources are dfu-util 0.11, fwupd 2.0 and webdfu; of WinUSB and STM32CubeProgrammer, which
// have none to read, what their documentation says. Where a tool cannot do with a device that is
// right, the note says so, and what helps.

#include <stdio.h>
#include <string.h>

#include "interop_steps.h"
#include <conformance/dfu_steps.h>

enum {
    DETACH_MS = 1000,       // all three tools ask for that
    FWUPD_STATUS_MS = 1500, // fwupd gives GETSTATUS that long
    FWUPD_BLOCK = 64,       // of a device whose wTransferSize it does not find
    POLL_MAX_MS = 5000,     // a longer bwPollTimeout looks like a hang
};

// ---- dfu-util at run time ----

// Where a step is not as dfu-util needs it, it ends with these words; behind the note that there
// is.
static bool or_ends_with(struct probe *probe, bool met, const char *words)
{
    struct finding *finding = &probe->judgement.finding;
    size_t length = strlen(finding->message);
    if (!met && *finding->expected)
        snprintf(finding->message + length, sizeof finding->message - length,
                 "%sdfu-util ends with \"%s\"", length ? "; " : "", words);
    return met;
}

static bool dfu_util_selects(struct probe *probe)
{
    return or_ends_with(probe, selects_alternate_0(probe),
                        probe->mode == DEVICE_DFU_MODE ? "Cannot set alternate interface"
                                                       : "Cannot set alt interface zero");
}

static bool sleep_poll(struct probe *probe, const struct dfu_status_reply *status)
{
    if (!expect(probe, status->bwPollTimeout <= POLL_MAX_MS, "bwPollTimeout that can be slept",
                "%u ms", (unsigned)status->bwPollTimeout))
        return false;
    probe_sleep(probe, status->bwPollTimeout, "bwPollTimeout");
    return true;
}

static int ask_status(struct probe *probe, uint8_t reply[DFURT_STATUS_REPLY_SIZE])
{
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_GETSTATUS, 0, DFURT_STATUS_REPLY_SIZE);
    return probe_control(probe, &setup, reply);
}

// A shorter reply is dfuERROR to dfu-util, an error ends it. Then it sleeps bwPollTimeout.
static bool dfu_util_reads(struct probe *probe,
                           int result,
                           const uint8_t reply[DFURT_STATUS_REPLY_SIZE],
                           struct dfu_status_reply *ret_status)
{
    bool met = expect_result(probe, result, DFURT_STATUS_REPLY_SIZE, reply);
    if (result < 0)
        or_ends_with(probe, met, "error get_status");
    if (!met)
        return false;
    *ret_status = dfu_status_load(reply);
    return sleep_poll(probe, ret_status);
}

// dfu-util reads a STALL at run time as appIDLE. Another state than appIDLE and appDETACH is DFU
// mode to it: it sends no DETACH.
static bool dfu_util_status(struct probe *probe)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    struct dfu_status_reply status;
    int result = ask_status(probe, reply);
    if (result == USB_STALL)
        return expect(probe, true, "an answer or a STALL", "STALL");
    return dfu_util_reads(probe, result, reply, &status) &&
           expect_application_state(probe, status.bState, "dfu-util");
}

#define DFU_UTIL_THEN "dfu-util warns \"error detaching\" and continues"

static void dfu_util_detach(struct probe *probe)
{
    if (dfu_util_selects(probe) && dfu_util_status(probe))
        or_ends_with(probe,
                     detach_despite_errors(probe, DETACH_MS, PROBE_DFU_UTIL_MS, DFU_UTIL_THEN),
                     "Lost device after RESET?");
}

// ---- dfu-util in DFU mode ----

// dfu-util clears an error and aborts what is under way, and asks again each time.
static bool dfu_util_settles(struct probe *probe, struct dfu_status_reply *status)
{
    enum { ROUNDS = 10 };
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t reply[DFURT_STATUS_REPLY_SIZE];
        if (!dfu_util_reads(probe, ask_status(probe, reply), reply, status))
            return false;
        if (status->bState == DFURT_STATE_dfuERROR) {
            if (!or_ends_with(probe, send_without_data(probe, DFURT_CLRSTATUS),
                              "error clear_status"))
                return false;
        } else if (status->bState == DFURT_STATE_dfuDNLOAD_IDLE ||
                   status->bState == DFURT_STATE_dfuUPLOAD_IDLE) {
            if (!or_ends_with(probe, send_without_data(probe, DFURT_ABORT), "can't send DFU_ABORT"))
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
    if (!given_fresh_dfu_mode(probe, DFU_UTIL_THEN) || !dfu_util_selects(probe) ||
        !dfu_util_settles(probe, &status))
        return;
    bool met =
        expect_number(probe, "bState when dfu-util begins", status.bState, DFURT_STATE_dfuIDLE);
    if (status.bState <= DFURT_STATE_appDETACH)
        or_ends_with(probe, met, "Device still in Run-Time Mode!");
}

// A status other than OK is cleared once; then dfu-util exits.
static void dfu_util_status_ok(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!given_fresh_dfu_mode(probe, DFU_UTIL_THEN) || !given(probe, selects_alternate_0(probe)) ||
        !given(probe, dfu_util_settles(probe, &status)))
        return;
    bool clears = status.bStatus != DFURT_STATUS_OK;
    if (clears &&
        !or_ends_with(probe,
                      send_without_data(probe, DFURT_CLRSTATUS) && expect_getstatus(probe, &status),
                      "USB communication error"))
        return;
    char words[64];
    snprintf(words, sizeof words, "Status is not OK: %u", status.bStatus);
    or_ends_with(
        probe,
        expect_number(probe, "bStatus when dfu-util begins", status.bStatus, DFURT_STATUS_OK),
        words);
}

// dfu-util waits 5 s after DETACH before it looks for the boot loader, which may have started its
// firmware again by then.
static void dfu_util_finds(struct probe *probe)
{
    if (!given_fresh_dfu_mode(probe, DFU_UTIL_THEN))
        return;
    probe->judgement.awaits_departure = true;
    expect(probe, true, "the boot loader", "the boot loader");
    if (probe_wait_leave(probe, PROBE_DFU_UTIL_MS, "dfu-util to look for the boot loader") != 0)
        return;
    unsigned stayed_ms = (unsigned)((probe_now_us(probe) - probe->since.returned_us) / 1000);
    probe_note(probe,
               "the boot loader left DFU mode by itself %u ms after it came up, as it may: "
               "dfu-util, which looks for it 5 s after DETACH, ends with \"Lost device after "
               "RESET?\", unless -E sets a shorter time",
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
    int result = ask_status(probe, reply);
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
    if (selects_alternate_0(probe) && expect_detach(probe, DETACH_MS))
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
    if (!given_fresh_dfu_mode(probe, "webdfu shows that, and begins when it is connected again") ||
        !selects_alternate_0(probe))
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
