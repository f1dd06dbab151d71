// SPDX-License-Identifier: MIT
//
// target_usb_private.h - a device on this machine's bus, for the files that it is made of:
// target_usb_handle.c opens and closes it, target_usb_return.c waits until it leaves and comes
// back, target_usb.c makes its transfers.

#ifndef CONFORMANCE_TARGET_USB_PRIVATE_H
#define CONFORMANCE_TARGET_USB_PRIVATE_H

#include <libusb.h>

#include "lateness.h"
#include "target_usb_find.h"
#include "usb_follow.h"
#include <conformance/target.h>

struct target_usb {
    struct target base;
    struct lateness *lateness;
    libusb_context *anchor;       // open from the first to the last
    libusb_context *context;      // of the handle, where a scan found the device; else NULL
    int node;                     // its open device node, where sysfs did; else -1
    libusb_device_handle *handle; // NULL while the device is away
    struct usb_follow follow;     // where it is, and what it is told by
    uint64_t heard_us;            // when it answered last
    uint64_t claimed[4];          // interface numbers, a bit each
    int found_configuration;      // that this host had selected, and that is selected at the end
    char power[TARGET_TEXT];      // the command that cycles its power; empty: there is none
    bool power_told;              // that the command failed
};

static inline struct target_usb *usb_of(struct target *target)
{
    return (struct target_usb *)target;
}

// ---- target_usb_handle.c ----

// Take a handle into use, with its context or its device node. Returns 0, or a libusb error, and
// then everything is closed.
int usb_adopt(struct target_usb *usb,
              libusb_device_handle *handle,
              libusb_context *context,
              int node,
              const struct usb_seen *seen);

// Close the handle, if there is one: the device is away.
void usb_forget_handle(struct target_usb *usb);

// Remember what is plugged in now: a device that is plugged in beside ours is not ours after ours
// has left.
void usb_look_around(struct target_usb *usb);

// Reset its port. Returns 0, USB_GONE where the kernel enumerates the device anew: it is away for
// now; or USB_IO where it is as it was, because this host did not carry the reset out, or because
// a driver has claimed its DFU interface since.
int usb_reset(struct target_usb *usb);

// Claim an interface, or that of DFU; it stays claimed until usb_release_all(). Each returns 0 or a
// libusb error.
int usb_claim(struct target_usb *usb, uint8_t interface);
int usb_claim_dfu(struct target_usb *usb);
void usb_release_all(struct target_usb *usb);

// ---- target_usb_return.c ----

int usb_wait_leave(struct target *target, unsigned timeout_ms);
int usb_wait_return(struct target *target, unsigned timeout_ms);

#endif
