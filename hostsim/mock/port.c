// SPDX-License-Identifier: MIT
//
// The port is one root port with the simulated device: the host controller model below it, and
// usb_core for what a kernel keeps of a device. mock_port_look() first gives the device the
// wall-clock time that has passed, then reports at most one change. A device that has left is
// reported 20 ms later, as by a hub's interrupt endpoint, and not before programs have taken its
// last replies, for at most a second.

#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const uint64_t busy_limit_ns = 5000 * SIM_MS;
static const uint64_t stretch_ns = 10 * SIM_MS; // of simulation without a pause

// How long after a disconnect a hub's interrupt endpoint reports it; and the maximum, if programs
// are slow to read the device's last replies.
static const uint64_t notice_ns = 20 * SIM_MS;
static const uint64_t unread_limit_ns = 1000 * SIM_MS;

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void note_connected(void *context)
{
    struct mock_port *port = context;

    port->connected = true;
}

static void note_disconnected(void *context)
{
    struct mock_port *port = context;

    port->connected = false;
    port->enumerated = false;
    port->left = true;
}

int mock_port_init(struct mock_port *port, struct sim_device *device)
{
    static const struct sim_host_events events = {
        .connected = note_connected,
        .disconnected = note_disconnected,
    };

    *port = (struct mock_port){.pace.wall_ns = wall_ns()};
    port->host = sim_host_open(device, &events, port);
    if (!port->host)
        return -ENOMEM;
    usb_core_init(&port->core, port->host);
    return 0;
}

void mock_port_finish(struct mock_port *port)
{
    sim_host_close(port->host);
    usb_core_finish(&port->core);
}

int mock_port_errno(int result)
{
    return result == USB_GONE ? -EPROTO : usb_result_errno(result);
}

// ---- Enumerating ----

// A kernel chooses no configuration of a device that has none, or one that cannot be read.
static bool all_configurations_read(const struct usb_core *core)
{
    size_t length = 0;

    for (size_t i = 0; i < core->configuration_count; i++) {
        usb_core_configuration(core, i, &length);
        if (length == 0)
            return false;
    }
    return length > 0;
}

static int enumerate(struct mock_port *port)
{
    struct usb_core *core = &port->core;
    size_t length;
    int result = usb_core_enumerate(core, USB_CORE_APPEAR_MS * SIM_MS);

    port->connected = false;
    if (result == 0 && !all_configurations_read(core))
        result = USB_IO;
    if (result == 0)
        result = usb_core_set_configuration(core, usb_core_configuration(core, 0, &length)[5]);
    port->enumerated = result == 0;
    if (result < 0)
        fprintf(stderr, "dfu-sim: the device did not enumerate: %s\n", usb_result_text(result));
    return result;
}

void mock_port_catch_up(struct mock_port *port)
{
    uint64_t now_ns = wall_ns();

    while (sim_pace_step(&port->pace, port->host, now_ns) && wall_ns() - now_ns < stretch_ns)
        ;
}

static bool notices_leaving(struct mock_port *port, bool unreaped)
{
    if (!port->left)
        return false;
    if (!port->left_ns)
        port->left_ns = port->pace.wall_ns;
    return port->pace.wall_ns - port->left_ns >= (unreaped ? unread_limit_ns : notice_ns);
}

enum mock_change mock_port_look(struct mock_port *port, bool unreaped)
{
    mock_port_catch_up(port);
    if (port->plugged && notices_leaving(port, unreaped)) {
        port->plugged = false;
        return MOCK_LEFT;
    }
    if (!port->plugged && (port->enumerated || (port->connected && enumerate(port) == 0))) {
        port->plugged = true;
        port->left = false;
        port->left_ns = 0;
        return MOCK_CAME;
    }
    return MOCK_NOTHING;
}

// ---- What a program asks for ----

void mock_port_run_busy(struct mock_port *port)
{
    sim_host_run_busy(port->host, sim_host_now(port->host) + busy_limit_ns);
}

int mock_port_set_configuration(struct mock_port *port, uint8_t bConfigurationValue)
{
    return mock_port_errno(usb_core_set_configuration(&port->core, bConfigurationValue));
}

int mock_port_set_interface(struct mock_port *port, uint8_t bInterfaceNumber, uint8_t alternate)
{
    if (!usb_core_find_interface(&port->core, bInterfaceNumber, alternate))
        return -EINVAL;
    return mock_port_errno(usb_core_set_interface(&port->core, bInterfaceNumber, alternate));
}

int mock_port_clear_halt(struct mock_port *port, uint8_t bEndpointAddress)
{
    if (!usb_core_find_endpoint(&port->core, bEndpointAddress))
        return -ENOENT;
    return mock_port_errno(usb_core_clear_halt(&port->core, bEndpointAddress));
}

// After a reset that changed nothing, a kernel restores the configuration and the alternates.
static int restore(struct mock_port *port, const struct usb_core *before)
{
    int result = 0;

    if (before->bConfigurationValue != port->core.bConfigurationValue)
        result = mock_port_set_configuration(port, before->bConfigurationValue);
    for (size_t i = 0; result == 0 && i < sizeof before->alternates; i++)
        if (before->alternates[i])
            result = mock_port_set_interface(port, (uint8_t)i, before->alternates[i]);
    return result;
}

int mock_port_reset(struct mock_port *port)
{
    struct usb_core before = port->core;

    port->core.descriptors = NULL; // they are of before now
    if (enumerate(port) < 0 || port->core.length != before.length ||
        memcmp(port->core.descriptors, before.descriptors, before.length) != 0 ||
        restore(port, &before) < 0)
        port->left = true;
    usb_core_finish(&before);
    return port->left ? -ENODEV : 0;
}
