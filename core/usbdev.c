// SPDX-License-Identifier: MIT
//
// How it works. A SETUP is decided at once (decide): standard requests here, everything else by
// the function that owns the recipient. What remains is moving bytes, in one of four stages;
// stage, request and done are all there is to a transfer, so a new SETUP abandons the old one by
// overwriting them.
//
//           wLength 0                                     packet taken
//    decide ------------------------------> STATUS_IN -----------------> complete
//      | IN                     all sent               any OUT packet
//      +------> DATA_IN --------------------> STATUS_OUT -----------------> complete
//      | OUT                  wLength bytes
//      +------> DATA_OUT -------------------> STATUS_IN

#include "usbdev_private.h"

enum stage {
    STAGE_IDLE, // nothing under way, or stalled
    STAGE_DATA_IN,
    STAGE_DATA_OUT,
    STAGE_STATUS_IN,
    STAGE_STATUS_OUT,
};

enum {
    ATTRIBUTES_SELF_POWERED = 0x40, // USB 2.0 table 9-10
    ATTRIBUTES_REMOTE_WAKEUP = 0x20,
    STATUS_SELF_POWERED = 0x01, // USB 2.0 figure 9-4
    STATUS_REMOTE_WAKEUP = 0x02,
};

// ---- What exists now ----

const uint8_t *usbdev_next_descriptor(const struct usbdev *dev, const uint8_t *descriptor)
{
    const uint8_t *configuration = dev->configuration;

    descriptor += descriptor[0];
    if (descriptor >= configuration + load_le16(configuration + CONFIGURATION_wTotalLength))
        return NULL;
    return descriptor;
}

static bool interface_exists(const struct usbdev *dev, uint16_t interface)
{
    const uint8_t *configuration = dev->configuration;

    return configuration && interface < configuration[CONFIGURATION_bNumInterfaces];
}

static bool alternate_exists(const struct usbdev *dev, uint16_t interface, uint16_t alternate)
{
    const uint8_t *at = dev->configuration;

    while (at && (at = usbdev_next_descriptor(dev, at)))
        if (at[1] == USB_DT_INTERFACE && at[INTERFACE_bInterfaceNumber] == interface &&
            at[INTERFACE_bAlternateSetting] == alternate)
            return true;
    return false;
}

// ---- Functions ----

const struct usbdev_function *usbdev_function_of(const struct usbdev *dev, uint8_t interface)
{
    const struct usbdev_function *function = dev->config->functions;

    for (uint8_t left = dev->config->function_count; left > 0; left--, function++)
        if ((uint8_t)(interface - function->bFirstInterface) < function->bInterfaceCount)
            return function;
    return NULL;
}

static const struct usbdev_function *function_of_device(const struct usbdev *dev)
{
    const struct usbdev_function *function = dev->config->functions;

    for (uint8_t left = dev->config->function_count; left > 0; left--, function++)
        if (function->device_requests)
            return function;
    return NULL;
}

static void tell_all(struct usbdev *dev, enum usbdev_event event)
{
    const struct usbdev_function *function = dev->config->functions;

    for (uint8_t left = dev->config->function_count; left > 0; left--, function++)
        if (function->handler->event)
            function->handler->event(function->context, event);
}

// ---- Configurations and alternates ----

static void open_endpoints(struct usbdev *dev, int interface, bool open)
{
    if (dev->config->endpoints)
        dev->config->endpoints->open(dev, interface, open);
}

static void choose_alternate(struct usbdev *dev, uint8_t interface, uint8_t alternate)
{
    const struct usbdev_function *function = usbdev_function_of(dev, interface);

    dev->alternate[interface] = alternate;
    open_endpoints(dev, interface, true);
    if (function && function->handler->set_interface)
        function->handler->set_interface(function->context, interface, alternate);
}

