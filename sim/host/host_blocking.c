// SPDX-License-Identifier: MIT
//
// A blocking call submits a transfer and steps the host until it is done; nothing waits but virtual
// time. Enumeration follows Linux: reset, GET_DESCRIPTOR of 64 bytes for bMaxPacketSize0, reset,
// SET_ADDRESS. A device that leaves the bus meanwhile gets four attempts in all.

#include <string.h>

#include "host_private.h"

#include <usb/requests.h>

static const uint64_t default_timeout_ns = 5000 * SIM_MS; // USB 2.0 9.2.6.1

static void note_done(struct sim_transfer *transfer)
{
    *(bool *)transfer->context = true;
}

int sim_host_transfer(struct sim_host *host, struct sim_transfer *transfer)
{
    bool done = false;
    int result;

    transfer->done = note_done;
    transfer->context = &done;
    if (!transfer->timeout_ns)
        transfer->timeout_ns = default_timeout_ns;
    transfer->actual = 0;
    result = sim_host_submit(host, transfer);
    while (result == 0 && !done)
        host_step(host, UINT64_MAX);
    transfer->done = NULL; // they would outlive what they point to
    transfer->context = NULL;
    if (result == 0)
        result = transfer->status;
    return result < 0 ? result : (int)transfer->actual;
}

int sim_host_control(struct sim_host *host,
                     const struct usbdev_setup_packet *setup,
                     uint8_t *data,
                     uint64_t timeout_ns)
{
    struct sim_transfer transfer = {
        .type = USBDEV_ENDPOINT_CONTROL,
        .wMaxPacketSize = host->max_packet0,
        .data = data,
        .length = setup->wLength,
        .timeout_ns = timeout_ns,
    };

    usbdev_setup_store(transfer.setup, setup);
    return sim_host_transfer(host, &transfer);
}

static int wait_for_device(struct sim_host *host, uint64_t deadline_ns)
{
    while (!host->connected) {
        if (host->now_ns >= deadline_ns)
            return USB_GONE;
        host_step(host, deadline_ns);
    }
    return 0;
}

enum { SUPER_SPEED_PACKET0 = 512 }; // USB 3.2 8.12.2

// As Linux does: ask for 64 bytes, be content with the first packet.
static int learn_max_packet0(struct sim_host *host)
{
    const struct usbdev_setup_packet get_descriptor =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, 64);
    bool super_speed = host->device->speed == SIM_SUPER_SPEED;
    uint8_t descriptor[64];
    int length;

    host->max_packet0 = super_speed ? SUPER_SPEED_PACKET0 : 64;
    length = sim_host_control(host, &get_descriptor, descriptor, 0);
    if (length < 0)
        return length;
    if (length < 8 || descriptor[1] != USBDEV_DT_DEVICE)
        return USB_IO;
    if (super_speed)
        return descriptor[7] == 9 ? 0 : USB_IO; // 2^9 (USB 3.2 table 9-11)
    switch (descriptor[7]) {
    case 8:
    case 16:
    case 32:
    case 64:
        host->max_packet0 = descriptor[7];
        return 0;
    default: // USB 2.0 table 9-8 allows no other
        return USB_IO;
    }
}

static int give_address(struct sim_host *host, uint8_t address)
{
    const struct usbdev_setup_packet set_address = usb_set_address(address);
    int result = sim_host_control(host, &set_address, NULL, 0);

    if (result < 0)
        return result;
    sim_host_use_address(host, address);
    sim_host_run_until(host, host->now_ns + 10 * SIM_MS); // USB 2.0 9.2.6.3 asks for 2 ms
    return 0;
}

static int address_device(struct sim_host *host)
{
    int result = sim_host_reset(host);

    if (result == 0)
        result = learn_max_packet0(host);
    if (result == 0)
        result = sim_host_reset(host);
    if (result == 0)
        result = give_address(host, 1);
    return result;
}

// A device that leaves the bus in the middle, or is not awake yet, gets another chance, as from any
// host; one that answers wrongly does not.
int sim_host_enumerate(struct sim_host *host, uint64_t timeout_ns)
{
    uint64_t deadline_ns = host->now_ns + timeout_ns;
    int result = 0;

    for (int attempt = 0; attempt < 4; attempt++) {
        if (wait_for_device(host, deadline_ns) < 0)
            return USB_GONE;
        result = address_device(host);
        if (result != USB_GONE)
            return result;
    }
    return result;
}
