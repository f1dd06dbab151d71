// SPDX-License-Identifier: MIT
//
// plugged.h - for tests of boards: a simulated device at a host, and what the test's host program
// sends to it.

#ifndef SIM_PLUGGED_H
#define SIM_PLUGGED_H

#include <stdbool.h>
#include <stdint.h>

#include <sim/devices.h>
#include <sim/host.h>

// Open the device; the test fails with the line that sim_open() gives.
struct sim_device *open_device(const struct sim_options *options);

// The same, plugged into a host.
struct sim_host *plug_in(const struct sim_options *options);

// Close both. The test fails where the device is in trouble.
void unplug(struct sim_host *host);

void pass_ms(struct sim_host *host, uint64_t ms);

// Enumerate the device, which has 5 s to be there, and choose configuration 1. Returns whether it
// came; the other fails the test where it did not.
bool enumerates(struct sim_host *host);
void enumerate(struct sim_host *host);

// idVendor and idProduct, a half-word each.
uint32_t vid_pid(struct sim_host *host);

// The power of the device is cut once, at this time; at UINT64_MAX: it is not. For one device of a
// process.
void cut_power_at(struct sim_device *device, uint64_t at_ns);

// A control transfer, for 5 s at most. Returns as sim_host_control() does.
int control(struct sim_host *host,
            uint8_t bmRequestType,
            uint8_t bRequest,
            uint16_t wValue,
            uint16_t wIndex,
            void *data,
            uint16_t wLength);

#endif