static void unconfigure(struct usbdev *dev)
{
    if (!dev->configuration)
        return;
    open_endpoints(dev, ALL_INTERFACES, false);
    dev->configuration = NULL;
    tell_all(dev, USBDEV_EVENT_UNCONFIGURED);
}

static void configure(struct usbdev *dev, const uint8_t *configuration)
{
    dev->configuration = configuration;
    for (uint8_t i = 0; i < configuration[CONFIGURATION_bNumInterfaces]; i++)
        choose_alternate(dev, i, 0);
}

// ---- Standard requests (USB 2.0 9.4). Each returns 0 or USBDEV_STALL. ----

static int reply_bytes(struct usbdev *dev, const uint8_t *bytes, uint16_t length)
{
    dev->request.data = (uint8_t *)(uintptr_t)bytes; // only read: the request is IN
    dev->request.length = length;
    return 0;
}

static int reply_value(struct usbdev *dev, uint16_t value, uint16_t length)
{
    store_le16(dev->scratch, value);
    dev->request.length = length;
    return 0;
}

// NULL: no such configuration.
static const uint8_t *configuration_at(const struct usbdev *dev, uint8_t index)
{
    if (index >= dev->config->device_descriptor[DEVICE_bNumConfigurations])
        return NULL;
    return dev->config->configurations[index];
}

// bmAttributes that hold now; before there is a configuration, those of the first.
static uint8_t attributes(const struct usbdev *dev)
{
    const uint8_t *configuration = dev->configuration;

    if (!configuration)
        configuration = dev->config->configurations[0];
    return configuration[CONFIGURATION_bmAttributes];
}

// USB 2.0 9.4.3
static int get_descriptor(struct usbdev *dev, const struct usb_setup *setup)
{
    const struct usbdev_config *config = dev->config;
    uint8_t index = (uint8_t)setup->wValue;
    const uint8_t *set = NULL; // begins with a descriptor that has a wTotalLength

    switch (setup->wValue >> 8) {
    case USB_DT_DEVICE:
        if (index != 0)
            return USBDEV_STALL;
        return reply_bytes(dev, config->device_descriptor, USB_DEVICE_DESCRIPTOR_SIZE);
    case USB_DT_CONFIGURATION:
        set = configuration_at(dev, index);
        break;
    case USB_DT_STRING:
        return config->strings ? config->strings->get(dev, index, setup->wIndex) : USBDEV_STALL;
    case USB_DT_BOS:
        if (index == 0)
            set = config->bos;
        break;
    }
    if (!set)
        return USBDEV_STALL;
    return reply_bytes(dev, set, load_le16(set + CONFIGURATION_wTotalLength));
}

// USB 2.0 9.4.6. The address itself changes after the status stage.
static int set_address(struct usbdev *dev, const struct usb_setup *setup)
{
    return dev->configuration || setup->wValue > 127 ? USBDEV_STALL : 0;
}

// USB 2.0 9.4.7. The current one set again starts afresh: alternates, toggles, halts.
static int set_configuration(struct usbdev *dev, const struct usb_setup *setup)
{
    const uint8_t *configuration = NULL;

    for (uint8_t i = 0; setup->wValue != 0; i++) {
        configuration = configuration_at(dev, i);
        if (!configuration)
            return USBDEV_STALL;
        if (configuration[CONFIGURATION_bConfigurationValue] == setup->wValue)
            break;
    }
    unconfigure(dev);
    if (configuration)
        configure(dev, configuration);
    return 0;
}

// USB 2.0 9.4.2
static int get_configuration(struct usbdev *dev)
{
    const uint8_t *configuration = dev->configuration;

    return reply_value(dev, configuration ? configuration[CONFIGURATION_bConfigurationValue] : 0,
                       1);
}

// USB 2.0 9.4.4
static int get_interface(struct usbdev *dev, const struct usb_setup *setup)
{
    if (!interface_exists(dev, setup->wIndex))
        return USBDEV_STALL;
    return reply_value(dev, dev->alternate[setup->wIndex], 1);
}

