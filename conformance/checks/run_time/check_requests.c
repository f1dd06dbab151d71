// SPDX-License-Identifier: MIT
//
// The DFU requests at run time, one by one (DFU 1.1 chapters 3 and 6.1), and requests that only
// look like them.

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

static void status_in_range(struct probe *probe)
{
    struct dfu_status_reply status;
    if (ask_status(probe, &status))
        expect(probe, status.bStatus <= DFURT_STATUS_errSTALLEDPKT, "bStatus 00h to 0Fh", "%02Xh",
               status.bStatus);
}

static void state_in_range(struct probe *probe)
{
    struct dfu_status_reply status;
    if (ask_status(probe, &status))
        expect(probe, status.bState <= DFURT_STATE_dfuERROR, "bState 00h to 0Ah", "%02Xh",
               status.bState);
}

static void status_is_ok(struct probe *probe)
{
    struct dfu_status_reply status;
    if (ask_status(probe, &status))
        expect_number(probe, "bStatus", status.bStatus, DFURT_STATUS_OK);
}

static void getstate_agrees(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t state;
    if (ask_status(probe, &status) &&
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
    if (expect_result(probe, send_no_data(probe), 0, NULL))
        expect_last_within(probe, "a request without data", 50);
}

static void data_in_time(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, bytes))
        expect_last_within(probe, "the device descriptor", 500);
}

static void status_in_time(struct probe *probe)
{
    struct dfu_status_reply status;
    if (ask_status(probe, &status))
        expect_last_within(probe, "GETSTATUS", 500);
}

// ---- After a STALL (USB 2.0 8.5.3.4) ----

static void alive_after_in_stall(struct probe *probe)
{
    uint8_t data[64];
    const struct usbdev_setup_packet upload = dfu_setup(probe, DFURT_UPLOAD, 0, sizeof data);
    if (given(probe, expect_stall(probe, &upload, data)))
        expect_alive(probe, "after a STALL of an IN request");
}

static void alive_after_out_stall(struct probe *probe)
{
    uint8_t data[64] = {0};
    const struct usbdev_setup_packet dnload = dfu_setup(probe, DFURT_DNLOAD, 0, sizeof data);
    if (given_app_idle(probe) && given(probe, expect_stall(probe, &dnload, data)))
        expect_alive(probe, "after a STALL of an OUT request with data");
}

static void alive_after_no_data_stall(struct probe *probe)
{
    const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
    if (given(probe, expect_stall(probe, &abort, NULL)))
        expect_alive(probe, "after a STALL of a request without data");
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
    expect_alive(probe, "after 20 STALLs in a row");
}

// ---- Requests that only look like DFU's ----

struct lookalike {
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint8_t wLength;
    bool not_ours; // another function of the device may implement it: it may be accepted
};

// A device that leaves now, and comes back, has taken the request for a DETACH, or has crashed. One
// that does not come back may have been unplugged.
static bool expect_no_detach(struct probe *probe, int result)
{
    if (result != USB_GONE && result != USB_IO)
        return true;
    if (probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") != 0)
        return probe_inconclusive(probe, "%s", usb_result_text(result));
    if (probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS), "the device") != 0)
        return probe_inconclusive(probe, "the device left the bus, and did not come back");
    return expect(probe, false, "the device stays at run time", "it left the bus, and is %s",
                  probe->mode == DEVICE_DFU_MODE ? "in DFU mode" : "back at run time");
}

// Send what looks like a DFU request, and ask for the state.
static void
send_lookalike(struct probe *probe, const struct usbdev_setup_packet *setup, bool not_ours)
{
    uint8_t data[64] = {0};
    int result = probe_control(probe, setup, data);
    if (!expect_no_detach(probe, result) || (!not_ours && !expect_stalled(probe, result, data)))
        return;
    if (result >= 0)
        probe_note(probe, "the device accepts it, as a request of its own");
    expect_state(probe, DFURT_STATE_appIDLE, "after it");
}

static void lookalike_stalls(struct probe *probe)
{
    const struct lookalike *row = probe->check->row;
    uint16_t wValue = row->bRequest == DFURT_DETACH ? detach_time(probe) : 0;
    struct usbdev_setup_packet setup = dfu_setup(probe, row->bRequest, wValue, row->wLength);
    setup.bmRequestType = row->bmRequestType;
    send_lookalike(probe, &setup, row->not_ours);
}

// ---- wIndex. Its upper byte is reserved (USB 2.0 9.3.4): the device may ignore it. ----

struct other_index {
    uint8_t bRequest;
    uint8_t wLength;
};

static const struct other_index index_detach = {DFURT_DETACH, 0};
static const struct other_index index_getstatus = {DFURT_GETSTATUS, DFURT_STATUS_REPLY_SIZE};

