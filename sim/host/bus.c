// SPDX-License-Identifier: MIT
//
// The device of each host is a socket, which forwards the wire to what is plugged in. A device that
// moves in the middle of a millisecond may find a host whose time is earlier: it comes into that
// socket when the host has reached the moment of the move, so that no device's time goes backwards.

#include <sim/bus.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sim/forward.h>

// Where there are several ports, none is ahead of the others by more.
static const uint64_t slice_ns = 1 * SIM_MS;

struct socket {
    struct forward forward;
    struct sim_device *device; // NULL: nothing is plugged in
    uint64_t from_ns;          // from when on it is forwarded to
    bool powered;
};

struct sim_bus {
    struct sim_bus_events events;
    void *context;
    struct sim_bus_port ports[SIM_BUS_PORTS];
    size_t count;
    unsigned addresses; // given until now
};

// ---- The socket ----

static struct socket *socket_of(struct sim_device *device)
{
    return (struct socket *)device;
}

static void socket_advance(struct sim_device *device, uint64_t now_ns)
{
    struct socket *socket = socket_of(device);

    if (now_ns >= socket->from_ns)
        socket->forward.to = socket->device;
    forward_advance(device, now_ns);
}

static void socket_power(struct sim_device *device, bool on)
{
    struct socket *socket = socket_of(device);

    socket->powered = on;
    if (socket->device)
        socket->device->ops->power(socket->device, on);
}

static const char *socket_trouble(const struct sim_device *device)
{
    const struct socket *socket = (const struct socket *)device;

    return socket->device ? socket->device->ops->trouble(socket->device) : NULL;
}

static void socket_close(struct sim_device *device)
{
    struct socket *socket = socket_of(device);

    if (socket->device)
        socket->device->ops->close(socket->device);
    free(socket);
}

static const struct sim_device_ops socket_ops = {
    .advance = socket_advance,
    .power = socket_power,
    .connected = forward_connected,
    .bus_reset = forward_bus_reset,
    .sof = forward_sof,
    .rest = forward_rest,
    .resume = forward_resume,
    .waking = forward_waking,
    .setup = forward_setup,
    .out = forward_out,
    .in = forward_in,
    .trouble = socket_trouble,
    .close = socket_close,
};

// ---- Ports ----

struct sim_bus *sim_bus_open(const struct sim_bus_events *events, void *context)
{
    struct sim_bus *bus = calloc(1, sizeof *bus);

    if (!bus)
        return NULL;
    bus->events = *events;
    bus->context = context;
    return bus;
}

void sim_bus_close(struct sim_bus *bus)
{
    if (!bus)
        return;
    for (size_t i = 0; i < bus->count; i++) {
        sim_host_close(bus->ports[i].host);
        usb_core_finish(&bus->ports[i].core);
    }
    free(bus);
}

static const char digits[] = "0123456789";

bool sim_bus_is_place(const char *place)
{
    const char *ports = strchr(place, '-');
    bool good = ports && ports > place && strspn(place, digits) == (size_t)(ports - place) &&
                strlen(place) < SIM_PLACE_SIZE;

    while (good && *ports) { // at a '-' or '.' before each number
        size_t length = strspn(ports + 1, digits);

        ports += 1 + length;
        good = length > 0 && (*ports == '.' || *ports == '\0');
    }
    return good;
}

// Is one the port of a hub that is plugged into the other?
static bool is_below(const char *place, const char *hub)
{
    size_t length = strlen(hub);

    return strncmp(place, hub, length) == 0 && place[length] == '.';
}

static void on_connected(void *context)
{
    struct sim_bus_port *port = context;

    port->address = ++port->bus->addresses;
    port->connected_ns = sim_host_now(port->host);
    if (port->bus->events.connected)
        port->bus->events.connected(port->bus->context, port);
}

static void on_disconnected(void *context)
{
    struct sim_bus_port *port = context;

    port->address = 0;
    if (port->bus->events.disconnected)
        port->bus->events.disconnected(port->bus->context, port);
}

static bool begin_port(struct sim_bus_port *port, struct sim_bus *bus, const char *place)
{
    static const struct sim_host_events events = {.connected = on_connected,
                                                  .disconnected = on_disconnected};
    struct socket *socket = calloc(1, sizeof *socket);

    if (!socket)
        return false;
    socket->forward.base.ops = &socket_ops;
    port->host = sim_host_open(&socket->forward.base, &events, port);
    if (!port->host) {
        free(socket);
        return false;
    }
    port->bus = bus;
    strcpy(port->place, place);
    usb_core_init(&port->core, port->host);
    return true;
}

struct sim_bus_port *sim_bus_port(struct sim_bus *bus, const char *place)
{
    for (size_t i = 0; i < bus->count; i++) {
        if (strcmp(bus->ports[i].place, place) == 0)
            return &bus->ports[i];
        if (is_below(bus->ports[i].place, place) || is_below(place, bus->ports[i].place))
            return NULL;
    }
    if (bus->count == SIM_BUS_PORTS || !begin_port(&bus->ports[bus->count], bus, place))
        return NULL;
    return &bus->ports[bus->count++];
}

struct sim_bus_port *sim_bus_port_at(struct sim_bus *bus, size_t i)
{
    return i < bus->count ? &bus->ports[i] : NULL;
}

static struct socket *socket_at(const struct sim_bus_port *port)
{
    return socket_of(sim_host_device(port->host));
}

bool sim_bus_is_empty(const struct sim_bus_port *port)
{
    return !socket_at(port)->device;
}

static void put_in(struct sim_bus_port *port, struct sim_device *device, uint64_t from_ns)
{
    struct socket *socket = socket_at(port);

    assert(!socket->device);
    socket->device = device;
    socket->from_ns = from_ns;
}

void sim_bus_plug(struct sim_bus_port *port, struct sim_device *device)
{
    put_in(port, device, sim_host_now(port->host));
    device->ops->advance(device, sim_host_now(port->host));
    if (socket_at(port)->powered)
        device->ops->power(device, true);
}

void sim_bus_move(struct sim_bus_port *from, struct sim_bus_port *to)
{
    struct socket *old = socket_at(from);
    struct sim_device *device = old->device;

    assert(device);
    old->device = NULL;
    old->forward.to = NULL;
    put_in(to, device, sim_host_now(from->host));
    if (socket_at(to)->powered != old->powered)
        device->ops->power(device, socket_at(to)->powered);
}

// ---- Time ----

static uint64_t earliest(const struct sim_bus *bus)
{
    uint64_t now_ns = UINT64_MAX;

    for (size_t i = 0; i < bus->count; i++)
        if (sim_host_now(bus->ports[i].host) < now_ns)
            now_ns = sim_host_now(bus->ports[i].host);
    return now_ns;
}

uint64_t sim_bus_now(const struct sim_bus *bus)
{
    uint64_t now_ns = 0;

    for (size_t i = 0; i < bus->count; i++)
        if (sim_host_now(bus->ports[i].host) > now_ns)
            now_ns = sim_host_now(bus->ports[i].host);
    return now_ns;
}

void sim_bus_run_until(struct sim_bus *bus, uint64_t time_ns)
{
    if (bus->count == 1) {
        sim_host_run_until(bus->ports[0].host, time_ns);
        return;
    }
    for (uint64_t now_ns = earliest(bus); now_ns < time_ns;) {
        now_ns = time_ns - now_ns > slice_ns ? now_ns + slice_ns : time_ns;
        for (size_t i = 0; i < bus->count; i++)
            sim_host_run_until(bus->ports[i].host, now_ns);
    }
}
