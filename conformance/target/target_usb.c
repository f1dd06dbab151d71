// SPDX-License-Identifier: MIT
//
// A device on this machine's USB bus, through libusb.
//
// usbfs forbids class requests to interfaces and endpoints that do not exist, so there is no
// TARGET_CAN_RAW here. A device behind USB/IP (vhci_hcd) takes some lengths of
// GET_DESCRIPTOR(DEVICE) for a bus reset, so there is no TARGET_CAN_ANY_LENGTH there.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "run_command.h"
#include "target_usb_private.h"
#include "wall_clock.h"
#include <usb/descriptors.h>

static int error_of(int result)
{
    switch ((enum libusb_error)result) {
    case LIBUSB_SUCCESS:
        return 0;
    case LIBUSB_ERROR_PIPE:
        return USB_STALL;
    case LIBUSB_ERROR_TIMEOUT:
        return USB_TIMEOUT;
    case LIBUSB_ERROR_NO_DEVICE:
        return USB_GONE;
    case LIBUSB_ERROR_OVERFLOW:
        return USB_OVERFLOW;
    case LIBUSB_ERROR_NOT_FOUND:
    case LIBUSB_ERROR_NOT_SUPPORTED:
        return USB_UNSUPPORTED;
    case LIBUSB_ERROR_IO:
    case LIBUSB_ERROR_INVALID_PARAM:
    case LIBUSB_ERROR_ACCESS:
    case LIBUSB_ERROR_BUSY:
    case LIBUSB_ERROR_INTERRUPTED:
    case LIBUSB_ERROR_NO_MEM:
    case LIBUSB_ERROR_OTHER:
        break;
    }
    return USB_IO;
}

// ---- Transfers ----

// The device has left as soon as any call says so; when it returns it has another handle.
static int finish(struct target_usb *usb, int result)
{
    if (result >= 0)
        return result;
    int error = error_of(result);
    if (error == USB_GONE)
        usb_forget_handle(usb);
    return error;
}

static const struct usb_endpoint *find_endpoint(const struct usb_configuration *config,
                                                uint8_t bEndpointAddress)
{
    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (config->endpoints[i].bEndpointAddress == bEndpointAddress)
            return &config->endpoints[i];
    }
    return NULL;
}

// Endpoints other than 0 need their interface claimed; it stays so until the end.
static const struct usb_endpoint *
claim_endpoint(struct target_usb *usb, struct usb_configuration *config, uint8_t bEndpointAddress)
{
    const struct target_descriptors *descriptors = &usb->base.descriptors;
    if (!configuration_parse(config, descriptors->configuration, descriptors->configuration_length))
        return NULL;
    const struct usb_endpoint *endpoint = find_endpoint(config, bEndpointAddress);
    if (!endpoint || endpoint->interface < 0 ||
        usb_claim(usb, config->interfaces[endpoint->interface].bInterfaceNumber) < 0)
        return NULL;
    return endpoint;
}

// usbfs claims the interface that a request names by itself, and then refuses SET_CONFIGURATION
// while that is claimed: it must be known here, to be released. Where it cannot be claimed, usbfs
// says so.
static void claim_recipient(struct target_usb *usb, const struct usbdev_setup_packet *setup)
{
    struct usb_configuration config;
    switch (setup->bmRequestType & USBDEV_RECIPIENT_MASK) {
    case USBDEV_RECIPIENT_INTERFACE:
        usb_claim(usb, (uint8_t)setup->wIndex);
        break;
    case USBDEV_RECIPIENT_ENDPOINT:
        claim_endpoint(usb, &config, (uint8_t)setup->wIndex);
        break;
    }
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct target_usb *usb = usb_of(target);
    if (!usb->handle)
        return USB_GONE;
    claim_recipient(usb, setup);
    int result =
        libusb_control_transfer(usb->handle, setup->bmRequestType, setup->bRequest, setup->wValue,
                                setup->wIndex, data, setup->wLength, timeout_ms);
    if (result >= 0 || result == LIBUSB_ERROR_PIPE)
        usb->heard_us = wall_clock_us();
    return finish(usb, result);
}

static int transfer(struct target *target,
                    uint8_t bEndpointAddress,
                    uint8_t *data,
                    size_t length,
                    unsigned timeout_ms)
{
    struct target_usb *usb = usb_of(target);
    struct usb_configuration config;
    if (!usb->handle)
        return USB_GONE;
    const struct usb_endpoint *endpoint = claim_endpoint(usb, &config, bEndpointAddress);
    if (!endpoint)
        return USB_UNSUPPORTED;

    int moved = 0;
    int result = (endpoint->bmAttributes & 3) == USBDEV_ENDPOINT_INTERRUPT
                     ? libusb_interrupt_transfer(usb->handle, bEndpointAddress, data, (int)length,
                                                 &moved, timeout_ms)
                     : libusb_bulk_transfer(usb->handle, bEndpointAddress, data, (int)length,
                                            &moved, timeout_ms);
    return result == 0 ? moved : finish(usb, result);
}

static int set_configuration(struct target *target, uint8_t value)
{
    struct target_usb *usb = usb_of(target);
    if (!usb->handle)
        return USB_GONE;
    usb_release_all(usb); // or usbfs says "busy"
    int result = libusb_set_configuration(usb->handle, value ? value : -1);
    if (result == 0 && value)
        result = usb_claim_dfu(usb);
    return finish(usb, result);
}

