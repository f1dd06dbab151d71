// SPDX-License-Identifier: MIT
//
// How it is followed. A device that leaves and comes back keeps its place: the bus number and the
// ports on the way (BUS-PORTS in sysfs), while Linux gives it another address. So it has left when
// nothing is at its place, or something of another address; and it is back when that can be opened.
// usb_follow.h decides about devices at another place.
//
// To look, sysfs is read, and the device node that it names is opened. If that fails, a new libusb
// context is made, which scans the bus: a long-lived one is informed of changes by udev only, and
// in containers and small guests no udevd runs. One context stays open all the time, so that
// libusb's udev monitor is not opened and closed each time.

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target_usb_private.h"
#include "usb_sysfs.h"
#include "wall_clock.h"

enum { POLL_MS = 10 };

static int address_now(const struct target_usb *usb)
{
    return usb_address_at(usb->follow.place, (int)usb->follow.address);
}

int usb_wait_leave(struct target *target, unsigned timeout_ms)
{
    struct target_usb *usb = usb_of(target);
    uint64_t end_us = wall_clock_us() + timeout_ms * UINT64_C(1000);
    while (usb->handle) {
        if (address_now(usb) != (int)usb->follow.address) {
            usb_forget_handle(usb);
            break;
        }
        if (wall_clock_us() >= end_us)
            return USB_TIMEOUT;
        wall_clock_sleep_ms(target, POLL_MS);
    }
    return 0;
}

// By libusb's own list: what sysfs has shown, or, where there is no sysfs, what is at its place.
// udev may set the permissions a moment later, so a failed open is not an error here.
static bool return_by_scan(struct target_usb *usb, const struct usb_seen *wanted)
{
    libusb_context *context;
    libusb_device **list;
    libusb_device_handle *handle = NULL;
    struct usb_seen seen;
    if (libusb_init(&context) < 0)
        return false;
    ssize_t count = libusb_get_device_list(context, &list);
    for (ssize_t i = 0; i < count && !handle; i++) {
        usb_locate(list[i], &seen);
        bool found = wanted ? seen.bus == wanted->bus && seen.address == wanted->address
                            : strcmp(seen.place, usb->follow.place) == 0 &&
                                  seen.address != usb->follow.address;
        if (found && libusb_open(list[i], &handle) < 0)
            handle = NULL;
    }
    if (count >= 0)
        libusb_free_device_list(list, 1);
    if (!handle)
        libusb_exit(context);
    return handle && usb_adopt(usb, handle, context, -1, &seen) == 0;
}

// The same without a scan, which takes a second in a guest: sysfs has said what to open.
static bool return_by_node(struct target_usb *usb, const struct usb_seen *seen)
{
    char name[64];
    libusb_device_handle *handle;
    snprintf(name, sizeof name, "/dev/bus/usb/%03u/%03u", seen->bus, seen->address);
    int node = open(name, O_RDWR | O_CLOEXEC);
    if (node < 0)
        return false;
    if (libusb_wrap_sys_device(usb->anchor, node, &handle) < 0) {
        close(node);
        return false;
    }
    return usb_adopt(usb, handle, NULL, node, seen) == 0;
}

static uint64_t heard_ms(const struct target_usb *usb)
{
    return (wall_clock_us() - usb->heard_us) / 1000;
}

// Returns whether it is there and in use; fault says why one that is there is not.
static bool try_return(struct target_usb *usb, bool elsewhere)
{
    static struct usb_list now;
    const struct usb_seen *seen;
    char node[200];
    char *fault = usb->base.fault;
    if (usb_sysfs_address(USB_SYSFS, usb->follow.place) < 0)
        return return_by_scan(usb, NULL);
    usb_list_read(&now, USB_SYSFS);
    fault[0] = '\0';
    if (usb_follow_choose(&usb->follow, &now, heard_ms(usb), elsewhere, &seen, fault,
                          TARGET_FAULT_TEXT) != USB_FOLLOW_FOUND)
        return false;
    if (return_by_node(usb, seen) || return_by_scan(usb, seen))
        return true;
    if (usb_node_fault(seen->bus, seen->address, node, sizeof node))
        snprintf(fault, TARGET_FAULT_TEXT, "the device is back as %04x:%04x at %s, but %.199s",
                 seen->idVendor, seen->idProduct, seen->place, node);
    return false;
}

int usb_wait_return(struct target *target, unsigned timeout_ms)
{
    struct target_usb *usb = usb_of(target);
    uint64_t start_us = wall_clock_us();
    while (!usb->handle) {
        uint64_t waited_ms = (wall_clock_us() - start_us) / 1000;
        if (try_return(usb, usb_follow_elsewhere(waited_ms, timeout_ms)))
            break;
        if (waited_ms >= timeout_ms)
            return *target->fault ? USB_IO : USB_TIMEOUT;
        wall_clock_sleep_ms(target, POLL_MS);
    }
    return 0;
}
