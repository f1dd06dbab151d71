// SPDX-License-Identifier: MIT
//
// usb_sysfs.h - what sysfs shows of the devices on USB, without opening one of them.
//
// A place is where a device is plugged in, BUS-PORTS as sysfs spells it: "1-4.2". The device at a
// place gets another address each time that it connects.

#ifndef CONFORMANCE_USB_SYSFS_H
#define CONFORMANCE_USB_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/target.h>

enum {
    USB_PLACE_SIZE = 32,
    USB_SEEN_MAX = 128, // devices on all buses together; further ones are ignored
};

// One device as it is now.
struct usb_seen {
    char place[USB_PLACE_SIZE];
    unsigned bus, address;
    uint16_t idVendor, idProduct;
    char serial[TARGET_TEXT]; // empty: it has none
    bool dfu;                 // an interface of class FEh, subclass 01h
    uint64_t age_ms;          // since it connected; UINT64_MAX where this kernel does not count
};

struct usb_list {
    struct usb_seen devices[USB_SEEN_MAX];
    size_t count;
};

// Everything that is plugged in. root is "/sys/bus/usb/devices". Empty where there is no sysfs.
void usb_list_read(struct usb_list *list, const char *root);

// The address at a place; 0 if nothing is there, -1 where there is no sysfs.
int usb_sysfs_address(const char *root, const char *place);

// How long ago the device at a place connected, in ms; UINT64_MAX if unknown.
uint64_t usb_sysfs_age_ms(const char *root, const char *place);

// The same socket on the other bus of its controller: a socket of USB 3 has a place on the
// SuperSpeed bus and one on the high-speed bus. Empty if there is none.
void usb_sysfs_peer(const char *root, const char *place, char peer[USB_PLACE_SIZE]);

// Why the node of a device cannot be opened, and what to do, in one line. Returns false if it can
// be opened.
bool usb_node_fault(unsigned bus, unsigned address, char *text, size_t size);

#endif
