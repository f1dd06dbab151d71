// SPDX-License-Identifier: MIT

#include "usbip_device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usbip_endpoints.h"

enum {
    MAX_CONFIGURATIONS = 4,
    MAX_CONFIGURATION = 4096, // bytes of one
    MAX_INTERFACES = 32,
};

static const uint64_t appear_ns = 2000 * SIM_MS;   // for a device to come (back) to the bus
static const uint64_t catch_up_ns = 1000 * SIM_MS; // wall time that is made up for, at most
static const uint64_t answer_ns = 500 * SIM_MS;    // for a descriptor (USB 2.0 9.2.6.4)
static const uint64_t slice_ns = 10 * SIM_MS;      // of busy bus in one usbip_device_run()

struct configuration {
    uint8_t bytes[MAX_CONFIGURATION];
    size_t length; // as received, whatever the descriptor says
};

struct usbip_device {
    struct sim_host *host;
    struct usbip_observer observer;
    void *observer_context;

    struct usbip_record record;
    struct usbip_interface interfaces[MAX_INTERFACES];
    struct configuration configurations[MAX_CONFIGURATIONS];
    size_t configuration_count;
    const struct configuration *active; // or NULL
    struct usbip_endpoints endpoints;

    bool present;   // on the bus and enumerated
    bool failed;    // on the bus, and enumerating it failed
    bool resetting; // a reset is under way: leaving the bus means nothing
    bool in_use;
    bool touched;  // its client has sent something
    bool troubled; // and a person has been told
    void (*left)(void *context);
    void *left_context;

    uint64_t wall_ns; // of the last usbip_device_run()
};

__attribute__((format(printf, 2, 3))) static void
note(const struct usbip_device *device, const char *format, ...)
{
    char text[200];
    va_list arguments;

    if (!device->observer.note)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    device->observer.note(device->observer_context, device, text);
}

// ---- Enumerating ----

static int
get_descriptor(struct usbip_device *device, uint8_t type, uint8_t index, uint8_t *data, size_t size)
{
    const struct usb_setup setup = {
        .bmRequestType = USB_DIR_IN,
        .bRequest = USB_GET_DESCRIPTOR,
        .wValue = (uint16_t)(type << 8 | index),
        .wLength = (uint16_t)size,
    };

    return sim_host_control(device->host, &setup, data, answer_ns);
}

static void read_configuration(struct usbip_device *device, uint8_t index)
{
    struct configuration *configuration = &device->configurations[index];
    size_t total;
    int length;

    configuration->length = 0;
    length = get_descriptor(device, USB_DT_CONFIGURATION, index, configuration->bytes,
                            USB_CONFIGURATION_DESCRIPTOR_SIZE);
    if (length < USB_CONFIGURATION_DESCRIPTOR_SIZE)
        return;
    total = load_le16(configuration->bytes + 2);
    if (total > sizeof configuration->bytes)
        total = sizeof configuration->bytes;
    length = get_descriptor(device, USB_DT_CONFIGURATION, index, configuration->bytes, total);
    if (length >= USB_CONFIGURATION_DESCRIPTOR_SIZE)
        configuration->length = (size_t)length;
}

// Interfaces as alternate setting 0 of the first configuration shows them.
static void list_interfaces(struct usbip_device *device)
{
    const uint8_t *bytes = device->configurations[0].bytes;
    size_t left = device->configuration_count ? device->configurations[0].length : 0;
    uint8_t count = 0;

    while (left >= 2 && bytes[0] >= 2 && bytes[0] <= left && count < MAX_INTERFACES) {
        if (bytes[1] == USB_DT_INTERFACE && bytes[0] >= USB_INTERFACE_DESCRIPTOR_SIZE &&
            bytes[3] == 0)
            device->interfaces[count++] = (struct usbip_interface){bytes[5], bytes[6], bytes[7]};
        left -= bytes[0];
        bytes += bytes[0];
    }
    device->record.bNumInterfaces = count;
}

