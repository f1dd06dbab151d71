// SPDX-License-Identifier: MIT
//
// What a full device has beyond a small one: other endpoints, alternates, BOS, OUT data stages,
// remote wake-up, requests to the device and to endpoints.
//
// Endpoints and alternates are kept in no table: what exists, and who owns it, is looked up in the
// descriptor of the current configuration.

#include "usbdev_private.h"

enum {
    ALL_INTERFACES = -1,
    ATTRIBUTES_REMOTE_WAKEUP = 0x20, // USB 2.0 table 9-10
};

// ---- What exists now ----

// The descriptor after this one in the current configuration, which there must be; NULL at its end,
// and behind one of no length, which has no end.
static const uint8_t *next_descriptor(const struct usbdev *dev, const uint8_t *descriptor)
{
    const uint8_t *configuration = dev->configuration;

    if (descriptor[0] == 0)
        return NULL;
    descriptor += descriptor[0];
    if (descriptor >= configuration + usbdev_load_le16(configuration + CONFIGURATION_wTotalLength))
        return NULL;
    return descriptor;
}

static bool alternate_exists(const struct usbdev *dev, uint16_t interface, uint16_t alternate)
{
    const uint8_t *at = dev->configuration;

    while (at && (at = next_descriptor(dev, at)))
        if (at[1] == USBDEV_DT_INTERFACE && at[INTERFACE_bInterfaceNumber] == interface &&
            at[INTERFACE_bAlternateSetting] == alternate)
            return true;
    return false;
}

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

    while (at && (at = next_descriptor(dev, at))) {
        if (at[1] == USBDEV_DT_INTERFACE) {
            place->interface = at[INTERFACE_bInterfaceNumber];
            current = at[INTERFACE_bAlternateSetting] == dev->alternate[place->interface];
        }
        if (at[1] == USBDEV_DT_ENDPOINT && current)
            break;
    }
    place->endpoint = at;
    return at;
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

static const struct usbdev_function *function_of_device(const struct usbdev *dev)
{
    const struct usbdev_function *function = dev->config->functions;

    for (uint8_t left = dev->config->function_count; left > 0; left--, function++)
        if (function->device_requests)
            return function;
    return NULL;
}

// ---- Endpoints ----

static uint32_t halt_bit(uint8_t bEndpointAddress)
{
    uint32_t bit = UINT32_C(1) << (bEndpointAddress & 0xF);

    return bEndpointAddress & USBDEV_DIR_IN ? bit << 16 : bit;
}

static bool is_halted(const struct usbdev *dev, uint8_t bEndpointAddress)
{
    return (dev->halted & halt_bit(bEndpointAddress)) != 0;
}

static void set_halt(struct usbdev *dev, uint8_t bEndpointAddress, bool halt)
{
    dev->halted &= ~halt_bit(bEndpointAddress);
    if (halt)
        dev->halted |= halt_bit(bEndpointAddress);
    dev->driver->ep_halt(dev->port, bEndpointAddress, halt);
}

// Opening and closing both clear the halt.
static void switch_endpoints(struct usbdev *dev, int interface, bool open)
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

// ---- Configurations and alternates ----

static void choose_alternate(struct usbdev *dev, uint8_t interface, uint8_t alternate)
{
    const struct usbdev_function *function = usbdev_function_of(dev, interface);

    dev->alternate[interface] = alternate;
    switch_endpoints(dev, interface, true);
    if (function && function->handler->set_interface)
        function->handler->set_interface(function->context, interface, alternate);
}

static void configure(struct usbdev *dev, const uint8_t *configuration)
{
    if (dev->configuration) {
        switch_endpoints(dev, ALL_INTERFACES, false);
        dev->configuration = NULL;
        usbdev_tell_all(dev, USBDEV_EVENT_UNCONFIGURED);
    }
    if (configuration) {
        dev->configuration = configuration;
        for (uint8_t i = 0; i < configuration[CONFIGURATION_bNumInterfaces]; i++)
            choose_alternate(dev, i, 0);
    }
}

// ---- Requests. Each returns 0, USBDEV_STALL or USBDEV_PASS. ----

// BOS: USB 2.0 LPM ECN. The others are no different in a small device.
static int get_full_descriptor(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    const uint8_t *bos = dev->config->bos;

    if (setup->wValue != USBDEV_DT_BOS << 8)
        return USBDEV_PASS;
    return bos ? usbdev_reply(dev, bos, usbdev_load_le16(bos + CONFIGURATION_wTotalLength))
               : USBDEV_STALL;
}

// USB 2.0 9.4.1, 9.4.9. Full speed has no other feature of the device, and none of an interface.
static int change_device_feature(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    if (setup->wValue != USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP || setup->wIndex != 0 ||
        !(usbdev_attributes(dev) & ATTRIBUTES_REMOTE_WAKEUP))
        return USBDEV_STALL;
    dev->remote_wakeup = setup->bRequest == USBDEV_SET_FEATURE;
    return 0;
}

// USB 2.0 9.4.4
static int get_interface(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    if (!alternate_exists(dev, setup->wIndex, 0))
        return USBDEV_STALL;
    return usbdev_reply_value(dev, dev->alternate[setup->wIndex], 1);
}

