// SPDX-License-Identifier: MIT
//
// toy_device.h - a device for tests of what lies between it and a client: small, strict about data
// toggles and stages, and able to do at a word what real devices do at the worst moment.
//
// One configuration. Interface 0 has bulk OUT 01h and bulk IN 81h, which give back what was sent,
// and interrupt IN 82h, which has nothing to say unless toy.event is set. Interface 1 has an
// alternate 1 with bulk IN 83h, which counts: a byte for each packet, so that a lost one is
// noticed.

#ifndef SIM_TOY_DEVICE_H
#define SIM_TOY_DEVICE_H

#include <sim/wire.h>

enum {
    TOY_VENDOR = 0x1209,
    TOY_PRODUCT = 0x0001,
    TOY_PRODUCT_AFTER_RESET = 0x0002, // once TOY_ARM was sent
    TOY_LANGUAGE = 0x0407,            // its first; it has string 1 in no other: "To\u00FF"
    TOY_CONFIGURATION_SIZE = 9 + 9 + 7 + 7 + 7 + 9 + 9 + 7,
};

// Vendor requests to the device. Any other STALLs.
enum toy_request {
    TOY_LEAVE = 1,  // no data: leave the bus after the status stage, come back 20 ms later
    TOY_ARM = 2,    // no data: the next reset makes the device another one
    TOY_HANG = 3,   // NAK the data or status stage for ever
    TOY_BABBLE = 4, // IN: send a packet of 64 bytes, whatever wLength says
    TOY_KEEP = 5,   // OUT: keep the bytes; IN: give them back
    TOY_VANISH = 6, // no data: leave the bus for good
};

struct toy {
    struct sim_device base;
    bool event;       // the interrupt endpoint has a byte to give
    uint64_t away_ns; // how long it is off the bus after the reset that makes it another one
    uint64_t cost_ns; // real time that a millisecond of its life takes to simulate
    uint64_t mute_ns; // how long it NAKs every data and status stage after a reset
    const char *trouble;

    // For tests to look at.
    unsigned resets;
    unsigned setups;
    uint8_t bConfigurationValue;

    // Private.
    uint64_t now_ns;
    uint64_t return_ns; // off the bus until then
    uint64_t reset_ns;  // when the last reset began
    bool armed;
    bool changed;
    bool leaving;
    uint8_t address;
    uint8_t alternate; // of interface 1
    uint32_t toggles;  // bit n: endpoint n OUT, 16 + n IN: next is DATA1
    struct usbdev_setup_packet setup;
    bool stalled;
    bool hanging;
    uint8_t reply[512];
    size_t reply_length;
    size_t moved; // bytes of the data stage
    uint8_t kept[512];
    size_t kept_length;
    uint8_t packet[64]; // of the bulk loop
    size_t packet_length;
    bool packet_full;
    uint8_t count; // of packets on endpoint 83h
};

// The caller's memory, which must outlive the host it is plugged into.
struct sim_device *toy_init(struct toy *toy);

// Be off the bus until then, in its own time.
void toy_leave(struct toy *toy, uint64_t return_ns);

extern const uint8_t toy_configuration[TOY_CONFIGURATION_SIZE];

#endif
