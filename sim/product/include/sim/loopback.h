// SPDX-License-Identifier: MIT
//
// loopback.h - a vendor function of two interfaces, for the composite device: what is sent to bulk
// endpoint 01h comes back on 81h, and interrupt endpoint 82h then says how many bytes have come
// back in all (32 bits, little-endian).
//
// Vendor request 41h/01h to its second interface: wake the host wValue milliseconds after the next
// suspend (if the host allows it).

#ifndef SIM_LOOPBACK_H
#define SIM_LOOPBACK_H

#include <dfurt/usbdev.h>

enum {
    LOOPBACK_OUT = 0x01,
    LOOPBACK_IN = 0x81,
    LOOPBACK_NOTICE = 0x82,
    LOOPBACK_PACKET = 64,
    LOOPBACK_NOTICE_SIZE = 4,
    LOOPBACK_WAKE_HOST = 1, // bRequest
};

// An interface association and two interfaces, the first numbered 0, with their endpoints.
enum { LOOPBACK_DESCRIPTORS_SIZE = 8 + 9 + 7 + 7 + 9 + 7 };
extern const uint8_t loopback_descriptors[LOOPBACK_DESCRIPTORS_SIZE];

struct loopback {
    struct usbdev *dev;
    uint8_t packet[LOOPBACK_PACKET];
    uint8_t notice[LOOPBACK_NOTICE_SIZE];
    uint32_t total;
    bool notice_armed;
    uint16_t wake_after_ms;
    uint16_t wake_in_ms; // 0: not
};

// dev is the device of which it is a function; it may be initialised later.
void loopback_init(struct loopback *loopback, struct usbdev *dev);

// Its context is a struct loopback.
extern const struct usbdev_handler loopback_handler;

#endif
