// SPDX-License-Identifier: MIT
//
// mock.h - run a command on an imitated Linux USB stack: no kernel module, no root, no guest.
//
// umockdev gives the command a sysfs tree, device nodes, uevents and the ioctls of usbfs, which
// show the simulated device. Programs that use libusb, or these interfaces themselves, work
// unchanged; statically linked and setuid programs see the real machine.

#ifndef HOSTSIM_MOCK_H
#define HOSTSIM_MOCK_H

#include <stdbool.h>

#include <sim/devices.h>

// Can mock_run() work here? NULL, or a line that says what is missing.
const char *mock_missing(void);

// Is this process inside the imitation? mock_run() needs that: start dfu-sim again through
// umockdev-wrapper where it is not.
bool mock_inside(void);

// Run command (NULL-terminated) with the device plugged in. Returns its exit status, 128 + the
// signal that ended it, or a negative errno after a line on stderr.
int mock_run(const struct sim_options *options, char *const command[]);

#endif
