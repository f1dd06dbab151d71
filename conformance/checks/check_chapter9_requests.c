// SPDX-License-Identifier: MIT
//
// Standard requests (USB 2.0 9.4), in the Configured state and, where the transport reaches them,
// in the Default and Address states.

#include <stdio.h>
#include <string.h>

#include "check_common.h"

static struct usbdev_setup_packet
request(uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue, uint16_t wIndex, uint16_t wLength)
{
    return (struct usbdev_setup_packet){bmRequestType, bRequest, wValue, wIndex, wLength};
}

// The request STALLs, and the next one works.
static bool expect_refused(struct probe *probe, struct usbdev_setup_packet setup)
{
    uint8_t data[USBDEV_DEVICE_DESCRIPTOR_SIZE] = {0};
    return expect_stall(probe, &setup, data) && read_device_descriptor(probe, data);
}

static bool expect_done(struct probe *probe, struct usbdev_setup_packet setup)
{
    uint8_t none[1];
    return expect_length(probe, &setup, none, 0);
}

static uint8_t configuration_now(const struct probe *probe)
{
    return probe_device(probe)->config.bConfigurationValue;
}

static bool expect_configuration(struct probe *probe, uint8_t expected)
{
    uint8_t value;
    const struct usbdev_setup_packet setup = request(0x80, USBDEV_GET_CONFIGURATION, 0, 0, 1);
    return expect_length(probe, &setup, &value, 1) &&
           expect_number(probe, "the configuration", value, expected);
}

// GET_STATUS: two bytes, and these bits of them.
static bool expect_status(
    struct probe *probe, uint8_t recipient, uint16_t wIndex, uint16_t mask, uint16_t expected)
{
    uint8_t status[2];
    const struct usbdev_setup_packet setup =
        request(0x80 | recipient, USBDEV_GET_STATUS, 0, wIndex, 2);
    return expect_length(probe, &setup, status, 2) &&
           expect(probe, (usbdev_load_le16(status) & mask) == expected,
                  expected ? "the bit set" : "the bits clear", "%04xh", usbdev_load_le16(status));
}

// ---- Configurations ----

static void get_configuration(struct probe *probe)
{
    expect_configuration(probe, configuration_now(probe));
}

static bool expect_set_configuration(struct probe *probe, uint8_t value)
{
    int result = probe_set_configuration(probe, value);
    return expect_result(probe, result, 0, NULL) && expect_configuration(probe, value);
}

static void set_configuration_again(struct probe *probe)
{
    expect_set_configuration(probe, configuration_now(probe));
}

static void set_configuration_zero(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    if (!expect_set_configuration(probe, 0) || !expect_set_configuration(probe, value))
        probe_set_configuration(probe, value);
}

static void set_configuration_absent(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    expect_refused(probe, request(0x00, USBDEV_SET_CONFIGURATION, (uint8_t)(value + 0x55), 0, 0));
}

static void set_configuration_absent_keeps(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    uint8_t none[1];
    const struct usbdev_setup_packet setup =
        request(0x00, USBDEV_SET_CONFIGURATION, (uint8_t)(value + 0x55), 0, 0);
    probe_control(probe, &setup, none);
    if (!expect_configuration(probe, value))
        probe_set_configuration(probe, value);
}

// ---- Interfaces ----

static void get_interface(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->interface_count; ++i) {
        uint8_t alternate;
        const struct usbdev_setup_packet setup =
            request(0x81, USBDEV_GET_INTERFACE, 0, config->interfaces[i].bInterfaceNumber, 1);
        if (!expect_length(probe, &setup, &alternate, 1) ||
            !expect_number(probe, "the alternate setting", alternate, 0))
            return;
    }
}

static void set_interface(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->interface_count; ++i) {
        const struct usb_interface *interface = &config->interfaces[i];
        int result =
            probe_set_interface(probe, interface->bInterfaceNumber, interface->bAlternateSetting);
        if (!expect_result(probe, result, 0, NULL))
            return;
    }
    for (size_t i = 0; i < config->interface_count; ++i)
        probe_set_interface(probe, config->interfaces[i].bInterfaceNumber, 0);
}

static uint16_t dfu_interface(const struct probe *probe)
{
    const struct usb_interface *dfu = probe_device(probe)->dfu;
    return dfu ? dfu->bInterfaceNumber : 0;
}

static void set_interface_absent_alternate(struct probe *probe)
{
    expect_refused(probe, request(0x01, USBDEV_SET_INTERFACE, 0xFE, dfu_interface(probe), 0));
}

static void set_interface_absent(struct probe *probe)
{
    int absent = device_absent_interface(probe_device(probe));
    if (absent >= 0)
        expect_refused(probe, request(0x01, USBDEV_SET_INTERFACE, 0, (uint16_t)absent, 0));
}

