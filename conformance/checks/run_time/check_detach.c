// SPDX-License-Identifier: MIT
//
// DETACH and the detach timer (DFU 1.1 5.1), for the device that leaves by itself and for the one
// that waits for a bus reset. Waiting is in the target's time.

#include <stdio.h>
#include <string.h>

#include "detach_steps.h"
#include <conformance/modes.h>

enum {
    SLACK_MS = 250,      // how late a fine timer may be, a host's own delays included
    COARSE_MS = 1000,    // how late a coarse one may be
    SHORT_WAIT_MS = 200, // a wValue below most wDetachTimeOut
};

static uint16_t short_wait(const struct probe *probe)
{
    return (uint16_t)detach_timer_ms(probe, SHORT_WAIT_MS);
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

static void wait_for_product(struct probe *probe)
{
    unsigned ms = trips_unsettled_ms(probe);
    if (ms)
        probe_sleep(probe, ms, "the product to finish its start");
}

// The wait for the product is the longest part of it.
static bool was_completed(const struct probe *probe, const struct way *way)
{
    const struct check *in = probe->trips.settled[way->zero];
    return way->settled && !way->status_delay_ms && in && in != probe->check;
}

static bool completes(struct probe *probe, const struct way *way)
{
    if (way->settled)
        wait_for_product(probe);
    uint16_t wValue = way->zero ? 0 : probe_detach_time(probe);
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, wValue, 0);
    int result = probe_control_departing(
        probe, &detach, NULL, &(struct target_departure){.status_delay_ms = way->status_delay_ms});
    // A device may refuse a wValue of 0.
    return (way->zero && result == USB_STALL) || expect_detached(probe, result);
}

// Back at run time in appIDLE; that the device leaves and comes back is judged by other checks. A
// boot loader that no request leaves is judged in the ways that were tried.
static bool start_over(struct probe *probe)
{
    char why[PROBE_WORDS];
    if (device_will_detach(&probe->run_time) &&
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") == 0)
        probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS), "DFU mode");
    if (!mode_quieten(probe))
        return probe_inconclusive(probe, "the device did not come back after DETACH");
    if (mode_enter_run_time(probe, false, why, sizeof why))
        return true;
    probe_note(probe, "DETACH was sent in one way only: %s", why);
    return false;
}

static void detach_completes(struct probe *probe)
{
    bool late = probe->target->capabilities & TARGET_CAN_DEPART;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if ((ways[i].status_delay_ms && !late) || was_completed(probe, &ways[i]))
            continue;
        if (!given_app_idle(probe) || !completes(probe, &ways[i]) || !start_over(probe))
            return;
    }
}

static void detach_in_time(struct probe *probe)
{
    if (!was_seen(probe, probe->trips.prompt, "DETACH within 50 ms") && given_detach(probe))
        expect_last_within(probe, "DETACH", 50);
}

// DFU 1.1 5.1 does not say what a wValue of 0 means; endpoint 0 must work afterwards.
static void detach_wvalue_0(struct probe *probe)
{
    if (was_seen(probe, probe->trips.arrived[true], "DFU mode after DETACH with wValue 0"))
        return;
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, 0, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result == 0 && device_will_detach(&probe->run_time)) {
        expect_dfu_mode(probe, PROBE_RETURN_MS);
        return;
    }
    probe_note(probe, "the device responds with %s", usb_result_text(result));
    expect_alive(probe);
}

// ---- The device that leaves by itself ----

static void leaves_by_itself(struct probe *probe)
{
    if (!was_seen(probe, probe->trips.left[false], "the device leaves the bus by itself") &&
        given_detach(probe))
        expect_leave(probe);
}

// Also where it leaves too early, which is RT-DETACH-01's.
static void comes_back_in_dfu_mode(struct probe *probe)
{
    if (was_seen(probe, probe->trips.arrived[false], "DFU mode after DETACH"))
        return;
    const struct usbdev_setup_packet detach =
        dfu_setup(probe, DFURT_DETACH, probe_detach_time(probe), 0);
    int result = probe_control(probe, &detach, NULL);
    bool left = result == USB_GONE || given(probe, expect_result(probe, result, 0, NULL));
    if (left && given(probe, expect_leave(probe)))
        expect_dfu_mode(probe, PROBE_RETURN_MS);
}

// The host abandons the transfer: without a status stage the request is not complete.
static void detach_cut_off(struct probe *probe)
{
    const struct usbdev_setup_packet detach =
        dfu_setup(probe, DFURT_DETACH, probe_detach_time(probe), 0);
    const struct target_departure departure = {.cut_off = TARGET_CUT_OFF_BEFORE_STATUS};
    int result = probe_control_departing(probe, &detach, NULL, &departure);
    if (given(probe, expect_result(probe, result, 0, NULL)))
        expect_stays(probe, PROBE_LEAVE_MS, "the device not to leave");
}

// ---- The device that waits for a bus reset ----

static void stays_by_itself(struct probe *probe)
{
    if (given_detach(probe))
        expect_stays(probe, detach_timer_ms(probe, probe_detach_time(probe)) + SLACK_MS,
                     "the device not to leave");
}

