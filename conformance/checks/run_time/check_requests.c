// SPDX-License-Identifier: MIT
//
// The DFU requests at run time, one by one (DFU 1.1 chapters 3 and 6.1): what they return, in what
// time, and what a device does after it has sent STALL.

#include <stdio.h>

#include <conformance/check_common.h>

// ---- GETSTATUS and GETSTATE ----

// Both are optional in appIDLE (table A.2.1): a device that STALLs them gives no answer to judge.
static bool
expect_state_reply(struct probe *probe, uint8_t bRequest, uint8_t *reply, uint16_t length)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, length);
    int result = probe_control(probe, &setup, reply);
    if (result == USB_STALL)
        return probe_inapplicable(probe, bRequest == DFURT_GETSTATUS
                                             ? "a device that answers GETSTATUS in appIDLE"
                                             : "a device that answers GETSTATE in appIDLE");
    return expect_result(probe, result, length, reply);
}

static bool ask_status(struct probe *probe, struct dfu_status_reply *ret_status)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    if (!given(probe, expect_state_reply(probe, DFURT_GETSTATUS, reply, sizeof reply)))
        return false;
    *ret_status = dfu_status_load(reply);
    return true;
}

static void getstatus_length(struct probe *probe)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    expect_state_reply(probe, DFURT_GETSTATUS, reply, sizeof reply);
}

static void getstate_length(struct probe *probe)
{
    uint8_t state;
    expect_state_reply(probe, DFURT_GETSTATE, &state, sizeof state);
}

static bool expect_status_in_range(struct probe *probe, uint8_t bStatus)
{
    return expect(probe, bStatus <= DFURT_STATUS_errSTALLEDPKT, "bStatus 00h to 0Fh", "%02Xh",
                  bStatus);
}

static bool expect_state_in_range(struct probe *probe, uint8_t bState)
{
    return expect(probe, bState <= DFURT_STATE_dfuERROR, "bState 00h to 0Ah", "%02Xh", bState);
}

static void status_in_range(struct probe *probe)
{
    struct dfu_status_reply status;
    if (ask_status(probe, &status))
        expect_status_in_range(probe, status.bStatus);
}

static void state_in_range(struct probe *probe)
{
    struct dfu_status_reply status;
    if (ask_status(probe, &status))
        expect_state_in_range(probe, status.bState);
}

static void status_is_ok(struct probe *probe)
{
    struct dfu_status_reply status;
    if (ask_status(probe, &status) && given(probe, expect_status_in_range(probe, status.bStatus)))
        expect_number(probe, "bStatus", status.bStatus, DFURT_STATUS_OK);
}

static void getstate_agrees(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t state;
    if (ask_status(probe, &status) && given(probe, expect_state_in_range(probe, status.bState)) &&
        given(probe, expect_state_reply(probe, DFURT_GETSTATE, &state, sizeof state)))
        expect_number(probe, "the state that GETSTATE returns", state, status.bState);
}

static void getstate_exists(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t state;
    const struct usbdev_setup_packet getstate = dfu_setup(probe, DFURT_GETSTATE, 0, sizeof state);
    if (ask_status(probe, &status))
        expect_length(probe, &getstate, &state, sizeof state);
}

static void string_readable(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t string[255];
    if (!ask_status(probe, &status))
        return;
    if (status.iString == 0) {
        probe_inapplicable(probe, "a device whose GETSTATUS names a string (iString not 0)");
        return;
    }
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, status.iString, probe_language(probe), sizeof string);
    char expected[64];
    snprintf(expected, sizeof expected, "string %u, which iString names, is readable",
             status.iString);
    int result = probe_control(probe, &setup, string);
    if (result == USB_GONE || result == USB_IO)
        probe_inconclusive(probe, "%s", usb_result_text(result));
    else
        expect(probe, result >= 2 && string[1] == USBDEV_DT_STRING, expected, "%s",
               result < 0 ? usb_result_text(result) : "something else");
}

static void poll_time_short(struct probe *probe)
{
    enum { SHORT_MS = 100 };
    struct dfu_status_reply status;
    if (ask_status(probe, &status))
        expect(probe, status.bwPollTimeout <= SHORT_MS,
               "bwPollTimeout <= 100 ms, because dfu-util sleeps it", "%u ms",
               (unsigned)status.bwPollTimeout);
}

// ---- Times (USB 2.0 9.2.6) ----

// SET_INTERFACE, or where the device STALLs that for its one setting (USB 2.0 9.4.10), the
// configuration set again, which each device takes (9.4.7).
static int send_no_data(struct probe *probe)
{
    const struct usbdev_setup_packet set_interface = {
        .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
        .bRequest = USBDEV_SET_INTERFACE,
        .wIndex = dfu_setup(probe, DFURT_GETSTATE, 0, 0).wIndex,
    };
    int result = probe_control(probe, &set_interface, NULL);
    if (result != USB_STALL)
        return result;
    return probe_set_configuration(probe, probe_device(probe)->config.bConfigurationValue);
}

