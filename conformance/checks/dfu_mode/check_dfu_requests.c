// SPDX-License-Identifier: MIT
//
// Requests in DFU mode beside the state table: how long they take, requests that only look like
// DFU's, what the capability bits forbid, and dfuMANIFEST-WAIT-RESET, which nothing but a reset
// ends (DFU 1.1 A.2.9).

#include <stdio.h>

#include <conformance/check_common.h>
#include <conformance/dfu_steps.h>
#include <conformance/download.h>
#include <conformance/modes.h>

// ---- Times (USB 2.0 9.2.6) ----

static void questions_in_time(struct probe *probe)
{
    struct dfu_status_reply status;
    uint8_t state;
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) &&
        given(probe, expect_getstatus(probe, &status)) && expect_data_in_time(probe, "GETSTATUS") &&
        !dfu_lacks_getstate(probe) && given(probe, expect_getstate(probe, &state)))
        expect_data_in_time(probe, "GETSTATE");
}

static bool sends_in_time(struct probe *probe, uint8_t bRequest)
{
    char done[32];
    const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, 0);
    snprintf(done, sizeof done, "%s done", usb_dfu_request_name(bRequest));
    return given(probe, expect_length(probe, &setup, NULL, 0)) &&
           expect_last_within(probe, done, 50);
}

static void no_data_in_time(struct probe *probe)
{
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) &&
        sends_in_time(probe, DFURT_ABORT) && dfu_enter_error(probe, DFU_NO_QUESTION))
        sends_in_time(probe, DFURT_CLRSTATUS);
}

static void upload_in_time(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) && dfu_point_at_start(probe) &&
        given(probe, expect_carried_out(probe, dfu_upload(probe, dfu_first_block(probe), data,
                                                          dfu_small_block(probe)))))
        expect_data_in_time(probe, "UPLOAD");
}

// A device announces work that takes longer by bwPollTimeout.
static void dnload_in_time(struct probe *probe)
{
    struct dfu_status_reply status;
    if (dfu_enter_state(probe, DFURT_STATE_dfuDNLOAD_SYNC, DFURT_GETSTATE) && // none after DNLOAD
        expect_last_within(probe, "DNLOAD of a block done", 500) &&
        given(probe, expect_getstatus(probe, &status)))
        expect_last_within(probe, "GETSTATUS behind the block answered", 500);
}

// ---- A device that has just enumerated ----

static bool enter_anew(struct probe *probe)
{
    char why[PROBE_WORDS];
    if (!probe->run_time.seen)
        return probe_inapplicable(probe, "a device that is known to enumerate in DFU mode again");
    return (mode_enter_run_time(probe, false, why, sizeof why) &&
            mode_enter_dfu(probe, why, sizeof why)) ||
           probe_inconclusive(probe, "%s", why);
}

// As a host without a driver for it finds it: alternate setting 0 is selected by the configuration
// (USB 2.0 9.1.1.5).
static void answers_unselected(struct probe *probe)
{
    struct dfu_status_reply status;
    if (enter_anew(probe))
        expect_getstatus(probe, &status);
}

// dfuERROR where there is no valid firmware.
static void begins_idle(struct probe *probe)
{
    struct dfu_status_reply status;
    if (enter_anew(probe) && given(probe, expect_getstatus(probe, &status)))
        expect(probe, status.bState == DFURT_STATE_dfuIDLE || status.bState == DFURT_STATE_dfuERROR,
               "dfuIDLE, or dfuERROR", "%s", usb_dfu_state_name(status.bState));
}

// As hosts do that bind another driver.
static void answers_configured_again(struct probe *probe)
{
    struct dfu_status_reply status;
    const uint8_t value = probe_device(probe)->config.bConfigurationValue;
    const uint8_t values[] = {value, 0, value};
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION))
        return;
    for (size_t i = 0; i < sizeof values; i++) {
        int result = probe_set_configuration(probe, values[i]);
        if (!given(probe, expect_result(probe, result, 0, NULL)) ||
            (values[i] != 0 && !expect_getstatus(probe, &status)))
            return;
    }
}

// ---- Requests that only look like DFU's ----

struct lookalike {
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint8_t wLength;
};

