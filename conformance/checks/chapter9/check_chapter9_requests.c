// SPDX-License-Identifier: MIT
//
// Standard requests (USB 2.0 9.4) in the Configured state.

#include <stdio.h>

#include "standard_requests.h"
#include "standard_times.h"

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
    uint8_t value = configuration_now(probe);
    if (given_configuration(probe, value))
        expect_set_configuration(probe, value);
    configure_afresh(probe);
}

static uint8_t far_value(const struct probe *probe)
{
    return (uint8_t)(configuration_now(probe) + 0x55);
}

static void set_configuration_zero(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    if (given_configuration(probe, value) && expect_set_configuration(probe, 0))
        expect_set_configuration(probe, value);
    configure_afresh(probe);
}

// One that no device has, and the next one, which a device may take that compares with the highest.
static void set_configuration_absent(struct probe *probe)
{
    uint8_t next = (uint8_t)(configuration_now(probe) + 1);
    const uint8_t values[] = {absent_configuration(probe, far_value(probe)),
                              absent_configuration(probe, next)};
    for (size_t i = 0; i < sizeof values; i++) {
        if (!expect_refused(probe, request(0x00, USBDEV_SET_CONFIGURATION, values[i], 0, 0)))
            break;
    }
    configure_afresh(probe);
}

static void set_configuration_absent_keeps(struct probe *probe)
{
    uint8_t value = configuration_now(probe);
    uint8_t none[1];
    const struct usbdev_setup_packet setup = request(
        0x00, USBDEV_SET_CONFIGURATION, absent_configuration(probe, far_value(probe)), 0, 0);
    if (!given_configuration(probe, value))
        return;
    probe_control(probe, &setup, none);
    expect_configuration(probe, value);
    configure_afresh(probe);
}

// ---- Interfaces ----

static bool expect_alternates_0(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->interface_count; i++) {
        uint8_t alternate;
        const struct usbdev_setup_packet setup =
            request(0x81, USBDEV_GET_INTERFACE, 0, config->interfaces[i].bInterfaceNumber, 1);
        if (!expect_length(probe, &setup, &alternate, 1) ||
            !expect_number(probe, "the alternate setting", alternate, 0))
            return false;
    }
    return true;
}

static void get_interface(struct probe *probe)
{
    expect_alternates_0(probe);
}

static unsigned settings_of(const struct usb_configuration *config, uint8_t bInterfaceNumber)
{
    unsigned count = 0;
    for (size_t i = 0; i < config->interface_count; i++)
        count += config->interfaces[i].bInterfaceNumber == bInterfaceNumber;
    return count;
}

// The setting is selected, and GET_INTERFACE says so. An interface with one setting may STALL
// (USB 2.0 9.4.10).
static bool expect_selected(struct probe *probe, const struct usb_interface *interface)
{
    uint8_t number = interface->bInterfaceNumber;
    uint8_t alternate;
    const struct usbdev_setup_packet get = request(0x81, USBDEV_GET_INTERFACE, 0, number, 1);
    int result = probe_set_interface(probe, number, interface->bAlternateSetting);
    if (result == USB_STALL && settings_of(&probe_device(probe)->config, number) == 1)
        return expect(probe, true, "selected, or STALL with one setting", "STALL");
    return expect_result(probe, result, 0, NULL) && expect_length(probe, &get, &alternate, 1) &&
           expect_number(probe, "the alternate setting", alternate, interface->bAlternateSetting);
}

static bool is_last_setting(const struct usb_configuration *config, size_t i)
{
    for (size_t other = i + 1; other < config->interface_count; other++) {
        if (config->interfaces[other].bInterfaceNumber == config->interfaces[i].bInterfaceNumber)
            return false;
    }
    return true;
}

