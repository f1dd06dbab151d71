// SPDX-License-Identifier: MIT
//
// Transfers of an exported device: from a USB/IP command to a transfer of the simulated host
// controller and back.

#include <string.h>

#include "device_private.h"

// ---- Requests that mean something to the host ----

static bool is_reset_request(const struct usbdev_setup_packet *setup)
{
    enum { PORT_RESET = 4 }; // USB 2.0 table 11-17

    return setup->bmRequestType == (USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_OTHER) &&
           setup->bRequest == USBDEV_SET_FEATURE && setup->wValue == PORT_RESET &&
           setup->wLength == 0;
}

static bool shows_reset(const struct usbdev_setup_packet *setup)
{
    return setup->bmRequestType == USBDEV_DIR_IN && setup->bRequest == USBDEV_GET_DESCRIPTOR &&
           setup->wValue == USBDEV_DT_DEVICE << 8 && (setup->wLength == 64 || setup->wLength == 8);
}

static bool is_set_address(const struct usbdev_setup_packet *setup)
{
    return setup->bmRequestType == USBDEV_DIR_OUT && setup->bRequest == USBDEV_SET_ADDRESS;
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

static int32_t urb_status(const struct usbip_device *device, int result)
{
    if (result == USB_CANCELLED)
        return USBIP_STATUS_ECONNRESET;
    if (result != USB_GONE)
        return usb_result_errno(result);
    if (device->enumerating || !sim_host_connected(device->host))
        return USBIP_STATUS_ESHUTDOWN;
    return USBIP_STATUS_EPROTO;
}

static void transfer_done(struct sim_transfer *transfer)
{
    struct usbip_urb *urb = transfer->context;

    complete(urb, urb_status(urb->device, transfer->status), transfer->actual);
}

static void start(struct usbip_urb *urb)
{
    if (sim_host_submit(urb->device->host, &urb->transfer) < 0)
        complete(urb, USBIP_STATUS_ENODEV, 0);
}

// The data stage is what the SETUP says; the message around it must say the same, or host and
// device would disagree on how many bytes move.
static bool fits_setup(const struct usbip_command *command, const struct usbdev_setup_packet *setup)
{
    if (command->length != setup->wLength)
        return false;
    return setup->wLength == 0 || command->in == ((setup->bmRequestType & USBDEV_DIR_IN) != 0);
}

// The line about the reset that a transfer stands for; NULL if it stands for none.
static const char *reset_meant(const struct usbip_urb *urb)
{
    const struct usbdev_setup_packet setup = usbdev_setup_load(urb->command.setup);

    if (urb->command.endpoint != 0 || !fits_setup(&urb->command, &setup))
        return NULL;
    if (is_reset_request(&setup))
        return "bus reset requested";
    return shows_reset(&setup) ? "bus reset inferred" : NULL;
}

static void submit_control(struct usbip_device *device, struct usbip_urb *urb)
{
    const struct usbdev_setup_packet setup = usbdev_setup_load(urb->command.setup);

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
        device_tell_client(device);
        return;
    }
    urb->transfer = (struct sim_transfer){
        .type = USBDEV_ENDPOINT_CONTROL,
        .wMaxPacketSize = sim_host_max_packet0(device->host),
        .data = urb->data,
        .length = urb->command.length,
        .done = transfer_done,
        .context = urb,
    };
    memcpy(urb->transfer.setup, urb->command.setup, USBDEV_SETUP_SIZE);
    start(urb);
}

static void submit_data(struct usbip_device *device, struct usbip_urb *urb)
{
    uint8_t address = (uint8_t)(urb->command.endpoint | (urb->command.in ? USBDEV_DIR_IN : 0));
    const uint8_t *endpoint = usb_core_find_endpoint(&device->core, address);

    if (!endpoint) { // on a real bus no device would answer
        complete(urb, USBIP_STATUS_EPROTO, 0);
        return;
    }
    urb->transfer = (struct sim_transfer){
        .zero_packet = (urb->command.flags & USBIP_ZERO_PACKET) != 0,
        .data = urb->data,
        .length = urb->command.length,
        .done = transfer_done,
        .context = urb,
    };
    if (usb_core_prepare(&urb->transfer, endpoint))
        start(urb);
    else
        complete(urb, USBIP_STATUS_EINVAL, 0);
}

static void tell_submitted(const struct usbip_device *device, const struct usbip_urb *urb)
{
    if (device->observer.submitted)
        device->observer.submitted(device->observer_context, device, urb);
}

void device_carry_out(struct usbip_device *device, struct usbip_urb *urb)
{
    tell_submitted(device, urb);
    if (device->reset_end_ns) { // another one waits for its end
        complete(urb, USBIP_STATUS_ESHUTDOWN, 0);
    } else if (!device->present) {
        complete(urb, USBIP_STATUS_ENODEV, 0);
        device_tell_client(device);
    } else if (urb->command.endpoint == 0) {
        submit_control(device, urb);
    } else {
        submit_data(device, urb);
    }
}

// The observer is told of a transfer after the reset that it stands for: the note is about this
// one, and what the reset ended has ended before.
void usbip_device_submit(struct usbip_device *device, struct usbip_urb *urb)
{
    const char *meant = reset_meant(urb);

    urb->device = device;
    urb->status = USBIP_STATUS_OK;
    urb->actual = 0;
    device->asked++;
    if (!meant || device->reset_end_ns) {
        device_carry_out(device, urb);
        return;
    }
    device_note(device, "%s", meant);
    device->after_reset = urb;
    device_reset(device);
}

void usbip_device_unlink(struct usbip_device *device, struct usbip_urb *urb)
{
    if (urb != device->after_reset) {
        sim_host_cancel(device->host, &urb->transfer);
        return;
    }
    device->after_reset = NULL; // the reset goes on
    tell_submitted(device, urb);
    complete(urb, USBIP_STATUS_ECONNRESET, 0);
}
