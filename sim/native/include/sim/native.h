// SPDX-License-Identifier: MIT
//
// native.h - a USB peripheral for usbdev: what hardware and port driver are on a real board.
//
// At SuperSpeed (base.speed) the packets of endpoint 0 are 512 bytes long (USB 3.2 8.12.2): those
// of usbdev, 64 bytes, are put together and taken apart here.
//
// It puts a struct usbdev on the wire (sim/wire.h): endpoints with one packet of buffer each, data
// toggles, NAK while nothing is armed, STALL, the address, suspend after 3 ms of silence, and a
// millisecond tick. The product behind usbdev runs unchanged.
//
//     native_init(&native, &usbdev_config, now_ns);
//     usbdev_connect(&native.dev, true);
//     ... the owner forwards the wire to native.base ...

#ifndef SIM_NATIVE_H
#define SIM_NATIVE_H

#include <dfurt/usbdev.h>
#include <sim/wire.h>

struct native_endpoint {
    bool open;
    bool stalled;
    bool armed;
    bool data1; // next packet
    uint16_t wMaxPacketSize;
    uint16_t length;     // IN: of what is armed
    const uint8_t *data; // IN
};

// What answers a SETUP before usbdev does: defective devices are made of it. Returns a length of 0
// or more for a reply of its own, sent however long it is (usbdev then never sees the request;
// data that an OUT request brings is accepted and dropped); NATIVE_STALL; NATIVE_STALL_STATUS,
// which takes that data and STALLs the status stage; NATIVE_SILENT, which leaves endpoint 0
// answering NAK; or NATIVE_PASS.
enum {
    NATIVE_STALL = -1,
    NATIVE_SILENT = -2,
    NATIVE_PASS = -3,
    NATIVE_STALL_STATUS = -4,
};
typedef int
native_override(void *context, const struct usbdev_setup_packet *setup, const uint8_t **ret_reply);

struct native {
    struct sim_device base;
    struct usbdev dev;
    native_override *override; // or NULL
    void *override_context;

    // A defect: endpoints that are opened or cleared go on with the toggle they had.
    bool keeps_toggles;

    // A defect: no empty packet ends a reply of the override whose packets are all full.
    bool omits_empty_packet;

    // Its firmware has crashed: it answers no packet, and its pull-up stays as it is.
    bool hung;

    // Private to native.c.
    uint64_t now_ns;
    uint64_t ticked_ns; // usbdev_tick() has been told of the time until here
    uint64_t active_ns; // last activity on the bus
    uint64_t wake_ns;   // drives resume from here on, for 10 ms; 0: not
    bool pull_up;
    bool se0;
    bool suspended;
    bool resuming; // the host drives resume; ends with the next SOF
    bool overridden;
    uint8_t address;
    uint8_t bMaxPacketSize0; // of usbdev
    const uint8_t *reply;    // of the override: what is left of it
    size_t reply_left;
    size_t reply_packets; // left
    struct native_endpoint in[16];
    struct native_endpoint out[16];
};

// A peripheral with its pull-up off, whose time begins at now_ns. config stays valid.
void native_init(struct native *native, const struct usbdev_config *config, uint64_t now_ns);

#endif
