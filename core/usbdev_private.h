// SPDX-License-Identifier: MIT
//
// usbdev_private.h - what the usbdev*.c files share.

#ifndef DFURT_USBDEV_PRIVATE_H
#define DFURT_USBDEV_PRIVATE_H

#include <dfurt/usbdev.h>

// Offsets in descriptors (USB 2.0 tables 9-8, 9-10, 9-12, 9-13).
enum {
    DEVICE_bMaxPacketSize0 = 7,
    DEVICE_bNumConfigurations = 17,
    CONFIGURATION_wTotalLength = 2,
    CONFIGURATION_bNumInterfaces = 4,
    CONFIGURATION_bConfigurationValue = 5,
    CONFIGURATION_bmAttributes = 7,
    INTERFACE_bInterfaceNumber = 2,
    INTERFACE_bAlternateSetting = 3,
    ENDPOINT_bEndpointAddress = 2,
    ENDPOINT_bmAttributes = 3,
};

enum { ALL_INTERFACES = -1 };

// What usbdev.c needs of the endpoints other than 0.
struct usbdev_endpoints {
    // Open or close those of the current alternate of an interface, or of ALL_INTERFACES.
    void (*open)(struct usbdev *dev, int interface, bool open);

    // The function that owns one; NULL: no such endpoint now.
    const struct usbdev_function *(*owner)(const struct usbdev *dev, uint16_t bEndpointAddress);

    // A standard request to one that exists (USB 2.0 9.4). Like usbdev_handler.setup.
    int (*standard)(struct usbdev *dev, struct usbdev_request *request);

    // As in struct usbdev_handler.
    void (*in_done)(struct usbdev *dev, uint8_t bEndpointAddress);
    void (*out_done)(struct usbdev *dev,
                     uint8_t bEndpointAddress,
                     const uint8_t *data,
                     uint16_t length);
};

// What usbdev.c needs of the strings.
struct usbdev_strings {
    // GET_DESCRIPTOR(string). Like usbdev_handler.setup; leaves the text in dev->text.
    int (*get)(struct usbdev *dev, uint8_t index, uint16_t langid);

    // Put what begins at dev->done of the descriptor of dev->text into the scratch buffer, as much
    // as fits. Returns bLength.
    uint16_t (*make_packet)(struct usbdev *dev);
};

// The descriptor after this one in the current configuration, which there must be; NULL at its end.
const uint8_t *usbdev_next_descriptor(const struct usbdev *dev, const uint8_t *descriptor);

// NULL: no function owns it.
const struct usbdev_function *usbdev_function_of(const struct usbdev *dev, uint8_t interface);

#endif
