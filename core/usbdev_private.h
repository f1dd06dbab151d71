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

// bmRequestType and bRequest in one number.
#define REQUEST(bmRequestType, bRequest) ((bmRequestType) << 8 | (bRequest))

// bmRequestType of standard requests.
enum {
    TO_DEVICE = USBDEV_DIR_OUT | USBDEV_TYPE_STANDARD | USBDEV_RECIPIENT_DEVICE,
    TO_INTERFACE = USBDEV_DIR_OUT | USBDEV_TYPE_STANDARD | USBDEV_RECIPIENT_INTERFACE,
    TO_ENDPOINT = USBDEV_DIR_OUT | USBDEV_TYPE_STANDARD | USBDEV_RECIPIENT_ENDPOINT,
    FROM_DEVICE = USBDEV_DIR_IN | USBDEV_TYPE_STANDARD | USBDEV_RECIPIENT_DEVICE,
    FROM_INTERFACE = USBDEV_DIR_IN | USBDEV_TYPE_STANDARD | USBDEV_RECIPIENT_INTERFACE,
    FROM_ENDPOINT = USBDEV_DIR_IN | USBDEV_TYPE_STANDARD | USBDEV_RECIPIENT_ENDPOINT,
};

// How a full device differs from a small one.
struct usbdev_full {
    // Decide on a standard request that is new, or different, in a full device: 0, USBDEV_STALL, or
    // USBDEV_PASS for the rest.
    int (*standard_request)(struct usbdev *dev, const struct usbdev_setup_packet *setup);

    // Decide on a class or vendor request whose recipient is no interface: 0 or USBDEV_STALL.
    int (*other_request)(struct usbdev *dev, const struct usbdev_setup_packet *setup);

    // Change to another configuration, or the same again, or none (NULL).
    void (*configure)(struct usbdev *dev, const uint8_t *configuration);

    // A packet of an OUT data stage came.
    void (*data_out_done)(struct usbdev *dev, const uint8_t *data, uint16_t length);

    // As in struct usbdev_handler.
    void (*in_done)(struct usbdev *dev, uint8_t bEndpointAddress);
    void (*out_done)(struct usbdev *dev,
                     uint8_t bEndpointAddress,
                     const uint8_t *data,
                     uint16_t length);
};

enum { USBDEV_PASS = -2 };

// What usbdev.c needs of the strings.
struct usbdev_strings {
    // GET_DESCRIPTOR(string). Like usbdev_handler.setup; leaves the text in dev->text.
    int (*get)(struct usbdev *dev, uint8_t index, uint16_t langid);

    // Put what begins at dev->done of the descriptor of dev->text into the scratch buffer, as much
    // as fits. Returns bLength.
    uint16_t (*make_packet)(struct usbdev *dev);
};

// The function that owns an interface, or NULL.
const struct usbdev_function *usbdev_function_of(const struct usbdev *dev, uint8_t interface);

// Let this function, or NULL, decide on the request under way.
int usbdev_hand_over(struct usbdev *dev, const struct usbdev_function *function);

// Answer the request under way by these bytes, or this value of 1 or 2 bytes. Return 0.
int usbdev_reply(struct usbdev *dev, const uint8_t *bytes, uint16_t length);
int usbdev_reply_value(struct usbdev *dev, uint16_t value, uint16_t length);

// bmAttributes that hold now; before there is a configuration, those of the first.
uint8_t usbdev_attributes(const struct usbdev *dev);

void usbdev_tell_all(struct usbdev *dev, enum usbdev_event event);

void usbdev_stall(struct usbdev *dev);
void usbdev_begin_status_in(struct usbdev *dev);

#endif