static void describe(struct usbip_device *device, const uint8_t *descriptor)
{
    struct usbip_record *record = &device->record;

    record->bDeviceClass = descriptor[4];
    record->bDeviceSubClass = descriptor[5];
    record->bDeviceProtocol = descriptor[6];
    record->idVendor = load_le16(descriptor + 8);
    record->idProduct = load_le16(descriptor + 10);
    record->bcdDevice = load_le16(descriptor + 12);
    record->bNumConfigurations = descriptor[17];
    record->bConfigurationValue = 0;
}

static int read_descriptors(struct usbip_device *device)
{
    uint8_t descriptor[USB_DEVICE_DESCRIPTOR_SIZE];
    int length = get_descriptor(device, USB_DT_DEVICE, 0, descriptor, sizeof descriptor);

    if (length < 0)
        return length;
    if (length < USB_DEVICE_DESCRIPTOR_SIZE)
        return SIM_ERR_PROTOCOL;
    describe(device, descriptor);
    device->configuration_count = descriptor[17];
    if (device->configuration_count > MAX_CONFIGURATIONS)
        device->configuration_count = MAX_CONFIGURATIONS;
    for (size_t i = 0; i < device->configuration_count; i++)
        read_configuration(device, (uint8_t)i);
    list_interfaces(device);
    return 0;
}

// Leaves the device in the Address state.
static int enumerate(struct usbip_device *device)
{
    int result;

    device->resetting = true;
    device->active = NULL;
    usbip_endpoints_clear(&device->endpoints);
    result = sim_host_enumerate(device->host, appear_ns);
    if (result == 0)
        result = read_descriptors(device);
    device->resetting = false;
    device->present = result == 0;
    device->failed = result < 0 && sim_host_connected(device->host);
    if (device->failed)
        note(device, "the device does not enumerate: %s", sim_status_name(result));
    return result;
}

// ---- Leaving and coming back ----

static void tell_client(struct usbip_device *device)
{
    if (device->in_use && !device->present)
        device->left(device->left_context);
}

static void disconnected(void *context)
{
    struct usbip_device *device = context;

    if (device->resetting)
        return;
    if (device->present)
        note(device, "left the bus");
    device->present = false;
    device->failed = false;
    tell_client(device);
}

static void welcome(struct usbip_device *device)
{
    // Linux counts device numbers from 1 to 127, a new one for each arrival.
    device->record.devnum = device->record.devnum % 127 + 1;
    if (enumerate(device) == 0)
        note(device, "on the bus: %04x:%04x", device->record.idVendor, device->record.idProduct);
}

static void tell_trouble(struct usbip_device *device)
{
    struct sim_device *sim = sim_host_device(device->host);
    const char *trouble = sim->ops->trouble ? sim->ops->trouble(sim) : NULL;

    if (!trouble || device->troubled)
        return;
    device->troubled = true;
    note(device, "%s", trouble);
}

// ---- Opening ----

struct usbip_device *usbip_device_open(struct sim_device *sim,
                                       unsigned port,
                                       const struct usbip_observer *observer,
                                       void *context)
{
    static const struct sim_host_events events = {.disconnected = disconnected};
    struct usbip_device *device = calloc(1, sizeof *device);

    if (device)
        device->host = sim_host_open(sim, &events, device);
    if (!device || !device->host) {
        sim->ops->close(sim);
        free(device);
        return NULL;
    }
    if (observer)
        device->observer = *observer;
    device->observer_context = context;
    device->record.busnum = 1;
    device->record.devnum = port + 1; // the root hub is 1
    device->record.speed = USBIP_SPEED_FULL;
    snprintf(device->record.bus_id, sizeof device->record.bus_id, "1-%u", port);
    snprintf(device->record.path, sizeof device->record.path, "/sys/devices/dfu-sim/usb1/1-%u",
             port);
    if (enumerate(device) == SIM_ERR_NO_DEVICE)
        note(device, "the device does not come to the bus: its pull-up is off");
    tell_trouble(device);
    return device;
}