static void no_data_in_time(struct probe *probe)
{
    if (given(probe, expect_result(probe, send_no_data(probe), 0, NULL)))
        expect_last_within(probe, "a request without data", 50);
}

static void data_in_time(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, bytes))
        expect_data_in_time(probe, "the device descriptor");
}

static void status_in_time(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t state;
    const struct usbdev_setup_packet getstate = dfu_setup(probe, DFURT_GETSTATE, 0, sizeof state);
    if (ask_status(probe, &status) && expect_data_in_time(probe, "GETSTATUS") &&
        probe_control(probe, &getstate, &state) == (int)sizeof state)
        expect_data_in_time(probe, "GETSTATE");
}

// ---- After a STALL (USB 2.0 8.5.3.4) ----

static void alive_after_in_stall(struct probe *probe)
{
    uint8_t data[64];
    const struct usbdev_setup_packet upload = dfu_setup(probe, DFURT_UPLOAD, 0, sizeof data);
    if (given(probe, expect_stall(probe, &upload, data)))
        expect_alive(probe);
}

static void alive_after_out_stall(struct probe *probe)
{
    uint8_t data[64] = {0};
    const struct usbdev_setup_packet dnload = dfu_setup(probe, DFURT_DNLOAD, 0, sizeof data);
    if (given_app_idle(probe) && given(probe, expect_stall(probe, &dnload, data)))
        expect_alive(probe);
}

static void alive_after_no_data_stall(struct probe *probe)
{
    const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
    if (given(probe, expect_stall(probe, &abort, NULL)))
        expect_alive(probe);
}

static void alive_after_many_stalls(struct probe *probe)
{
    enum { MANY = 20 };
    uint8_t data[64] = {0};
    const struct usbdev_setup_packet in = dfu_setup(probe, DFURT_UPLOAD, 0, sizeof data);
    const struct usbdev_setup_packet out = dfu_setup(probe, gate_samples[0], 0, sizeof data);
    for (int i = 0; i < MANY; i++) {
        if (!given(probe, expect_stall(probe, i % 2 ? &in : &out, data)))
            return;
    }
    expect_alive(probe);
}

#define DFU (NEED_RUN_TIME | NEED_DFU_INTERFACE)

// clang-format off
static const struct check checks[] = {
    {"REQ-01a", "DFU 1.1 6.1.2", LEVEL_MUST,
     "GETSTATUS returns 6 bytes",
     DFU, getstatus_length},
    {"REQ-01b", "DFU 1.1 6.1.5", LEVEL_MUST,
     "GETSTATE returns 1 byte",
     DFU, getstate_length},
    {"REQ-02a", "DFU 1.1 6.1.2", LEVEL_MUST,
     "bStatus is a status that exists",
     DFU, status_in_range},
    {"REQ-02b", "DFU 1.1 6.1.2", LEVEL_MUST,
     "bState is a state that exists",
     DFU, state_in_range},
    {"REQ-02c", "DFU 1.1 6.1.5", LEVEL_MUST,
     "GETSTATE returns what GETSTATUS says",
     DFU, getstate_agrees},
    {"REQ-02d", "DFU 1.1 A.2.1", LEVEL_INFO,
     "a device that answers GETSTATUS answers GETSTATE too",
     DFU, getstate_exists},
    {"REQ-02e", "DFU 1.1 6.1.2", LEVEL_MUST,
     "bStatus is OK at run time",
     DFU, status_is_ok},
    {"REQ-03", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "iString is 0 or names a string that can be read",
     DFU, string_readable},
    {"REQ-04a", "USB 2.0 9.2.6.4", LEVEL_MUST,
     "a request without data completes within 50 ms",
     DFU, no_data_in_time},
    {"REQ-04b", "USB 2.0 9.2.6.4", LEVEL_MUST,
     "a standard request returns data within 500 ms",
     DFU, data_in_time},
    {"REQ-04c", "USB 2.0 9.2.6.5", LEVEL_MUST,
     "GETSTATUS and GETSTATE return data within 500 ms",
     DFU, status_in_time},
    {"REQ-05a", "USB 2.0 8.5.3.4", LEVEL_MUST,
     "endpoint 0 works after a STALL of an IN request",
     DFU, alive_after_in_stall},
    {"REQ-05b", "USB 2.0 8.5.3.4", LEVEL_MUST,
     "endpoint 0 works after a STALL of an OUT request",
     DFU, alive_after_out_stall},
    {"REQ-05c", "USB 2.0 8.5.3.4", LEVEL_MUST,
     "endpoint 0 works after a STALL of a request without data",
     DFU, alive_after_no_data_stall},
    {"REQ-05d", "USB 2.0 8.5.3.4", LEVEL_MUST,
     "endpoint 0 works after many STALLs",
     DFU, alive_after_many_stalls},
    {"REQ-10a", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "bwPollTimeout in appIDLE is short",
     DFU, poll_time_short},
};
// clang-format on

const struct check_group check_requests = {
    .title = "Requests at run time",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
