// SPDX-License-Identifier: MIT
//
// Where the simulated device is plugged in. The device and its twin are told apart as two boards on
// a machine are (usb_follow.h): each port's device is enumerated, and only what it said counts.
//
// Where there is one port, its device is the device, and nothing is enumerated to find it.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target_requests.h"
#include "target_sim_private.h"

static const char first_place[] = "1-1";

// ---- Plugging in ----

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

static struct sim_device *open_device(const struct target_spec *spec, char *error, size_t size)
{
    const struct sim_options options = {
        .device = text_or_null(spec->device),
        .firmware = text_or_null(spec->firmware),
        .chip = text_or_null(spec->chip),
        .boot = text_or_null(spec->boot),
        .pins = text_or_null(spec->pin),
        .uart = text_or_null(spec->uart),
        .gdb = text_or_null(spec->gdb),
        .defect = text_or_null(spec->defect),
        .serial = text_or_null(spec->serial),
        .cable = {.unplug_at = spec->unplug_at, .away_ms = spec->away_ms},
        .watch = spec->flash_watch,
    };
    return sim_open(&options, error, size);
}

static void change_places(struct target_sim *sim)
{
    struct sim_bus_port *left = sim->place;
    if (!sim_bus_is_empty(sim->other_place))
        return;
    sim_bus_move(left, sim->other_place);
    sim->place = sim->other_place;
    sim->other_place = left;
    if (sim->twin)
        sim_bus_plug(left, sim->twin);
    sim->twin = NULL;
}

static void on_disconnected(void *context, struct sim_bus_port *port)
{
    struct target_sim *sim = context;
    if (port == sim->port)
        sim->left = true;
    if (port == sim->place && sim->other_place)
        change_places(sim);
}

static void on_connected(void *context, struct sim_bus_port *port)
{
    struct target_sim *sim = context;
    if (port == sim->port)
        sim->base.connected_us = port->connected_ns / 1000;
}

static struct sim_bus_port *
make_port(struct target_sim *sim, const char *place, char *error, size_t size)
{
    struct sim_bus_port *port = sim_bus_port(sim->bus, place);
    if (!port)
        snprintf(error, size,
                 "nothing can be plugged in at %s: a port has a device or a hub, not both", place);
    return port;
}

// At the device's own place it waits until that has left it.
static bool
plug_twin_in(struct target_sim *sim, const struct target_spec *spec, char *error, size_t size)
{
    struct sim_bus_port *port = make_port(sim, spec->twin, error, size);
    if (!port)
        return false;
    if (port == sim->other_place || (port == sim->place && !sim->other_place)) {
        snprintf(error, size, "twin=%s: the device itself is there", spec->twin);
        return false;
    }
    sim->twin = open_device(spec, error, size);
    if (!sim->twin || port == sim->place)
        return sim->twin;
    sim_bus_plug(port, sim->twin);
    sim->twin = NULL;
    return true;
}

bool sim_plug_in(struct target_sim *sim, const struct target_spec *spec, char *error, size_t size)
{
    static const struct sim_bus_events events = {.connected = on_connected,
                                                 .disconnected = on_disconnected};
    struct sim_device *device = open_device(spec, error, size);
    if (!device)
        return false;
    sim->bus = sim_bus_open(&events, sim);
    if (sim->bus)
        sim->place = make_port(sim, *spec->path ? spec->path : first_place, error, size);
    else
        snprintf(error, size, "out of memory");
    if (!sim->place) {
        device->ops->close(device);
        return false;
    }
    sim->port = sim->place;
    strcpy(sim->follow.place, sim->place->place);
    sim->follow.only_place = *spec->path != '\0';
    sim->follow.dfu_vendor = spec->dfu_vendor;
    sim->follow.dfu_product = spec->dfu_product;
    sim_bus_plug(sim->place, device);
    if (*spec->moves) {
        sim->other_place = make_port(sim, spec->moves, error, size);
        if (!sim->other_place)
            return false;
    }
    return !*spec->twin || plug_twin_in(sim, spec, error, size);
}