// Each setting was selected, and the last one of each interface stays: a request to another
// interface does not move it. A setting that is alone need not have been selected.
static void expect_each_kept(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->interface_count; i++) {
        const struct usb_interface *interface = &config->interfaces[i];
        uint8_t alternate;
        char what[48];
        const struct usbdev_setup_packet get =
            request(0x81, USBDEV_GET_INTERFACE, 0, interface->bInterfaceNumber, 1);
        snprintf(what, sizeof what, "the alternate setting of interface %u",
                 interface->bInterfaceNumber);
        bool alone = settings_of(config, interface->bInterfaceNumber) == 1;
        if (is_last_setting(config, i) && !(alone && interface->bAlternateSetting > 0) &&
            (!expect_length(probe, &get, &alternate, 1) ||
             !expect_number(probe, what, alternate, interface->bAlternateSetting)))
            return;
    }
}

static void set_interface(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    size_t i = 0;
    if (!given_whole_configuration(probe) || !given(probe, expect_alternates_0(probe)))
        return;
    while (i < config->interface_count && expect_selected(probe, &config->interfaces[i]))
        i++;
    if (i == config->interface_count)
        expect_each_kept(probe);
    for (i = 0; i < config->interface_count; i++) {
        if (config->interfaces[i].bAlternateSetting > 0)
            probe_set_interface(probe, config->interfaces[i].bInterfaceNumber, 0);
    }
}

static void set_interface_absent_alternate(struct probe *probe)
{
    uint16_t number = some_interface(probe);
    unsigned settings = settings_of(&probe_device(probe)->config, (uint8_t)number);
    if (given_whole_configuration(probe) &&
        expect_refused(probe, request(0x01, USBDEV_SET_INTERFACE, 0xFE, number, 0)))
        expect_refused(probe, request(0x01, USBDEV_SET_INTERFACE, (uint16_t)settings, number, 0));
}

static void set_interface_absent(struct probe *probe)
{
    uint16_t absent;
    if (given_absent_interface(probe, &absent))
        expect_refused(probe, request(0x01, USBDEV_SET_INTERFACE, 0, absent, 0));
}

static void get_interface_absent(struct probe *probe)
{
    uint16_t absent;
    if (given_absent_interface(probe, &absent))
        expect_refused(probe, request(0x81, USBDEV_GET_INTERFACE, 0, absent, 1));
}

// ---- Status and features ----

static void status_device(struct probe *probe)
{
    const uint8_t bmAttributes = probe_device(probe)->config.bmAttributes;
    const uint16_t self_powered = 1, remote_wakeup = 2;
    uint16_t mask = 0xFFFC; // reserved bits
    if (!(bmAttributes & 0x40))
        mask |= self_powered;
    if (!wakes(probe))
        mask |= remote_wakeup;
    expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, mask, 0);
}

// A bus reset disables remote wake-up (USB 2.0 9.4.5).
static void reset_forbids_wakeup(struct probe *probe)
{
    if (wakes(probe) && !given(probe, expect_done(probe, allow_wakeup)))
        return;
    int result = probe_reset(probe);
    if (result != 0)
        probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));
    else
        expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, 2, 0);
}

static void feature_remote_wakeup(struct probe *probe)
{
    if (!wakes(probe)) {
        expect_refused(probe, allow_wakeup);
        return;
    }
    if (expect_done(probe, allow_wakeup) &&
        expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, 2, 2) && expect_done(probe, forbid_wakeup))
        expect_status(probe, USBDEV_RECIPIENT_DEVICE, 0, 2, 0);
}

static void status_interface(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    if (!given_whole_configuration(probe))
        return;
    for (size_t i = 0; i < config->interface_count; i++) {
        if (!expect_status(probe, USBDEV_RECIPIENT_INTERFACE,
                           config->interfaces[i].bInterfaceNumber, 0xFFFF, 0))
            return;
    }
}

static void status_interface_absent(struct probe *probe)
{
    uint16_t absent;
    if (given_absent_interface(probe, &absent))
        expect_refused(probe, request(0x81, USBDEV_GET_STATUS, 0, absent, 2));
}

static void status_endpoint_zero(struct probe *probe)
{
    expect_status(probe, USBDEV_RECIPIENT_ENDPOINT, 0, 0xFFFF, 0);
}