// The request STALLs, and endpoint 0 works. DFU 1.1 does not say which state follows a request that
// is not DFU's.
static void lookalike_stalls(struct probe *probe)
{
    const struct lookalike *row = probe->check->row;
    uint8_t data[64] = {0};
    if (!dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION))
        return;
    struct usbdev_setup_packet setup = dfu_setup(probe, row->bRequest, 0, row->wLength);
    setup.bmRequestType = row->bmRequestType;
    if (expect_stall(probe, &setup, data))
        expect_alive(probe);
}

static bool expect_any_length(struct probe *probe, uint8_t bRequest, uint16_t size)
{
    static const uint16_t lengths[] = {1, 5, 6, 7, 64, 255, 4096, 0};
    uint8_t data[4096];
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, lengths[i]);
        uint16_t whole = lengths[i] < size ? lengths[i] : size;
        if (!expect_length(probe, &setup, data, whole) || !expect_alive(probe))
            return false;
    }
    return true;
}

static void any_length(struct probe *probe)
{
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) &&
        expect_any_length(probe, DFURT_GETSTATUS, DFURT_STATUS_REPLY_SIZE) &&
        !dfu_lacks_getstate(probe))
        expect_any_length(probe, DFURT_GETSTATE, DFURT_STATE_REPLY_SIZE);
}

static void absent_interface_stalls(struct probe *probe)
{
    uint8_t data[DFURT_STATUS_REPLY_SIZE];
    struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_GETSTATUS, 0, sizeof data);
    if (given_absent_interface(probe, &setup.wIndex) &&
        dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION) &&
        expect_stall(probe, &setup, data))
        expect_alive(probe);
}

// ---- What the capability bits forbid (A.2.3) ----

static void expect_refused(struct probe *probe, int result)
{
    struct dfu_status_reply status;
    if (expect_stalled(probe, result, NULL) && expect_getstatus(probe, &status))
        expect(probe, status.bState == DFURT_STATE_dfuERROR, "dfuERROR", "%s",
               usb_dfu_state_name(status.bState));
}

static void upload_without_bit(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    if (device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD) {
        probe_inapplicable(probe, "a device with bitCanUpload = 0");
        return;
    }
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, dfu_first_block(probe), dfu_small_block(probe));
    if (dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION))
        expect_refused(probe, probe_control(probe, &setup, data));
}

static void dnload_without_bit(struct probe *probe)
{
    if (device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_DNLOAD) {
        probe_inapplicable(probe, "a device with bitCanDnload = 0");
        return;
    }
    if (dfu_prepare_dnload(probe) && dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION))
        expect_refused(probe, dfu_dnload_something(probe));
}

// ---- dfuMANIFEST-WAIT-RESET (A.2.9) ----

static bool enter_wait_reset(struct probe *probe)
{
    struct dfu_status_reply status;
    char why[PROBE_WORDS];
    if (device_attributes(&probe->dfu_mode) & DFURT_ATTR_MANIFESTATION_TOLERANT)
        return probe_inapplicable(probe, "a device that is not manifestation tolerant");
    if (!dfu_prepare_dnload(probe) || !dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION))
        return false;
    if (!download_image(probe, why, sizeof why) ||
        !download_manifest(probe, &status, why, sizeof why))
        return probe_inconclusive(probe, "dfuMANIFEST-WAIT-RESET was not reached: %s", why);
    if (!dfu_ask(probe, &status))
        return probe_inapplicable(probe, "a device that answers in dfuMANIFEST-WAIT-RESET");
    return status.bState == DFURT_STATE_dfuMANIFEST_WAIT_RESET ||
           probe_inconclusive(probe, "dfuMANIFEST-WAIT-RESET was not reached: %s",
                              usb_dfu_state_name(status.bState));
}

static void wait_reset_stays(struct probe *probe)
{
    static const uint8_t requests[] = {DFURT_DETACH, DFURT_CLRSTATUS, DFURT_ABORT};
    if (!enter_wait_reset(probe))
        return;
    for (size_t i = 0; i < sizeof requests; i++) {
        struct dfu_status_reply status;
        char expected[PROBE_WORDS];
        const struct usbdev_setup_packet setup = dfu_setup(probe, requests[i], 0, 0);
        probe_control(probe, &setup, NULL);
        if (!dfu_ask(probe, &status)) {
            expect(probe, true, "the state stays", "no answer");
            return;
        }
        snprintf(expected, sizeof expected, "the state stays dfuMANIFEST-WAIT-RESET after %s",
                 usb_dfu_request_name(requests[i]));
        if (!expect(probe, status.bState == DFURT_STATE_dfuMANIFEST_WAIT_RESET, expected, "%s",
                    usb_dfu_state_name(status.bState)))
            return;
    }
}