static void high_bits_of_index(struct probe *probe)
{
    const struct other_index *row = probe->check->row;
    struct usbdev_setup_packet setup =
        dfu_setup(probe, row->bRequest, row->wLength ? 0 : detach_time(probe), row->wLength);
    setup.wIndex |= 0x0100;
    send_lookalike(probe, &setup, false);
}

static void absent_interface(struct probe *probe)
{
    const struct other_index *row = probe->check->row;
    struct usbdev_setup_packet setup =
        dfu_setup(probe, row->bRequest, row->wLength ? 0 : detach_time(probe), row->wLength);
    int absent = device_absent_interface(probe_device(probe));
    if (absent < 0) {
        probe_skip(probe, "the device has all 256 interfaces");
        return;
    }
    setup.wIndex = (uint16_t)absent;
    send_lookalike(probe, &setup, false);
}

static void other_interface(struct probe *probe)
{
    const struct other_index *row = probe->check->row;
    struct usbdev_setup_packet setup =
        dfu_setup(probe, row->bRequest, row->wLength ? 0 : detach_time(probe), row->wLength);
    setup.wIndex = (uint16_t)device_other_interface(probe_device(probe));
    send_lookalike(probe, &setup, true);
}

// ---- wLength (USB 2.0 9.3.5) ----

// Every length from nothing to 4096, for a request whose reply has size bytes.
static void any_length(struct probe *probe, uint8_t bRequest, int size)
{
    static const uint16_t lengths[] = {0, 1, 2, 5, 6, 7, 8, 63, 64, 65, 255, 4096};
    static const char *const when = "after it";
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t data[PROBE_CONTROL_MAX];
        const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, lengths[i]);
        int result = probe_control(probe, &setup, data);
        int whole = size < lengths[i] ? size : lengths[i];
        // Nothing is required of a STALL here: the request is optional in appIDLE.
        if (result != USB_STALL && !expect_result(probe, result, (uint16_t)whole, data))
            return;
        if (!expect_alive(probe, when))
            return;
    }
}

static void getstatus_any_length(struct probe *probe)
{
    any_length(probe, DFURT_GETSTATUS, DFURT_STATUS_REPLY_SIZE);
}

static void getstate_any_length(struct probe *probe)
{
    any_length(probe, DFURT_GETSTATE, DFURT_STATE_REPLY_SIZE);
}

static void upload_any_length(struct probe *probe)
{
    static const uint16_t lengths[] = {0, 1, 64, 4096};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t data[PROBE_CONTROL_MAX];
        const struct usbdev_setup_packet upload = dfu_setup(probe, DFURT_UPLOAD, 0, lengths[i]);
        if (!expect_stall(probe, &upload, data))
            return;
    }
}

static void detach_with_data(struct probe *probe)
{
    uint8_t data[8] = {0};
    const struct usbdev_setup_packet detach =
        dfu_setup(probe, DFURT_DETACH, detach_time(probe), sizeof data);
    int result = probe_control(probe, &detach, data);
    probe_note(probe, result >= 0 ? "the device accepts it" : "the device responds with %s",
               usb_result_text(result));
    if (result >= 0 && device_will_detach(&probe->run_time)) {
        expect_dfu_mode(probe, PROBE_RETURN_MS);
        return;
    }
    expect_alive(probe, "after a DETACH with data");
}

// ---- SET_CONFIGURATION again ----

static bool given_configured_again(struct probe *probe)
{
    uint8_t value = probe_device(probe)->config.bConfigurationValue;
    int result = probe_set_configuration(probe, value);
    return given(probe, expect_result(probe, result, 0, NULL));
}

static void answers_configured_again(struct probe *probe)
{
    uint8_t state;
    int before = ask_state(probe, &state);
    if (before == USB_STALL) {
        probe_inapplicable(probe, "a device that tells its state in appIDLE");
        return;
    }
    if (!given(probe, expect_result(probe, before, 0, NULL)) || !given_configured_again(probe))
        return;
    int after = ask_state(probe, &state);
    if (expect_result(probe, after, 0, NULL))
        expect_number(probe, "the state after SET_CONFIGURATION of the present value", state,
                      DFURT_STATE_appIDLE);
    configure_afresh(probe);
}

static void detaches_configured_again(struct probe *probe)
{
    if (given_configured_again(probe) && !expect_detach(probe, detach_time(probe)))
        configure_afresh(probe);
}