static void endpoint_absent(struct probe *probe)
{
    const uint16_t absent = 0x8E;
    const struct usb_configuration *config = &probe_device(probe)->config;
    if (!given_whole_configuration(probe))
        return;
    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (config->endpoints[i].bEndpointAddress == absent) {
            probe_skip(probe, "needs a device without endpoint 8Eh");
            return;
        }
    }
    if (expect_refused(probe, request(0x82, USBDEV_GET_STATUS, 0, absent, 2)) &&
        expect_refused(probe,
                       request(0x02, USBDEV_SET_FEATURE, USBDEV_FEATURE_ENDPOINT_HALT, absent, 0)))
        expect_refused(
            probe, request(0x02, USBDEV_CLEAR_FEATURE, USBDEV_FEATURE_ENDPOINT_HALT, absent, 0));
}

// ---- What is unknown ----

// Those of interfaces and endpoints are read with their configuration alone (9.6.5, 9.6.6).
static void descriptor_unknown(struct probe *probe)
{
    static const uint8_t types[] = {0x7F, 0, USBDEV_DT_INTERFACE, USBDEV_DT_ENDPOINT};
    for (size_t i = 0; i < sizeof types; i++) {
        if (!expect_refused(probe,
                            request(0x80, USBDEV_GET_DESCRIPTOR, (uint16_t)(types[i] << 8), 0, 18)))
            return;
    }
}

// Features that no recipient has, and those that only another recipient has (USB 2.0 table 9-6).
static void feature_unknown(struct probe *probe)
{
    enum { NO_FEATURE = 0x7F };
    const uint16_t number = some_interface(probe), endpoint_0 = 0;
    const struct usbdev_setup_packet sets[] = {
        request(0x00, USBDEV_SET_FEATURE, NO_FEATURE, 0, 0),
        request(0x00, USBDEV_SET_FEATURE, USBDEV_FEATURE_ENDPOINT_HALT, 0, 0),
        request(0x01, USBDEV_SET_FEATURE, NO_FEATURE, number, 0),
        request(0x01, USBDEV_SET_FEATURE, USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP, number, 0),
        request(0x02, USBDEV_SET_FEATURE, NO_FEATURE, endpoint_0, 0),
        request(0x02, USBDEV_SET_FEATURE, USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP, endpoint_0, 0),
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct usbdev_setup_packet clear = sets[i];
        clear.bRequest = USBDEV_CLEAR_FEATURE;
        if (!expect_refused(probe, sets[i]) || !expect_refused(probe, clear))
            return;
    }
}

static void standard_unknown(struct probe *probe)
{
    enum { SYNCH_FRAME = 12 }; // of isochronous endpoints (9.4.11)
    uint16_t number = some_interface(probe);
    if (expect_refused(probe, request(0x80, 0x7F, 0, 0, 1)) &&
        expect_refused(probe, request(0x00, 0x7F, 0, 0, 0)) &&
        expect_refused(probe, request(0x81, 0x7F, 0, number, 1)) &&
        expect_refused(probe, request(0x01, 0x7F, 0, number, 0)) &&
        expect_refused(probe, request(0x82, 0x7F, 0, 0, 1)) &&
        expect_refused(probe, request(0x02, 0x7F, 0, 0, 0)))
        expect_refused(probe, request(0x82, SYNCH_FRAME, 0, 0, 2));
}

// A Bluetooth controller does not look at bRequest of its class's only request (Core, HCI USB 2.2).
static void class_unknown(struct probe *probe)
{
    if (device_class_has_requests(probe)) {
        probe_inapplicable(probe, "a device whose class has no requests to the device");
        return;
    }
    if (expect_refused(probe, request(0xA0, 0x7F, 0, 0, 1)))
        expect_refused(probe, request(0x20, 0x7F, 0, 0, 0));
}

static void vendor_unknown(struct probe *probe)
{
    if (expect_refused(probe, request(0xC0, 0x7F, 0, 0, 1)))
        expect_refused(probe, request(0x40, 0x7F, 0, 0, 0));
}

