// SPDX-License-Identifier: MIT
//
// port.h - the hub driver of a kernel, for the one port of the mock: it enumerates the device,
// keeps its descriptors, chooses its configuration, and detects when it leaves, connects or changes
// in a reset.
//
// Time follows the wall clock as sim/pace.h says.

#ifndef HOSTSIM_MOCK_PORT_H
#define HOSTSIM_MOCK_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim/pace.h>
#include <sim/usb_core.h>

struct mock_port {
    struct sim_host *host;
    bool plugged; // mock_port_look() has said CAME, and not LEFT since

    struct usb_core core; // of the device that is plugged in

    // Private.
    struct sim_pace pace;
    bool connected;   // not enumerated since it connected
    bool enumerated;  // the members above describe what is connected
    bool left;        // it is no longer what was plugged in
    uint64_t left_ns; // since when, by the wall clock
};

// Power the device and watch it. Returns 0 or -ENOMEM. The port owns the device from now on.
int mock_port_init(struct mock_port *port, struct sim_device *device);
void mock_port_finish(struct mock_port *port);

enum mock_change {
    MOCK_NOTHING,
    MOCK_LEFT,
    MOCK_CAME,
};

// Advance the device to now, before a request is sent to it; for 10 ms of real time at most.
void mock_port_catch_up(struct mock_port *port);

// The same, and return what changed. To be called every millisecond or so. A disconnect is reported
// a moment after it happened, as by a hub, and not before programs have read the replies that the
// device has given: a machine under load must not turn them into "no such device".
enum mock_change mock_port_look(struct mock_port *port, bool unreaped);

// A control transfer without data, then as much of its effect as a kernel keeps. Each returns 0 or
// a negative errno, as the ioctl of usbfs does.
int mock_port_set_configuration(struct mock_port *port, uint8_t bConfigurationValue);
int mock_port_set_interface(struct mock_port *port, uint8_t bInterfaceNumber, uint8_t alternate);
int mock_port_clear_halt(struct mock_port *port, uint8_t bEndpointAddress);

// Reset the bus and enumerate again. Returns 0, or -ENODEV if another device than before answers,
// or none: what was plugged in has left.
int mock_port_reset(struct mock_port *port);

// Finish what can be finished now.
void mock_port_run_busy(struct mock_port *port);

// The errno, negative, with which usbfs reports an enum usb_result; 0 for a length. A device that
// is gone is EPROTO, no response, until the hub has noticed.
int mock_port_errno(int result);

#endif
