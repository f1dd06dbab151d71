// SPDX-License-Identifier: MIT

#include "standard_requests.h"

#include <stdio.h>

const struct usbdev_setup_packet allow_wakeup = {.bRequest = USBDEV_SET_FEATURE,
                                                 .wValue = USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP};
const struct usbdev_setup_packet forbid_wakeup = {.bRequest = USBDEV_CLEAR_FEATURE,
                                                  .wValue = USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP};

struct usbdev_setup_packet
request(uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue, uint16_t wIndex, uint16_t wLength)
{
    return (struct usbdev_setup_packet){bmRequestType, bRequest, wValue, wIndex, wLength};
}

bool expect_refused(struct probe *probe, struct usbdev_setup_packet setup)
{
    uint8_t data[USBDEV_DEVICE_DESCRIPTOR_SIZE] = {0};
    return expect_stall(probe, &setup, data) && expect_alive(probe);
}

bool expect_done(struct probe *probe, struct usbdev_setup_packet setup)
{
    uint8_t none[1];
    return expect_length(probe, &setup, none, 0);
}

bool given_state(struct probe *probe, int (*to_state)(struct probe *probe))
{
    int result = to_state(probe);
    if (result == 0)
        return true;
    return probe_inconclusive(probe, "the state was not reached: %s", usb_result_text(result));
}

uint8_t configuration_now(const struct probe *probe)
{
    return probe_device(probe)->config.bConfigurationValue;
}

bool expect_configuration(struct probe *probe, uint8_t expected)
{
    uint8_t value;
    const struct usbdev_setup_packet setup = request(0x80, USBDEV_GET_CONFIGURATION, 0, 0, 1);
    return expect_length(probe, &setup, &value, 1) &&
           expect_number(probe, "the configuration", value, expected);
}

bool given_configuration(struct probe *probe, uint8_t expected)
{
    return given(probe, expect_configuration(probe, expected));
}

bool expect_status(
    struct probe *probe, uint8_t recipient, uint16_t wIndex, uint16_t mask, uint16_t expected)
{
    uint8_t status[2];
    char text[64];
    const struct usbdev_setup_packet setup =
        request(0x80 | recipient, USBDEV_GET_STATUS, 0, wIndex, 2);
    snprintf(text, sizeof text, "status %04Xh", expected);
    if (mask != UINT16_MAX)
        snprintf(text, sizeof text, "status %04Xh, in the bits %04Xh", expected, mask);
    return expect_length(probe, &setup, status, 2) &&
           expect(probe, (usbdev_load_le16(status) & mask) == expected, text, "%04Xh",
                  usbdev_load_le16(status));
}

uint16_t some_interface(const struct probe *probe)
{
    const struct usb_interface *dfu = probe_device(probe)->dfu;
    return dfu ? dfu->bInterfaceNumber : 0;
}

bool wakes(const struct probe *probe)
{
    return probe_device(probe)->config.bmAttributes & 0x20;
}

bool can_halt(const struct usb_endpoint *endpoint)
{
    uint8_t type = endpoint->bmAttributes & 3;
    return type == USBDEV_ENDPOINT_BULK || type == USBDEV_ENDPOINT_INTERRUPT;
}
