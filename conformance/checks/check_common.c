// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "check_common.h"
#include <conformance/modes.h>

bool read_configuration(struct probe *probe, struct configuration_bytes *ret)
{
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, 0, 0, sizeof header);
    if (!expect_length(probe, &setup, header, sizeof header))
        return false;

    uint16_t total = usbdev_load_le16(header + 2);
    setup.wLength = total < sizeof ret->bytes ? total : sizeof ret->bytes;
    if (!expect_accepted(probe, &setup, ret->bytes, &ret->length))
        return false;
    bool parsed = configuration_parse(&ret->config, ret->bytes, (size_t)ret->length);
    // What a configuration descriptor must be is judged by a check of its own.
    return given(probe, expect(probe, parsed, "a configuration descriptor",
                               "%d bytes that are none", ret->length));
}

bool read_device_descriptor(struct probe *probe, uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE])
{
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    return expect_length(probe, &setup, bytes, USBDEV_DEVICE_DESCRIPTOR_SIZE);
}

bool expect_alive(struct probe *probe, const char *when)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, sizeof bytes);
    int result = probe_control(probe, &setup, bytes);
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "%s: %s", when, usb_result_text(result));
    char expected[PROBE_WORDS];
    snprintf(expected, sizeof expected, "the device descriptor can be read %s", when);
    return expect(probe, result == USBDEV_DEVICE_DESCRIPTOR_SIZE, expected, "%s",
                  usb_result_text(result));
}

uint16_t detach_time(const struct probe *probe)
{
    enum { USUAL_MS = 1000 };
    unsigned longest_ms = device_detach_timeout(&probe->run_time);
    return longest_ms == 0 || longest_ms > USUAL_MS ? USUAL_MS : (uint16_t)longest_ms;
}

bool expect_detach(struct probe *probe, uint16_t wValue)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, wValue, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result != USB_GONE && result != USB_IO)
        return expect_result(probe, result, 0, NULL);

    // An error on the bus is the cable's, unless the device has gone just now.
    if (probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") != 0)
        return probe_inconclusive(probe, "DETACH: %s", usb_result_text(result));
    return expect(probe, false, "DETACH completes its status stage before the device leaves",
                  "the device left the bus before it had");
}

bool expect_leave(struct probe *probe)
{
    int result = probe_wait_leave(probe, PROBE_DFU_UTIL_MS, "the device to leave");
    return expect(probe, result == 0, "the device leaves the bus by itself (bitWillDetach = 1)",
                  "it stayed for %u ms", (unsigned)PROBE_DFU_UTIL_MS);
}

static bool leave_as_told(struct probe *probe)
{
    if (device_will_detach(&probe->run_time))
        return expect_leave(probe);
    int result = probe_reset(probe);
    if (result < 0 && result != USB_GONE)
        return probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));
    // It may take the reset first and drop its pull-up a moment later.
    if (result == 0 && probe->mode != DEVICE_DFU_MODE)
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave after the bus reset");
    return true;
}

// From the DETACH to when the device connected; where the transport does not tell, to when it was
// found, which each of the host's steps made later.
static bool expect_connected_within(struct probe *probe,
                                    uint64_t start_us,
                                    size_t first_step,
                                    unsigned limit_ms)
{
    uint64_t connected_us = probe->target->connected_us;
    bool known = connected_us > start_us;
    uint64_t took_us = (known ? connected_us : probe_now_us(probe)) - start_us;
    unsigned steps = known ? 1 : (unsigned)(probe->transcript.total - first_step);
    return expect_within(probe, "DFU mode", took_us, steps, probe_away_ms(probe, limit_ms));
}

bool expect_dfu_mode(struct probe *probe, unsigned limit_ms)
{
    uint64_t start_us = probe_now_us(probe);
    size_t first_step = probe->transcript.total;
    if (!leave_as_told(probe))
        return false;
    if (probe->mode != DEVICE_DFU_MODE && !expect_return(probe, limit_ms, "DFU mode"))
        return false;
    return expect(probe, probe->mode == DEVICE_DFU_MODE, "DFU mode after DETACH",
                  "the device is at run time") &&
           expect_connected_within(probe, start_us, first_step, limit_ms);
}

bool expect_run_time_after_reset(struct probe *probe, const char *when)
{
    int result = probe_reset(probe);
    if (result == USB_GONE &&
        !expect_return(probe, PROBE_RETURN_MS, "the device after the bus reset"))
        return false;
    if (result < 0 && result != USB_GONE)
        return probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));

    char expected[PROBE_WORDS];
    snprintf(expected, sizeof expected, "the device stays at run time %s", when);
    return expect(probe, probe->mode == DEVICE_RUN_TIME, expected, "it is in DFU mode") &&
           expect_state(probe, DFURT_STATE_appIDLE, when);
}

bool back_to_run_time(struct probe *probe)
{
    char why[PROBE_WORDS];
    if (mode_enter_run_time(probe, false, why, sizeof why))
        return true;
    return probe_inconclusive(probe, "%s", why);
}
