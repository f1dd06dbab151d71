// SPDX-License-Identifier: MIT
//
// usb_follow.h - finds the device again after it has left the bus.
//
// A device that connects at the same place is ours: the same socket, on either bus of a USB 3
// controller. A device at another place is ours only if it connected after the last answer of ours,
// if neither it nor another one was there before, and if it has the VID:PID given for DFU mode, or
// the same serial number and a DFU interface. Where two qualify, neither is taken, whichever place
// they have; where --target names the place, no other place counts.
//
// A device at the same place that says exactly what ours said there last may be a second board that
// was plugged in while ours changed its place, so other places are looked at first.

#ifndef CONFORMANCE_USB_FOLLOW_H
#define CONFORMANCE_USB_FOLLOW_H

#include "usb_sysfs.h"

struct usb_follow {
    char place[USB_PLACE_SIZE]; // where it was, and at which address
    unsigned address;
    char peer[USB_PLACE_SIZE];
    bool only_place; // --target named it
    char serial[TARGET_TEXT];
    char first[USB_PLACE_SIZE];       // where it was opened
    char named[TARGET_TEXT];          // the serial number that --target names, or empty
    uint16_t idVendor, idProduct;     // when it was there
    uint16_t vendor, product;         // at run time
    uint16_t dfu_vendor, dfu_product; // in DFU mode; 0, 0: not given
    struct usb_list before;           // what was plugged in while it was there
};

enum usb_follow_result {
    USB_FOLLOW_NONE, // not yet
    USB_FOLLOW_FOUND,
    USB_FOLLOW_SEVERAL, // which one cannot be told
};

// Do other places count after so long a part of the time that it is waited for?
static inline bool usb_follow_elsewhere(uint64_t waited_ms, uint64_t timeout_ms)
{
    enum { ELSEWHERE_AFTER_MS = 2000 };
    return waited_ms >= ELSEWHERE_AFTER_MS || waited_ms >= timeout_ms;
}

// Is it at another place than the one where it was opened, and not told from others like it by what
// a person gave: its serial number, or any and the VID:PID of DFU mode?
bool usb_follow_moved(const struct usb_follow *follow);

// Look for it among the devices that are there now. heard_ms is how long ago it answered last.
// elsewhere: other places count, too, as they do where something is at its own. ret_found is set if
// it is found; text says what to do if there are several, or if one at a place that --target
// excludes may be the device.
enum usb_follow_result usb_follow_choose(const struct usb_follow *follow,
                                         const struct usb_list *now,
                                         uint64_t heard_ms,
                                         bool elsewhere,
                                         const struct usb_seen **ret_found,
                                         char *text,
                                         size_t size);

#endif
