// SPDX-License-Identifier: MIT
//
// target_usb_find.h - finds the device on this machine's USB that a SPEC names, and its place.

#ifndef CONFORMANCE_TARGET_USB_FIND_H
#define CONFORMANCE_TARGET_USB_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include <libusb.h>

#include "usb_sysfs.h"
#include <conformance/target.h>

#define USB_SYSFS "/sys/bus/usb/devices"

// Its serial number, empty if there is none.
void usb_serial(libusb_device_handle *handle, char serial[TARGET_TEXT]);

// The address of what is at a place now, 0 if nothing is. Where that cannot be found out, it is
// what it was: address.
int usb_address_at(const char *path, int address);

// Open the one device that matches. Returns NULL with one line in error.
libusb_device_handle *
usb_open_chosen(libusb_context *context, const struct target_spec *spec, char *error, size_t size);

// Its bus, its place and its address; the rest stays empty.
void usb_locate(libusb_device *device, struct usb_seen *seen);

// One line for a device that was found and cannot be used, from a libusb error.
void usb_say_not_opened(const struct target_spec *spec,
                        const struct usb_seen *seen,
                        int result,
                        char *error,
                        size_t size);

#endif