static int set_interface(struct target *target, uint8_t interface, uint8_t alternate)
{
    struct target_usb *usb = usb_of(target);
    if (!usb->handle)
        return USB_GONE;
    int result = usb_claim(usb, interface);
    if (result == 0)
        result = libusb_set_interface_alt_setting(usb->handle, interface, alternate);
    return finish(usb, result);
}

static int clear_halt(struct target *target, uint8_t bEndpointAddress)
{
    struct target_usb *usb = usb_of(target);
    struct usb_configuration config;
    if (!usb->handle)
        return USB_GONE;
    if (!claim_endpoint(usb, &config, bEndpointAddress))
        return USB_UNSUPPORTED;
    return finish(usb, libusb_clear_halt(usb->handle, bEndpointAddress));
}

static int reset(struct target *target)
{
    struct target_usb *usb = usb_of(target);
    return usb->handle ? usb_reset(usb) : USB_GONE;
}

// Once: the device may be lost again and again.
static void tell_failure(struct target_usb *usb, int status)
{
    if (!usb->power_told && status < 0)
        fprintf(stderr, "dfu-conformance: power=%s did not end by itself\n", usb->power);
    else if (!usb->power_told)
        fprintf(stderr, "dfu-conformance: power=%s failed, with status %d\n", usb->power, status);
    usb->power_told = true;
}

// The command is given half a minute; what it says goes to standard error. A device that loses its
// power leaves the bus; if it stays, the command switched something else.
static int power_cycle(struct target *target)
{
    enum { COMMAND_MS = 30000, LEAVE_MS = 5000, RETURN_MS = 30000 };
    struct target_usb *usb = usb_of(target);
    int status = run_command(usb->power, COMMAND_MS);
    if (status != 0) {
        tell_failure(usb, status);
        return USB_IO;
    }
    int result = usb_wait_leave(target, LEAVE_MS);
    return result < 0 ? result : usb_wait_return(target, RETURN_MS);
}

static void give_configuration_back(struct target_usb *usb)
{
    int active;
    if (usb->handle && usb->found_configuration &&
        libusb_get_configuration(usb->handle, &active) == 0 && active != usb->found_configuration)
        set_configuration(&usb->base, (uint8_t)usb->found_configuration);
}

static uint64_t late_us(struct target *target)
{
    return lateness_us(usb_of(target)->lateness);
}

static void close_usb(struct target *target)
{
    struct target_usb *usb = usb_of(target);
    lateness_close(usb->lateness);
    give_configuration_back(usb);
    usb_forget_handle(usb);
    libusb_exit(usb->anchor);
    free(usb);
}

static const struct target_ops usb_ops = {
    .control = control,
    .transfer = transfer,
    .set_configuration = set_configuration,
    .set_interface = set_interface,
    .clear_halt = clear_halt,
    .reset = reset,
    .power_cycle = power_cycle,
    .wait_leave = usb_wait_leave,
    .wait_return = usb_wait_return,
    .now_us = wall_clock_now_us,
    .sleep_ms = wall_clock_sleep_ms,
    .late_us = late_us,
    .close = close_usb,
};

static bool say_no_libusb(int result, char *error, size_t size)
{
    bool missing = access("/dev/bus/usb", F_OK) < 0;
    snprintf(error, size, "libusb does not start: %s",
             missing ? "/dev/bus/usb is missing (in a container: give it the host's /dev/bus/usb)"
                     : libusb_strerror(result));
    return false;
}

static bool
open_device(struct target_usb *usb, const struct target_spec *spec, char *error, size_t size)
{
    libusb_context *context;
    int result = libusb_init(&context);
    if (result < 0)
        return say_no_libusb(result, error, size);
    libusb_device_handle *handle = usb_open_chosen(context, spec, error, size);
    if (!handle) {
        libusb_exit(context);
        return false;
    }
    struct usb_seen seen;
    usb_locate(libusb_get_device(handle), &seen);
    result = usb_adopt(usb, handle, context, -1, &seen);
    if (result < 0)
        usb_say_not_opened(spec, &seen, result, error, size);
    return result == 0;
}

struct target *target_usb_open(const struct target_spec *spec, char *error, size_t size)
{
    struct target_usb *usb = calloc(1, sizeof *usb);
    if (!usb) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    usb->base.ops = &usb_ops;
    usb->node = -1;
    snprintf(usb->power, sizeof usb->power, "%s", spec->power);
    snprintf(usb->follow.named, sizeof usb->follow.named, "%s", spec->serial);
    usb->follow.only_place = *spec->path != '\0';
    usb->follow.vendor = spec->vendor;
    usb->follow.product = spec->product;
    usb->follow.dfu_vendor = spec->dfu_vendor;
    usb->follow.dfu_product = spec->dfu_product;
    int result = libusb_init(&usb->anchor);
    if (result < 0) {
        say_no_libusb(result, error, size);
        free(usb);
        return NULL;
    }
    usb->lateness = lateness_open();
    if (!usb->lateness) {
        snprintf(error, size, "%s", LATENESS_NOT_OPENED);
        close_usb(&usb->base);
        return NULL;
    }
    if (!open_device(usb, spec, error, size)) {
        close_usb(&usb->base);
        return NULL;
    }
    return &usb->base;
}