// USB 2.0 9.4.10
static int set_interface(struct usbdev *dev, const struct usb_setup *setup)
{
    if (!alternate_exists(dev, setup->wIndex, setup->wValue))
        return USBDEV_STALL;
    open_endpoints(dev, setup->wIndex, false);
    choose_alternate(dev, (uint8_t)setup->wIndex, (uint8_t)setup->wValue);
    return 0;
}

// USB 2.0 9.4.5
static int get_device_status(struct usbdev *dev)
{
    unsigned status = dev->remote_wakeup ? STATUS_REMOTE_WAKEUP : 0;

    if (attributes(dev) & ATTRIBUTES_SELF_POWERED)
        status |= STATUS_SELF_POWERED;
    return reply_value(dev, (uint16_t)status, 2);
}

static int get_interface_status(struct usbdev *dev, const struct usb_setup *setup)
{
    return interface_exists(dev, setup->wIndex) ? reply_value(dev, 0, 2) : USBDEV_STALL;
}

// USB 2.0 9.4.1, 9.4.9. Full speed has no other feature of the device, and none of an interface.
static int change_device_feature(struct usbdev *dev, const struct usb_setup *setup)
{
    if (setup->wValue != USB_FEATURE_DEVICE_REMOTE_WAKEUP || setup->wIndex != 0 ||
        !(attributes(dev) & ATTRIBUTES_REMOTE_WAKEUP))
        return USBDEV_STALL;
    dev->remote_wakeup = setup->bRequest == USB_SET_FEATURE;
    return 0;
}

// Endpoint 0 has no halt feature (9.4.5 requires none), but it has a status.
static int endpoint_request(struct usbdev *dev, struct usbdev_request *request)
{
    const struct usb_setup *setup = &request->setup;

    if ((setup->wIndex & ~USB_DIR_IN) == 0 && setup->bRequest == USB_GET_STATUS)
        return reply_value(dev, 0, 2);
    return dev->config->endpoints ? dev->config->endpoints->standard(dev, request) : USBDEV_STALL;
}

// bmRequestType and bRequest in one number: the whole of bmRequestType is checked.
#define REQUEST(bmRequestType, bRequest) ((bmRequestType) << 8 | (bRequest))

static int standard_request(struct usbdev *dev, const struct usb_setup *setup)
{
    enum {
        TO_DEVICE = USB_DIR_OUT | USB_RECIPIENT_DEVICE,
        TO_INTERFACE = USB_DIR_OUT | USB_RECIPIENT_INTERFACE,
        TO_ENDPOINT = USB_DIR_OUT | USB_RECIPIENT_ENDPOINT,
        FROM_DEVICE = USB_DIR_IN | USB_RECIPIENT_DEVICE,
        FROM_INTERFACE = USB_DIR_IN | USB_RECIPIENT_INTERFACE,
        FROM_ENDPOINT = USB_DIR_IN | USB_RECIPIENT_ENDPOINT,
    };

    if (!(setup->bmRequestType & USB_DIR_IN) && setup->wLength != 0)
        return USBDEV_STALL; // none that is supported brings data

    switch (REQUEST(setup->bmRequestType, setup->bRequest)) {
    case REQUEST(FROM_DEVICE, USB_GET_DESCRIPTOR):
        return get_descriptor(dev, setup);
    case REQUEST(TO_DEVICE, USB_SET_ADDRESS):
        return set_address(dev, setup);
    case REQUEST(TO_DEVICE, USB_SET_CONFIGURATION):
        return set_configuration(dev, setup);
    case REQUEST(FROM_DEVICE, USB_GET_CONFIGURATION):
        return get_configuration(dev);
    case REQUEST(TO_INTERFACE, USB_SET_INTERFACE):
        return set_interface(dev, setup);
    case REQUEST(FROM_INTERFACE, USB_GET_INTERFACE):
        return get_interface(dev, setup);
    case REQUEST(FROM_DEVICE, USB_GET_STATUS):
        return get_device_status(dev);
    case REQUEST(FROM_INTERFACE, USB_GET_STATUS):
        return get_interface_status(dev, setup);
    case REQUEST(TO_DEVICE, USB_CLEAR_FEATURE):
    case REQUEST(TO_DEVICE, USB_SET_FEATURE):
        return change_device_feature(dev, setup);
    case REQUEST(FROM_ENDPOINT, USB_GET_STATUS):
    case REQUEST(TO_ENDPOINT, USB_CLEAR_FEATURE):
    case REQUEST(TO_ENDPOINT, USB_SET_FEATURE):
        return endpoint_request(dev, &dev->request);
    }
    return USBDEV_STALL;
}