// The device may STALL the data stage, or take it and STALL the status stage (8.5.3.4).
static void standard_unknown_with_data(struct probe *probe)
{
    if (expect_refused(probe, request(0x00, 0x7F, 0, 0, 8)))
        expect_refused(probe, request(0x01, 0x7F, 0, some_interface(probe), 8));
}

// A class handler that tests one bit of the type takes them for its own.
static void reserved_type(struct probe *probe)
{
    static const struct usbdev_setup_packet requests[] = {
        {0xE0, 0x7F, 0, 0, 1},
        {0x60, 0x7F, 0, 0, 0},
        {0xE1, 0x7F, 0, 0, 1},
        {0x61, 0x7F, 0, 0, 0},
        {0x61, 0x7F, 0, 0, 8},
        {0xE1, DFURT_GETSTATUS, 0, 0, DFURT_STATUS_REPLY_SIZE},
        {0xE1, DFURT_GETSTATE, 0, 0, DFURT_STATE_REPLY_SIZE},
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct usbdev_setup_packet setup = requests[i];
        if ((setup.bmRequestType & USBDEV_RECIPIENT_MASK) == USBDEV_RECIPIENT_INTERFACE)
            setup.wIndex = some_interface(probe);
        if (!expect_refused(probe, setup))
            return;
    }
}