static void get_interface_absent(struct probe *probe)
{
    int absent = device_absent_interface(probe_device(probe));
    if (absent >= 0)
        expect_refused(probe, request(0x81, USBDEV_GET_INTERFACE, 0, (uint16_t)absent, 1));
}

// ---- Status and features ----

static void status_device(struct probe *probe)
{
    const uint8_t bmAttributes = probe_device(probe)->config.bmAttributes;
    const uint16_t self_powered = 1;
    uint16_t mask = 0xFFFC; // reserved bits
    if (!(bmAttributes & 0x40))
        mask |= self_powered; // never, where the configuration is not
    expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, mask, 0);
}

static void status_remote_wakeup(struct probe *probe)
{
    expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, 2, 0);
}

static void feature_remote_wakeup(struct probe *probe)
{
    const struct usbdev_setup_packet set =
        request(0x00, USBDEV_SET_FEATURE, USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP, 0, 0);
    const struct usbdev_setup_packet clear =
        request(0x00, USBDEV_CLEAR_FEATURE, USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP, 0, 0);
    if (!(probe_device(probe)->config.bmAttributes & 0x20)) {
        expect_refused(probe, set);
        return;
    }
    if (expect_done(probe, set) && expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, 2, 2) &&
        expect_done(probe, clear))
        expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, 2, 0);
}

static void status_interface(struct probe *probe)
{
    expect_status(probe, USBDEV_RECIPIENT_INTERFACE, dfu_interface(probe), 0xFFFF, 0);
}

static void status_interface_absent(struct probe *probe)
{
    int absent = device_absent_interface(probe_device(probe));
    if (absent >= 0)
        expect_refused(probe, request(0x81, USBDEV_GET_STATUS, 0, (uint16_t)absent, 2));
}

static void status_endpoint_zero(struct probe *probe)
{
    expect_status(probe, USBDEV_RECIPIENT_ENDPOINT, 0, 0xFFFF, 0);
}

static void status_endpoint_absent(struct probe *probe)
{
    const uint16_t absent = 0x8E;
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->endpoint_count; ++i) {
        if (config->endpoints[i].bEndpointAddress == absent) {
            probe_skip(probe, "needs a device without endpoint 8Eh");
            return;
        }
    }
    expect_refused(probe, request(0x82, USBDEV_GET_STATUS, 0, absent, 2));
}

static bool can_halt(const struct usb_endpoint *endpoint)
{
    uint8_t type = endpoint->bmAttributes & 3;
    return type == USBDEV_ENDPOINT_BULK || type == USBDEV_ENDPOINT_INTERRUPT;
}

static bool expect_halt_and_clear(struct probe *probe, uint8_t bEndpointAddress)
{
    const struct usbdev_setup_packet halt =
        request(0x02, USBDEV_SET_FEATURE, USBDEV_FEATURE_ENDPOINT_HALT, bEndpointAddress, 0);
    return expect_done(probe, halt) &&
           expect_status(probe, USBDEV_RECIPIENT_ENDPOINT, bEndpointAddress, 1, 1) &&
           expect_result(probe, probe_clear_halt(probe, bEndpointAddress), 0, NULL) &&
           expect_status(probe, USBDEV_RECIPIENT_ENDPOINT, bEndpointAddress, 1, 0);
}

static void feature_halt(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    bool any = false;
    for (size_t i = 0; i < config->endpoint_count; ++i) {
        if (!can_halt(&config->endpoints[i]))
            continue;
        any = true;
        if (!expect_halt_and_clear(probe, config->endpoints[i].bEndpointAddress)) {
            probe_clear_halt(probe, config->endpoints[i].bEndpointAddress);
            return;
        }
    }
    if (!any)
        expect_vacuously(probe, "there is no bulk or interrupt endpoint");
}

// ---- What is unknown ----

static void descriptor_unknown(struct probe *probe)
{
    if (expect_refused(probe, request(0x80, USBDEV_GET_DESCRIPTOR, 0x7F00, 0, 18)))
        expect_refused(probe, request(0x80, USBDEV_GET_DESCRIPTOR, 0x0000, 0, 18));
}

static void feature_unknown(struct probe *probe)
{
    if (expect_refused(probe, request(0x00, USBDEV_SET_FEATURE, 0x7F, 0, 0)))
        expect_refused(probe, request(0x00, USBDEV_CLEAR_FEATURE, 0x7F, 0, 0));
}

static void standard_unknown(struct probe *probe)
{
    if (expect_refused(probe, request(0x80, 0x7F, 0, 0, 1)))
        expect_refused(probe, request(0x00, 0x7F, 0, 0, 0));
}

static void class_unknown(struct probe *probe)
{
    if (expect_refused(probe, request(0xA0, 0x7F, 0, 0, 1)))
        expect_refused(probe, request(0x20, 0x7F, 0, 0, 0));
}

