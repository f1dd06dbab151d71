// SPDX-License-Identifier: MIT
//
// The way from run time into DFU mode (DFU 1.1 5.1), for both kinds of device, and what must not
// lead there. Waiting is in the target's time.

#include <stdio.h>
#include <string.h>

#include <conformance/check_common.h>
#include <conformance/modes.h>

enum {
    SLACK_MS = 250,      // how late a fine timer may be, a host's own delays included
    COARSE_MS = 1000,    // what a coarse timer may add to that, and half of its time
    SHORT_WAIT_MS = 200, // a wValue below most wDetachTimeOut
    SETTLED_MS = 4000,   // so long after power-on a product has started all that it does
};

static unsigned timer_ms(const struct probe *probe, unsigned wValue)
{
    unsigned longest_ms = device_detach_timeout(&probe->run_time);
    return wValue < longest_ms ? wValue : longest_ms;
}

// When even a coarse timer is over.
static unsigned over_ms(const struct probe *probe, unsigned wValue)
{
    unsigned ms = timer_ms(probe, wValue);
    return ms + ms / 2 + COARSE_MS;
}

static uint16_t short_wait(const struct probe *probe)
{
    return (uint16_t)timer_ms(probe, SHORT_WAIT_MS);
}

static bool given_detach(struct probe *probe)
{
    return given(probe, expect_detach(probe, detach_time(probe)));
}

// Into DFU mode, where that is not what the check judges.
static bool given_dfu_mode(struct probe *probe)
{
    return given_detach(probe) && given(probe, expect_dfu_mode(probe, PROBE_RETURN_MS));
}

// ---- DETACH itself ----

// The ways in which tools and hosts send it: by the value, by how long after power-on, and by how
// long after the SETUP the host asks for the status stage (a frame later, or when its own work lets
// it). A product that leaves too early may do so in one of them only.
struct way {
    bool settled;             // only when the device has been up for a while
    bool zero;                // wValue 0, which leaves the time open (DFU 1.1 5.1)
    unsigned status_delay_ms; // where the target can
};

static const struct way ways[] = {
    {.settled = true},
    {.settled = true, .zero = true},
    {.settled = false},
    {.settled = true, .status_delay_ms = 1},
    {.settled = true, .status_delay_ms = 10},
};

static unsigned unsettled_ms(struct probe *probe)
{
    uint64_t up_ms = (probe_now_us(probe) - probe->returned_us) / 1000;
    return up_ms < SETTLED_MS ? SETTLED_MS - (unsigned)up_ms : 0;
}

static void wait_for_product(struct probe *probe)
{
    if (unsettled_ms(probe))
        probe_sleep(probe, unsettled_ms(probe), "the product to finish its start");
}

static bool completes(struct probe *probe, const struct way *way)
{
    if (way->settled)
        wait_for_product(probe);
    uint16_t wValue = way->zero ? 0 : detach_time(probe);
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, wValue, 0);
    int result = probe_control_departing(
        probe, &detach, NULL, &(struct target_departure){.status_delay_ms = way->status_delay_ms});
    // A device may refuse a wValue of 0.
    return (way->zero && result == USB_STALL) || expect_detached(probe, result);
}

// Back at run time in appIDLE; that the device leaves and comes back is judged by other checks.
static bool start_over(struct probe *probe)
{
    if (device_will_detach(&probe->run_time) &&
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") == 0)
        probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS), "DFU mode");
    if (!mode_quieten(probe))
        return probe_inconclusive(probe, "the device did not come back after DETACH");
    return back_to_run_time(probe);
}

static void detach_completes(struct probe *probe)
{
    bool late = probe->target->capabilities & TARGET_CAN_DEPART;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (ways[i].status_delay_ms && !late)
            continue;
        if (!completes(probe, &ways[i]) || !start_over(probe))
            return;
    }
}

static void detach_in_time(struct probe *probe)
{
    if (given_detach(probe))
        expect_last_within(probe, "DETACH", 50);
}

// DFU 1.1 5.1 does not say what a wValue of 0 means; endpoint 0 must work afterwards.
static void detach_wvalue_0(struct probe *probe)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, 0, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result == 0 && device_will_detach(&probe->run_time)) {
        expect_dfu_mode(probe, PROBE_RETURN_MS);
        return;
    }
    probe_note(probe, "the device responds with %s", usb_result_text(result));
    expect_alive(probe, "after DETACH with wValue 0");
}

// ---- The device that leaves by itself ----

static void leaves_by_itself(struct probe *probe)
{
    if (given_detach(probe))
        expect_leave(probe);
}

