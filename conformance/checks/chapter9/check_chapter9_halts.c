// SPDX-License-Identifier: MIT
//
// Halts of bulk and interrupt endpoints (USB 2.0 9.4.5), by what they are for: a halted endpoint
// STALLs transfers. To OUT endpoints nothing but zero-length packets is sent: no data that a
// product could take for its own.

#include "standard_requests.h"

enum { TRANSFER_MS = 500 }; // longer than any interval at which an interrupt endpoint is polled

static const char kind[] = "a device with bulk or interrupt endpoints";

// What a transfer of nothing, or of what is there, comes to: USB_STALL on a halted endpoint.
static int try_transfer(struct probe *probe, const struct usb_endpoint *endpoint)
{
    uint8_t data[1024];
    bool in = endpoint->bEndpointAddress & USBDEV_DIR_IN;
    size_t length = in ? endpoint->wMaxPacketSize & 0x7FF : 0;
    if (length > sizeof data)
        length = sizeof data;
    return probe_transfer(probe, endpoint->bEndpointAddress, data, length, TRANSFER_MS);
}

static bool expect_halt_status(struct probe *probe, uint8_t bEndpointAddress, bool halted)
{
    uint8_t status[2];
    const struct usbdev_setup_packet setup = {
        .bmRequestType = USBDEV_DIR_IN | USBDEV_RECIPIENT_ENDPOINT,
        .bRequest = USBDEV_GET_STATUS,
        .wIndex = bEndpointAddress,
        .wLength = sizeof status,
    };
    return expect_length(probe, &setup, status, sizeof status) &&
           expect_number(probe, "the halt bit", status[0] & 1, halted);
}

static bool halt(struct probe *probe, uint8_t bEndpointAddress)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
        .bRequest = USBDEV_SET_FEATURE,
        .wValue = USBDEV_FEATURE_ENDPOINT_HALT,
        .wIndex = bEndpointAddress,
    };
    return expect_length(probe, &setup, NULL, 0);
}

// ---- What each check looks at ----

typedef bool look_at_endpoint(struct probe *probe, const struct usb_endpoint *endpoint);

// Those of the same setting.
static bool expect_others_unhalted(struct probe *probe, const struct usb_endpoint *halted)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct usb_endpoint *other = &config->endpoints[i];
        if (other->interface == halted->interface && can_halt(other) &&
            other->bEndpointAddress != halted->bEndpointAddress &&
            !expect_halt_status(probe, other->bEndpointAddress, false))
            return false;
    }
    return true;
}

static bool is_halted_and_cleared(struct probe *probe, const struct usb_endpoint *endpoint)
{
    uint8_t address = endpoint->bEndpointAddress;
    return halt(probe, address) && expect_halt_status(probe, address, true) &&
           expect_others_unhalted(probe, endpoint) &&
           expect_result(probe, probe_clear_halt(probe, address), 0, NULL) &&
           expect_halt_status(probe, address, false);
}

// A transport may have no way to the endpoint, where another driver holds its interface.
static bool stalls_transfers(struct probe *probe, const struct usb_endpoint *endpoint)
{
    if (!given(probe, halt(probe, endpoint->bEndpointAddress)))
        return false;
    int result = try_transfer(probe, endpoint);
    if (result == USB_UNSUPPORTED)
        return probe_skip(probe, "needs endpoint %02Xh, which another driver holds",
                          endpoint->bEndpointAddress);
    return expect_stalled(probe, result, NULL);
}

// A bulk-only disk takes a packet of no bytes for a command that is not valid, and STALLs until it
// is reset (USB Mass Storage Class, Bulk-Only Transport 1.0, 6.6.1).
static bool takes_commands(struct probe *probe, const struct usb_endpoint *endpoint)
{
    enum { MASS_STORAGE = 0x08 };
    const struct usb_interface *interface =
        &probe_device(probe)->config.interfaces[endpoint->interface];
    return interface->bInterfaceClass == MASS_STORAGE &&
           !(endpoint->bEndpointAddress & USBDEV_DIR_IN);
}

static bool moves_again(struct probe *probe, const struct usb_endpoint *endpoint)
{
    uint8_t address = endpoint->bEndpointAddress;
    if (takes_commands(probe, endpoint))
        return true;
    if (!given(probe, halt(probe, address) &&
                          expect_result(probe, probe_clear_halt(probe, address), 0, NULL)))
        return false;
    int result = try_transfer(probe, endpoint);
    if (result == USB_UNSUPPORTED)
        return probe_skip(probe, "needs endpoint %02Xh, which another driver holds", address);
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "%s", usb_result_text(result));
    return expect(probe, result != USB_STALL, "no STALL once the halt is cleared", "STALL");
}

static bool configuring_ends_halt(struct probe *probe, const struct usb_endpoint *endpoint)
{
    uint8_t address = endpoint->bEndpointAddress;
    uint8_t value = probe_device(probe)->config.bConfigurationValue;
    if (!given(probe, halt(probe, address)))
        return false;
    int result = probe_set_configuration(probe, value);
    return given(probe, expect_result(probe, result, 0, NULL)) &&
           expect_halt_status(probe, address, false);
}

static int select_interface(struct probe *probe, const struct usb_endpoint *endpoint)
{
    const struct usb_interface *interface =
        &probe_device(probe)->config.interfaces[endpoint->interface];
    return probe_set_interface(probe, interface->bInterfaceNumber, interface->bAlternateSetting);
}

