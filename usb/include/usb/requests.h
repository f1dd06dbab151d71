// SPDX-License-Identifier: MIT
//
// requests.h - the standard requests with which a host enumerates and configures a device, as SETUP
// packets (USB 2.0 9.4).

#ifndef USB_REQUESTS_H
#define USB_REQUESTS_H

#include <dfurt/usb_spec.h>

// wIndex is the LANGID of a string, else 0 (USB 2.0 9.4.3).
static inline struct usbdev_setup_packet
usb_get_descriptor(uint8_t type, uint8_t index, uint16_t language, uint16_t wLength)
{
    return (struct usbdev_setup_packet){
        .bmRequestType = USBDEV_DIR_IN,
        .bRequest = USBDEV_GET_DESCRIPTOR,
        .wValue = (uint16_t)(type << 8 | index),
        .wIndex = language,
        .wLength = wLength,
    };
}

static inline struct usbdev_setup_packet usb_set_address(uint8_t address)
{
    return (struct usbdev_setup_packet){.bRequest = USBDEV_SET_ADDRESS, .wValue = address};
}

static inline struct usbdev_setup_packet usb_set_configuration(uint8_t bConfigurationValue)
{
    return (struct usbdev_setup_packet){.bRequest = USBDEV_SET_CONFIGURATION,
                                        .wValue = bConfigurationValue};
}

static inline struct usbdev_setup_packet usb_set_interface(uint8_t bInterfaceNumber,
                                                           uint8_t bAlternateSetting)
{
    return (struct usbdev_setup_packet){.bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                                        .bRequest = USBDEV_SET_INTERFACE,
                                        .wValue = bAlternateSetting,
                                        .wIndex = bInterfaceNumber};
}

// CLEAR_FEATURE(ENDPOINT_HALT).
static inline struct usbdev_setup_packet usb_clear_halt(uint8_t bEndpointAddress)
{
    return (struct usbdev_setup_packet){.bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
                                        .bRequest = USBDEV_CLEAR_FEATURE,
                                        .wValue = USBDEV_FEATURE_ENDPOINT_HALT,
                                        .wIndex = bEndpointAddress};
}

#endif
