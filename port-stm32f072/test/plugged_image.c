// SPDX-License-Identifier: MIT

#include "plugged_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct sim_host *plug(const char *image)
{
    return plug_in(&(struct sim_options){.firmware = image});
}

void configure(struct sim_host *host)
{
    assert_int_equal(control(host, 0x00, USBDEV_SET_CONFIGURATION, 1, 0, NULL, 0), 0);
}

struct sim_host *plug_and_configure(const char *image)
{
    struct sim_host *host = plug(image);

    enumerate(host);
    return host;
}

int poll_in(struct sim_host *host, uint64_t *now_ns, uint8_t data[SIM_MAX_PACKET])
{
    struct sim_device *device = sim_host_device(host);
    bool data1;

    for (int tries = 0; tries < 100; tries++) {
        *now_ns += 12000;
        device->ops->advance(device, *now_ns);
        int result = device->ops->in(device, sim_host_address(host), 0, &data1, data);
        if (result != SIM_NAK)
            return result;
    }
    return SIM_NAK;
}

int bulk(struct sim_host *host, uint8_t endpoint, uint8_t *data, size_t length)
{
    struct sim_transfer transfer = {
        .endpoint = endpoint,
        .type = USBDEV_ENDPOINT_BULK,
        .wMaxPacketSize = 64,
        .data = data,
        .length = length,
        .timeout_ns = 1000 * SIM_MS,
    };

    return sim_host_transfer(host, &transfer);
}

void assert_loops(struct sim_host *host, size_t length)
{
    uint8_t sent[64];
    uint8_t received[64] = {0};

    for (size_t i = 0; i < length; i++)
        sent[i] = (uint8_t)(0x5A + 7 * i + length);
    assert_int_equal(bulk(host, LOOP_OUT, sent, length), length);

    assert_int_equal(bulk(host, LOOP_IN, received, sizeof received), length);
    assert_memory_equal(received, sent, length);
}
