// SPDX-License-Identifier: MIT
//
// Times of standard requests (USB 2.0 9.2.6.3, 9.2.6.4). Whether they are carried out is judged by
// the check of each request; one that STALLs does so in the same time.

#include "standard_times.h"

#include "standard_requests.h"

static bool given_ended(struct probe *probe, int result)
{
    return result >= 0 || result == USB_STALL || given(probe, expect_carried_out(probe, result));
}

// ---- Without data ----

// A transport may have no way to an interface that another driver holds.
static bool ends_promptly(struct probe *probe, int result, const char *what)
{
    enum { LIMIT_MS = 50 };
    return result == USB_UNSUPPORTED ||
           (given_ended(probe, result) && expect_last_within(probe, what, LIMIT_MS));
}

static bool sends_promptly(struct probe *probe, struct usbdev_setup_packet setup, const char *what)
{
    return ends_promptly(probe, probe_control(probe, &setup, NULL), what);
}

// To the Address state and back.
static bool configures_promptly(struct probe *probe)
{
    const uint8_t values[] = {0, configuration_now(probe)};
    for (size_t i = 0; i < sizeof values; i++) {
        if (!sends_promptly(probe, request(0x00, USBDEV_SET_CONFIGURATION, values[i], 0, 0),
                            "SET_CONFIGURATION"))
            return false;
    }
    return true;
}

// The setting that SET_CONFIGURATION has selected.
static bool selects_promptly(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->interface_count; i++) {
        const struct usb_interface *interface = &config->interfaces[i];
        if (interface->bAlternateSetting == 0 &&
            !sends_promptly(probe,
                            request(0x01, USBDEV_SET_INTERFACE, 0, interface->bInterfaceNumber, 0),
                            "SET_INTERFACE"))
            return false;
    }
    return true;
}

static bool sets_features_promptly(struct probe *probe)
{
    return !wakes(probe) || (sends_promptly(probe, allow_wakeup, "SET_FEATURE") &&
                             sends_promptly(probe, forbid_wakeup, "CLEAR_FEATURE"));
}

static bool is_selected(const struct usb_configuration *config, const struct usb_endpoint *endpoint)
{
    return endpoint->interface >= 0 &&
           config->interfaces[endpoint->interface].bAlternateSetting == 0;
}

static bool halts_promptly(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct usb_endpoint *endpoint = &config->endpoints[i];
        uint8_t address = endpoint->bEndpointAddress;
        if (is_selected(config, endpoint) && can_halt(endpoint) &&
            (!sends_promptly(
                 probe, request(0x02, USBDEV_SET_FEATURE, USBDEV_FEATURE_ENDPOINT_HALT, address, 0),
                 "SET_FEATURE") ||
             !ends_promptly(probe, probe_clear_halt(probe, address), "CLEAR_FEATURE")))
            return false;
    }
    return true;
}

void standard_no_data_in_time(struct probe *probe)
{
    if (sets_features_promptly(probe) && halts_promptly(probe) && selects_promptly(probe))
        configures_promptly(probe);
    configure_afresh(probe);
}

// In the Address state a device takes another address, or the same one (USB 2.0 9.4.6).
void standard_address_in_time(struct probe *probe)
{
    enum { ADDRESS = 1 }; // which probe_to_address() gives it
    if (given_state(probe, probe_to_address))
        sends_promptly(probe, usb_set_address(ADDRESS), "SET_ADDRESS");
    probe_reset(probe);
}

// ---- With data ----

// At most a packet is asked for, of any bMaxPacketSize0.
enum { PACKET = 8 };

enum { UNKNOWN = 0x7F }; // no standard request (USB 2.0 table 9-4)

static bool answers_promptly(struct probe *probe, struct usbdev_setup_packet setup)
{
    uint8_t bytes[PACKET];
    return given_ended(probe, probe_control(probe, &setup, bytes)) &&
           expect_data_in_time(probe, "the answer");
}

static bool describes_promptly(struct probe *probe)
{
    const uint8_t configuration = active_configuration_index(probe);
    const struct usbdev_setup_packet descriptors[] = {
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, PACKET),
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, configuration, 0, PACKET),
        usb_get_descriptor(USBDEV_DT_DEVICE_QUALIFIER, 0, 0, PACKET),
        usb_get_descriptor(USBDEV_DT_BOS, 0, 0, PACKET),
        usb_get_descriptor(USBDEV_DT_STRING, 0, 0, PACKET),
    };
    const uint8_t *indexes =
        probe_device(probe)->raw.device + 14; // iManufacturer, iProduct, iSerial
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++) {
        if (!answers_promptly(probe, descriptors[i]))
            return false;
    }
    for (int i = 0; i < 3; i++) {
        if (indexes[i] &&
            !answers_promptly(probe, usb_get_descriptor(USBDEV_DT_STRING, indexes[i],
                                                        probe_language(probe), PACKET)))
            return false;
    }
    return true;
}

void standard_data_in_time(struct probe *probe)
{
    uint16_t number = some_interface(probe);
    if (describes_promptly(probe) &&
        answers_promptly(probe, request(0x80, USBDEV_GET_STATUS, 0, 0, 2)) &&
        answers_promptly(probe, request(0x81, USBDEV_GET_STATUS, 0, number, 2)) &&
        answers_promptly(probe, request(0x82, USBDEV_GET_STATUS, 0, 0, 2)) &&
        answers_promptly(probe, request(0x80, USBDEV_GET_CONFIGURATION, 0, 0, 1)) &&
        answers_promptly(probe, request(0x81, USBDEV_GET_INTERFACE, 0, number, 1)))
        answers_promptly(probe, request(0x80, UNKNOWN, 0, 0, 1));
}
