// SPDX-License-Identifier: MIT
//
// The state table at run time, a requirement a cell (DFU 1.1 tables A.2.1 and A.2.2).
//
// A row says in which state a request is sent, what the answer is, and which state follows. One
// function serves all of them: bring the device into the state, send, compare, ask for the state.

#include <stdio.h>

#include "detach_steps.h"
#include <conformance/state_rows.h>

// At run time one state follows.
static uint8_t next_state(const struct state_row *row)
{
    return row->next & STATE(DFURT_STATE_appIDLE) ? DFURT_STATE_appIDLE : DFURT_STATE_appDETACH;
}

enum { NO_STATE = 0xFF };

// By this question alone; NO_STATE where it is not answered. Returns false if the device is lost.
static bool ask_by(struct probe *probe, uint8_t bRequest, uint8_t *ret_state)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    bool getstate = bRequest == DFURT_GETSTATE;
    uint16_t length = getstate ? DFURT_STATE_REPLY_SIZE : DFURT_STATUS_REPLY_SIZE;
    const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, length);
    int result = probe_control(probe, &setup, reply);
    *ret_state = NO_STATE;
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "%s", usb_result_text(result));
    if (result == length)
        *ret_state = getstate ? reply[0] : dfu_status_load(reply).bState;
    return true;
}

// A row that is about one of the two questions is begun by the other one. Where that says appIDLE
// and the row's own does not say otherwise, DETACH was not carried out.
static bool given_told(struct probe *probe, uint8_t own)
{
    uint8_t other = own == DFURT_GETSTATE ? DFURT_GETSTATUS : DFURT_GETSTATE;
    uint8_t state, own_state;
    if (!ask_by(probe, other, &state))
        return false;
    if (state == NO_STATE || state == DFURT_STATE_appDETACH)
        return true;
    if (!ask_by(probe, own, &own_state))
        return false;
    if (own_state == DFURT_STATE_appDETACH)
        return true;
    return given(probe,
                 expect_number(probe, "the state after DETACH", state, DFURT_STATE_appDETACH));
}

// Into appDETACH, for as long as the device allows. That it is there is asked of a device that
// tells its state; of one that STALLs both questions, which may have ended appDETACH, it is the
// accepted DETACH alone that says so, and nothing is asked.
static bool enter_app_detach(struct probe *probe, uint8_t bRequest)
{
    uint8_t state;
    if (!given_app_idle(probe) || !given_detach(probe))
        return false;
    if (bRequest == DFURT_GETSTATUS || bRequest == DFURT_GETSTATE)
        return given_told(probe, bRequest);
    int result = ask_state(probe, &state);
    if (result == USB_STALL)
        return given_app_idle(probe) && given_detach(probe);
    return given(probe,
                 expect_result(probe, result, 0, NULL) &&
                     expect_number(probe, "the state after DETACH", state, DFURT_STATE_appDETACH));
}

// The row of GETSTATE is begun by GETSTATUS, where that is answered.
static bool enter_app_idle(struct probe *probe, uint8_t bRequest)
{
    uint8_t state = NO_STATE;
    if (bRequest == DFURT_GETSTATE && !ask_by(probe, DFURT_GETSTATUS, &state))
        return false;
    if (state == NO_STATE)
        return given_app_idle(probe);
    return given(probe,
                 expect_number(probe, "the state before the check", state, DFURT_STATE_appIDLE));
}

static bool enter_state(struct probe *probe, const struct state_row *row)
{
    return row->state == DFURT_STATE_appIDLE ? enter_app_idle(probe, row->bRequest)
                                             : enter_app_detach(probe, row->bRequest);
}

static bool can_reset(const struct probe *probe)
{
    return probe->run_time.functional && !device_will_detach(&probe->run_time) &&
           (probe->target->capabilities & TARGET_CAN_RESET);
}

