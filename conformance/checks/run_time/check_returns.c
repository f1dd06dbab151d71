// SPDX-License-Identifier: MIT
//
// What a bus reset leads to in and after appDETACH (DFU 1.1 A.2.2), and the way into DFU mode and
// back to run time (chapter 7).

#include <string.h>

#include "detach_steps.h"

// ---- Bus resets ----

static void reset_after_detach(struct probe *probe)
{
    if (given_detach(probe))
        expect_dfu_mode(probe, PROBE_RETURN_MS);
}

static void reset_after_timer(struct probe *probe)
{
    if (given_detach(probe) &&
        given(probe, expect_stays(probe, after_detach_timer_ms(probe, probe_detach_time(probe)),
                                  "the detach timer")) &&
        given(probe, expect_state(probe, DFURT_STATE_appIDLE, "after the detach timer")))
        expect_run_time_after_reset(probe, "after a bus reset that came too late");
}

// The state table judges whether the request STALLs and leads to appIDLE; this check judges what
// the reset does then.
static void reset_after(struct probe *probe, uint8_t bRequest, uint16_t wValue, const char *when)
{
    uint8_t data[16];
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, bRequest, wValue, bRequest == DFURT_UPLOAD ? sizeof data : 0);
    if (!given_detach(probe))
        return;
    int result = probe_control(probe, &setup, data);
    if (result == USB_GONE || result == USB_IO)
        probe_inconclusive(probe, "%s", usb_result_text(result));
    else if (given(probe, expect_state(probe, DFURT_STATE_appIDLE, "before the reset")))
        expect_run_time_after_reset(probe, when);
}

static void reset_after_illegal(struct probe *probe)
{
    reset_after(probe, DFURT_UPLOAD, 0, "after DETACH, an illegal request and a bus reset");
}

static void reset_after_two_detach(struct probe *probe)
{
    reset_after(probe, DFURT_DETACH, probe_detach_time(probe), "after two DETACH and a bus reset");
}

// A device that leaves after DETACH has entered DFU mode; if it then enumerates at run time, the
// bus resets of its enumeration have ended DFU mode.
static void reset_in_dfu_enumeration(struct probe *probe)
{
    if (!was_seen(probe, probe->trips.arrived[false], "DFU mode, once the device is enumerated") &&
        given_departure(probe))
        expect(probe, probe->mode == DEVICE_DFU_MODE, "DFU mode, once the device is enumerated",
               "the device left the bus after DETACH, and is at run time");
}

// ---- Into DFU mode and back ----

// The descriptors that it had before any check brought it into DFU mode. A serial number that is
// another one each time makes another device of it to every host.
static void returns_unchanged(struct probe *probe)
{
    char serial[PROBE_WORDS / 2], serial_after[PROBE_WORDS / 2];
    if (!given_serial(probe, serial, sizeof serial) || !given_dfu_mode(probe) ||
        !back_to_run_time(probe))
        return;
    expect(probe, target_descriptors_equal(&probe->trips.before, &probe->run_time.raw),
           "the descriptors that it had before", "others");
    if (!given_serial(probe, serial_after, sizeof serial_after))
        return;
    expect(probe, strcmp(serial, serial_after) == 0, "the serial number that it had before", "%s",
           serial_after);
}

static void detaches_again(struct probe *probe)
{
    if (was_seen(probe, probe->trips.again, "DFU mode after a DETACH and another") ||
        !given_dfu_mode(probe) || !back_to_run_time(probe))
        return;
    if (expect_state(probe, DFURT_STATE_appIDLE, "once it is back at run time") &&
        expect_detach(probe, probe_detach_time(probe)))
        expect_dfu_mode(probe, PROBE_RETURN_MS);
}

// A host that knows one of several devices by it finds it again.
static void keeps_serial(struct probe *probe)
{
    char before[PROBE_WORDS / 2], after[PROBE_WORDS / 2];
    if (!given_serial(probe, before, sizeof before))
        return;
    if (!*before) {
        probe_inapplicable(probe, "a device with a serial number");
        return;
    }
    if (!given_dfu_mode(probe) || !given_serial(probe, after, sizeof after))
        return;
    expect(probe, strcmp(before, after) == 0, before, "%s", *after ? after : "no serial number");
}

#define DETACH (NEED_RUN_TIME | NEED_DETACH | NEED_DFU_INTERFACE)
#define WAITS (DETACH | NEED_FUNCTIONAL | NEED_WAIT_RESET)

// clang-format off
static const struct check checks[] = {
    {"RT-RESET-02", "DFU 1.1 A.2.2", LEVEL_MUST,
     "a bus reset after the detach timer leaves the device at run time",
     WAITS | NEED_RESET, reset_after_timer},
    {"RT-RESET-03", "DFU 1.1 A.2.2", LEVEL_MUST,
     "a bus reset after DETACH and an illegal request leaves the device at run time",
     WAITS | NEED_RESET, reset_after_illegal},
    {"RT-RESET-04", "DFU 1.1 A.2.2", LEVEL_MUST,
     "a bus reset after a second DETACH leaves the device at run time",
     WAITS | NEED_RESET, reset_after_two_detach},
    {"RT-RESET-05", "DFU 1.1 A.2.2", LEVEL_MUST,
     "a bus reset while the detach timer runs brings the device into DFU mode",
     WAITS | NEED_RESET, reset_after_detach},

    {"RT-RETURN-01", "DFU 1.1 A.2.3", LEVEL_MUST,
     "the bus resets of the enumeration in DFU mode do not end DFU mode",
     DETACH, reset_in_dfu_enumeration},
    {"RT-RETURN-02", "DFU 1.1 7", LEVEL_MUST,
     "the device returns to run time with the same descriptors",
     DETACH, returns_unchanged},
    {"RT-RETURN-03", "DFU 1.1 7", LEVEL_MUST,
     "the device can be detached again after it has returned to run time",
     DETACH, detaches_again},
    {"RT-RETURN-04", "DFU 1.1 4.2.1", LEVEL_INFO,
     "the serial number in DFU mode is that of run time",
     DETACH, keeps_serial},
};
// clang-format on

const struct check_group check_returns = {
    .title = "Bus reset and return",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