void usbip_device_close(struct usbip_device *device)
{
    if (!device)
        return;
    device->resetting = true; // nobody is to be told
    sim_host_close(device->host);
    free(device);
}

// ---- Questions ----

const struct usbip_record *usbip_device_record(const struct usbip_device *device)
{
    return &device->record;
}

const struct usbip_interface *usbip_device_interfaces(const struct usbip_device *device)
{
    return device->interfaces;
}

uint64_t usbip_device_now_ns(const struct usbip_device *device)
{
    return sim_host_now(device->host);
}

enum usbip_op_status usbip_device_availability(const struct usbip_device *device)
{
    if (device->in_use)
        return USBIP_OP_BUSY;
    if (device->failed)
        return USBIP_OP_DEVICE_ERROR;
    return device->present ? USBIP_OP_OK : USBIP_OP_NO_DEVICE;
}

bool usbip_device_needs_time(const struct usbip_device *device)
{
    return device->in_use || !device->present;
}

// ---- Reset ----

// Whether there is a device after it. Pending transfers end.
static bool reset_bus(struct usbip_device *device)
{
    const struct usbip_record before = device->record;

    // What was submitted before the reset comes before it on the bus too.
    sim_host_run_busy(device->host, sim_host_now(device->host) + slice_ns);
    if (!device->present)
        return false;
    if (enumerate(device) < 0) {
        note(device, "the device did not come back from the reset");
        return false;
    }
    if (before.idVendor != device->record.idVendor || before.idProduct != device->record.idProduct)
        note(device, "the reset turned %04x:%04x into %04x:%04x", before.idVendor, before.idProduct,
             device->record.idVendor, device->record.idProduct);
    return true;
}

static bool is_reset_request(const struct usb_setup *setup)
{
    enum { PORT_RESET = 4 }; // USB 2.0 table 11-17

    return setup->bmRequestType == (USB_TYPE_CLASS | USB_RECIPIENT_OTHER) &&
           setup->bRequest == USB_SET_FEATURE && setup->wValue == PORT_RESET && setup->wLength == 0;
}

static bool shows_reset(const struct usb_setup *setup)
{
    return setup->bmRequestType == USB_DIR_IN && setup->bRequest == USB_GET_DESCRIPTOR &&
           setup->wValue == USB_DT_DEVICE << 8 && (setup->wLength == 64 || setup->wLength == 8);
}

static bool is_set_address(const struct usb_setup *setup)
{
    return setup->bmRequestType == USB_DIR_OUT && setup->bRequest == USB_SET_ADDRESS;
}

// ---- Transfers ----

static void complete(struct usbip_urb *urb, int32_t status, size_t actual)
{
    struct usbip_device *device = urb->device;

    urb->actual = actual < urb->command.length ? (uint32_t)actual : urb->command.length;
    urb->status = status;
    if (status == USBIP_STATUS_OK && urb->command.in && urb->command.flags & USBIP_SHORT_NOT_OK &&
        urb->actual < urb->command.length)
        urb->status = USBIP_STATUS_EREMOTEIO;
    if (device->observer.completed)
        device->observer.completed(device->observer_context, device, urb);
    urb->done(urb);
}

static int32_t urb_status(const struct usbip_device *device, int status)
{
    switch ((enum sim_status)status) {
    case SIM_OK:
        return USBIP_STATUS_OK;
    case SIM_ERR_STALL:
        return USBIP_STATUS_EPIPE;
    case SIM_ERR_OVERFLOW:
        return USBIP_STATUS_EOVERFLOW;
    case SIM_ERR_CANCELLED:
        return USBIP_STATUS_ECONNRESET;
    case SIM_ERR_NO_DEVICE:
        return USBIP_STATUS_ENODEV;
    case SIM_ERR_GONE:
        if (device->resetting || !sim_host_connected(device->host))
            return USBIP_STATUS_ESHUTDOWN;
        return USBIP_STATUS_EPROTO;
    case SIM_ERR_TIMEOUT:
    case SIM_ERR_PROTOCOL:
        return USBIP_STATUS_EPROTO;
    }
    return USBIP_STATUS_EPROTO;
}

