// SPDX-License-Identifier: MIT

#include "plugged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct sim_device *open_device(const struct sim_options *options)
{
    char error[300] = "";
    struct sim_device *device = sim_open(options, error, sizeof error);

    if (!device)
        fail_msg("%s", error);
    return device;
}

struct sim_host *plug_in(const struct sim_options *options)
{
    struct sim_host *host = sim_host_open(open_device(options), NULL, NULL);

    assert_non_null(host);
    return host;
}

void unplug(struct sim_host *host)
{
    const struct sim_device *device = sim_host_device(host);
    const char *trouble = device->ops->trouble(device);

    if (trouble)
        fail_msg("the board reports: %s", trouble);
    sim_host_close(host);
}

void pass_ms(struct sim_host *host, uint64_t ms)
{
    sim_host_run_until(host, sim_host_now(host) + ms * SIM_MS);
}

static struct {
    struct sim_device_ops ops; // the device's, but for advance()
    const struct sim_device_ops *real;
    uint64_t at_ns;
} power_cut;

static void advance_to_power_cut(struct sim_device *device, uint64_t now_ns)
{
    if (now_ns >= power_cut.at_ns) {
        power_cut.real->advance(device, power_cut.at_ns);
        power_cut.real->power(device, false);
        power_cut.at_ns = UINT64_MAX;
    }
    power_cut.real->advance(device, now_ns);
}

void cut_power_at(struct sim_device *device, uint64_t at_ns)
{
    power_cut.at_ns = at_ns;
    if (device->ops == &power_cut.ops)
        return;
    power_cut.real = device->ops;
    power_cut.ops = *device->ops;
    power_cut.ops.advance = advance_to_power_cut;
    power_cut.ops.rest = NULL; // it would pass the cut by
    device->ops = &power_cut.ops;
}

int control(struct sim_host *host,
            uint8_t bmRequestType,
            uint8_t bRequest,
            uint16_t wValue,
            uint16_t wIndex,
            void *data,
            uint16_t wLength)
{
    const struct usbdev_setup_packet setup = {bmRequestType, bRequest, wValue, wIndex, wLength};

    return sim_host_control(host, &setup, data, 0);
}

bool enumerates(struct sim_host *host)
{
    return sim_host_enumerate(host, 5000 * SIM_MS) == 0 &&
           control(host, 0x00, USBDEV_SET_CONFIGURATION, 1, 0, NULL, 0) == 0;
}

void enumerate(struct sim_host *host)
{
    assert_true(enumerates(host));
}

uint32_t vid_pid(struct sim_host *host)
{
    uint8_t descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];

    assert_int_equal(control(host, 0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, descriptor, 18), 18);
    return (uint32_t)usbdev_load_le16(descriptor + 8) << 16 | usbdev_load_le16(descriptor + 10);
}
