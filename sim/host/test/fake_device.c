// SPDX-License-Identifier: MIT

#include "fake_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct fake *fake_of(struct sim_device *device)
{
    return (struct fake *)device;
}

static void fake_advance(struct sim_device *device, uint64_t now_ns)
{
    (void)device;
    (void)now_ns;
}

static void fake_power(struct sim_device *device, bool on)
{
    (void)device;
    (void)on;
}

static bool fake_connected(const struct sim_device *device)
{
    return ((const struct fake *)device)->pull_up;
}

static void fake_bus_reset(struct sim_device *device, bool se0)
{
    struct fake *fake = fake_of(device);

    fake->resets += se0;
    fake->address = 0;
    if (fake->leave_in_reset)
        fake->pull_up = false;
}

static void fake_sof(struct sim_device *device, uint16_t frame)
{
    (void)frame;
    fake_of(device)->sofs++;
}

static void fake_resume(struct sim_device *device)
{
    fake_of(device)->resumes++;
    fake_of(device)->waking = false;
}

static bool fake_waking(const struct sim_device *device)
{
    return ((const struct fake *)device)->waking;
}

static int fake_setup(struct sim_device *device,
                      uint8_t address,
                      uint8_t endpoint,
                      const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct fake *fake = fake_of(device);
    struct usbdev_setup_packet request = usbdev_setup_load(setup);

    (void)endpoint;
    if (address != fake->address)
        return SIM_NO_RESPONSE;
    fake->setups++;
    fake->data1 = true;
    if (request.bRequest == USBDEV_SET_ADDRESS && request.bmRequestType == 0)
        fake->address = (uint8_t)request.wValue;
    return SIM_ACK;
}

static int answer(struct fake *fake, uint8_t endpoint)
{
    if (endpoint != 0 && endpoint == fake->idle)
        return SIM_NAK;
    if (fake->script && *fake->script)
        return *fake->script++ == 'N' ? SIM_NAK : SIM_NO_RESPONSE;
    if (fake->naks == 0)
        return fake->handshake;
    fake->naks--;
    return SIM_NAK;
}

static int fake_out(struct sim_device *device,
                    uint8_t address,
                    uint8_t endpoint,
                    bool data1,
                    const uint8_t *data,
                    size_t length)
{
    struct fake *fake = fake_of(device);
    int result = answer(fake, endpoint);

    (void)address, (void)data1;
    if (result == SIM_ACK && length > 0) {
        memcpy(fake->received + fake->received_length, data, length);
        fake->received_length += length;
    }
    return result;
}

static int fake_in(struct sim_device *device,
                   uint8_t address,
                   uint8_t endpoint,
                   bool *ret_data1,
                   uint8_t data[SIM_MAX_PACKET])
{
    struct fake *fake = fake_of(device);
    int result = answer(fake, endpoint);
    size_t length = fake->reply_length < fake->max_packet ? fake->reply_length : fake->max_packet;

    (void)address;
    if (result != SIM_ACK)
        return result;
    if (length > 0)
        memcpy(data, fake->reply, length);
    fake->reply += length;
    fake->reply_length -= length;
    *ret_data1 = fake->data1;
    fake->data1 ^= !fake->stuck;
    return (int)length + fake->extra;
}

static void fake_close(struct sim_device *device)
{
    (void)device;
}

const struct sim_device_ops fake_ops = {
    .advance = fake_advance,
    .power = fake_power,
    .connected = fake_connected,
    .bus_reset = fake_bus_reset,
    .sof = fake_sof,
    .resume = fake_resume,
    .waking = fake_waking,
    .setup = fake_setup,
    .out = fake_out,
    .in = fake_in,
    .close = fake_close,
};

static void count_disconnect(void *context)
{
    ((struct fake *)context)->disconnects++;
}

static void count_wake(void *context)
{
    ((struct fake *)context)->wakes++;
}

static void keep_packet(void *context, const struct sim_packet *packet)
{
    struct fake *fake = context;

    if (fake->packet_count < MAX_PACKETS)
        fake->packets[fake->packet_count++] = *packet;
}

struct sim_host *plug(struct fake *fake)
{
    static const struct sim_host_events events = {
        .disconnected = count_disconnect,
        .woken = count_wake,
    };
    struct sim_host *host;

    *fake = (struct fake){.base.ops = &fake_ops, .pull_up = true, .max_packet = 8};
    host = sim_host_open(&fake->base, &events, fake);
    assert_non_null(host);
    sim_host_run_until(host, 150 * SIM_MS);
    sim_host_tap(host, keep_packet, fake);
    return host;
}

void set_reply(struct fake *fake, const void *bytes, size_t length)
{
    fake->reply = bytes;
    fake->reply_length = length;
}

static void count_done(struct sim_transfer *transfer)
{
    struct counted *counted = transfer->context;

    counted->done++;
    counted->done_ns = sim_host_now(counted->host);
}

void submit(
    struct sim_host *host, struct counted *counted, uint8_t endpoint, uint8_t type, size_t length)
{
    static uint8_t buffer[256];

    *counted = (struct counted){
        .host = host,
        .transfer = {.endpoint = endpoint,
                     .type = type,
                     .wMaxPacketSize = 8,
                     .data = buffer,
                     .length = length,
                     .done = count_done,
                     .context = counted},
    };
    assert_int_equal(sim_host_submit(host, &counted->transfer), 0);
}