// Also where it leaves too early, which is RT-DETACH-01's.
static void comes_back_in_dfu_mode(struct probe *probe)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, detach_time(probe), 0);
    int result = probe_control(probe, &detach, NULL);
    bool left = result == USB_GONE || given(probe, expect_result(probe, result, 0, NULL));
    if (left && given(probe, expect_leave(probe)))
        expect_dfu_mode(probe, PROBE_RETURN_MS);
}

// The host abandons the transfer: without a status stage the request is not complete.
static void detach_cut_off(struct probe *probe)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, detach_time(probe), 0);
    const struct target_departure departure = {.cut_off = TARGET_CUT_OFF_BEFORE_STATUS};
    int result = probe_control_departing(probe, &detach, NULL, &departure);
    if (given(probe, expect_result(probe, result, 0, NULL)))
        expect_stays(probe, PROBE_LEAVE_MS, "the device not to leave");
}

// ---- The device that waits for a bus reset ----

static void stays_by_itself(struct probe *probe)
{
    if (given_detach(probe))
        expect_stays(probe, timer_ms(probe, detach_time(probe)) + SLACK_MS,
                     "the device not to leave");
}

static void expect_expired(struct probe *probe, unsigned wValue, unsigned wait_ms, const char *when)
{
    if (!given(probe, expect_detach(probe, (uint16_t)wValue)))
        return;
    probe_sleep(probe, wait_ms, "the detach timer");
    expect_state(probe, DFURT_STATE_appIDLE, when);
}

static void timer_expires(struct probe *probe)
{
    uint16_t wValue = detach_time(probe);
    expect_expired(probe, wValue, over_ms(probe, wValue), "after the detach timer");
}

static void timer_obeys_wvalue(struct probe *probe)
{
    uint16_t wValue = short_wait(probe);
    expect_expired(probe, wValue, wValue + SLACK_MS, "after the time that DETACH asked for");
}

// A device may refuse such a wValue; it may not wait that long.
static void timer_is_capped(struct probe *probe)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, UINT16_MAX, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result == USB_STALL)
        probe_note(probe, "the device refuses a wValue above its wDetachTimeOut, as it may");
    else if (!given(probe, expect_result(probe, result, 0, NULL)))
        return;
    probe_sleep(probe, over_ms(probe, UINT16_MAX), "the detach timer");
    expect_state(probe, DFURT_STATE_appIDLE, "after wDetachTimeOut, though wValue was 65535");
}

static void timer_holds(struct probe *probe)
{
    uint64_t start_us = probe_now_us(probe);
    if (!given_detach(probe))
        return;
    // A slow device has spent part of the time on DETACH itself.
    unsigned half_ms = timer_ms(probe, detach_time(probe)) / 2;
    uint64_t spent_ms = (probe_now_us(probe) - start_us) / 1000;
    if (spent_ms < half_ms)
        probe_sleep(probe, half_ms - (unsigned)spent_ms, "half of the detach timer");
    expect_state(probe, DFURT_STATE_appDETACH, "after half of the detach timer");
}

// Requests that arrive while the detach timer runs do not restart it (DFU 1.1 A.2.2).
static void timer_runs_on(struct probe *probe)
{
    enum { QUESTIONS = 8 };
    if (!given_detach(probe))
        return;
    probe_outlast_detach(probe);
    unsigned step_ms = over_ms(probe, detach_time(probe)) / QUESTIONS + 1;
    for (int i = 0; i < QUESTIONS; i++) {
        const struct usbdev_setup_packet getstatus =
            dfu_setup(probe, DFURT_GETSTATUS, 0, DFURT_STATUS_REPLY_SIZE);
        uint8_t reply[DFURT_STATUS_REPLY_SIZE];
        int result = probe_control(probe, &getstatus, reply);
        if (result < 0 && result != USB_STALL) {
            probe_inconclusive(probe, "GETSTATUS: %s", usb_result_text(result));
            return;
        }
        probe_sleep(probe, step_ms, "the detach timer");
    }
    expect_state(probe, DFURT_STATE_appIDLE, "after the detach timer, and GETSTATUS while it ran");
}

// A wValue that is negative as a signed 16-bit number is a valid time, which wDetachTimeOut limits.
static void timer_of_8000h(struct probe *probe)
{
    enum { NEGATIVE = 0x8000 };
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, NEGATIVE, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result == USB_STALL) {
        probe_inapplicable(probe, "a device that accepts a wValue above its wDetachTimeOut");
        return;
    }
    if (given(probe, expect_result(probe, result, 0, NULL)))
        expect_state(probe, DFURT_STATE_appDETACH, "after DETACH with wValue 8000h");
}