static void vendor_unknown(struct probe *probe)
{
    if (expect_refused(probe, request(0xC0, 0x7F, 0, 0, 1)))
        expect_refused(probe, request(0x40, 0x7F, 0, 0, 0));
}

// ---- Other states ----

static bool enter(struct probe *probe, int (*to_state)(struct probe *probe))
{
    int result = to_state(probe);
    if (result == 0)
        return true;
    return probe_inconclusive(probe, "the state was not reached: %s", usb_result_text(result));
}

static void default_descriptor(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (enter(probe, probe_to_default))
        read_device_descriptor(probe, bytes);
    probe_reset(probe);
}

static void address_configuration(struct probe *probe)
{
    if (enter(probe, probe_to_address))
        expect_configuration(probe, 0);
    probe_reset(probe);
}

static void address_interface(struct probe *probe)
{
    uint16_t number = dfu_interface(probe);
    if (enter(probe, probe_to_address) &&
        expect_refused(probe, request(0x81, USBDEV_GET_INTERFACE, 0, number, 1)))
        expect_refused(probe, request(0x01, USBDEV_SET_INTERFACE, 0, number, 0));
    probe_reset(probe);
}

static void address_status(struct probe *probe)
{
    uint16_t number = dfu_interface(probe);
    if (enter(probe, probe_to_address) &&
        expect_status(probe, USBDEV_RECIPIENT_ENDPOINT, 0, 0xFFFF, 0))
        expect_refused(probe, request(0x81, USBDEV_GET_STATUS, 0, number, 2));
    probe_reset(probe);
}

static void address_absent(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    if (enter(probe, probe_to_address) &&
        expect_refused(probe,
                       request(0x00, USBDEV_SET_CONFIGURATION, (uint8_t)(value + 0x55), 0, 0)))
        expect_configuration(probe, 0);
    probe_reset(probe);
}

static void suspend_and_resume(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    int result = probe_suspend(probe);
    if (result == 0)
        result = probe_resume(probe);
    if (result != 0)
        probe_inconclusive(probe, "suspend and resume: %s", usb_result_text(result));
    else
        expect_configuration(probe, value);
}

// A device that does not come back from a reset, or comes back as it was, may have been unplugged,
// or the host's reset of its port failed; one that comes back as something else has done it by
// itself.
static bool expect_same_after_reset(struct probe *probe, unsigned resets)
{
    const struct target_descriptors before = probe_device(probe)->raw;
    int result = probe_reset(probe);
    if (result == 0)
        return expect(probe, true, "the same device after the reset", "the same");
    if (result == USB_GONE)
        result = probe_wait_return(probe, PROBE_FWUPD_MS, "the device after the bus reset");
    if (result != 0)
        return probe_inconclusive(probe, "%s, after %u resets", usb_result_text(result), resets);
    const struct target_descriptors *after = &probe_device(probe)->raw;
    bool same =
        memcmp(after->device, before.device, sizeof before.device) == 0 &&
        after->configuration_length == before.configuration_length &&
        memcmp(after->configuration, before.configuration, before.configuration_length) == 0;
    if (same)
        return probe_inconclusive(probe, "the device left the bus and came back, after %u resets",
                                  resets);
    return expect(probe, false, "the same device after the reset", "another one, after %u resets",
                  resets);
}

static void enumerates_again(struct probe *probe)
{
    enum { TIMES = 20 };
    uint8_t first[USBDEV_DEVICE_DESCRIPTOR_SIZE], bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, first))
        return;
    for (unsigned i = 0; i < TIMES; ++i) {
        if (!expect_same_after_reset(probe, i + 1) || !read_device_descriptor(probe, bytes) ||
            !expect(probe, memcmp(bytes, first, sizeof bytes) == 0, "the same device descriptor",
                    "another one after %u resets", i + 1))
            return;
    }
}

