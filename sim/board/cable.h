// SPDX-License-Identifier: MIT
//
// cable.h - what a person, a hub or a slow host does to the connection of a device.
//
// The device behind it lives on: it does not know that nobody sees it, but for VBUS.

#ifndef SIM_CABLE_H
#define SIM_CABLE_H

#include <sim/devices.h>

// A device that does what this one does, on this cable, and closes it when it is closed. NULL, with
// device untouched, if there is no memory.
struct sim_device *cable_open(struct sim_device *device, const struct sim_cable *cable);

#endif