static void poll_time_short(struct probe *probe)
{
    enum { SHORT_MS = 100 };
    struct dfu_status_reply status;
    if (given_detach(probe) && expect_getstatus(probe, &status))
        expect(probe, status.bwPollTimeout <= SHORT_MS,
               "bwPollTimeout <= 100 ms, because dfu-util sleeps it", "%u ms",
               (unsigned)status.bwPollTimeout);
}

static void status_says_app_detach(struct probe *probe)
{
    struct dfu_status_reply status;
    if (given_detach(probe) && expect_getstatus(probe, &status))
        expect_number(probe, "bState of GETSTATUS after DETACH", status.bState,
                      DFURT_STATE_appDETACH);
}

// A device may take most of a short wDetachTimeOut for a few requests: a DETACH for each
// descriptor, and one request for it.
static void run_time_descriptors(struct probe *probe)
{
    const struct target_descriptors *before = &probe->run_time.raw;
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t bytes[PROBE_CONTROL_MAX];
    int length;
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, active_configuration_index(probe), 0,
                           (uint16_t)before->configuration_length);
    if (!given_carried(probe, setup.wLength) || !given_detach(probe) ||
        !read_device_descriptor(probe, device) ||
        !expect(probe, memcmp(device, before->device, sizeof device) == 0,
                "the device descriptor of run time", "another one"))
        return;
    probe_outlast_detach(probe);
    mode_quieten(probe);
    if (!given_detach(probe) || !expect_accepted(probe, &setup, bytes, &length))
        return;
    expect(probe,
           (size_t)length == before->configuration_length &&
               memcmp(bytes, before->configuration, before->configuration_length) == 0,
           "the configuration descriptor of run time", "another one, %d bytes", length);
}

// ---- Bus resets ----

// A product that has just started may still act on what an earlier check sent: that is not the
// reset's doing.
static void reset_without_detach(struct probe *probe)
{
    if (given(probe, expect_stays(probe, unsettled_ms(probe), "the product to finish its start")) &&
        given_app_idle(probe))
        expect_run_time_after_reset(probe, "after a bus reset without DETACH");
}

static void reset_after_detach(struct probe *probe)
{
    if (given_detach(probe))
        expect_dfu_mode(probe, PROBE_RETURN_MS);
}

static void reset_after_timer(struct probe *probe)
{
    if (given_detach(probe) &&
        given(probe, expect_stays(probe, over_ms(probe, detach_time(probe)), "the detach timer")))
        expect_run_time_after_reset(probe, "after a bus reset that came too late");
}

// The state table judges whether the request STALLs; this check judges what the reset does.
static void reset_after(struct probe *probe, uint8_t bRequest, uint16_t wValue, const char *when)
{
    uint8_t data[16];
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, bRequest, wValue, bRequest == DFURT_UPLOAD ? sizeof data : 0);
    if (!given_detach(probe))
        return;
    probe_control(probe, &setup, data);
    expect_run_time_after_reset(probe, when);
}

static void reset_after_illegal(struct probe *probe)
{
    reset_after(probe, DFURT_UPLOAD, 0, "after DETACH, an illegal request and a bus reset");
}

static void reset_after_two_detach(struct probe *probe)
{
    reset_after(probe, DFURT_DETACH, detach_time(probe), "after two DETACH and a bus reset");
}

// A device that leaves after DETACH has entered DFU mode; if it then enumerates at run time, the
// bus resets of its enumeration have ended DFU mode.
static bool given_left(struct probe *probe)
{
    if (!given_detach(probe))
        return false;
    if (device_will_detach(&probe->run_time))
        return given(probe, expect_leave(probe));
    int result = probe_reset(probe);
    if (result == 0 && probe->mode != DEVICE_DFU_MODE)
        result = probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave after the bus reset");
    return result == 0 || result == USB_GONE ||
           probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));
}

static void reset_in_dfu_enumeration(struct probe *probe)
{
    if (!given_left(probe) || (probe->mode != DEVICE_DFU_MODE &&
                               !given(probe, expect_return(probe, PROBE_RETURN_MS, "DFU mode"))))
        return;
    expect(probe, probe->mode == DEVICE_DFU_MODE, "DFU mode, once the device is enumerated",
           "the device left the bus after DETACH, and is at run time");
}

// ---- Into DFU mode and back ----

