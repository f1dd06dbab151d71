// SPDX-License-Identifier: MIT
//
// How it works. A SETUP is decided at once, by its owner (decide). The rest moves bytes, in one of
// four stages; stage, request and done are the whole state of a transfer, so a new SETUP abandons
// the old one by overwriting them.
//
//           wLength 0                                     packet taken
//    decide ------------------------------> STATUS_IN -----------------> complete
//      | IN                     all sent               any OUT packet
//      +------> DATA_IN --------------------> STATUS_OUT -----------------> complete
//      | OUT                  wLength bytes
//      +------> DATA_OUT -------------------> STATUS_IN

#include "usbdev_private.h"

enum stage {
    STAGE_IDLE, // no transfer, or stalled
    STAGE_DATA_IN,
    STAGE_DATA_OUT,
    STAGE_STATUS_IN,
    STAGE_STATUS_OUT,
};

// Bit 6 of bmAttributes (USB 2.0 table 9-10) is bit 0 of the status (figure 9-4).
enum { SELF_POWERED_SHIFT = 6, REMOTE_WAKEUP_SHIFT = 1 };

// Lines that begin with //@ are for the proof that the owner of a class request is asked
// (proof/usbdev_proof.c).

// ---- Functions ----

const struct usbdev_function *usbdev_function_of(const struct usbdev *dev, uint8_t interface)
{
    const struct usbdev_function *function = dev->config->functions;

    /*@ loop invariant 0 <= left <= dev->config->function_count;
        loop invariant function == dev->config->functions + (dev->config->function_count - left);
        loop invariant none_before(dev->config->function_count - left, interface);
        loop assigns left, function;
        loop variant left; */
    for (uint8_t left = dev->config->function_count; left > 0; left--, function++)
        if ((uint8_t)(interface - function->bFirstInterface) < function->bInterfaceCount)
            return function;
    return NULL;
}

int usbdev_hand_over(struct usbdev *dev, const struct usbdev_function *function)
{
    const uint8_t reserved = USBDEV_TYPE_MASK;

    if (!function || (dev->request.setup.bmRequestType & USBDEV_TYPE_MASK) == reserved)
        return USBDEV_STALL;
    dev->owner = function;
    //@ calls any_setup;
    return function->handler->setup(function->context, &dev->request);
}

void usbdev_tell_all(struct usbdev *dev, enum usbdev_event event)
{
    const struct usbdev_function *function = dev->config->functions;

    for (uint8_t left = dev->config->function_count; left > 0; left--, function++)
        if (function->handler->event)
            function->handler->event(function->context, event);
}

// ---- Standard requests (USB 2.0 9.4). Each returns 0 or USBDEV_STALL. ----

int usbdev_reply(struct usbdev *dev, const uint8_t *bytes, uint16_t length)
{
    dev->request.data = (uint8_t *)(uintptr_t)bytes; // only read: the request is IN
    dev->request.length = length;
    return 0;
}

int usbdev_reply_value(struct usbdev *dev, uint16_t value, uint16_t length)
{
    usbdev_store_le16(dev->scratch, value);
    dev->request.length = length;
    return 0;
}

uint8_t usbdev_attributes(const struct usbdev *dev)
{
    const uint8_t *configuration = dev->configuration;

    if (!configuration)
        configuration = dev->config->configurations[0];
    return configuration[CONFIGURATION_bmAttributes];
}

// NULL: no such configuration.
static const uint8_t *configuration_at(const struct usbdev *dev, uint8_t index)
{
    if (index >= dev->config->device_descriptor[DEVICE_bNumConfigurations])
        return NULL;
    return dev->config->configurations[index];
}

static void configure(struct usbdev *dev, const uint8_t *configuration)
{
    if (dev->config->full)
        dev->config->full->configure(dev, configuration);
    dev->configuration = configuration;
}

// USB 2.0 9.4.5
static int get_device_status(struct usbdev *dev)
{
    unsigned self_powered = usbdev_attributes(dev) >> SELF_POWERED_SHIFT & 1;
    unsigned remote_wakeup = dev->remote_wakeup;

    remote_wakeup <<= REMOTE_WAKEUP_SHIFT;
    return usbdev_reply_value(dev, (uint16_t)(self_powered | remote_wakeup), 2);
}