// An interface of one setting need not take SET_INTERFACE (9.4.10).
static bool selecting_ends_halt(struct probe *probe, const struct usb_endpoint *endpoint)
{
    uint8_t address = endpoint->bEndpointAddress;
    if (select_interface(probe, endpoint) == USB_STALL)
        return true;
    return given(probe, halt(probe, address) &&
                            expect_result(probe, select_interface(probe, endpoint), 0, NULL)) &&
           expect_halt_status(probe, address, false);
}

// ---- Each endpoint, of each alternate setting ----

// Returns whether to go on.
static bool look_at_setting(struct probe *probe,
                            const struct usb_configuration *config,
                            size_t setting,
                            look_at_endpoint *look,
                            bool *ret_any)
{
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct usb_endpoint *endpoint = &config->endpoints[i];
        if (endpoint->interface != (int)setting || !can_halt(endpoint))
            continue;
        *ret_any = true;
        bool met = look(probe, endpoint);
        probe_clear_halt(probe, endpoint->bEndpointAddress);
        if (!met)
            return false;
    }
    return true;
}

static bool select_setting(struct probe *probe, const struct usb_interface *interface)
{
    int result =
        probe_set_interface(probe, interface->bInterfaceNumber, interface->bAlternateSetting);
    return given(probe, expect_result(probe, result, 0, NULL));
}

static void for_each_endpoint(struct probe *probe, look_at_endpoint *look, bool alternates)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    bool any = false;
    bool on = given_whole_configuration(probe);
    for (size_t i = 0; on && i < config->interface_count; i++) {
        const struct usb_interface *interface = &config->interfaces[i];
        bool other = interface->bAlternateSetting > 0;
        if (interface->bNumEndpoints == 0 || (other && !alternates))
            continue;
        on = (!other || select_setting(probe, interface)) &&
             look_at_setting(probe, config, i, look, &any);
        if (other)
            probe_set_interface(probe, interface->bInterfaceNumber, 0);
    }
    if (on && !any)
        probe_inapplicable(probe, kind);
}

static void halts_and_clears(struct probe *probe)
{
    for_each_endpoint(probe, is_halted_and_cleared, true);
}

static void halted_stalls(struct probe *probe)
{
    for_each_endpoint(probe, stalls_transfers, true);
}

static void cleared_moves(struct probe *probe)
{
    for_each_endpoint(probe, moves_again, true);
}

// SET_CONFIGURATION selects alternate setting 0 of each interface.
static void configuring_clears(struct probe *probe)
{
    for_each_endpoint(probe, configuring_ends_halt, false);
    configure_afresh(probe);
}

static void selecting_clears(struct probe *probe)
{
    for_each_endpoint(probe, selecting_ends_halt, true);
    if (probe->judgement.expectations == 0)
        probe_inapplicable(probe, "an interface with endpoints that takes SET_INTERFACE");
}

// ---- Endpoints of settings that are not selected ----

static bool is_selected(const struct usb_configuration *config, uint8_t bEndpointAddress)
{
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct usb_endpoint *endpoint = &config->endpoints[i];
        if (endpoint->bEndpointAddress == bEndpointAddress &&
            config->interfaces[endpoint->interface].bAlternateSetting == 0)
            return true;
    }
    return false;
}

// SET_CONFIGURATION selects setting 0 of each interface (9.1.1.5): the endpoints of the others do
// not exist.
static void unselected_has_no_status(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    bool any = false;
    if (!given_whole_configuration(probe))
        return;
    configure_afresh(probe);
    for (size_t i = 0; i < config->endpoint_count; i++) {
        uint8_t status[2];
        const struct usbdev_setup_packet setup = {
            .bmRequestType = USBDEV_DIR_IN | USBDEV_RECIPIENT_ENDPOINT,
            .bRequest = USBDEV_GET_STATUS,
            .wIndex = config->endpoints[i].bEndpointAddress,
            .wLength = sizeof status,
        };
        if (is_selected(config, config->endpoints[i].bEndpointAddress))
            continue;
        any = true;
        if (!expect_stall(probe, &setup, status))
            return;
    }
    if (!any)
        probe_inapplicable(probe, "endpoints that only another alternate setting than 0 has");
}

// clang-format off
static const struct check checks[] = {
    {"CH9-REQ-18", "USB 2.0 9.4.5", LEVEL_MUST,
     "each bulk and interrupt endpoint can be halted and cleared, without the others",
     0, halts_and_clears},
    {"CH9-HALT-01", "USB 2.0 9.4.5", LEVEL_MUST,
     "a halted endpoint STALLs transfers",
     0, halted_stalls},
    {"CH9-HALT-02", "USB 2.0 9.4.5", LEVEL_MUST,
     "an endpoint whose halt is cleared does not STALL",
     0, cleared_moves},
    {"CH9-HALT-03", "USB 2.0 9.4.5", LEVEL_MUST,
     "SET_CONFIGURATION clears the halts of endpoints",
     0, configuring_clears},
    {"CH9-HALT-04", "USB 2.0 9.4.5", LEVEL_MUST,
     "SET_INTERFACE clears the halts of its endpoints",
     0, selecting_clears},
    {"CH9-HALT-05", "USB 2.0 9.4.5", LEVEL_MUST,
     "GET_STATUS of an endpoint STALLs while no setting with it is selected",
     NEED_RAW, unselected_has_no_status},
};
// clang-format on

const struct check_group check_chapter9_halts = {
    .title = "Halts",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
