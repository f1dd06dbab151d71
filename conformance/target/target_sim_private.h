// SPDX-License-Identifier: MIT
//
// target_sim_private.h - a simulated device, for the files that it is made of: target_sim.c makes
// its transfers and resets, target_sim_ports.c plugs it in and finds it again.

#ifndef CONFORMANCE_TARGET_SIM_PRIVATE_H
#define CONFORMANCE_TARGET_SIM_PRIVATE_H

#include <sim/bus.h>
#include <sim/devices.h>

#include "usb_follow.h"
#include <conformance/target.h>

struct target_sim {
    struct target base;
    struct sim_bus *bus;
    struct sim_bus_port *port; // where the device is, as far as the target knows
    bool left;                 // disconnected since it was enumerated last
    uint64_t heard_us;         // when it answered last

    // Where it really is. It comes back at the other one each time that it leaves, if there is one.
    struct sim_bus_port *place;
    struct sim_bus_port *other_place;
    struct sim_device *twin; // waits until the place of the device is empty; or NULL

    struct usb_follow follow;
    struct usb_seen seen[SIM_BUS_PORTS]; // of each port, the device that was enumerated last
};

static inline struct target_sim *sim_of(struct target *target)
{
    return (struct target_sim *)target;
}

// The first configuration with DFU, or the first of all.
const uint8_t *sim_configuration(const struct usb_core *core, size_t *ret_length);

// ---- target_sim_ports.c ----

// Make the ports and plug in what spec names, and its twin. Returns false with one line in error.
bool sim_plug_in(struct target_sim *sim, const struct target_spec *spec, char *error, size_t size);

// Remember what is plugged in, and where the device is, whose descriptors the target has.
void sim_look_around(struct target_sim *sim);

// Look for the device after so long a part of the time that it is waited for. Returns whether it
// is there; then the target's port is its port.
bool sim_find(struct target_sim *sim, uint64_t waited_ms, uint64_t timeout_ms);

#endif
