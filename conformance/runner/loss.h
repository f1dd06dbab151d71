// SPDX-License-Identifier: MIT
//
// loss.h - one loss of the device under test: how, in which mode and at which request.

#ifndef CONFORMANCE_LOSS_H
#define CONFORMANCE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/device.h>
#include <usb/requests.h>

enum {
    LOSS_LATE_MS = 100, // a device that a request makes leave is gone by then, after its answer
};

// How a device that may leave the bus was let leave, as far as a check is about its return.
enum loss_way {
    LOST_OTHERWISE,
    LOST_BY_DETACH, // that was completed, at run time
    LOST_BY_RESET,  // in DFU mode
};

struct loss {
    enum device_mode mode;              // in which it was lost
    bool gone;                          // it left the bus, as far as the transport knows
    bool unasked;                       // by no doing of the suite
    bool stranded;                      // asked for, and it did not come back by itself
    enum loss_way way;                  // how it was asked for
    bool waited;                        // it left while no request was under way
    bool late;                          // but before, which it had answered
    bool unfinished;                    // request would have let it leave, had it been answered
    bool heard;                         // before is valid
    uint8_t before[USBDEV_SETUP_SIZE];  // the last request that was answered
    uint8_t request[USBDEV_SETUP_SIZE]; // the first that was not
    uint64_t after_us;                  // from the one to the other
    bool on_the_way;                    // the request was the suite's own, not a check's
    bool fresh;                         // nothing was sent before it since the enumeration
};

// The request at which it was lost, as far as that is known; NULL where it left by itself.
const uint8_t *loss_request(const struct loss *loss);

// "the device left the bus 12 ms after GET_DESCRIPTOR(STRING 3); SET_INTERFACE was not answered".
void loss_text(const struct loss *loss, char *text, size_t size);

#endif