static void choose_configuration(struct usbip_device *device, uint8_t bConfigurationValue)
{
    device->active = NULL;
    device->record.bConfigurationValue = bConfigurationValue;
    usbip_endpoints_clear(&device->endpoints);
    for (size_t i = 0; i < device->configuration_count; i++) {
        const struct configuration *it = &device->configurations[i];

        if (it->length == 0 || it->bytes[5] != bConfigurationValue || bConfigurationValue == 0)
            continue;
        device->active = it;
        usbip_endpoints_configure(&device->endpoints, it->bytes, it->length);
        return;
    }
}

// USB 2.0 9.4.10: the endpoints of the chosen alternate start with DATA0. The host controller does
// the same for SET_CONFIGURATION and CLEAR_FEATURE by itself.
static void choose_alternate(struct usbip_device *device, uint8_t interface, uint8_t alternate)
{
    if (!device->active)
        return;
    usbip_endpoints_set_interface(&device->endpoints, device->active->bytes, device->active->length,
                                  interface, alternate);
    for (size_t i = 0; i < sizeof device->endpoints.at / sizeof *device->endpoints.at; i++)
        if (device->endpoints.at[i].exists && device->endpoints.at[i].bInterfaceNumber == interface)
            sim_host_reset_toggle(device->host, usbip_endpoints_address(i));
}

// What an accepted request changes on the host's side.
static void follow_request(struct usbip_device *device, const struct usb_setup *setup)
{
    if (setup->bmRequestType == USB_RECIPIENT_DEVICE && setup->bRequest == USB_SET_CONFIGURATION)
        choose_configuration(device, (uint8_t)setup->wValue);
    if (setup->bmRequestType == USB_RECIPIENT_INTERFACE && setup->bRequest == USB_SET_INTERFACE)
        choose_alternate(device, (uint8_t)setup->wIndex, (uint8_t)setup->wValue);
}

static void transfer_done(struct sim_transfer *transfer)
{
    struct usbip_urb *urb = transfer->context;
    const struct usb_setup setup = usb_setup_load(transfer->setup);

    if (transfer->type == USB_ENDPOINT_CONTROL && transfer->status == SIM_OK)
        follow_request(urb->device, &setup);
    complete(urb, urb_status(urb->device, transfer->status), transfer->actual);
}

static void start(struct usbip_urb *urb)
{
    int result = sim_host_submit(urb->device->host, &urb->transfer);

    if (result < 0)
        complete(urb, urb_status(urb->device, result), 0);
}

// The data stage is what the SETUP says; the message around it must say the same, or host and
// device would disagree on how many bytes move.
static bool fits_setup(const struct usbip_command *command, const struct usb_setup *setup)
{
    if (command->length != setup->wLength)
        return false;
    return setup->wLength == 0 || command->in == ((setup->bmRequestType & USB_DIR_IN) != 0);
}

// What a person is to know of the reset that a transfer stands for; NULL if it stands for none.
static const char *reset_meant(const struct usbip_urb *urb)
{
    const struct usb_setup setup = usb_setup_load(urb->command.setup);

    if (urb->command.endpoint != 0 || !fits_setup(&urb->command, &setup))
        return NULL;
    if (is_reset_request(&setup))
        return "bus reset requested";
    return shows_reset(&setup) ? "bus reset inferred" : NULL;
}

// Before the observer is told of the transfer: the note is about this one, and what the reset ended
// has ended before.
static bool reset_before(struct usbip_device *device, const struct usbip_urb *urb)
{
    const char *meant = reset_meant(urb);

    if (!meant)
        return true;
    note(device, "%s", meant);
    return reset_bus(device);
}

