// SPDX-License-Identifier: MIT
//
// The speed of the device in front follows that of the device under it after each advance(). During
// advance() `to` may become another device or NULL, so the call keeps its own copy.

#include <sim/forward.h>

static struct sim_device *to(const struct sim_device *device)
{
    return ((const struct forward *)device)->to;
}

void forward_advance(struct sim_device *device, uint64_t now_ns)
{
    struct sim_device *other = to(device); // which may stop to be it in there

    if (!other)
        return;
    other->ops->advance(other, now_ns);
    device->speed = other->speed;
}

void forward_power(struct sim_device *device, bool on)
{
    if (to(device))
        to(device)->ops->power(to(device), on);
}

bool forward_connected(const struct sim_device *device)
{
    return to(device) && to(device)->ops->connected(to(device));
}

void forward_bus_reset(struct sim_device *device, bool se0)
{
    if (to(device))
        to(device)->ops->bus_reset(to(device), se0);
}

void forward_sof(struct sim_device *device, uint16_t frame)
{
    if (to(device))
        to(device)->ops->sof(to(device), frame);
}

bool forward_rest(struct sim_device *device, uint64_t now_ns)
{
    return to(device) && to(device)->ops->rest && to(device)->ops->rest(to(device), now_ns);
}

void forward_resume(struct sim_device *device)
{
    if (to(device))
        to(device)->ops->resume(to(device));
}

bool forward_waking(const struct sim_device *device)
{
    return to(device) && to(device)->ops->waking(to(device));
}

int forward_setup(struct sim_device *device,
                  uint8_t address,
                  uint8_t endpoint,
                  const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return to(device) ? to(device)->ops->setup(to(device), address, endpoint, setup)
                      : SIM_NO_RESPONSE;
}

int forward_out(struct sim_device *device,
                uint8_t address,
                uint8_t endpoint,
                bool data1,
                const uint8_t *data,
                size_t length)
{
    return to(device) ? to(device)->ops->out(to(device), address, endpoint, data1, data, length)
                      : SIM_NO_RESPONSE;
}

int forward_in(struct sim_device *device,
               uint8_t address,
               uint8_t endpoint,
               bool *ret_data1,
               uint8_t data[SIM_MAX_PACKET])
{
    return to(device) ? to(device)->ops->in(to(device), address, endpoint, ret_data1, data)
                      : SIM_NO_RESPONSE;
}

int forward_lpm(struct sim_device *device, uint8_t address, uint16_t bmAttributes)
{
    return to(device) && to(device)->ops->lpm
               ? to(device)->ops->lpm(to(device), address, bmAttributes)
               : SIM_NO_RESPONSE;
}

const char *forward_trouble(const struct sim_device *device)
{
    return to(device) && to(device)->ops->trouble ? to(device)->ops->trouble(to(device)) : NULL;
}
