// SPDX-License-Identifier: MIT
//
// A packet that arrives at the OUT endpoint is copied and armed at the IN endpoint; OUT is armed
// again only when the host has taken it, so the host is paced by NAKs. After each packet a notice
// with the total of bytes is armed at the interrupt endpoint, unless one is still armed.

#include <sim/loopback.h>

#include <string.h>

enum { VENDOR_SPECIFIC = 0xFF };

// clang-format off
const uint8_t loopback_descriptors[LOOPBACK_DESCRIPTORS_SIZE] = {
    8, USBDEV_DT_INTERFACE_ASSOCIATION, 0, 2, VENDOR_SPECIFIC, 0, 0, 0,
    9, USBDEV_DT_INTERFACE, 0, 0, 2, VENDOR_SPECIFIC, 0, 0, 0,
    7, USBDEV_DT_ENDPOINT, LOOPBACK_OUT, USBDEV_ENDPOINT_BULK, LOOPBACK_PACKET, 0, 0,
    7, USBDEV_DT_ENDPOINT, LOOPBACK_IN, USBDEV_ENDPOINT_BULK, LOOPBACK_PACKET, 0, 0,
    9, USBDEV_DT_INTERFACE, 1, 0, 1, VENDOR_SPECIFIC, 0, 1, 0,
    7, USBDEV_DT_ENDPOINT, LOOPBACK_NOTICE, USBDEV_ENDPOINT_INTERRUPT, LOOPBACK_NOTICE_SIZE, 0, 10,
};
// clang-format on

void loopback_init(struct loopback *loopback, struct usbdev *dev)
{
    *loopback = (struct loopback){.dev = dev};
}

static int setup(void *context, struct usbdev_request *request)
{
    struct loopback *loopback = context;

    if (request->setup.bmRequestType != (USBDEV_TYPE_VENDOR | USBDEV_RECIPIENT_INTERFACE) ||
        request->setup.bRequest != LOOPBACK_WAKE_HOST || request->setup.wIndex != 1 ||
        request->setup.wLength != 0)
        return USBDEV_STALL;
    loopback->wake_after_ms = request->setup.wValue;
    return 0;
}

static void listen(struct loopback *loopback)
{
    usbdev_receive(loopback->dev, LOOPBACK_OUT);
}

static void set_interface(void *context, uint8_t bInterfaceNumber, uint8_t bAlternateSetting)
{
    struct loopback *loopback = context;

    (void)bAlternateSetting;
    if (bInterfaceNumber == 0)
        listen(loopback);
    else
        loopback->notice_armed = false;
}

// A notice that the host has not fetched yet is brought up to date when it is.
static void notify(struct loopback *loopback)
{
    if (loopback->notice_armed)
        return;
    usbdev_store_le16(loopback->notice, (uint16_t)loopback->total);
    usbdev_store_le16(loopback->notice + 2, (uint16_t)(loopback->total >> 16));
    loopback->notice_armed =
        usbdev_send(loopback->dev, LOOPBACK_NOTICE, loopback->notice, LOOPBACK_NOTICE_SIZE);
}

static void out_done(void *context, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length)
{
    struct loopback *loopback = context;

    (void)bEndpointAddress;
    if (length > 0)
        memcpy(loopback->packet, data, length);
    loopback->total += length;
    usbdev_send(loopback->dev, LOOPBACK_IN, loopback->packet, length);
    notify(loopback);
}

static void in_done(void *context, uint8_t bEndpointAddress)
{
    struct loopback *loopback = context;

    if (bEndpointAddress == LOOPBACK_IN)
        listen(loopback);
    else
        loopback->notice_armed = false;
}

// What was under way is lost with the halt.
static void halt(void *context, uint8_t bEndpointAddress, bool halted)
{
    struct loopback *loopback = context;

    if (bEndpointAddress == LOOPBACK_NOTICE)
        loopback->notice_armed = false;
    else if (!halted)
        listen(loopback);
}

static void event(void *context, enum usbdev_event event)
{
    struct loopback *loopback = context;

    if (event == USBDEV_EVENT_SUSPENDED) {
        loopback->wake_in_ms = loopback->wake_after_ms;
        loopback->wake_after_ms = 0;
    } else {
        loopback->wake_in_ms = 0;
    }
}

static void tick(void *context, uint16_t elapsed_ms)
{
    struct loopback *loopback = context;

    if (loopback->wake_in_ms == 0)
        return;
    if (elapsed_ms < loopback->wake_in_ms) {
        loopback->wake_in_ms = (uint16_t)(loopback->wake_in_ms - elapsed_ms);
        return;
    }
    loopback->wake_in_ms = 0;
    usbdev_remote_wakeup(loopback->dev);
}

const struct usbdev_handler loopback_handler = {
    .setup = setup,
    .set_interface = set_interface,
    .event = event,
    .tick = tick,
    .in_done = in_done,
    .out_done = out_done,
    .halt = halt,
};