// A serial number that is another one each time makes another device of it to every host.
static void returns_unchanged(struct probe *probe)
{
    struct target_descriptors before = probe->run_time.raw;
    char serial[PROBE_WORDS / 2], serial_after[PROBE_WORDS / 2];
    if (!given_serial(probe, serial, sizeof serial) || !given_dfu_mode(probe) ||
        !back_to_run_time(probe))
        return;
    const struct target_descriptors *after = &probe->run_time.raw;
    expect(probe,
           memcmp(after->device, before.device, sizeof before.device) == 0 &&
               after->configuration_length == before.configuration_length &&
               memcmp(after->configuration, before.configuration, before.configuration_length) == 0,
           "the descriptors that it had before", "others");
    if (!given_serial(probe, serial_after, sizeof serial_after))
        return;
    expect(probe, strcmp(serial, serial_after) == 0, "the serial number that it had before", "%s",
           serial_after);
}

static void detaches_again(struct probe *probe)
{
    if (!given_dfu_mode(probe) || !back_to_run_time(probe))
        return;
    if (expect_state(probe, DFURT_STATE_appIDLE, "once it is back at run time") &&
        expect_detach(probe, detach_time(probe)))
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

#define DETACH (NEED_RUN_TIME | NEED_DETACH | NEED_DFU_INTERFACE | NEED_FUNCTIONAL)
#define LEAVES (DETACH | NEED_WILL_DETACH)
#define WAITS (DETACH | NEED_WAIT_RESET)

// clang-format off
static const struct check checks[] = {
    {"RT-RESET-01", "DFU 1.1 A.2.1", LEVEL_MUST,
     "a bus reset without DETACH leaves the device at run time",
     NEED_RUN_TIME | NEED_DFU_INTERFACE | NEED_RESET, reset_without_detach},

    {"RT-DETACH-01", "DFU 1.1 5.1", LEVEL_MUST,
     "DETACH completes its status stage before the device leaves",
     DETACH, detach_completes},
    {"RT-DETACH-02", "USB 2.0 9.2.6.5", LEVEL_MUST,
     "DETACH completes within 50 ms",
     DETACH, detach_in_time},
    {"RT-DETACH-03", "DFU 1.1 5.1", LEVEL_INFO,
     "a DETACH with wValue 0 leaves endpoint 0 working",
     DETACH, detach_wvalue_0},
    {"RT-DETACH-04", "DFU 1.1 4.1.3", LEVEL_MUST,
     "with bitWillDetach = 1 the device leaves the bus by itself",
     LEAVES, leaves_by_itself},
    {"RT-DETACH-05", "DFU 1.1 5.1", LEVEL_MUST,
     "with bitWillDetach = 1 the device comes back in DFU mode",
     LEAVES, comes_back_in_dfu_mode},
    {"RT-DETACH-14", "DFU 1.1 5.1", LEVEL_MUST,
     "a DETACH without a status stage does not make the device leave",
     LEAVES | NEED_DEPART, detach_cut_off},
    {"RT-DETACH-06", "DFU 1.1 4.1.3", LEVEL_MUST,
     "with bitWillDetach = 0 the device does not leave by itself",
     WAITS, stays_by_itself},
    {"RT-DETACH-07", "DFU 1.1 5.1", LEVEL_MUST,
     "the device returns to appIDLE when the detach timer expires",
     WAITS, timer_expires},
    {"RT-DETACH-08", "DFU 1.1 5.1", LEVEL_SHOULD,
     "the detach timer expires no later than wValue of DETACH says",
     WAITS, timer_obeys_wvalue},
    {"RT-DETACH-09", "DFU 1.1 4.1.3", LEVEL_MUST,
     "the detach timer expires no later than wDetachTimeOut says",
     WAITS, timer_is_capped},
    {"RT-DETACH-10", "DFU 1.1 5.1", LEVEL_SHOULD,
     "the detach timer runs for at least half of its time",
     WAITS, timer_holds},
    {"RT-DETACH-11", "DFU 1.1 6.1.2", LEVEL_MUST,
     "GETSTATUS says appDETACH after DETACH",
     WAITS, status_says_app_detach},
    {"RT-DETACH-12", "DFU 1.1 A.2.2", LEVEL_MUST,
     "GETSTATUS while the detach timer runs does not start it again",
     WAITS, timer_runs_on},
    {"RT-DETACH-13", "DFU 1.1 5.1", LEVEL_MUST,
     "a wValue of 8000h is a time of 32768 ms",
     WAITS, timer_of_8000h},
    {"RT-DESC-09", "DFU 1.1 4.2", LEVEL_MUST,
     "in appDETACH the device still returns its run-time descriptors",
     WAITS, run_time_descriptors},
    {"REQ-10b", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "bwPollTimeout in appDETACH is short",
     WAITS, poll_time_short},

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

const struct check_group check_detach = {
    .title = "Detach and bus reset",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