// Of a device that does not tell its state in appIDLE, a bus reset shows whether it is in
// appDETACH.
static void expect_next(struct probe *probe, uint8_t next)
{
    char expected[PROBE_WORDS];
    uint8_t state;
    int result = ask_state(probe, &state);
    if (result == USB_STALL && next == DFURT_STATE_appIDLE && can_reset(probe)) {
        expect_run_time_after_reset(probe, "after it, and a bus reset");
        return;
    }
    snprintf(expected, sizeof expected, "the device is in %s after it", usb_dfu_state_name(next));
    if (result == USB_STALL)
        expect(probe, next == DFURT_STATE_appIDLE, expected,
               "GETSTATE and GETSTATUS both STALL, as they may in appIDLE only");
    else if (expect_result(probe, result, 0, NULL))
        expect_agreed(probe, state, next, expected);
}

// What GETSTATE answers is the state that it is asked in.
static bool expect_own_state(struct probe *probe, const struct state_row *row, const uint8_t *data)
{
    return row->bRequest != DFURT_GETSTATE ||
           expect(probe, data[0] == row->state, usb_dfu_state_name(row->state), "%s",
                  usb_dfu_state_name(data[0]));
}

static bool expect_outcome(struct probe *probe, const struct state_row *row)
{
    uint8_t data[64] = {0};
    uint16_t wValue = row->bRequest == DFURT_DETACH ? probe_detach_time(probe) : 0;
    const struct usbdev_setup_packet setup = dfu_setup(probe, row->bRequest, wValue, row->wLength);
    switch (row->outcome) {
    case STALLED:
        return expect_stall(probe, &setup, data);
    case ACCEPTED:
        return expect_length(probe, &setup, data, row->wLength) &&
               expect_own_state(probe, row, data);
    case ANSWERED_OR_STALLED:
    case EITHER: // there is none at run time
        break;
    }
    int result = probe_control(probe, &setup, data);
    if (result == USB_STALL) {
        probe_note(probe, "the device STALLs it, as it may");
        return expect(probe, true, "an answer or a STALL", "STALL");
    }
    return expect_result(probe, result, row->wLength, data) && expect_own_state(probe, row, data);
}

static void follow_row(struct probe *probe)
{
    const struct state_row *row = probe->check->row;
    if (enter_state(probe, row) && expect_outcome(probe, row))
        expect_next(probe, next_state(row));
}

// A row of DNLOAD. The gate sends none behind one that was not refused, so that each waits for
// those of the rows above, and sends them if it runs alone.
static bool given_refused_above(struct probe *probe);

static void follow_dnload(struct probe *probe)
{
    const struct state_row *row = probe->check->row;
    enum gate_dnload was = probe->gate.at_run_time[row->state][row->wLength > 0];
    if (was == GATE_DNLOAD_TAKEN)
        expect(probe, false, "STALL", "accepted, in an earlier check");
    else if (given_refused_above(probe))
        follow_row(probe);
}

// A device that STALLs DETACH and leaves all the same does so here, and not in the next check.
static void outwait_refused_detach(struct probe *probe)
{
    size_t first = probe->transcript.total;
    if (probe_wait_leave(probe, PROBE_LEAVE_MS, "the device not to leave") == 0)
        probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS), "the device");
    transcript_set_aside(&probe->transcript, first);
}

// DETACH in appIDLE: a device that leaves by itself may be gone before it can be asked.
static void detach_in_app_idle(struct probe *probe)
{
    const struct state_row *row = probe->check->row;
    const struct usbdev_setup_packet detach =
        dfu_setup(probe, DFURT_DETACH, probe_detach_time(probe), 0);
    if (!given_app_idle(probe))
        return;
    if (!expect_length(probe, &detach, NULL, 0)) {
        outwait_refused_detach(probe);
        return;
    }
    if (!device_will_detach(&probe->run_time)) {
        expect_state(probe, next_state(row), "after it");
        return;
    }
    uint8_t state;
    const struct usbdev_setup_packet getstate = dfu_setup(probe, DFURT_GETSTATE, 0, sizeof state);
    if (probe_control(probe, &getstate, &state) == (int)sizeof state)
        expect_number(probe, "the state after it", state, next_state(row));
}

