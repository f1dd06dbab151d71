// SPDX-License-Identifier: MIT
//
// DFU requests at run time whose bmRequestType, wIndex or wLength differs from DFU 1.1 table 3.1:
// most of them are other requests, which must not be taken for DFU's.

#include <conformance/check_common.h>

// ---- Requests that only look like DFU's ----

struct lookalike {
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint8_t wLength;
    bool not_ours; // another function of the device may implement it: it may be accepted
    bool in_too;   // and in the direction IN, where a class of the device may implement it
};

// A device that leaves now, and comes back, has taken the request for a DETACH, or has crashed. One
// that does not come back may have been unplugged.
static bool expect_no_detach(struct probe *probe, int result)
{
    if (result != USB_GONE && result != USB_IO)
        return true;
    size_t first = probe->transcript.total;
    if (probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") != 0)
        return probe_inconclusive(probe, "%s", usb_result_text(result));
    int back = probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS), "the device");
    transcript_set_aside(&probe->transcript, first);
    if (back != 0)
        return probe_inconclusive(probe, "the device left the bus, and did not come back");
    return expect(probe, false, "the device stays at run time", "it left the bus, and is %s",
                  probe->mode == DEVICE_DFU_MODE ? "in DFU mode" : "back at run time");
}

static bool is_of_device_class(const struct probe *probe, uint8_t bmRequestType)
{
    return (bmRequestType & ~USBDEV_DIR_IN) == (USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_DEVICE) &&
           device_class_has_requests(probe);
}

// Send what looks like a DFU request, and ask for the state.
static void
send_lookalike(struct probe *probe, const struct usbdev_setup_packet *setup, bool not_ours)
{
    uint8_t data[64] = {0};
    if (!given_app_idle(probe))
        return;
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
    uint16_t wValue = row->bRequest == DFURT_DETACH ? probe_detach_time(probe) : 0;
    struct usbdev_setup_packet setup = dfu_setup(probe, row->bRequest, wValue, row->wLength);
    setup.bmRequestType = row->bmRequestType;
    send_lookalike(probe, &setup, row->not_ours || is_of_device_class(probe, row->bmRequestType));
    if (row->in_too && !probe->judgement.decided) {
        setup.bmRequestType |= USBDEV_DIR_IN;
        setup.wLength = 1;
        send_lookalike(probe, &setup, true);
    }
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
        dfu_setup(probe, row->bRequest, row->wLength ? 0 : probe_detach_time(probe), row->wLength);
    setup.wIndex |= 0x0100;
    send_lookalike(probe, &setup, false);
}

static void absent_interface(struct probe *probe)
{
    const struct other_index *row = probe->check->row;
    struct usbdev_setup_packet setup =
        dfu_setup(probe, row->bRequest, row->wLength ? 0 : probe_detach_time(probe), row->wLength);
    if (given_absent_interface(probe, &setup.wIndex))
        send_lookalike(probe, &setup, false);
}

static void other_interface(struct probe *probe)
{
    const struct other_index *row = probe->check->row;
    struct usbdev_setup_packet setup =
        dfu_setup(probe, row->bRequest, row->wLength ? 0 : probe_detach_time(probe), row->wLength);
    setup.wIndex = (uint16_t)device_other_interface(probe_device(probe));
    send_lookalike(probe, &setup, true);
}

// ---- wLength (USB 2.0 9.3.5) ----

// Every length from nothing to 4096, for a request whose reply has size bytes.
static void any_length(struct probe *probe, uint8_t bRequest, int size)
{
    static const uint16_t lengths[] = {0, 1, 2, 5, 6, 7, 8, 63, 64, 65, 255, 4096};
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet usual = dfu_setup(probe, bRequest, 0, (uint16_t)size);
    int usual_result = probe_control(probe, &usual, reply);
    if (usual_result != USB_STALL &&
        !given(probe, expect_result(probe, usual_result, (uint16_t)size, reply)))
        return;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t data[PROBE_CONTROL_MAX];
        const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, lengths[i]);
        int result = probe_control(probe, &setup, data);
        int whole = size < lengths[i] ? size : lengths[i];
        // Nothing is required of a STALL here: the request is optional in appIDLE.
        if (result != USB_STALL && !expect_result(probe, result, (uint16_t)whole, data))
            return;
        if (!expect_alive(probe))
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
        dfu_setup(probe, DFURT_DETACH, probe_detach_time(probe), sizeof data);
    int result = probe_control(probe, &detach, data);
    probe_note(probe, result >= 0 ? "the device accepts it" : "the device responds with %s",
               usb_result_text(result));
    if (result >= 0 && device_will_detach(&probe->run_time)) {
        expect_dfu_mode(probe, PROBE_RETURN_MS);
        return;
    }
    expect_alive(probe);
}

#define DFU (NEED_RUN_TIME | NEED_DFU_INTERFACE)
#define LOOKALIKE(...) (&(const struct lookalike){__VA_ARGS__})

// clang-format off
static const struct check checks[] = {
    {"REQ-06a", "DFU 1.1 3", LEVEL_MUST,
     "class request 0 to the device does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0x20, DFURT_DETACH, 0, false, true)},
    {"REQ-06b", "DFU 1.1 3", LEVEL_MUST,
     "vendor request 0 to the device does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0x40, DFURT_DETACH, 0, true)},
    {"REQ-06c", "DFU 1.1 3", LEVEL_MUST,
     "vendor request 0 to the interface does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0x41, DFURT_DETACH, 0, true)},
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
};

// At these requests many devices go to DFU mode, or half of the way, and some stay there: they come
// last of all.
static const struct check detach_checks[] = {
    {"REQ-06d", "DFU 1.1 3", LEVEL_MUST,
     "DETACH in the wrong direction does not detach",
     DFU | NEED_DETACH, lookalike_stalls, LOOKALIKE(0xA1, DFURT_DETACH, 1, false)},
    {"REQ-07a", "USB 2.0 9.3.4", LEVEL_INFO,
     "DETACH with a wrong high byte of wIndex STALLs and does not detach",
     DFU | NEED_DETACH, high_bits_of_index, &index_detach},
    {"REQ-09", "DFU 1.1 5.1", LEVEL_INFO,
     "a DETACH with data leaves endpoint 0 working",
     DFU | NEED_DETACH, detach_with_data},
};
// clang-format on

const struct check_group check_request_fields = {
    .title = "Fields of requests at run time",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};

const struct check_group check_detach_otherwise = {
    .title = "Requests that resemble DETACH",
    .checks = detach_checks,
    .count = sizeof detach_checks / sizeof detach_checks[0],
};
