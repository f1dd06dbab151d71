// SPDX-License-Identifier: MIT
//
// A blocking call submits a transfer and steps the host until it is done; nothing waits but virtual
// time.

#include "host_private.h"

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
        transfer->timeout_ns = HOST_TIMEOUT_NS;
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