static bool given_app_detach(struct probe *probe)
{
    return given_detach(probe) &&
           given(probe, expect_state(probe, DFURT_STATE_appDETACH, "after DETACH"));
}

static void timer_expires(struct probe *probe)
{
    uint16_t wValue = probe_detach_time(probe);
    if (!given_detach(probe))
        return;
    probe_sleep(probe, after_detach_timer_ms(probe, wValue), "the detach timer");
    expect_state(probe, DFURT_STATE_appIDLE, "after the detach timer");
}

static void timer_obeys_wvalue(struct probe *probe)
{
    uint16_t wValue = short_wait(probe);
    if (!given(probe, expect_detach(probe, wValue)))
        return;
    probe_sleep(probe, wValue + SLACK_MS, "the detach timer");
    expect_state(probe, DFURT_STATE_appIDLE, "after the time that DETACH asked for");
}

// A device may refuse such a wValue; it may not wait that long. A wValue of twice the time that its
// timer may take tells the two apart.
static void timer_is_capped(struct probe *probe)
{
    unsigned over_ms = after_detach_timer_ms(probe, UINT16_MAX);
    unsigned wValue = 2 * over_ms < UINT16_MAX ? 2 * over_ms : UINT16_MAX;
    if (wValue < over_ms + COARSE_MS) {
        probe_inapplicable(probe, "a wDetachTimeOut that a wValue can exceed by far");
        return;
    }
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, (uint16_t)wValue, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result == USB_STALL) {
        probe_note(probe, "the device refuses a wValue above its wDetachTimeOut, as it may");
        expect_state(probe, DFURT_STATE_appIDLE, "after the DETACH that it refused");
        return;
    }
    if (!given(probe, expect_result(probe, result, 0, NULL)))
        return;
    char when[PROBE_WORDS];
    snprintf(when, sizeof when, "after wDetachTimeOut, though wValue was %u", wValue);
    probe_sleep(probe, over_ms, "the detach timer");
    expect_state(probe, DFURT_STATE_appIDLE, when);
}

static void timer_holds(struct probe *probe)
{
    uint64_t start_us = probe_now_us(probe);
    if (!given_app_detach(probe))
        return;
    // A slow device has spent part of the time on DETACH itself.
    unsigned half_ms = detach_timer_ms(probe, probe_detach_time(probe)) / 2;
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
    unsigned step_ms = after_detach_timer_ms(probe, probe_detach_time(probe)) / QUESTIONS + 1;
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
    const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
    if (!given_app_detach(probe) || !given(probe, expect_stall(probe, &abort, NULL)))
        return;
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
    if (given_detach(probe) && given(probe, expect_getstatus(probe, &status)))
        expect(probe, status.bwPollTimeout <= SHORT_MS,
               "bwPollTimeout <= 100 ms, because dfu-util sleeps it", "%u ms",
               (unsigned)status.bwPollTimeout);
}

static void status_says_app_detach(struct probe *probe)
{
    struct dfu_status_reply status;
    if (given_detach(probe) && given(probe, expect_getstatus(probe, &status)))
        expect_number(probe, "bState of GETSTATUS after DETACH", status.bState,
                      DFURT_STATE_appDETACH);
}

// A device may take most of a short wDetachTimeOut for a few requests: a DETACH for each
// descriptor, and one request for it.
static void run_time_descriptors(struct probe *probe)
{
    static uint8_t before[PROBE_CONTROL_MAX], now[PROBE_CONTROL_MAX];
    uint8_t device_before[USBDEV_DEVICE_DESCRIPTOR_SIZE], device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    int length_before, length;
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, active_configuration_index(probe), 0,
                           (uint16_t)probe->run_time.raw.configuration_length);
    if (!given_carried(probe, setup.wLength) ||
        !given(probe, read_device_descriptor(probe, device_before) &&
                          expect_accepted(probe, &setup, before, &length_before)) ||
        !given_detach(probe) || !read_device_descriptor(probe, device) ||
        !expect(probe, memcmp(device, device_before, sizeof device) == 0,
                "the device descriptor of appIDLE", "another one"))
        return;
    probe_outlast_detach(probe);
    mode_quieten(probe);
    if (given_detach(probe) && expect_accepted(probe, &setup, now, &length))
        expect(probe, length == length_before && memcmp(now, before, (size_t)length) == 0,
               "the configuration descriptor of appIDLE", "another one, %d bytes", length);
}

#define DETACHES (NEED_RUN_TIME | NEED_DETACH | NEED_DFU_INTERFACE)
#define DETACH (DETACHES | NEED_FUNCTIONAL)
#define LEAVES (DETACH | NEED_WILL_DETACH)
#define WAITS (DETACH | NEED_WAIT_RESET)

// clang-format off
static const struct check checks[] = {
    {"RT-DETACH-01", "DFU 1.1 5.1", LEVEL_MUST,
     "DETACH completes its status stage before the device leaves",
     DETACHES, detach_completes},
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
     LEAVES, comes_back_in_dfu_mode, .judges_return = true},
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
};
// clang-format on

const struct check_group check_detach = {
    .title = "Detach",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