// ---- Finding it again ----

static void describe(const struct sim_bus_port *port, struct usb_seen *seen)
{
    *seen = (struct usb_seen){.address = port->address, .bus = (unsigned)atoi(port->place)};
    strcpy(seen->place, port->place);
}

// Enumerate the device on a port. One that does not enumerate has a place and an address.
static void identify(struct sim_bus_port *port, struct usb_seen *seen)
{
    unsigned address = port->address;
    size_t length;
    describe(port, seen);
    if (usb_core_enumerate(&port->core, TARGET_ENUMERATION_MS * SIM_MS) < 0 ||
        port->address != address)
        return;
    const uint8_t *device = port->core.descriptors;
    const uint8_t *configuration = sim_configuration(&port->core, &length);
    seen->idVendor = usbdev_load_le16(device + 8);
    seen->idProduct = usbdev_load_le16(device + 10);
    seen->dfu = target_has_dfu(configuration, length);
    if (device[16])
        usb_core_read_string(&port->core, device[16], seen->serial, sizeof seen->serial);
}

static void list_devices(struct target_sim *sim, struct usb_list *list)
{
    struct sim_bus_port *port;
    list->count = 0;
    for (size_t i = 0; (port = sim_bus_port_at(sim->bus, i)); i++) {
        struct usb_seen *seen = &sim->seen[i];
        if (sim_host_connected(port->host) && seen->address != port->address)
            identify(port, seen);
        if (!sim_host_connected(port->host))
            continue;
        seen->age_ms = (sim_host_now(port->host) - port->connected_ns) / SIM_MS;
        list->devices[list->count++] = *seen;
    }
    sim_bus_run_until(sim->bus, sim_bus_now(sim->bus));
}

static size_t index_of(const struct target_sim *sim, const char *place)
{
    size_t i = 0;
    while (strcmp(sim_bus_port_at(sim->bus, i)->place, place) != 0)
        i++;
    return i;
}

void sim_look_around(struct target_sim *sim)
{
    struct usb_follow *follow = &sim->follow;
    const uint8_t *device = sim->base.descriptors.device;
    bool alone = !sim_bus_port_at(sim->bus, 1);
    snprintf(sim->base.where, sizeof sim->base.where, "simulated in this process%s%s",
             alone ? "" : ", at ", alone ? "" : sim->port->place);
    if (alone)
        return;
    strcpy(follow->place, sim->port->place);
    follow->idVendor = usbdev_load_le16(device + 8);
    follow->idProduct = usbdev_load_le16(device + 10);
    if (!follow->vendor && !follow->product) {
        follow->vendor = follow->idVendor;
        follow->product = follow->idProduct;
    }
    follow->serial[0] = '\0';
    if (device[16])
        usb_core_read_string(&sim->port->core, device[16], follow->serial, sizeof follow->serial);
    describe(sim->port, &sim->seen[index_of(sim, sim->port->place)]);
    list_devices(sim, &follow->before);
    sim->heard_us = sim_bus_now(sim->bus) / 1000;
}

bool sim_find(struct target_sim *sim, uint64_t waited_ms, uint64_t timeout_ms)
{
    static struct usb_list now;
    const struct usb_seen *found;
    if (!sim_bus_port_at(sim->bus, 1))
        return sim_host_connected(sim->port->host);
    list_devices(sim, &now);
    sim->base.fault[0] = '\0';
    uint64_t heard_ms = (sim_bus_now(sim->bus) / 1000 - sim->heard_us) / 1000;
    if (usb_follow_choose(&sim->follow, &now, heard_ms, usb_follow_elsewhere(waited_ms, timeout_ms),
                          &found, sim->base.fault, sizeof sim->base.fault) != USB_FOLLOW_FOUND)
        return false;
    sim->port = sim_bus_port_at(sim->bus, index_of(sim, found->place));
    sim->base.connected_us = sim->port->connected_ns / 1000;
    return true;
}