static const struct check checks[] = {
    {"CH9-REQ-01", "USB 2.0 9.4.2", LEVEL_MUST, "GET_CONFIGURATION returns the configuration set",
     0, get_configuration},
    {"CH9-REQ-02", "USB 2.0 9.4.7", LEVEL_MUST, "the configuration can be set again", 0,
     set_configuration_again},
    {"CH9-REQ-03", "USB 2.0 9.4.7", LEVEL_MUST,
     "the configuration can be set to 0 and back to what it was", 0, set_configuration_zero},
    {"CH9-REQ-04", "USB 2.0 9.4.7", LEVEL_MUST, "SET_CONFIGURATION of an absent value STALLs", 0,
     set_configuration_absent},
    {"CH9-REQ-05", "USB 2.0 9.4.7", LEVEL_MUST,
     "SET_CONFIGURATION of an absent value leaves the device as it was", 0,
     set_configuration_absent_keeps},
    {"CH9-REQ-06", "USB 2.0 9.4.4", LEVEL_MUST, "GET_INTERFACE returns 0 after configuring", 0,
     get_interface},
    {"CH9-REQ-07", "USB 2.0 9.4.10", LEVEL_MUST, "SET_INTERFACE takes each alternate setting", 0,
     set_interface},
    {"CH9-REQ-08", "USB 2.0 9.4.10", LEVEL_MUST, "SET_INTERFACE of an absent alternate STALLs", 0,
     set_interface_absent_alternate},
    {"CH9-REQ-09", "USB 2.0 9.4.10", LEVEL_MUST, "SET_INTERFACE of an absent interface STALLs",
     NEED_RAW, set_interface_absent},
    {"CH9-REQ-10", "USB 2.0 9.4.4", LEVEL_MUST, "GET_INTERFACE of an absent interface STALLs",
     NEED_RAW, get_interface_absent},
    {"CH9-REQ-11", "USB 2.0 9.4.5", LEVEL_MUST, "GET_STATUS of the device agrees with bmAttributes",
     0, status_device},
    {"CH9-REQ-12", "USB 2.0 9.4.5", LEVEL_MUST, "remote wake-up is off until the host allows it",
     NEED_RUN_TIME | NEED_RESET, status_remote_wakeup},
    {"CH9-REQ-13", "USB 2.0 9.4.9", LEVEL_MUST,
     "remote wake-up can be allowed and forbidden where bmAttributes offers it", 0,
     feature_remote_wakeup},
    {"CH9-REQ-14", "USB 2.0 9.4.5", LEVEL_MUST, "GET_STATUS of the DFU interface is 0", 0,
     status_interface},
    {"CH9-REQ-15", "USB 2.0 9.4.5", LEVEL_MUST, "GET_STATUS of an absent interface STALLs",
     NEED_RAW, status_interface_absent},
    {"CH9-REQ-16", "USB 2.0 9.4.5", LEVEL_MUST, "GET_STATUS of endpoint 0 is 0", 0,
     status_endpoint_zero},
    {"CH9-REQ-17", "USB 2.0 9.4.5", LEVEL_MUST, "GET_STATUS of an absent endpoint STALLs", NEED_RAW,
     status_endpoint_absent},
    {"CH9-REQ-18", "USB 2.0 9.4.9", LEVEL_MUST,
     "each bulk and interrupt endpoint can be halted and cleared", 0, feature_halt},
    {"CH9-REQ-19", "USB 2.0 9.4.3", LEVEL_MUST, "an unknown descriptor type STALLs", 0,
     descriptor_unknown},
    {"CH9-REQ-20", "USB 2.0 9.4.9", LEVEL_MUST, "an unknown feature STALLs", 0, feature_unknown},
    {"CH9-REQ-21", "USB 2.0 9.2.7", LEVEL_MUST, "an unknown standard request STALLs", 0,
     standard_unknown},
    {"CH9-REQ-22", "USB 2.0 9.2.7", LEVEL_MUST, "an unknown class request to the device STALLs", 0,
     class_unknown},
    {"CH9-REQ-23", "USB 2.0 9.2.7", LEVEL_SHOULD, "an unknown vendor request to the device STALLs",
     0, vendor_unknown},
    {"CH9-STATE-01", "USB 2.0 9.4.3", LEVEL_MUST,
     "the device descriptor can be read in the Default state", NEED_RUN_TIME | NEED_DEFAULT,
     default_descriptor},
    {"CH9-STATE-02", "USB 2.0 9.4.2", LEVEL_MUST, "GET_CONFIGURATION is 0 in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS, address_configuration},
    {"CH9-STATE-03", "USB 2.0 9.4.4", LEVEL_MUST,
     "GET_INTERFACE and SET_INTERFACE STALL in the Address state", NEED_RUN_TIME | NEED_ADDRESS,
     address_interface},
    {"CH9-STATE-04", "USB 2.0 9.4.5", LEVEL_MUST,
     "GET_STATUS answers for endpoint 0 and STALLs for interfaces in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS, address_status},
    {"CH9-STATE-05", "USB 2.0 9.4.7", LEVEL_MUST,
     "SET_CONFIGURATION of an absent value STALLs in the Address state",
     NEED_RUN_TIME | NEED_ADDRESS, address_absent},
    {"CH9-STATE-06", "USB 2.0 9.1.1.6", LEVEL_MUST, "the configuration outlives a suspend",
     NEED_SUSPEND, suspend_and_resume},
    {"CH9-STATE-07", "USB 2.0 7.1.7.5", LEVEL_MUST,
     "the device enumerates 20 times in a row and stays the same", NEED_RUN_TIME | NEED_RESET,
     enumerates_again},
};

const struct check_group check_chapter9_requests = {
    .title = "Standard requests",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
