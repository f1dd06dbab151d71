// SPDX-License-Identifier: MIT
//
// The endpoints other than 0. They are kept in no table: what exists, and who owns it, is looked
// up in the descriptor of the current configuration.

#include "usbdev_private.h"

// A place in the current configuration, at an endpoint of a current alternate.
struct place {
    const uint8_t *endpoint; // its descriptor; NULL: none was found
    uint8_t interface;
};

static struct place start(const struct usbdev *dev)
{
    return (struct place){.endpoint = dev->configuration};
}

// On to the next such endpoint; false at the end.
static bool next(const struct usbdev *dev, struct place *place)
{
    const uint8_t *at = place->endpoint;
    bool current = at != dev->configuration;

    while (at && (at = usbdev_next_descriptor(dev, at))) {
        if (at[1] == USB_DT_INTERFACE) {
            place->interface = at[INTERFACE_bInterfaceNumber];
            current = at[INTERFACE_bAlternateSetting] == dev->alternate[place->interface];
        }
        if (at[1] == USB_DT_ENDPOINT && current)
            break;
    }
    place->endpoint = at;
    return at != NULL;
}

static struct place find(const struct usbdev *dev, uint16_t bEndpointAddress)
{
    struct place place = start(dev);

    while (next(dev, &place) && place.endpoint[ENDPOINT_bEndpointAddress] != bEndpointAddress) {
    }
    return place;
}

static const struct usbdev_function *owner(const struct usbdev *dev, uint16_t bEndpointAddress)
{
    struct place place = find(dev, bEndpointAddress);

    return place.endpoint ? usbdev_function_of(dev, place.interface) : NULL;
}

static uint32_t halt_bit(uint8_t bEndpointAddress)
{
    uint32_t bit = UINT32_C(1) << (bEndpointAddress & 0xF);

    return bEndpointAddress & USB_DIR_IN ? bit << 16 : bit;
}

static void set_halt(struct usbdev *dev, uint8_t bEndpointAddress, bool halt)
{
    dev->halted &= ~halt_bit(bEndpointAddress);
    if (halt)
        dev->halted |= halt_bit(bEndpointAddress);
    dev->driver->ep_halt(dev->port, bEndpointAddress, halt);
}

// Neither opening nor closing leaves a halt behind.
static void open_or_close(struct usbdev *dev, int interface, bool open)
{
    struct place place = start(dev);

    while (next(dev, &place)) {
        uint8_t bEndpointAddress = place.endpoint[ENDPOINT_bEndpointAddress];
        if (interface != ALL_INTERFACES && interface != place.interface)
            continue;
        dev->halted &= ~halt_bit(bEndpointAddress);
        if (open)
            dev->driver->ep_open(dev->port, place.endpoint);
        else
            dev->driver->ep_close(dev->port, bEndpointAddress);
    }
}

// USB 2.0 9.4.5
static int get_status(struct usbdev *dev, struct usbdev_request *request)
{
    uint8_t bEndpointAddress = (uint8_t)request->setup.wIndex;

    store_le16(request->data, (dev->halted & halt_bit(bEndpointAddress)) != 0);
    request->length = 2;
    return 0;
}

// USB 2.0 9.4.1, 9.4.9. Bulk and interrupt endpoints can halt (9.4.5).
static int change_feature(struct usbdev *dev, const struct usb_setup *setup)
{
    struct place place = find(dev, setup->wIndex);
    const struct usbdev_function *function = usbdev_function_of(dev, place.interface);
    uint8_t bEndpointAddress = (uint8_t)setup->wIndex;
    bool halt = setup->bRequest == USB_SET_FEATURE;

    if (setup->wValue != USB_FEATURE_ENDPOINT_HALT ||
        !(place.endpoint[ENDPOINT_bmAttributes] & USB_ENDPOINT_BULK))
        return USBDEV_STALL;
    set_halt(dev, bEndpointAddress, halt);
    if (function && function->handler->halt)
        function->handler->halt(function->context, bEndpointAddress, halt);
    return 0;
}

static int standard(struct usbdev *dev, struct usbdev_request *request)
{
    const struct usb_setup *setup = &request->setup;
    bool in = (setup->bmRequestType & USB_DIR_IN) != 0;

    if (!find(dev, setup->wIndex).endpoint)
        return USBDEV_STALL;
    if (in && setup->bRequest == USB_GET_STATUS)
        return get_status(dev, request);
    if (!in && (setup->bRequest == USB_CLEAR_FEATURE || setup->bRequest == USB_SET_FEATURE))
        return change_feature(dev, setup);
    return USBDEV_STALL;
}

static void in_done(struct usbdev *dev, uint8_t bEndpointAddress)
{
    const struct usbdev_function *function = owner(dev, bEndpointAddress);

    if (function && function->handler->in_done)
        function->handler->in_done(function->context, bEndpointAddress);
}

static void
out_done(struct usbdev *dev, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length)
{
    const struct usbdev_function *function = owner(dev, bEndpointAddress);

    if (function && function->handler->out_done)
        function->handler->out_done(function->context, bEndpointAddress, data, length);
}

const struct usbdev_endpoints usbdev_endpoints = {
    .open = open_or_close,
    .owner = owner,
    .standard = standard,
    .in_done = in_done,
    .out_done = out_done,
};

// ---- For the product ----

static bool can_move(const struct usbdev *dev, uint8_t bEndpointAddress)
{
    return find(dev, bEndpointAddress).endpoint && !(dev->halted & halt_bit(bEndpointAddress));
}

bool usbdev_send(struct usbdev *dev, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length)
{
    if (!can_move(dev, bEndpointAddress))
        return false;
    dev->driver->ep_in(dev->port, bEndpointAddress & 0xF, data, length);
    return true;
}

bool usbdev_receive(struct usbdev *dev, uint8_t bEndpointAddress)
{
    if (!can_move(dev, bEndpointAddress))
        return false;
    dev->driver->ep_out(dev->port, bEndpointAddress);
    return true;
}

void usbdev_halt(struct usbdev *dev, uint8_t bEndpointAddress)
{
    if (find(dev, bEndpointAddress).endpoint)
        set_halt(dev, bEndpointAddress, true);
}
