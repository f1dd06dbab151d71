// SPDX-License-Identifier: MIT
//
// exported_devices.h - the devices that a subcommand of dfu-sim simulates, as its options ask for
// them.

#ifndef HOSTSIM_EXPORTED_DEVICES_H
#define HOSTSIM_EXPORTED_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "usbip_capture.h"
#include <usbip/device.h>

struct exported_devices {
    struct usbip_device **devices;
    size_t count;
    bool tells;
    struct usbip_capture *capture; // --capture, or NULL
};

// What happens to the devices is told on stderr, a line each ("1-1: bus reset inferred"), if asked
// for. Returns 0, or -1 with one line in error. The devices keep a pointer to it.
int exported_devices_open(struct exported_devices *exported,
                          const struct options *options,
                          bool tells,
                          char *error,
                          size_t error_size);

// Let the devices enumerate, all at the same time, until each has or has failed to, and no longer
// than limit_ms. Those that have not by then go on while the loop runs.
void exported_devices_settle(const struct exported_devices *exported, uint64_t limit_ms);

// Returns 0, or -1 after a line on stderr if the capture is not whole.
int exported_devices_close(struct exported_devices *exported);

// A line on stderr about a device: "1-1: text".
void exported_devices_note(const struct usbip_device *device, const char *text);

#endif