// ---- Requests for a function ----

static const struct usbdev_function *recipient(const struct usbdev *dev,
                                               const struct usb_setup *setup)
{
    uint8_t wIndex = (uint8_t)setup->wIndex;

    switch (setup->bmRequestType & USB_RECIPIENT_MASK) {
    case USB_RECIPIENT_DEVICE:
        return function_of_device(dev);
    case USB_RECIPIENT_INTERFACE:
        return interface_exists(dev, wIndex) ? usbdev_function_of(dev, wIndex) : NULL;
    case USB_RECIPIENT_ENDPOINT:
        return dev->config->endpoints ? dev->config->endpoints->owner(dev, wIndex) : NULL;
    }
    return NULL;
}

static int function_request(struct usbdev *dev, const struct usb_setup *setup)
{
    const struct usbdev_function *function = recipient(dev, setup);

    if (!function)
        return USBDEV_STALL;
    dev->owner = function;
    return function->handler->setup(function->context, &dev->request);
}

static int decide(struct usbdev *dev, const struct usb_setup *setup)
{
    bool standard = (setup->bmRequestType & USB_TYPE_MASK) == USB_TYPE_STANDARD;

    if (dev->address == 0 && !(standard && (setup->bRequest == USB_GET_DESCRIPTOR ||
                                            setup->bRequest == USB_SET_ADDRESS)))
        return USBDEV_STALL;
    if (standard && REQUEST(setup->bmRequestType, setup->bRequest) !=
                        REQUEST(USB_DIR_IN | USB_RECIPIENT_INTERFACE, USB_GET_DESCRIPTOR))
        return standard_request(dev, setup);
    return function_request(dev, setup);
}

// ---- Endpoint 0: moving the bytes (USB 2.0 8.5.3) ----

static void stall(struct usbdev *dev)
{
    dev->stage = STAGE_IDLE;
    dev->driver->ep0_stall(dev->port);
}

static uint8_t max_packet_size(const struct usbdev *dev)
{
    return dev->config->device_descriptor[DEVICE_bMaxPacketSize0];
}

static uint16_t packet_length(const struct usbdev *dev)
{
    uint16_t left = (uint16_t)(dev->request.length - dev->done);

    return left < max_packet_size(dev) ? left : max_packet_size(dev);
}

static void send_packet(struct usbdev *dev)
{
    const uint8_t *data = dev->request.data + dev->done;

    if (dev->text) {
        dev->config->strings->make_packet(dev);
        data = dev->scratch;
    }
    dev->driver->ep_in(dev->port, 0, data, packet_length(dev));
}

static void begin_data_in(struct usbdev *dev)
{
    if (dev->request.length > dev->request.setup.wLength)
        dev->request.length = dev->request.setup.wLength;
    dev->stage = STAGE_DATA_IN;
    dev->driver->ep_out(dev->port, 0); // the host may begin the status stage early
    send_packet(dev);
}

static void begin_data_out(struct usbdev *dev)
{
    dev->stage = STAGE_DATA_OUT;
    dev->request.length = 0;
    dev->driver->ep_out(dev->port, 0);
}

