// SPDX-License-Identifier: MIT
//
// rack.h - the devices that a subcommand of dfu-sim simulates, as its options ask for them.

#ifndef HOSTSIM_RACK_H
#define HOSTSIM_RACK_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "usbip_capture.h"
#include <usbip/device.h>

struct rack {
    struct usbip_device *devices[OPTIONS_MAX_COUNT];
    size_t count;
    bool tells;
    struct usbip_capture *capture; // --capture, or NULL
};

// What happens to the devices is told on stderr, a line each ("1-1: bus reset inferred"), if asked
// for. Returns 0, or -1 with one line in error. The devices keep a pointer to the rack.
int rack_open(
    struct rack *rack, const struct options *options, bool tells, char *error, size_t error_size);
// A capture that is not whole is told on stderr.
void rack_close(struct rack *rack);

// A line on stderr about a device: "1-1: text".
void rack_tell(const struct usbip_device *device, const char *text);

#endif
