// SPDX-License-Identifier: MIT
//
// device_private.h - what the files of an exported device share: device.c has its states on the bus
// and its clients, enumerate.c reads its descriptors, urb.c carries out its transfers.

#ifndef HOSTSIM_USBIP_DEVICE_PRIVATE_H
#define HOSTSIM_USBIP_DEVICE_PRIVATE_H

#include <sim/pace.h>
#include <sim/usb_core.h>
#include <usbip/device.h>

enum { MAX_INTERFACES = 32, DEVICE_TEXT = 600 };

struct usbip_device {
    struct sim_host *host;
    struct usb_core core;
    struct usbip_observer observer;
    void *observer_context;

    struct usbip_record record;
    struct usbip_interface interfaces[MAX_INTERFACES];

    bool present;                  // on the bus and enumerated
    bool failed;                   // on the bus, and enumerating it failed
    bool enumerating;              // it is being reset and asked: leaving the bus is not reported
    uint64_t reset_end_ns;         // the device is awaited until then after a reset; 0: it is not
    struct usbip_urb *after_reset; // to be carried out then, or NULL
    bool in_use;
    bool kept_awake; // time advances even while it is not imported
    unsigned asked;  // transfers that its client has submitted
    bool retired;    // it will not be imported again
    void (*left)(void *context);
    void *left_context;

    struct sim_pace pace;
    char *trouble; // as it was noted last, or NULL
};

// A line for a person.
__attribute__((format(printf, 2, 3))) void
device_note(const struct usbip_device *device, const char *format, ...);

// Wait for the device, reset it, give it an address, read its descriptors; leaves it in the Address
// state. Pending transfers end. timeout_ns bounds the wait.
void device_begin_enumeration(struct usbip_device *device, uint64_t timeout_ns);

// Carry the enumeration on until limit_ns of the device's time. Returns SIM_UNDER_WAY, 0 or an enum
// usb_result.
int device_enumerate(struct usbip_device *device, uint64_t limit_ns);

// Reset the bus, and then carry after_reset out. Usually at once; for a device that leaves the bus
// in the reset, which is awaited for USB_CORE_APPEAR_MS at most, or that is slow to answer,
// usbip_device_run() carries the reset on.
void device_reset(struct usbip_device *device);

// Carry out a transfer that is no reset any more.
void device_carry_out(struct usbip_device *device, struct usbip_urb *urb);

// Inform the client if the device has left the bus.
void device_tell_client(struct usbip_device *device);

#endif