// USB 2.0 9.4.10
static int set_interface(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    if (!alternate_exists(dev, setup->wIndex, setup->wValue))
        return USBDEV_STALL;
    switch_endpoints(dev, setup->wIndex, false);
    choose_alternate(dev, (uint8_t)setup->wIndex, (uint8_t)setup->wValue);
    return 0;
}

// USB 2.0 9.4.5. Endpoint 0 is not found: it has a status, but no halt feature (none is required).
static int get_endpoint_status(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    if (!find(dev, setup->wIndex).endpoint)
        return USBDEV_PASS;
    return usbdev_reply_value(dev, is_halted(dev, (uint8_t)setup->wIndex), 2);
}

// USB 2.0 9.4.1, 9.4.9. Bulk and interrupt endpoints can halt (9.4.5).
static int change_endpoint_feature(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    struct place place = find(dev, setup->wIndex);
    const struct usbdev_function *function = owner(dev, setup->wIndex);
    uint8_t bEndpointAddress = (uint8_t)setup->wIndex;
    bool halt = setup->bRequest == USBDEV_SET_FEATURE;

    if (setup->wValue != USBDEV_FEATURE_ENDPOINT_HALT || !place.endpoint ||
        !(place.endpoint[ENDPOINT_bmAttributes] & USBDEV_ENDPOINT_BULK))
        return USBDEV_STALL;
    set_halt(dev, bEndpointAddress, halt);
    if (function && function->handler->halt)
        function->handler->halt(function->context, bEndpointAddress, halt);
    return 0;
}

// A class has descriptors of its own (HID 1.11 7.1.1).
static int hand_over_to_interface(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    if (!alternate_exists(dev, setup->wIndex, 0))
        return USBDEV_STALL;
    return usbdev_hand_over(dev, usbdev_function_of(dev, (uint8_t)setup->wIndex));
}

static int standard_request(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    switch (REQUEST(setup->bmRequestType, setup->bRequest)) {
    case REQUEST(FROM_DEVICE, USBDEV_GET_DESCRIPTOR):
        return get_full_descriptor(dev, setup);
    case REQUEST(TO_DEVICE, USBDEV_CLEAR_FEATURE):
    case REQUEST(TO_DEVICE, USBDEV_SET_FEATURE):
        return change_device_feature(dev, setup);
    case REQUEST(FROM_INTERFACE, USBDEV_GET_INTERFACE):
        return get_interface(dev, setup);
    case REQUEST(TO_INTERFACE, USBDEV_SET_INTERFACE):
        return set_interface(dev, setup);
    case REQUEST(FROM_ENDPOINT, USBDEV_GET_STATUS):
        return get_endpoint_status(dev, setup);
    case REQUEST(TO_ENDPOINT, USBDEV_CLEAR_FEATURE):
    case REQUEST(TO_ENDPOINT, USBDEV_SET_FEATURE):
        return change_endpoint_feature(dev, setup);
    case REQUEST(FROM_INTERFACE, USBDEV_GET_DESCRIPTOR):
        return hand_over_to_interface(dev, setup);
    }
    return USBDEV_PASS;
}

static int other_request(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    switch (setup->bmRequestType & USBDEV_RECIPIENT_MASK) {
    case USBDEV_RECIPIENT_DEVICE:
        return usbdev_hand_over(dev, dev->address ? function_of_device(dev) : NULL);
    case USBDEV_RECIPIENT_ENDPOINT:
        return usbdev_hand_over(dev, owner(dev, (uint8_t)setup->wIndex));
    }
    return USBDEV_STALL;
}

// ---- Packets ----

// More than wLength, or an end before it, is not what the SETUP promised (USB 2.0 9.3.5): STALL.
// So does a handler that has provided no room.
static void data_out_done(struct usbdev *dev, const uint8_t *data, uint16_t length)
{
    struct usbdev_request *request = &dev->request;
    const struct usbdev_handler *handler = dev->owner->handler;
    const bool room =
        request->data != dev->scratch || request->setup.wLength <= USBDEV_SCRATCH_SIZE;
    const bool short_packet = length < dev->config->device_descriptor[DEVICE_bMaxPacketSize0];
    const unsigned left = (unsigned)request->setup.wLength - request->length;

    if (!room || length > left || (length < left && short_packet)) {
        usbdev_stall(dev);
        return;
    }
    for (uint16_t i = 0; i < length; i++)
        request->data[request->length++] = data[i];

    if (length < left)
        dev->driver->ep_out(dev->port, 0);
    else if (handler->data && handler->data(dev->owner->context, request) < 0)
        usbdev_stall(dev);
    else
        usbdev_begin_status_in(dev);
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

const struct usbdev_full usbdev_full = {
    .standard_request = standard_request,
    .other_request = other_request,
    .configure = configure,
    .data_out_done = data_out_done,
    .in_done = in_done,
    .out_done = out_done,
};

// ---- For the product ----

static bool can_move(const struct usbdev *dev, uint8_t bEndpointAddress)
{
    return find(dev, bEndpointAddress).endpoint && !is_halted(dev, bEndpointAddress);
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

bool usbdev_remote_wakeup(struct usbdev *dev)
{
    if (!dev->suspended || !dev->remote_wakeup)
        return false;
    dev->driver->remote_wakeup(dev->port);
    return true;
}
