// SPDX-License-Identifier: MIT
//
// The pull-up is looked at after each advance(). After it has gone off, a pull-up is hidden until
// the time is over, so the host sends nothing.

#include "cable.h"

#include <stdlib.h>

#include <sim/forward.h>

struct cable {
    struct forward forward;
    struct sim_cable options;
    struct sim_device *device;
    uint64_t now_ns;
    uint64_t hidden_until_ns;
    uint32_t requests; // SETUP packets that the device has acknowledged
    bool pull_up;
};

static struct cable *cable_of(struct sim_device *device)
{
    return (struct cable *)device;
}

static void cable_advance(struct sim_device *device, uint64_t now_ns)
{
    struct cable *cable = cable_of(device);
    bool pull_up;

    forward_advance(device, now_ns);
    cable->now_ns = now_ns;
    pull_up = forward_connected(device);
    if (cable->pull_up && !pull_up)
        cable->hidden_until_ns = now_ns + cable->options.away_ms * SIM_MS;
    cable->pull_up = pull_up;
}

static bool cable_connected(const struct sim_device *device)
{
    const struct cable *cable = (const struct cable *)device;

    return cable->now_ns >= cable->hidden_until_ns && forward_connected(device);
}

// The request that is the last one is still acknowledged; its data and status stages are not.
static int cable_setup(struct sim_device *device,
                       uint8_t address,
                       uint8_t endpoint,
                       const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct cable *cable = cable_of(device);
    int result = forward_setup(device, address, endpoint, setup);

    if (result == SIM_ACK && ++cable->requests == cable->options.unplug_at) {
        cable->device->ops->power(cable->device, false);
        cable->forward.to = NULL;
    }
    return result;
}

static const char *cable_trouble(const struct sim_device *device)
{
    const struct cable *cable = (const struct cable *)device;

    return cable->device->ops->trouble(cable->device);
}

static void cable_close(struct sim_device *device)
{
    struct cable *cable = cable_of(device);

    cable->device->ops->close(cable->device);
    free(cable);
}

static const struct sim_device_ops cable_ops = {
    .advance = cable_advance,
    .power = forward_power,
    .connected = cable_connected,
    .bus_reset = forward_bus_reset,
    .sof = forward_sof,
    .resume = forward_resume,
    .waking = forward_waking,
    .setup = cable_setup,
    .out = forward_out,
    .in = forward_in,
    .lpm = forward_lpm,
    .trouble = cable_trouble,
    .close = cable_close,
};

struct sim_device *cable_open(struct sim_device *device, const struct sim_cable *options)
{
    struct cable *cable = calloc(1, sizeof *cable);

    if (!cable)
        return NULL;
    cable->forward.base.ops = &cable_ops;
    cable->forward.to = device;
    cable->device = device;
    cable->options = *options;
    return &cable->forward.base;
}
