// SPDX-License-Identifier: MIT
//
// The states of a USB device (USB 2.0 9.1.1): standard requests in the Default and Address states,
// where the transport reaches them; suspend, bus resets, and transfers that are cut off.

#include <string.h>

#include "standard_requests.h"
#include "standard_times.h"

// ---- Other states ----

static void default_descriptor(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (given_state(probe, probe_to_default))
        read_device_descriptor(probe, bytes);
    probe_reset(probe);
}

static void address_configuration(struct probe *probe)
{
    if (given_state(probe, probe_to_address))
        expect_configuration(probe, 0);
    probe_reset(probe);
}

static void address_interface(struct probe *probe)
{
    uint16_t number = some_interface(probe);
    if (given_state(probe, probe_to_address) &&
        expect_refused(probe, request(0x81, USBDEV_GET_INTERFACE, 0, number, 1)))
        expect_refused(probe, request(0x01, USBDEV_SET_INTERFACE, 0, number, 0));
    probe_reset(probe);
}

static void address_status(struct probe *probe)
{
    uint16_t number = some_interface(probe);
    if (given_state(probe, probe_to_address) &&
        expect_status(probe, USBDEV_RECIPIENT_ENDPOINT, 0, 0xFFFF, 0))
        expect_refused(probe, request(0x81, USBDEV_GET_STATUS, 0, number, 2));
    probe_reset(probe);
}

static void address_absent(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    if (given_state(probe, probe_to_address) && given_configuration(probe, 0) &&
        expect_refused(probe,
                       request(0x00, USBDEV_SET_CONFIGURATION, (uint8_t)(value + 0x55), 0, 0)))
        expect_configuration(probe, 0);
    probe_reset(probe);
}

static void address_device_status(struct probe *probe)
{
    uint8_t status[2];
    const struct usbdev_setup_packet setup = request(0x80, USBDEV_GET_STATUS, 0, 0, 2);
    if (given_state(probe, probe_to_address) && expect_length(probe, &setup, status, 2) &&
        wakes(probe) && expect_done(probe, allow_wakeup))
        expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, 2, 2);
    probe_reset(probe);
}

// Interfaces are there in the Configured state only (USB 2.0 9.1.1.5).
static void address_dfu(struct probe *probe)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet getstatus =
        dfu_setup(probe, DFURT_GETSTATUS, 0, DFURT_STATUS_REPLY_SIZE);
    if (given_state(probe, probe_to_address))
        expect_stall(probe, &getstatus, reply);
    probe_reset(probe);
}

// ---- Cut-off transfers ----

// A SETUP ends the transfer in progress and begins a new one (USB 2.0 8.5.3).
static bool expect_begun_anew(struct probe *probe,
                              const uint8_t *before,
                              uint16_t wLength,
                              enum target_cut_off cut_off)
{
    uint8_t bytes[PROBE_CONTROL_MAX];
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    const struct target_departure departure = {.cut_off = cut_off};
    const struct usbdev_setup_packet configuration =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, active_configuration_index(probe), 0, wLength);
    int result = probe_control_departing(probe, &configuration, bytes, &departure);
    if (result < 0)
        return probe_inconclusive(probe, "GET_DESCRIPTOR: %s", usb_result_text(result));
    return read_device_descriptor(probe, device) &&
           expect(probe, memcmp(device, before, sizeof device) == 0,
                  "the device descriptor, after a transfer that was cut off", "other bytes");
}

