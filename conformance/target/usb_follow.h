// SPDX-License-Identifier: MIT
//
// usb_follow.h - which device is ours, when it has left the bus and something comes up.
//
// What comes up at its place is ours: the same socket, on either bus of a USB 3 controller. At
// another place a device may be ours only if it connected after ours was heard last, if it is not
// one that was plugged in before, and if it is known: by the VID:PID that a person gave for DFU
// mode, or by the serial number and a DFU interface. It is never one of two, and never at another
// place where a person has named the place.

#ifndef CONFORMANCE_USB_FOLLOW_H
#define CONFORMANCE_USB_FOLLOW_H

#include "usb_sysfs.h"

struct usb_follow {
    char place[USB_PLACE_SIZE]; // where it was, and at which address
    unsigned address;
    char peer[USB_PLACE_SIZE];
    bool only_place; // the person named it
    char serial[TARGET_TEXT];
    uint16_t vendor, product;         // at run time
    uint16_t dfu_vendor, dfu_product; // in DFU mode; 0, 0: not given
    struct usb_list before;           // what was plugged in while it was there
};

enum usb_follow_result {
    USB_FOLLOW_NONE,
    USB_FOLLOW_FOUND,
    USB_FOLLOW_SEVERAL, // which one cannot be told
};

// Look for it among what is there now. heard_ms is how long ago it was heard last. Other places
// count only where elsewhere is true. ret_found is set if it is found; text names the candidates if
// there are several.
enum usb_follow_result usb_follow_choose(const struct usb_follow *follow,
                                         const struct usb_list *now,
                                         uint64_t heard_ms,
                                         bool elsewhere,
                                         const struct usb_seen **ret_found,
                                         char *text,
                                         size_t size);

#endif
