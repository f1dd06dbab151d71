// SPDX-License-Identifier: MIT
//
// attach.h - keeps simulated devices attached to this machine's vhci-hcd.
//
// Each device gets a port and a socketpair: the kernel has one end, the loop serves the other. A
// device that leaves the bus by itself closes its connection, and the kernel sees an unplug; once
// it is back it is attached to the same port again, so that it keeps its path. Where the kernel was
// still busy with what was on that port before, it may not notice, or carry the enumeration of the
// old one on: a device of which it has asked nothing for 10 s, while nothing else went on, and
// which has not appeared is plugged in once more. One that it has asked something may be one that
// it refuses: that gets one chance.
//
//     result = vhci_open(&vhci, "/sys");
//     result = vhci_attach_open(&attach, &vhci, devices, count, &events, context, error, size);
//     result = loop_run(attach.loop);
//     vhci_attach_close(&attach);
//     vhci_close(&vhci);

#ifndef HOSTSIM_VHCI_ATTACH_H
#define HOSTSIM_VHCI_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usbip/loop.h>
#include <vhci/vhci.h>

// Where the kernel has put a device.
struct vhci_place {
    unsigned port;
    char path[32]; // in /sys/bus/usb/devices
    unsigned busnum;
    unsigned devnum;
};

// Any of them may be NULL.
struct vhci_attach_events {
    // The kernel has enumerated the device; again after each return.
    void (*appeared)(void *context, struct usbip_device *device, const struct vhci_place *place);

    // The kernel has given the device up (`usbip detach`, the module was removed). It is not
    // attached again; when no device is left, the loop stops.
    void (*detached)(void *context, struct usbip_device *device);
};

struct vhci_attach_slot {
    struct usbip_device *device;
    unsigned port;
    bool super_speed; // the port's
    unsigned asked;   // as usbip_device_asked() said last
    bool had_chance;  // it was asked, did not appear, and was plugged in once more
    char path[32];    // where it appeared last, until the kernel has given that up; or empty
    enum {
        VHCI_SLOT_AWAY,     // to be attached as soon as the device and the port allow it
        VHCI_SLOT_ATTACHED, // the kernel is enumerating it
        VHCI_SLOT_APPEARED,
        VHCI_SLOT_LOST, // detached, to be attached again: the kernel did not see it
        VHCI_SLOT_ENDED,
    } state;
};

struct vhci_attach {
    struct loop *loop; // for the caller to run, watch and stop
    const struct vhci *vhci;
    struct vhci_attach_events events;
    void *context;
    struct vhci_attach_slot *slots; // in the order of the devices
    size_t count;
    uint64_t look_ns;     // when sysfs is looked at again
    uint64_t progress_ns; // when a device was attached, was asked something or has appeared
};

// Attach all of them. The devices and vhci stay the caller's. Returns 0, or -1 with one line in
// error that says what is missing and what to do; nothing is left attached then.
int vhci_attach_open(struct vhci_attach *attach,
                     const struct vhci *vhci,
                     struct usbip_device *const *devices,
                     size_t count,
                     const struct vhci_attach_events *events,
                     void *context,
                     char *error,
                     size_t error_size);

// One line about why vhci_open() or attaching failed with this negative errno, and what to do.
void vhci_explain(int result, char *error, size_t error_size);

// Detach them.
void vhci_attach_close(struct vhci_attach *attach);

#endif
