// SPDX-License-Identifier: MIT
//
// The host controller model: opening it, questions, and its list of transfers.

#include <assert.h>
#include <stdlib.h>

#include "host_private.h"

// ---- Opening and questions ----

struct sim_host *
sim_host_open(struct sim_device *device, const struct sim_host_events *events, void *context)
{
    struct sim_host *host = calloc(1, sizeof *host);

    if (!host)
        return NULL;
    host->device = device;
    if (events)
        host->events = *events;
    host->events_context = context;
    host->max_packet0 = 64;
    host->next_frame_ns = HOST_FRAME_NS;
    sim_host_power(host, true);
    return host;
}

void host_finish_all(struct sim_host *host, int status)
{
    while (host->transfers)
        host_finish(host, host->transfers, status);
}

void sim_host_close(struct sim_host *host)
{
    if (!host)
        return;
    host->connected = false; // nothing can be submitted any more
    host_finish_all(host, USB_CANCELLED);
    host->device->ops->close(host->device);
    free(host);
}

void sim_host_tap(struct sim_host *host, sim_packet_tap *tap, void *context)
{
    host->tap = tap;
    host->tap_context = context;
}

void sim_host_follow(struct sim_host *host, sim_request_accepted *accepted, void *context)
{
    host->accepted = accepted;
    host->accepted_context = context;
}

uint64_t sim_host_now(const struct sim_host *host)
{
    return host->now_ns;
}

struct sim_device *sim_host_device(struct sim_host *host)
{
    return host->device;
}

bool sim_host_connected(const struct sim_host *host)
{
    return host->connected;
}

bool sim_host_suspended(const struct sim_host *host)
{
    return host->suspended;
}

uint8_t sim_host_address(const struct sim_host *host)
{
    return host->address;
}

void sim_host_use_address(struct sim_host *host, uint8_t address)
{
    host->address = address;
}

uint16_t sim_host_max_packet0(const struct sim_host *host)
{
    return host->max_packet0;
}

void sim_host_reset_toggle(struct sim_host *host, uint8_t bEndpointAddress)
{
    host->toggles &= ~(UINT32_C(1) << endpoint_index(bEndpointAddress));
}

void host_tap(struct sim_host *host, const struct sim_packet *packet)
{
    if (host->tap)
        host->tap(host->tap_context, packet);
}

void host_tap_event(struct sim_host *host, enum sim_packet_kind kind)
{
    host_tap(host, &(struct sim_packet){.time_ns = host->now_ns, .kind = kind});
}

// ---- Transfers ----

int sim_host_submit(struct sim_host *host, struct sim_transfer *transfer)
{
    struct sim_transfer **end = &host->transfers;

    assert(transfer->wMaxPacketSize > 0 && transfer->wMaxPacketSize <= SIM_MAX_PACKET);
    if (!host->connected || host->se0)
        return USB_GONE;
    while (*end)
        end = &(*end)->next;
    *end = transfer;
    transfer->next = NULL;
    transfer->status = USB_OK;
    transfer->actual = 0;
    if (transfer->type == USBDEV_ENDPOINT_CONTROL)
        host->fault[0] = '\0';
    transfer->deadline_ns = transfer->timeout_ns ? host->now_ns + transfer->timeout_ns : UINT64_MAX;
    transfer->next_ns = host->now_ns;
    transfer->nak_since_ns = 0;
    transfer->stage = 0;
    transfer->errors = 0;
    transfer->naks = 0;
    return 0;
}

void host_finish(struct sim_host *host, struct sim_transfer *transfer, int status)
{
    struct sim_transfer **link = &host->transfers;

    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    transfer->status = status;
    transfer->done(transfer);
}

bool sim_host_cancel(struct sim_host *host, struct sim_transfer *transfer)
{
    for (struct sim_transfer *it = host->transfers; it; it = it->next) {
        if (it != transfer)
            continue;
        host_finish(host, transfer, USB_CANCELLED);
        return true;
    }
    return false;
}
