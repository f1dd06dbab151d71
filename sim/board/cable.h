// SPDX-License-Identifier: MIT
//
// cable.h - a connection that is unplugged or delayed between a device and its host.
//
// The device behind it keeps running: it notices an unplugged cable by VBUS only.

#ifndef SIM_CABLE_H
#define SIM_CABLE_H

#include <sim/devices.h>

// A device that does what this one does, on this cable, and closes it when it is closed. NULL, with
// device untouched, if there is no memory.
struct sim_device *cable_open(struct sim_device *device, const struct sim_cable *cable);

#endif