#define DFU (NEED_RUN_TIME | NEED_DFU_INTERFACE)
#define LOOKALIKE(...) (&(const struct lookalike){__VA_ARGS__})

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
     "GETSTATUS returns data within 500 ms",
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
    {"REQ-06a", "DFU 1.1 3", LEVEL_MUST,
     "class request 0 to the device does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0x20, DFURT_DETACH, 0, false)},
    {"REQ-06b", "DFU 1.1 3", LEVEL_MUST,
     "vendor request 0 to the device does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0x40, DFURT_DETACH, 0, true)},
    {"REQ-06c", "DFU 1.1 3", LEVEL_MUST,
     "vendor request 0 to the interface does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0x41, DFURT_DETACH, 0, true)},
    {"REQ-06d", "DFU 1.1 3", LEVEL_MUST,
     "DETACH in the wrong direction does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0xA1, DFURT_DETACH, 1, false)},
    {"REQ-06e", "DFU 1.1 3", LEVEL_MUST,
     "class request 0 to an endpoint does not detach",
     DFU | NEED_DETACH | NEED_RAW, lookalike_stalls,
     LOOKALIKE(0x22, DFURT_DETACH, 0, false)},
    {"REQ-06f", "DFU 1.1 3", LEVEL_MUST,
     "class request 0 to 'other' does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0x23, DFURT_DETACH, 0, false)},
    {"REQ-06g", "DFU 1.1 3", LEVEL_MUST,
     "GETSTATUS in the wrong direction STALLs",
     DFU, lookalike_stalls, LOOKALIKE(0x21, DFURT_GETSTATUS, 6, false)},
    {"REQ-06h", "DFU 1.1 3", LEVEL_MUST,
     "GETSTATE in the wrong direction STALLs",
     DFU, lookalike_stalls, LOOKALIKE(0x21, DFURT_GETSTATE, 1, false)},
    {"REQ-06i", "DFU 1.1 3", LEVEL_MUST,
     "GETSTATUS to the device STALLs",
     DFU, lookalike_stalls, LOOKALIKE(0xA0, DFURT_GETSTATUS, 6, false)},
    {"REQ-06j", "DFU 1.1 3", LEVEL_MUST,
     "GETSTATUS as a vendor request changes no DFU state",
     DFU, lookalike_stalls, LOOKALIKE(0xC1, DFURT_GETSTATUS, 6, true)},
    {"REQ-06l", "DFU 1.1 3", LEVEL_MUST,
     "standard request 0 to the interface, in the direction OUT, does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0x01, DFURT_DETACH, 0, true)},
    {"REQ-07a", "USB 2.0 9.3.4", LEVEL_INFO,
     "DETACH with a wrong high byte of wIndex STALLs and does not detach",
     DFU | NEED_DETACH, high_bits_of_index, &index_detach},
    {"REQ-07b", "USB 2.0 9.3.4", LEVEL_INFO,
     "GETSTATUS with a wrong high byte of wIndex STALLs",
     DFU, high_bits_of_index, &index_getstatus},
    {"REQ-07c", "USB 2.0 9.2.7", LEVEL_MUST,
     "DETACH to an absent interface STALLs and does not detach",
     DFU | NEED_DETACH | NEED_RAW, absent_interface, &index_detach},
    {"REQ-07d", "USB 2.0 9.2.7", LEVEL_MUST,
     "GETSTATUS to an absent interface STALLs",
     DFU | NEED_RAW, absent_interface, &index_getstatus},
    {"REQ-07e", "USB 2.0 9.3.4", LEVEL_MUST,
     "class request 0 to another interface does not detach",
     DFU | NEED_DETACH | NEED_OTHER_INTERFACE, other_interface, &index_detach},
    {"REQ-08a", "USB 2.0 9.3.5", LEVEL_SHOULD,
     "GETSTATUS returns as much as wLength allows",
     DFU, getstatus_any_length},
    {"REQ-08b", "USB 2.0 9.3.5", LEVEL_SHOULD,
     "GETSTATE returns as much as wLength allows",
     DFU, getstate_any_length},
    {"REQ-08c", "DFU 1.1 A.2.1", LEVEL_MUST,
     "UPLOAD STALLs at run time, with any wLength",
     DFU, upload_any_length},
    {"REQ-09", "DFU 1.1 5.1", LEVEL_INFO,
     "a DETACH with data leaves endpoint 0 working",
     DFU | NEED_DETACH, detach_with_data},
    {"REQ-11a", "USB 2.0 9.4.7", LEVEL_MUST,
     "the DFU state can be asked after a second SET_CONFIGURATION",
     DFU, answers_configured_again},
    {"REQ-11b", "USB 2.0 9.4.7", LEVEL_MUST,
     "DETACH is accepted after a second SET_CONFIGURATION",
     DFU | NEED_DETACH, detaches_configured_again},
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
