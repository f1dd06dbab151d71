// SPDX-License-Identifier: MIT
//
// Enumeration follows Linux: reset, GET_DESCRIPTOR of 64 bytes for bMaxPacketSize0, reset,
// SET_ADDRESS. A device that leaves the bus meanwhile gets four attempts in all.
//
// It is a row of control transfers, each of which follows from the answer to the one before: `next`
// is called once a transfer has ended, and asks for another one or ends the enumeration. Between
// two of them, and within each, its owner may do something else.

#include "host_private.h"

#include <usb/requests.h>

enum {
    MAX_ATTEMPTS = 4,
    SUPER_SPEED_PACKET0 = 512, // USB 3.2 8.12.2
};

// ---- Asking ----

static void note_ended(struct sim_transfer *transfer)
{
    struct sim_enumeration *enumeration = transfer->context;

    enumeration->asking = false;
}

int sim_enumeration_ask(struct sim_enumeration *enumeration,
                        struct usbdev_setup_packet setup,
                        uint8_t *data,
                        sim_enumeration_step *next)
{
    struct sim_host *host = enumeration->host;

    enumeration->next = next;
    enumeration->transfer = (struct sim_transfer){
        .type = USBDEV_ENDPOINT_CONTROL,
        .wMaxPacketSize = host->max_packet0,
        .data = data,
        .length = setup.wLength,
        .timeout_ns = HOST_TIMEOUT_NS,
        .done = note_ended,
        .context = enumeration,
    };
    usbdev_setup_store(enumeration->transfer.setup, &setup);
    enumeration->asking = sim_host_submit(host, &enumeration->transfer) == 0;
    if (!enumeration->asking)
        enumeration->transfer.status = USB_GONE;
    return SIM_UNDER_WAY;
}

// ---- The steps ----

static sim_enumeration_step begin_attempt;

// A device that leaves the bus in the middle, or is not awake yet, gets another chance, as from any
// host; one that answers wrongly does not.
static int end_attempt(struct sim_enumeration *enumeration, int result)
{
    if (result != USB_GONE || enumeration->attempts == MAX_ATTEMPTS)
        return result;
    enumeration->next = begin_attempt;
    return SIM_UNDER_WAY;
}

static int addressed(struct sim_enumeration *enumeration, int result)
{
    struct sim_host *host = enumeration->host;

    if (result < 0)
        return end_attempt(enumeration, result);
    sim_host_use_address(host, 1);
    sim_host_run_until(host, host->now_ns + 10 * SIM_MS); // USB 2.0 9.2.6.3 asks for 2 ms
    return enumeration->addressed ? enumeration->addressed(enumeration, 0) : 0;
}

// USB 2.0 table 9-8; of SuperSpeed 2^9 (USB 3.2 table 9-11).
static bool is_max_packet0(const struct sim_host *host, uint8_t bMaxPacketSize0)
{
    if (host->device->speed == SIM_SUPER_SPEED)
        return bMaxPacketSize0 == 9;
    return bMaxPacketSize0 == 8 || bMaxPacketSize0 == 16 || bMaxPacketSize0 == 32 ||
           bMaxPacketSize0 == 64;
}

// As Linux does: ask for 64 bytes, be content with the first packet.
static int learn_max_packet0(struct sim_enumeration *enumeration, int length)
{
    const uint8_t *descriptor = enumeration->bytes;
    struct sim_host *host = enumeration->host;

    if (length < 0)
        return length;
    if (length < 8 || descriptor[1] != USBDEV_DT_DEVICE) {
        host_note_fault(host, &enumeration->transfer,
                        "%d bytes that are no device descriptor (USB 2.0 table 9-8)", length);
        return USB_IO;
    }
    if (!is_max_packet0(host, descriptor[7])) {
        host_note_fault(host, &enumeration->transfer, "bMaxPacketSize0 is %u (USB 2.0 table 9-8)",
                        descriptor[7]);
        return USB_IO;
    }
    if (host->device->speed != SIM_SUPER_SPEED)
        host->max_packet0 = descriptor[7];
    return 0;
}

static int met(struct sim_enumeration *enumeration, int length)
{
    struct sim_host *host = enumeration->host;
    int result = learn_max_packet0(enumeration, length);

    if (result == 0)
        result = sim_host_reset(host);
    if (result < 0)
        return end_attempt(enumeration, result);
    return sim_enumeration_ask(enumeration, usb_set_address(1), NULL, addressed);
}

static int begin_attempt(struct sim_enumeration *enumeration, int result)
{
    struct sim_host *host = enumeration->host;
    const bool super_speed = host->device->speed == SIM_SUPER_SPEED;

    (void)result;
    if (!host->connected)
        return USB_GONE;
    enumeration->attempts++;
    if (sim_host_reset(host) < 0)
        return end_attempt(enumeration, USB_GONE);
    host->max_packet0 = super_speed ? SUPER_SPEED_PACKET0 : 64;
    return sim_enumeration_ask(enumeration, usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, 64),
                               enumeration->bytes, met);
}

// ---- Going on ----

void sim_enumeration_begin(struct sim_enumeration *enumeration,
                           struct sim_host *host,
                           uint64_t timeout_ns)
{
    *enumeration = (struct sim_enumeration){
        .host = host,
        .next = begin_attempt,
        .deadline_ns = host->now_ns + timeout_ns,
    };
}

void sim_enumeration_cancel(struct sim_enumeration *enumeration)
{
    if (enumeration->asking)
        sim_host_cancel(enumeration->host, &enumeration->transfer);
}

// Until when what comes next has to be waited for: an answer, or a device. Now: it has come.
static uint64_t awaited_until_ns(const struct sim_enumeration *enumeration)
{
    const struct sim_host *host = enumeration->host;

    if (enumeration->asking)
        return UINT64_MAX; // the transfer has its own time
    if (enumeration->next == begin_attempt && !host->connected)
        return enumeration->deadline_ns;
    return 0;
}

static int outcome(const struct sim_transfer *transfer)
{
    return transfer->status < 0 ? transfer->status : (int)transfer->actual;
}

int sim_enumeration_go_on(struct sim_enumeration *enumeration, uint64_t limit_ns)
{
    struct sim_host *host = enumeration->host;
    int result = SIM_UNDER_WAY;

    while (result == SIM_UNDER_WAY) {
        uint64_t until_ns = awaited_until_ns(enumeration);

        if (host->now_ns >= until_ns)
            result = enumeration->next(enumeration, outcome(&enumeration->transfer));
        else if (host->now_ns >= limit_ns)
            return SIM_UNDER_WAY;
        else
            host_step(host, limit_ns < until_ns ? limit_ns : until_ns);
    }
    return result;
}

int sim_host_enumerate(struct sim_host *host, uint64_t timeout_ns)
{
    struct sim_enumeration enumeration;

    sim_enumeration_begin(&enumeration, host, timeout_ns);
    return sim_enumeration_go_on(&enumeration, UINT64_MAX);
}