// clang-format off
#define ROWS(PREFIX, MODE)                                                                         \
    {PREFIX "CH9-REQ-01", "USB 2.0 9.4.2", LEVEL_MUST,                                             \
     "GET_CONFIGURATION returns the configuration set",                                            \
     MODE, get_configuration},                                                                     \
    {PREFIX "CH9-REQ-02", "USB 2.0 9.4.7", LEVEL_MUST,                                             \
     "the configuration can be set again",                                                         \
     MODE, set_configuration_again},                                                               \
    {PREFIX "CH9-REQ-03", "USB 2.0 9.4.7", LEVEL_MUST,                                             \
     "the configuration can be set to 0 and back to what it was",                                  \
     MODE, set_configuration_zero},                                                                \
    {PREFIX "CH9-REQ-04", "USB 2.0 9.4.7", LEVEL_MUST,                                             \
     "SET_CONFIGURATION of an absent value STALLs",                                                \
     MODE, set_configuration_absent},                                                              \
    {PREFIX "CH9-REQ-05", "USB 2.0 9.4.7", LEVEL_MUST,                                             \
     "SET_CONFIGURATION of an absent value leaves the device as it was",                           \
     MODE, set_configuration_absent_keeps},                                                        \
    {PREFIX "CH9-REQ-06", "USB 2.0 9.4.4", LEVEL_MUST,                                             \
     "GET_INTERFACE returns 0 after configuring",                                                  \
     MODE, get_interface},                                                                         \
    {PREFIX "CH9-REQ-07", "USB 2.0 9.4.10", LEVEL_MUST,                                            \
     "SET_INTERFACE selects each alternate setting, and GET_INTERFACE says which",                 \
     MODE, set_interface},                                                                         \
    {PREFIX "CH9-REQ-08", "USB 2.0 9.4.10", LEVEL_MUST,                                            \
     "SET_INTERFACE of an absent alternate STALLs",                                                \
     MODE, set_interface_absent_alternate},                                                        \
    {PREFIX "CH9-REQ-09", "USB 2.0 9.4.10", LEVEL_MUST,                                            \
     "SET_INTERFACE of an absent interface STALLs",                                                \
     (MODE) | NEED_RAW, set_interface_absent},                                                     \
    {PREFIX "CH9-REQ-10", "USB 2.0 9.4.4", LEVEL_MUST,                                             \
     "GET_INTERFACE of an absent interface STALLs",                                                \
     (MODE) | NEED_RAW, get_interface_absent},                                                     \
    {PREFIX "CH9-REQ-11", "USB 2.0 9.4.5", LEVEL_MUST,                                             \
     "GET_STATUS of the device agrees with bmAttributes",                                          \
     MODE, status_device},                                                                         \
    {PREFIX "CH9-REQ-13", "USB 2.0 9.4.9", LEVEL_MUST,                                             \
     "remote wake-up can be enabled and disabled where bmAttributes offers it",                   \
     MODE, feature_remote_wakeup},                                                                 \
    {PREFIX "CH9-REQ-14", "USB 2.0 9.4.5", LEVEL_MUST,                                             \
     "GET_STATUS of each interface is 0",                                                          \
     MODE, status_interface},                                                                      \
    {PREFIX "CH9-REQ-15", "USB 2.0 9.4.5", LEVEL_MUST,                                             \
     "GET_STATUS of an absent interface STALLs",                                                   \
     (MODE) | NEED_RAW, status_interface_absent},                                                  \
    {PREFIX "CH9-REQ-16", "USB 2.0 9.4.5", LEVEL_MUST,                                             \
     "GET_STATUS of endpoint 0 is 0",                                                              \
     MODE, status_endpoint_zero},                                                                  \
    {PREFIX "CH9-REQ-17", "USB 2.0 9.4.5", LEVEL_MUST,                                             \
     "GET_STATUS, SET_FEATURE and CLEAR_FEATURE of an absent endpoint STALL",                      \
     (MODE) | NEED_RAW, endpoint_absent},                                                          \
    {PREFIX "CH9-REQ-19", "USB 2.0 9.4.3", LEVEL_MUST,                                             \
     "an unknown descriptor type STALLs",                                                          \
     MODE, descriptor_unknown},                                                                    \
    {PREFIX "CH9-REQ-20", "USB 2.0 9.4.9", LEVEL_MUST,                                             \
     "a feature that the recipient does not have STALLs",                                          \
     MODE, feature_unknown},                                                                       \
    {PREFIX "CH9-REQ-21", "USB 2.0 9.2.7", LEVEL_MUST,                                             \
     "an unknown standard request to the device, an interface or endpoint 0 STALLs",               \
     MODE, standard_unknown},                                                                      \
    {PREFIX "CH9-REQ-22", "USB 2.0 9.2.7", LEVEL_MUST,                                             \
     "an unknown class request to the device STALLs",                                              \
     MODE, class_unknown},                                                                         \
    {PREFIX "CH9-REQ-25", "USB 2.0 9.2.7", LEVEL_MUST,                                             \
     "an unknown standard request with data to the device STALLs, and the next one is answered",   \
     MODE, standard_unknown_with_data},                                                            \
    {PREFIX "CH9-REQ-26", "USB 2.0 9.2.7", LEVEL_MUST,                                             \
     "a request of the reserved type STALLs, and the next one is answered",                        \
     MODE, reserved_type},                                                                         \
    {PREFIX "CH9-TIME-01", "USB 2.0 9.2.6.4", LEVEL_MUST,                                          \
     "standard requests without data complete within 50 ms",                                       \
     MODE, standard_no_data_in_time},                                                              \
    {PREFIX "CH9-TIME-02", "USB 2.0 9.2.6.4", LEVEL_MUST,                                          \
     "standard requests return data within 500 ms",                                                \
     MODE, standard_data_in_time}

static const struct check checks[] = {
    ROWS("", 0),
    {"CH9-REQ-12", "USB 2.0 9.4.5", LEVEL_MUST,
     "a bus reset disables remote wake-up",
     NEED_RUN_TIME | NEED_RESET, reset_forbids_wakeup},
    {"CH9-REQ-23", "USB 2.0 9.2.7", LEVEL_INFO,
     "an unknown vendor request to the device STALLs",
     0, vendor_unknown},
};
static const struct check checks_in_dfu_mode[] = {ROWS("DM-", NEED_DFU_MODE)};
// clang-format on

const struct check_group check_chapter9_requests = {
    .title = "Standard requests",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};

const struct check_group check_dm_chapter9_requests = {
    .title = "Standard requests in DFU mode",
    .checks = checks_in_dfu_mode,
    .count = sizeof checks_in_dfu_mode / sizeof checks_in_dfu_mode[0],
};