#define IN_DFU_MODE (NEED_DFU_MODE | NEED_DFU_INTERFACE)
#define WRITING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_PLAIN | NEED_WRITE)
#define LOOKALIKE(...) (&(const struct lookalike){__VA_ARGS__})

// clang-format off
static const struct check checks[] = {
    {"DM-SELECT-01", "USB 2.0 9.1.1.5", LEVEL_MUST,
     "GETSTATUS is answered in DFU mode before SET_INTERFACE",
     IN_DFU_MODE | NEED_DETACH, answers_unselected},
    {"DM-SELECT-02", "DFU 1.1 A.2.2", LEVEL_MUST,
     "DFU mode begins in dfuIDLE, or in dfuERROR",
     IN_DFU_MODE | NEED_DETACH, begins_idle},
    {"DM-SELECT-03", "USB 2.0 9.4.7", LEVEL_MUST,
     "GETSTATUS is answered in DFU mode after a second SET_CONFIGURATION, and after that of 0",
     IN_DFU_MODE, answers_configured_again},
    {"DM-TIME-01", "USB 2.0 9.2.6.5", LEVEL_MUST,
     "GETSTATUS and GETSTATE return data within 500 ms in DFU mode",
     IN_DFU_MODE, questions_in_time},
    {"DM-TIME-02", "USB 2.0 9.2.6.5", LEVEL_MUST,
     "ABORT and CLRSTATUS complete within 50 ms",
     IN_DFU_MODE, no_data_in_time},
    {"DM-TIME-03", "DFU 1.1 6.1.2", LEVEL_SHOULD,
     "DNLOAD takes a block within 500 ms, and announces what takes longer by bwPollTimeout",
     IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_DNLOAD_BEGUN, dnload_in_time},
    {"DM-TIME-04", "USB 2.0 9.2.6.5", LEVEL_MUST,
     "UPLOAD returns data within 500 ms",
     IN_DFU_MODE | NEED_CAN_UPLOAD, upload_in_time},
    {"DM-REQ-01", "DFU 1.1 3", LEVEL_MUST,
     "GETSTATUS in the direction OUT STALLs in DFU mode",
     IN_DFU_MODE, lookalike_stalls, LOOKALIKE(0x21, DFURT_GETSTATUS, 6)},
    {"DM-REQ-02", "DFU 1.1 3", LEVEL_MUST,
     "GETSTATE in the direction OUT STALLs in DFU mode",
     IN_DFU_MODE, lookalike_stalls, LOOKALIKE(0x21, DFURT_GETSTATE, 1)},
    {"DM-REQ-03", "DFU 1.1 3", LEVEL_MUST,
     "GETSTATUS to the device STALLs in DFU mode",
     IN_DFU_MODE, lookalike_stalls, LOOKALIKE(0xA0, DFURT_GETSTATUS, 6)},
    {"DM-REQ-04", "USB 2.0 9.3.5", LEVEL_SHOULD,
     "GETSTATUS and GETSTATE return as much as wLength allows in DFU mode",
     IN_DFU_MODE, any_length},
    {"DM-REQ-05", "USB 2.0 9.2.7", LEVEL_MUST,
     "GETSTATUS to an absent interface STALLs in DFU mode",
     IN_DFU_MODE | NEED_RAW, absent_interface_stalls},
    {"DM-CAN-01", "DFU 1.1 A.2.3", LEVEL_MUST,
     "with bitCanUpload = 0 UPLOAD STALLs, next is dfuERROR",
     IN_DFU_MODE | NEED_FUNCTIONAL, upload_without_bit},
    {"DM-CAN-02", "DFU 1.1 A.2.3", LEVEL_MUST,
     "with bitCanDnload = 0 DNLOAD STALLs, next is dfuERROR",
     IN_DFU_MODE | NEED_FUNCTIONAL | NEED_PLAIN | NEED_WRITE, dnload_without_bit},
    {"DM-STATE-8-OTHER", "DFU 1.1 A.2.9", LEVEL_MUST,
     "dfuMANIFEST-WAIT-RESET: no request changes the state",
     WRITING | NEED_RESET, wait_reset_stays},
};
// clang-format on

const struct check_group check_dfu_requests = {
    .title = "Requests in DFU mode",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
