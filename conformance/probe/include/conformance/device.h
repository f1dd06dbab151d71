// SPDX-License-Identifier: MIT
//
// device.h - the descriptors of the device under test in one of its two modes.

#ifndef CONFORMANCE_DEVICE_H
#define CONFORMANCE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include <conformance/target.h>
#include <usb/descriptors.h>

enum device_mode {
    DEVICE_RUN_TIME,
    DEVICE_DFU_MODE,
};

// Holds pointers into itself: not to be copied.
struct device {
    bool seen; // the device has been in this mode; else the rest is zero
    struct target_descriptors raw;
    struct usb_configuration config;
    const struct usb_interface *dfu;             // NULL: there is no DFU interface
    const struct usb_dfu_functional *functional; // NULL: there is no functional descriptor
};

// Parse the descriptors that the host read.
void device_load(struct device *device, const struct target_descriptors *raw);

enum {
    DEVICE_MOST_PACKET0 = 512,
};

// idVendor, idProduct and bMaxPacketSize0 of the device descriptor, the latter in bytes: at
// SuperSpeed the field is an exponent, 9 (USB 3.2 9.6.1).
uint16_t device_vendor(const struct device *device);
uint16_t device_product(const struct device *device);
uint16_t device_max_packet0(const struct device *device);

// bits of the functional descriptor's bmAttributes; 0 without one
uint8_t device_attributes(const struct device *device);
bool device_will_detach(const struct device *device);
bool device_is_dfuse(const struct device *device);

// wDetachTimeOut, or 0 without a functional descriptor.
unsigned device_detach_timeout(const struct device *device);

// How long to wait, in ms, where appDETACH may last and no request tells: wDetachTimeOut, but at
// most 3 s for a device that leaves the bus by itself and 5 s for others.
unsigned device_detach_limit(const struct device *device);

// The lowest interface number that no interface of the configuration has; -1 if all are there.
int device_absent_interface(const struct device *device);

// The number of an interface that is not the DFU one; -1 if there is none.
int device_other_interface(const struct device *device);

#endif