// USB 2.0 9.4.3
static int get_descriptor(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    const struct usbdev_config *config = dev->config;
    uint8_t index = (uint8_t)setup->wValue;
    const uint8_t *configuration;

    switch (setup->wValue >> 8) {
    case USBDEV_DT_DEVICE:
        if (index != 0)
            break;
        return usbdev_reply(dev, config->device_descriptor, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    case USBDEV_DT_CONFIGURATION:
        configuration = configuration_at(dev, index);
        if (!configuration)
            break;
        return usbdev_reply(dev, configuration,
                            usbdev_load_le16(configuration + CONFIGURATION_wTotalLength));
    case USBDEV_DT_STRING:
        if (!config->strings)
            break;
        return config->strings->get(dev, index, setup->wIndex);
    }
    return USBDEV_STALL;
}

// USB 2.0 9.4.2
static int get_configuration(struct usbdev *dev)
{
    const uint8_t *configuration = dev->configuration;

    return usbdev_reply_value(
        dev, configuration ? configuration[CONFIGURATION_bConfigurationValue] : 0, 1);
}

// USB 2.0 9.4.6. The address itself changes after the status stage.
static int set_address(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    return dev->configuration || setup->wValue > 127 ? USBDEV_STALL : 0;
}

// USB 2.0 9.4.7. The current one set again starts afresh: alternates, toggles, halts.
static int set_configuration(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    const uint8_t *configuration = NULL;

    for (uint8_t i = 0; setup->wValue != 0; i++) {
        configuration = configuration_at(dev, i);
        if (!configuration)
            return USBDEV_STALL;
        if (configuration[CONFIGURATION_bConfigurationValue] == setup->wValue)
            break;
    }
    configure(dev, configuration);
    return 0;
}

static int device_request(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    switch (REQUEST(setup->bmRequestType, setup->bRequest)) {
    case REQUEST(FROM_DEVICE, USBDEV_GET_STATUS):
        return get_device_status(dev);
    case REQUEST(TO_DEVICE, USBDEV_SET_ADDRESS):
        return set_address(dev, setup);
    case REQUEST(FROM_DEVICE, USBDEV_GET_DESCRIPTOR):
        return get_descriptor(dev, setup);
    case REQUEST(FROM_DEVICE, USBDEV_GET_CONFIGURATION):
        return get_configuration(dev);
    case REQUEST(TO_DEVICE, USBDEV_SET_CONFIGURATION):
        return set_configuration(dev, setup);
    case REQUEST(FROM_ENDPOINT, USBDEV_GET_STATUS):
        return setup->wIndex & ~USBDEV_DIR_IN ? USBDEV_STALL : usbdev_reply_value(dev, 0, 2);
    }
    return USBDEV_STALL;
}

static bool interface_exists(const struct usbdev *dev, uint16_t interface)
{
    const uint8_t *configuration = dev->configuration;

    return configuration && interface < configuration[CONFIGURATION_bNumInterfaces];
}

// USB 2.0 9.4.4, 9.4.5, 9.4.10. Alternates other than 0 are for full devices.
static int interface_request(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    if (!interface_exists(dev, setup->wIndex))
        return USBDEV_STALL;
    switch (REQUEST(setup->bmRequestType, setup->bRequest)) {
    case REQUEST(FROM_INTERFACE, USBDEV_GET_STATUS):
        return usbdev_reply_value(dev, 0, 2);
    case REQUEST(FROM_INTERFACE, USBDEV_GET_INTERFACE):
        return usbdev_reply_value(dev, 0, 1);
    case REQUEST(TO_INTERFACE, USBDEV_SET_INTERFACE):
        return setup->wValue == 0 ? 0 : USBDEV_STALL;
    }
    return USBDEV_STALL;
}

// ---- Whose request it is ----

static bool is_out_with_data(const struct usbdev_setup_packet *setup)
{
    return setup->wLength != 0 && !(setup->bmRequestType & USBDEV_DIR_IN);
}

// No standard request that is known here brings data, and only two are known in the Default state.
static bool is_ruled_out(const struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    const bool in_default_state =
        setup->bRequest == USBDEV_SET_ADDRESS || setup->bRequest == USBDEV_GET_DESCRIPTOR;

    return is_out_with_data(setup) || (dev->address == 0 && !in_default_state);
}

static int standard_request(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    if (is_ruled_out(dev, setup))
        return USBDEV_STALL;
    if (dev->config->full) {
        int result = dev->config->full->standard_request(dev, setup);
        if (result != USBDEV_PASS)
            return result;
    }
    if ((setup->bmRequestType & USBDEV_RECIPIENT_MASK) == USBDEV_RECIPIENT_INTERFACE)
        return interface_request(dev, setup);
    return device_request(dev, setup);
}

// The order in which a request finds its owner: the table of usbdev.h. Nothing that decides before
// the class may refuse a class request to its interface, because a refused request changes the
// class's state (DFU 1.1 A.2.2).
static int decide(struct usbdev *dev, const struct usbdev_setup_packet *setup)
{
    uint8_t interface = (uint8_t)setup->wIndex;

    //@ ghost decided++;
    if ((setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_STANDARD)
        return standard_request(dev, setup);
    if ((setup->bmRequestType & USBDEV_RECIPIENT_MASK) == USBDEV_RECIPIENT_INTERFACE)
        return usbdev_hand_over(
            dev, interface_exists(dev, interface) ? usbdev_function_of(dev, interface) : NULL);
    if (dev->config->full)
        //@ calls any_full_request;
        return dev->config->full->other_request(dev, setup);
    return USBDEV_STALL;
}

// ---- Endpoint 0: moving the bytes (USB 2.0 8.5.3) ----

void usbdev_stall(struct usbdev *dev)
{
    dev->stage = STAGE_IDLE;
    //@ calls any_ep0_stall;
    dev->driver->ep0_stall(dev->port);
}

static uint16_t packet_length(const struct usbdev *dev)
{
    uint16_t left = (uint16_t)(dev->request.length - dev->done);
    uint8_t bMaxPacketSize0 = dev->config->device_descriptor[DEVICE_bMaxPacketSize0];

    return left < bMaxPacketSize0 ? left : bMaxPacketSize0;
}

static void send_packet(struct usbdev *dev)
{
    const uint8_t *data = dev->request.data + dev->done;

    if (dev->text) {
        //@ calls any_make_packet;
        dev->config->strings->make_packet(dev);
        data = dev->scratch;
    }
    //@ calls any_ep_in;
    dev->driver->ep_in(dev->port, 0, data, packet_length(dev));
}

void usbdev_begin_status_in(struct usbdev *dev)
{
    dev->stage = STAGE_STATUS_IN;
    //@ calls any_ep_in;
    dev->driver->ep_in(dev->port, 0, dev->scratch, 0);
}

static void begin_data_in(struct usbdev *dev)
{
    if (dev->request.length > dev->request.setup.wLength)
        dev->request.length = dev->request.setup.wLength;
    dev->stage = STAGE_DATA_IN;
    //@ calls any_ep_out;
    dev->driver->ep_out(dev->port, 0); // the host may begin the status stage early
    send_packet(dev);
}

// What a small device cannot take it STALLs, after the owner was asked.
static void begin_data_out(struct usbdev *dev)
{
    if (!dev->config->full) {
        usbdev_stall(dev);
        return;
    }
    dev->request.length = 0;
    dev->stage = STAGE_DATA_OUT;
    //@ calls any_ep_out;
    dev->driver->ep_out(dev->port, 0);
}

static void complete(struct usbdev *dev)
{
    const struct usbdev_function *owner = dev->owner;
    const struct usbdev_setup_packet *setup = &dev->request.setup;

    dev->stage = STAGE_IDLE;
    if (owner) {
        if (owner->handler->complete)
            owner->handler->complete(owner->context, &dev->request);
    } else if (setup->bRequest == USBDEV_SET_ADDRESS) {
        dev->address = (uint8_t)setup->wValue;
        dev->driver->set_address(dev->port, dev->address);
    }
}

// A data stage ends by wLength bytes or by a packet that is not full: a reply that is shorter than
// wLength and fills its last packet is followed by an empty one.
static void data_in_done(struct usbdev *dev)
{
    uint16_t length = packet_length(dev);

    dev->done = (uint16_t)(dev->done + length);
    if (length < dev->config->device_descriptor[DEVICE_bMaxPacketSize0] ||
        dev->done == dev->request.setup.wLength)
        dev->stage = STAGE_STATUS_OUT;
    else
        send_packet(dev);
}

static void ep0_in_done(struct usbdev *dev)
{
    if (dev->stage == STAGE_DATA_IN)
        data_in_done(dev);
    else if (dev->stage == STAGE_STATUS_IN)
        complete(dev);
}

static void ep0_out_done(struct usbdev *dev, const uint8_t *data, uint16_t length)
{
    switch ((enum stage)dev->stage) {
    case STAGE_IDLE:
        break;
    case STAGE_DATA_OUT:
        dev->config->full->data_out_done(dev, data, length);
        break;
    case STAGE_DATA_IN:
    case STAGE_STATUS_OUT: // a packet of any length will do (USB 2.0 8.5.3.1)
        complete(dev);
        break;
    case STAGE_STATUS_IN: // more data than wLength
        usbdev_stall(dev);
        break;
    }
}

// ---- Events from the port ----

void usbdev_setup(struct usbdev *dev, const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct usbdev_request *request = &dev->request;

    request->setup = usbdev_setup_load(setup);
    request->data = dev->scratch;
    request->length = 0;
    dev->done = 0;
    dev->text = NULL;
    dev->owner = NULL;

    if (decide(dev, &request->setup) < 0)
        usbdev_stall(dev);
    else if (request->setup.wLength == 0)
        usbdev_begin_status_in(dev);
    else if (request->setup.bmRequestType & USBDEV_DIR_IN)
        begin_data_in(dev);
    else
        begin_data_out(dev);
}

void usbdev_in_done(struct usbdev *dev, uint8_t endpoint)
{
    if (endpoint == 0)
        ep0_in_done(dev);
    else if (dev->config->full)
        dev->config->full->in_done(dev, endpoint | USBDEV_DIR_IN);
}

void usbdev_out_done(struct usbdev *dev, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    if (endpoint == 0)
        ep0_out_done(dev, data, length);
    else if (dev->config->full)
        dev->config->full->out_done(dev, endpoint, data, length);
}

void usbdev_bus_reset(struct usbdev *dev)
{
    dev->stage = STAGE_IDLE;
    dev->address = 0;
    dev->remote_wakeup = false;
    dev->suspended = false;
    configure(dev, NULL);
    usbdev_tell_all(dev, USBDEV_EVENT_BUS_RESET);
}

void usbdev_suspended(struct usbdev *dev)
{
    dev->suspended = true;
    usbdev_tell_all(dev, USBDEV_EVENT_SUSPENDED);
}

void usbdev_resumed(struct usbdev *dev)
{
    dev->suspended = false;
    usbdev_tell_all(dev, USBDEV_EVENT_RESUMED);
}

void usbdev_tick(struct usbdev *dev, uint16_t elapsed_ms)
{
    const struct usbdev_function *function = dev->config->functions;

    for (uint8_t left = dev->config->function_count; left > 0; left--, function++)
        if (function->handler->tick)
            function->handler->tick(function->context, elapsed_ms);
}

// ---- For the product ----

void usbdev_init(struct usbdev *dev,
                 const struct usbdev_config *config,
                 const struct usbdev_driver *driver,
                 void *port)
{
    dev->stage = STAGE_IDLE;
    dev->address = 0;
    dev->remote_wakeup = false;
    dev->suspended = false;
    dev->configuration = NULL;
    dev->halted = 0;
    dev->config = config;
    dev->driver = driver;
    dev->port = port;
}

void usbdev_connect(struct usbdev *dev, bool on)
{
    dev->driver->connect(dev->port, on);
}

enum usbdev_state usbdev_state(const struct usbdev *dev)
{
    if (dev->configuration)
        return USBDEV_CONFIGURED;
    return dev->address ? USBDEV_ADDRESS : USBDEV_DEFAULT;
}
