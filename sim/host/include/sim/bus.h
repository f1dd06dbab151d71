// SPDX-License-Identifier: MIT
//
// bus.h - the ports of one machine, on its root hub and on the hubs below, and what is plugged in.
//
// A port is named as Linux names a place in sysfs: "1-4" is port 4 of bus 1, "1-4.2" port 2 of the
// hub there. Each port has a host controller model of its own and what the USB core keeps of its
// device; their times advance together, so that a device can change its port. Of a hub there are
// its ports alone: requests to it, and the bandwidth that its devices share, are not modelled.
//
//     struct sim_bus *bus = sim_bus_open(&events, NULL);
//     struct sim_bus_port *port = sim_bus_port(bus, "1-4.2");
//     sim_bus_plug(port, device);
//     sim_bus_run_until(bus, 500 * SIM_MS);
//     usb_core_enumerate(&port->core, 0);
//
// Blocking calls on one port's host leave the others behind until the next sim_bus_run_until().

#ifndef SIM_BUS_H
#define SIM_BUS_H

#include <sim/usb_core.h>

enum {
    SIM_BUS_PORTS = 8,   // of one bus, those with names
    SIM_PLACE_SIZE = 32, // of a name, with its end
};

struct sim_bus;

// Read-only for others, but for core.
struct sim_bus_port {
    char place[SIM_PLACE_SIZE];
    struct sim_host *host;
    struct usb_core core;
    uint64_t connected_ns; // when a device connected last
    unsigned address;      // another number for each device that connected; 0: none is there
    struct sim_bus *bus;
};

// Called as those of sim_host_events are; sim_bus_plug() and sim_bus_move() may be called too.
struct sim_bus_events {
    void (*connected)(void *context, struct sim_bus_port *port);
    void (*disconnected)(void *context, struct sim_bus_port *port);
};

// A machine without a port. NULL if there is no memory.
struct sim_bus *sim_bus_open(const struct sim_bus_events *events, void *context);

// Closes the devices that are plugged in, too.
void sim_bus_close(struct sim_bus *bus);

// Is it the name of a port: a bus, '-', and ports with a '.' between?
bool sim_bus_is_place(const char *place);

// The port of this name, powered; it is made if there is none yet. NULL without memory, after
// SIM_BUS_PORTS, or where the name makes a hub of a port of another name, or lies on that.
struct sim_bus_port *sim_bus_port(struct sim_bus *bus, const char *place);

// The i-th port, in the order in which they were made; NULL behind the last.
struct sim_bus_port *sim_bus_port_at(struct sim_bus *bus, size_t i);

// Put a device into an empty port, which gives it power. It belongs to the bus from now on.
void sim_bus_plug(struct sim_bus_port *port, struct sim_device *device);

// The device of one port continues at another one, which is empty, without losing its power: as
// behind a switch on its board.
void sim_bus_move(struct sim_bus_port *from, struct sim_bus_port *to);

// Is nothing plugged in, powered or not?
bool sim_bus_is_empty(const struct sim_bus_port *port);

// The time of the port that is furthest.
uint64_t sim_bus_now(const struct sim_bus *bus);

// Run all ports until time_ns; none beyond it but those that are there already.
void sim_bus_run_until(struct sim_bus *bus, uint64_t time_ns);

#endif