// A product that has just started may still act on what an earlier check sent: that is not the
// reset's doing.
static void reset_without_detach(struct probe *probe)
{
    if (given(probe,
              expect_stays(probe, trips_unsettled_ms(probe), "the product to finish its start")) &&
        given_app_idle(probe))
        expect_run_time_after_reset(probe, "after a bus reset without DETACH");
}

// Requests that DFU does not have, both directions.
static bool expect_unknown_stalls(struct probe *probe, uint8_t bRequest)
{
    uint8_t data[4] = {0};
    struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, 0);
    if (!expect_stall(probe, &setup, data))
        return false;
    setup.bmRequestType |= USBDEV_DIR_IN;
    setup.wLength = sizeof data;
    return expect_stall(probe, &setup, data);
}

static void unknown_in_app_idle(struct probe *probe)
{
    if (!given_app_idle(probe))
        return;
    for (size_t i = 0; i < gate_sample_count; i++) {
        if (!expect_unknown_stalls(probe, gate_samples[i]))
            return;
    }
    expect_state(probe, DFURT_STATE_appIDLE, "after all of them");
}

static void unknown_in_app_detach(struct probe *probe)
{
    for (size_t i = 0; i < gate_sample_count; i++) {
        uint8_t data[1];
        const struct usbdev_setup_packet setup = dfu_setup(probe, gate_samples[i], 0, 0);
        if (!enter_app_detach(probe, gate_samples[i]) || !expect_stall(probe, &setup, data))
            return;
        expect_next(probe, DFURT_STATE_appIDLE);
        if (probe->judgement.decided)
            return;
    }
}

#define IN_IDLE (NEED_RUN_TIME | NEED_DFU_INTERFACE)
#define IN_DETACH (IN_IDLE | NEED_DETACH | NEED_WAIT_RESET)
#define ROW(...) STATE_ROW(__VA_ARGS__)