static void begin_status_in(struct usbdev *dev)
{
    dev->stage = STAGE_STATUS_IN;
    dev->driver->ep_in(dev->port, 0, dev->scratch, 0);
}

static void complete(struct usbdev *dev)
{
    const struct usbdev_function *owner = dev->owner;
    const struct usb_setup *setup = &dev->request.setup;

    dev->stage = STAGE_IDLE;
    if (owner) {
        if (owner->handler->complete)
            owner->handler->complete(owner->context, &dev->request);
    } else if (setup->bRequest == USB_SET_ADDRESS) {
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
    if (length < max_packet_size(dev) || dev->done == dev->request.setup.wLength)
        dev->stage = STAGE_STATUS_OUT;
    else
        send_packet(dev);
}

// More than wLength, or an end before it, is not what the SETUP promised (USB 2.0 9.3.5): STALL.
static void data_out_done(struct usbdev *dev, const uint8_t *data, uint16_t length)
{
    struct usbdev_request *request = &dev->request;
    const struct usbdev_handler *handler = dev->owner->handler;
    unsigned left = (unsigned)request->setup.wLength - request->length;

    if (length > left || (length < left && length < max_packet_size(dev))) {
        stall(dev);
        return;
    }
    for (uint16_t i = 0; i < length; i++)
        request->data[request->length++] = data[i];

    if (length < left)
        dev->driver->ep_out(dev->port, 0);
    else if (handler->data && handler->data(dev->owner->context, request) < 0)
        stall(dev);
    else
        begin_status_in(dev);
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
        data_out_done(dev, data, length);
        break;
    case STAGE_DATA_IN:
    case STAGE_STATUS_OUT: // a packet of any length will do (USB 2.0 8.5.3.1)
        complete(dev);
        break;
    case STAGE_STATUS_IN: // more data than wLength
        stall(dev);
        break;
    }
}

// ---- Events from the port ----

void usbdev_setup(struct usbdev *dev, const uint8_t setup[USB_SETUP_SIZE])
{
    struct usbdev_request *request = &dev->request;

    request->setup = usb_setup_load(setup);
    request->data = dev->scratch;
    request->length = 0;
    dev->done = 0;
    dev->text = NULL;
    dev->owner = NULL;

    if (decide(dev, &request->setup) < 0)
        stall(dev);
    else if (request->setup.wLength == 0)
        begin_status_in(dev);
    else if (request->setup.bmRequestType & USB_DIR_IN)
        begin_data_in(dev);
    else
        begin_data_out(dev);
}

void usbdev_in_done(struct usbdev *dev, uint8_t endpoint)
{
    if (endpoint == 0)
        ep0_in_done(dev);
    else if (dev->config->endpoints)
        dev->config->endpoints->in_done(dev, endpoint | USB_DIR_IN);
}

void usbdev_out_done(struct usbdev *dev, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    if (endpoint == 0)
        ep0_out_done(dev, data, length);
    else if (dev->config->endpoints)
        dev->config->endpoints->out_done(dev, endpoint, data, length);
}

void usbdev_bus_reset(struct usbdev *dev)
{
    dev->stage = STAGE_IDLE;
    dev->address = 0;
    dev->remote_wakeup = false;
    dev->suspended = false;
    unconfigure(dev);
    tell_all(dev, USBDEV_EVENT_BUS_RESET);
}

void usbdev_suspended(struct usbdev *dev)
{
    dev->suspended = true;
    tell_all(dev, USBDEV_EVENT_SUSPENDED);
}

void usbdev_resumed(struct usbdev *dev)
{
    dev->suspended = false;
    tell_all(dev, USBDEV_EVENT_RESUMED);
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
    *dev = (struct usbdev){.config = config, .driver = driver, .port = port};
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

bool usbdev_remote_wakeup(struct usbdev *dev)
{
    if (!dev->suspended || !dev->remote_wakeup)
        return false;
    dev->driver->remote_wakeup(dev->port);
    return true;
}