static void new_setup(struct probe *probe)
{
    uint8_t before[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint16_t length = (uint16_t)probe_device(probe)->raw.configuration_length;
    if (given(probe, read_device_descriptor(probe, before)) &&
        expect_begun_anew(probe, before, length, TARGET_CUT_OFF_IN_DATA))
        expect_begun_anew(probe, before, length, TARGET_CUT_OFF_BEFORE_STATUS);
}

static void suspend_and_resume(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    if (!given_configuration(probe, value))
        return;
    int result = probe_suspend(probe);
    if (result == 0)
        result = probe_resume(probe);
    if (result != 0)
        probe_inconclusive(probe, "suspend and resume: %s", usb_result_text(result));
    else
        expect_configuration(probe, value);
}

static bool is_as_before(struct probe *probe, const struct target_descriptors *before)
{
    const struct target_descriptors *after = &probe_device(probe)->raw;
    return memcmp(after->device, before->device, sizeof before->device) == 0 &&
           after->configuration_length == before->configuration_length &&
           memcmp(after->configuration, before->configuration, before->configuration_length) == 0;
}

// A device that does not come back from a reset may have been unplugged. One that comes back as it
// was may have been plugged in again, but not at each of several resets in a row; or the host's
// reset of its port failed, now or each time. One that comes back as something else has done it by
// itself.
static bool expect_same_after_reset(struct probe *probe, unsigned resets)
{
    enum { TIMES = 3 };
    const struct target_descriptors before = probe_device(probe)->raw;
    for (int i = 0; i < TIMES; i++) {
        int result = probe_reset(probe);
        if (result == 0 && i == 0)
            return expect(probe, true, "the same device after the reset", "the same");
        if (result == USB_GONE)
            result = probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS),
                                       "the device after the bus reset");
        else if (result == 0)
            return probe_inconclusive(
                probe, "the device left the bus and came back, after %u resets", resets);
        if (result != 0)
            return probe_inconclusive(probe, "%s, after %u resets", usb_result_text(result),
                                      resets);
        if (!is_as_before(probe, &before))
            return expect(probe, false, "the same device after the reset",
                          "another one, after %u resets", resets);
    }
    if (!(probe->target->capabilities & TARGET_TELLS_LEAVING))
        return probe_inconclusive(
            probe,
            "the device left the bus and came back, at each of %u resets; where this host "
            "cannot reset its port, every device does: try another hub or host",
            TIMES);
    return expect(probe, false, "the device stays on the bus at a bus reset",
                  "it left and came back, at each of %u resets", TIMES);
}

// Those of earlier checks count, and some are left for this one.
static void enumerates_again(struct probe *probe)
{
    enum { TIMES = 20, LEAST = 5 };
    uint8_t first[USBDEV_DEVICE_DESCRIPTOR_SIZE], bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, first))
        return;
    for (unsigned i = 0, before = probe->resets; i < LEAST || before + i < TIMES; i++) {
        if (!expect_same_after_reset(probe, i + 1) || !read_device_descriptor(probe, bytes) ||
            !expect(probe, memcmp(bytes, first, sizeof bytes) == 0, "the same device descriptor",
                    "another one after %u resets", i + 1))
            return;
    }
}

// clang-format off
static const struct check checks[] = {
    {"CH9-STATE-01", "USB 2.0 9.4.3", LEVEL_MUST,
     "the device descriptor can be read in the Default state",
     NEED_RUN_TIME | NEED_DEFAULT, default_descriptor},
    {"CH9-STATE-02", "USB 2.0 9.4.2", LEVEL_MUST,
     "GET_CONFIGURATION is 0 in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS, address_configuration},
    {"CH9-STATE-03", "USB 2.0 9.4.4", LEVEL_MUST,
     "GET_INTERFACE and SET_INTERFACE STALL in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS, address_interface},
    {"CH9-STATE-04", "USB 2.0 9.4.5", LEVEL_MUST,
     "GET_STATUS answers for endpoint 0 and STALLs for interfaces in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS, address_status},
    {"CH9-STATE-05", "USB 2.0 9.4.7", LEVEL_MUST,
     "SET_CONFIGURATION of an absent value STALLs in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS, address_absent},
    {"CH9-STATE-08", "USB 2.0 9.4.5", LEVEL_MUST,
     "GET_STATUS of the device, and remote wake-up where it is offered, work in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS, address_device_status},
    {"CH9-STATE-09", "USB 2.0 9.1.1.5", LEVEL_SHOULD,
     "DFU requests STALL in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS | NEED_DFU_INTERFACE, address_dfu},
    {"CH9-TIME-03", "USB 2.0 9.2.6.3", LEVEL_MUST,
     "SET_ADDRESS completes within 50 ms",
     NEED_RUN_TIME | NEED_ADDRESS, standard_address_in_time},
    {"CH9-REQ-24", "USB 2.0 8.5.3", LEVEL_MUST,
     "a SETUP ends a control transfer in progress",
     NEED_RUN_TIME | NEED_DEPART, new_setup},
    {"CH9-STATE-06", "USB 2.0 9.1.1.6", LEVEL_MUST,
     "the device stays configured through a suspend",
     NEED_SUSPEND, suspend_and_resume},
    {"CH9-STATE-07", "USB 2.0 7.1.7.5", LEVEL_MUST,
     "the device enumerates 20 times in a row and stays the same",
     NEED_RUN_TIME | NEED_RESET, enumerates_again},
};
// clang-format on

const struct check_group check_chapter9_states = {
    .title = "Device states",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