static void submit_control(struct usbip_device *device, struct usbip_urb *urb)
{
    const struct usb_setup setup = usb_setup_load(urb->command.setup);

    if (!fits_setup(&urb->command, &setup)) {
        complete(urb, USBIP_STATUS_EINVAL, 0);
        return;
    }
    if (is_set_address(&setup)) {
        complete(urb, USBIP_STATUS_EPERM, 0);
        return;
    }
    if (is_reset_request(&setup)) { // and that is done
        complete(urb, USBIP_STATUS_OK, 0);
        tell_client(device);
        return;
    }
    urb->transfer = (struct sim_transfer){
        .type = USB_ENDPOINT_CONTROL,
        .wMaxPacketSize = sim_host_max_packet0(device->host),
        .data = urb->data,
        .length = urb->command.length,
        .done = transfer_done,
        .context = urb,
    };
    memcpy(urb->transfer.setup, urb->command.setup, USB_SETUP_SIZE);
    start(urb);
}

static void submit_data(struct usbip_device *device, struct usbip_urb *urb)
{
    uint8_t address = (uint8_t)(urb->command.endpoint | (urb->command.in ? USB_DIR_IN : 0));
    const struct usbip_endpoint *endpoint = usbip_endpoints_find(&device->endpoints, address);

    if (!endpoint) { // on a real bus nobody would answer
        complete(urb, USBIP_STATUS_EPROTO, 0);
        return;
    }
    if (endpoint->type != USB_ENDPOINT_BULK && endpoint->type != USB_ENDPOINT_INTERRUPT) {
        complete(urb, USBIP_STATUS_EINVAL, 0);
        return;
    }
    urb->transfer = (struct sim_transfer){
        .endpoint = address,
        .type = endpoint->type,
        .wMaxPacketSize = endpoint->wMaxPacketSize,
        .bInterval = endpoint->bInterval,
        .zero_packet = (urb->command.flags & USBIP_ZERO_PACKET) != 0,
        .data = urb->data,
        .length = urb->command.length,
        .done = transfer_done,
        .context = urb,
    };
    start(urb);
}

void usbip_device_submit(struct usbip_device *device, struct usbip_urb *urb)
{
    bool alive;

    urb->device = device;
    urb->status = USBIP_STATUS_OK;
    urb->actual = 0;
    device->touched = true;
    alive = reset_before(device, urb);
    if (device->observer.submitted)
        device->observer.submitted(device->observer_context, device, urb);
    if (!alive) {
        complete(urb, USBIP_STATUS_ENODEV, 0);
        tell_client(device);
    } else if (urb->command.endpoint == 0)
        submit_control(device, urb);
    else
        submit_data(device, urb);
}

void usbip_device_unlink(struct usbip_device *device, struct usbip_urb *urb)
{
    sim_host_cancel(device->host, &urb->transfer);
}

// ---- Use ----

enum usbip_op_status
usbip_device_import(struct usbip_device *device, void (*left)(void *context), void *context)
{
    enum usbip_op_status status = usbip_device_availability(device);

    if (status != USBIP_OP_OK)
        return status;
    device->in_use = true;
    device->touched = false;
    device->left = left;
    device->left_context = context;
    return USBIP_OP_OK;
}

void usbip_device_release(struct usbip_device *device)
{
    device->in_use = false;
    if (device->present && device->touched)
        reset_bus(device);
}

bool usbip_device_run(struct usbip_device *device, uint64_t wall_ns)
{
    uint64_t elapsed = device->wall_ns ? wall_ns - device->wall_ns : 0;
    uint64_t limit;

    device->wall_ns = wall_ns;
    if (elapsed > catch_up_ns)
        elapsed = catch_up_ns;
    sim_host_run_until(device->host, sim_host_now(device->host) + elapsed);
    limit = sim_host_now(device->host) + slice_ns;
    sim_host_run_busy(device->host, limit);
    if (!device->present && !device->failed && sim_host_connected(device->host))
        welcome(device);
    tell_trouble(device);
    return sim_host_now(device->host) >= limit;
}
