// SPDX-License-Identifier: MIT
//
// A device behind a USB/IP server, without a kernel driver between: the server's own client is the
// host, so requests to absent interfaces reach the device too. The bus reset is the one that
// servers know; what a server infers a reset from cannot be sent.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <errno.h>

#include "target_requests.h"
#include <conformance/target.h>
#include <usbip/client.h>

enum { CONNECT_MS = 3000 };

struct target_usbip {
    struct target base;
    struct usbip_client *client;
    bool left; // has left the bus, and was not imported again yet
};

static struct target_usbip *usbip_of(struct target *target)
{
    return (struct target_usbip *)target;
}

static int finish(struct target_usbip *usbip, int result)
{
    if (result == USB_GONE)
        usbip->left = true;
    return result;
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct target_usbip *usbip = usbip_of(target);
    if (usbip->left)
        return USB_GONE;
    return finish(usbip, usbip_client_control(usbip->client, setup, data, timeout_ms));
}

static int transfer(struct target *target,
                    uint8_t bEndpointAddress,
                    uint8_t *data,
                    size_t length,
                    unsigned timeout_ms)
{
    struct target_usbip *usbip = usbip_of(target);
    if (usbip->left)
        return USB_GONE;
    if (!target_find_endpoint(target, bEndpointAddress))
        return USB_UNSUPPORTED;
    return finish(usbip,
                  usbip_client_transfer(usbip->client, bEndpointAddress, data, length, timeout_ms));
}

static uint64_t now_us(struct target *target)
{
    (void)target;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void sleep_ms(struct target *target, unsigned ms)
{
    (void)target;
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

// Imported devices are addressed; the rest of the enumeration is ours.
static int enumerate(struct target *target)
{
    int result = target_read_descriptors(target, 0);
    if (result == 0)
        result = target_request_set_configuration(target, target->descriptors.configuration[5]);
    return result;
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct target_usbip *usbip = usbip_of(target);
    if (usbip->left)
        return 0;
    int result = usbip_client_wait_leave(usbip->client, timeout_ms);
    usbip->left = result == 0;
    return result;
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct target_usbip *usbip = usbip_of(target);
    uint64_t end_us = now_us(target) + timeout_ms * UINT64_C(1000);
    while (usbip->left) {
        uint64_t now = now_us(target);
        if (now >= end_us)
            return USB_TIMEOUT;
        unsigned left_ms = (unsigned)((end_us - now) / 1000);
        int result = usbip_client_reopen(usbip->client, left_ms ? left_ms : 1);
        if (result < 0)
            return result;
        usbip->left = false;
        usbip->left = enumerate(target) < 0; // left again, in the middle
    }
    return 0;
}

static int reset(struct target *target)
{
    struct target_usbip *usbip = usbip_of(target);
    if (usbip->left)
        return USB_GONE;
    struct target_descriptors before = target->descriptors;
    int result = finish(usbip, usbip_client_reset(usbip->client, TARGET_ENUMERATION_MS));
    if (result == 0)
        result = enumerate(target);
    if (result < 0)
        return result;
    return target_descriptors_equal(&before, &target->descriptors) ? 0 : USB_GONE;
}

static const char *trouble(struct target *target)
{
    return usbip_client_violation(usbip_of(target)->client);
}

static void close_usbip(struct target *target)
{
    usbip_client_close(usbip_of(target)->client);
    free(target);
}

static const struct target_ops usbip_ops = {
    .control = control,
    .transfer = transfer,
    .set_configuration = target_request_set_configuration,
    .set_interface = target_request_set_interface,
    .clear_halt = target_request_clear_halt,
    .reset = reset,
    .wait_leave = wait_leave,
    .wait_return = wait_return,
    .now_us = now_us,
    .sleep_ms = sleep_ms,
    .trouble = trouble,
    .close = close_usbip,
};

struct target *target_usbip_open(const struct target_spec *spec, char *error, size_t size)
{
    struct target_usbip *usbip = calloc(1, sizeof *usbip);
    if (!usbip) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    usbip->base.ops = &usbip_ops;
    usbip->base.capabilities = TARGET_CAN_RESET | TARGET_CAN_RAW;
    usbip->client = usbip_client_open(spec->host, spec->port, *spec->bus_id ? spec->bus_id : NULL,
                                      CONNECT_MS, error, size);
    if (!usbip->client) {
        free(usbip);
        return NULL;
    }
    snprintf(usbip->base.where, sizeof usbip->base.where, "bus id %.32s",
             usbip_client_record(usbip->client)->bus_id);

    int result = enumerate(&usbip->base);
    if (result == 0)
        return &usbip->base;
    const char *why = trouble(&usbip->base);
    snprintf(error, size, "the device does not enumerate: %s", why ? why : usb_result_text(result));
    close_usbip(&usbip->base);
    return NULL;
}