// clang-format off
static const struct check checks[] = {
    {"RT-STATE-0-DNLOAD", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: DNLOAD with data STALLs, the state stays",
     IN_IDLE, follow_dnload, ROW(0, DFURT_DNLOAD, 16, STALLED, STATE(0))},
    {"RT-STATE-0-DNLOAD-0", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: DNLOAD without data STALLs, the state stays",
     IN_IDLE, follow_dnload, ROW(0, DFURT_DNLOAD, 0, STALLED, STATE(0))},
    {"RT-STATE-0-UPLOAD", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: UPLOAD STALLs, the state stays",
     IN_IDLE, follow_row, ROW(0, DFURT_UPLOAD, 16, STALLED, STATE(0))},
    {"RT-STATE-0-GETSTATUS", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: GETSTATUS is answered or STALLs, the state stays",
     IN_IDLE, follow_row, ROW(0, DFURT_GETSTATUS, 6, ANSWERED_OR_STALLED, STATE(0))},
    {"RT-STATE-0-CLRSTATUS", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: CLRSTATUS STALLs, the state stays",
     IN_IDLE, follow_row, ROW(0, DFURT_CLRSTATUS, 0, STALLED, STATE(0))},
    {"RT-STATE-0-GETSTATE", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: GETSTATE is answered or STALLs, the state stays",
     IN_IDLE, follow_row, ROW(0, DFURT_GETSTATE, 1, ANSWERED_OR_STALLED, STATE(0))},
    {"RT-STATE-0-ABORT", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: ABORT STALLs, the state stays",
     IN_IDLE, follow_row, ROW(0, DFURT_ABORT, 0, STALLED, STATE(0))},
    {"RT-STATE-0-OTHER", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: requests that DFU does not have STALL, the state stays",
     IN_IDLE, unknown_in_app_idle, ROW(0, 7, 0, STALLED, STATE(0))},
    {"RT-RESET-01", "DFU 1.1 A.2.1", LEVEL_MUST,
     "a bus reset without DETACH leaves the device at run time",
     IN_IDLE | NEED_RESET, reset_without_detach},
    {"RT-STATE-0-DETACH", "DFU 1.1 A.2.1", LEVEL_MUST,
     "appIDLE: DETACH is accepted, next is appDETACH",
     IN_IDLE | NEED_DETACH, detach_in_app_idle, ROW(0, DFURT_DETACH, 0, ACCEPTED, STATE(1))},

    {"RT-STATE-1-DETACH", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: a second DETACH STALLs, next is appIDLE",
     IN_DETACH, follow_row, ROW(1, DFURT_DETACH, 0, STALLED, STATE(0))},
    {"RT-STATE-1-DNLOAD", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: DNLOAD with data STALLs, next is appIDLE",
     IN_DETACH, follow_dnload, ROW(1, DFURT_DNLOAD, 16, STALLED, STATE(0))},
    {"RT-STATE-1-DNLOAD-0", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: DNLOAD without data STALLs, next is appIDLE",
     IN_DETACH, follow_dnload, ROW(1, DFURT_DNLOAD, 0, STALLED, STATE(0))},
    {"RT-STATE-1-UPLOAD", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: UPLOAD STALLs, next is appIDLE",
     IN_DETACH, follow_row, ROW(1, DFURT_UPLOAD, 16, STALLED, STATE(0))},
    {"RT-STATE-1-GETSTATUS", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: GETSTATUS is answered, the state stays",
     IN_DETACH, follow_row, ROW(1, DFURT_GETSTATUS, 6, ACCEPTED, STATE(1))},
    {"RT-STATE-1-CLRSTATUS", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: CLRSTATUS STALLs, next is appIDLE",
     IN_DETACH, follow_row, ROW(1, DFURT_CLRSTATUS, 0, STALLED, STATE(0))},
    {"RT-STATE-1-GETSTATE", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: GETSTATE is answered, the state stays",
     IN_DETACH, follow_row, ROW(1, DFURT_GETSTATE, 1, ACCEPTED, STATE(1))},
    {"RT-STATE-1-ABORT", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: ABORT STALLs, next is appIDLE",
     IN_DETACH, follow_row, ROW(1, DFURT_ABORT, 0, STALLED, STATE(0))},
    {"RT-STATE-1-OTHER", "DFU 1.1 A.2.2", LEVEL_MUST,
     "appDETACH: a request that DFU does not have STALLs, next is appIDLE",
     IN_DETACH, unknown_in_app_detach, ROW(1, 7, 0, STALLED, STATE(0))},
};
// clang-format on

static bool given_refused(struct probe *probe, const struct check *check)
{
    const struct state_row *row = check->row;
    const enum gate_dnload *was = &probe->gate.at_run_time[row->state][row->wLength > 0];
    if (*was == GATE_DNLOAD_UNTRIED) {
        uint8_t data[64] = {0};
        const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_DNLOAD, 0, row->wLength);
        if (!enter_state(probe, row))
            return false;
        probe_control(probe, &setup, data);
    }
    return *was == GATE_DNLOAD_REFUSED ||
           probe_inconclusive(probe,
                              "%s is not met, and no DNLOAD is sent at run time behind one that "
                              "was not refused",
                              check->id);
}

// A device that does not report its state in appIDLE is sent none there.
static bool given_refused_above(struct probe *probe)
{
    for (const struct check *check = checks; check->row != probe->check->row; check++) {
        const struct state_row *row = check->row;
        if (!row || row->bRequest != DFURT_DNLOAD)
            continue;
        bool unsent = probe->gate.silent && row->state == DFURT_STATE_appIDLE;
        if (!unsent && !given_refused(probe, check))
            return false;
    }
    return true;
}

const struct check_group check_states = {
    .title = "State table at run time",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
