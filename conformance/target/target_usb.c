// SPDX-License-Identifier: MIT
//
// A device on this machine's USB bus, through libusb.
//
// How it is followed. A device that leaves and comes back keeps its place: the bus number and the
// ports on the way (BUS-PORTS in sysfs), while Linux gives it another address. So it has left when
// nothing is at its place, or something of another address; and it is back when that can be opened.
// usb_follow.h decides about devices at another place.
//
// To look, sysfs is read, and the device node that it names is opened. If that fails, a new libusb
// context is made, which scans the bus: a long-lived one is informed of changes by udev only, and
// in containers and small guests no udevd runs. One context stays open all the time, so that
// libusb's udev monitor is not opened and closed each time.
//
// usbfs forbids class requests to interfaces and endpoints that do not exist, so there is no
// TARGET_CAN_RAW here. A device behind USB/IP (vhci_hcd) takes some lengths of
// GET_DESCRIPTOR(DEVICE) for a bus reset, so there is no TARGET_CAN_ANY_LENGTH there.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libusb.h>

#include "run_command.h"
#include "target_requests.h"
#include "target_usb_find.h"
#include "usb_follow.h"
#include "usb_sysfs.h"
#include <conformance/target.h>
#include <usb/descriptors.h>

enum {
    POLL_MS = 10,
    ELSEWHERE_AFTER_MS = 2000, // during this time only the old place counts
};

struct target_usb {
    struct target base;
    libusb_context *anchor;       // open from the first to the last
    libusb_context *context;      // of the handle, where a scan found the device; else NULL
    int node;                     // its open device node, where sysfs did; else -1
    libusb_device_handle *handle; // NULL while the device is away
    struct usb_follow follow;     // where it is, and what it is told by
    uint64_t heard_us;            // when it answered last
    uint64_t claimed[4];          // interface numbers, a bit each
    int found_configuration;      // that this host had selected, and that is selected at the end
    char power[TARGET_TEXT];      // the command that cycles its power; empty: there is none
};

static struct target_usb *usb_of(struct target *target)
{
    return (struct target_usb *)target;
}

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

static enum target_speed speed_of(libusb_device *device)
{
    switch (libusb_get_device_speed(device)) {
    case LIBUSB_SPEED_LOW:
        return TARGET_SPEED_LOW;
    case LIBUSB_SPEED_FULL:
        return TARGET_SPEED_FULL;
    case LIBUSB_SPEED_HIGH:
        return TARGET_SPEED_HIGH;
    case LIBUSB_SPEED_SUPER:
    case LIBUSB_SPEED_SUPER_PLUS:
        return TARGET_SPEED_SUPER;
    default:
        return TARGET_SPEED_UNKNOWN;
    }
}

// ---- Opening what was found ----

// With the configuration that is active, the first one where none is; or with one that has DFU,
// where that one has not. Drivers at the interfaces of the active one keep it.
static int read_descriptors(struct target_usb *usb)
{
    struct target *target = &usb->base;
    int result = libusb_get_configuration(usb->handle, &usb->found_configuration);
    if (result < 0)
        return result;
    result = target_read_dfu_descriptors(target, (uint8_t)usb->found_configuration);
    uint8_t wanted = target->descriptors.configuration[5];
    if (result < 0 || usb->found_configuration == 0 || wanted == usb->found_configuration)
        return result;
    if (libusb_set_configuration(usb->handle, wanted) == 0)
        return 0;
    snprintf(target->fault, sizeof target->fault,
             "DFU is in configuration %u, and this host does not select it while drivers use "
             "configuration %d: unbind them (echo INTERFACE > /sys/bus/usb/drivers/NAME/unbind)",
             wanted, usb->found_configuration);
    return target_read_descriptors(target, (uint8_t)usb->found_configuration);
}

static int claim(struct target_usb *usb, uint8_t interface)
{
    uint64_t bit = UINT64_C(1) << interface % 64;
    if (usb->claimed[interface / 64] & bit)
        return 0;
    int result = libusb_claim_interface(usb->handle, interface);
    if (result == 0)
        usb->claimed[interface / 64] |= bit;
    return result;
}

static void release_all(struct target_usb *usb)
{
    for (int interface = 0; interface <= UINT8_MAX; interface++) {
        if (usb->claimed[interface / 64] & UINT64_C(1) << interface % 64)
            libusb_release_interface(usb->handle, interface);
    }
    memset(usb->claimed, 0, sizeof usb->claimed);
}

static int claim_dfu(struct target_usb *usb)
{
    struct usb_configuration config;
    const struct target_descriptors *descriptors = &usb->base.descriptors;
    if (!configuration_parse(&config, descriptors->configuration,
                             descriptors->configuration_length))
        return 0;
    const struct usb_interface *dfu = configuration_dfu_interface(&config);
    return dfu ? claim(usb, dfu->bInterfaceNumber) : 0;
}

static void forget_handle(struct target_usb *usb)
{
    if (!usb->handle)
        return;
    release_all(usb);
    libusb_close(usb->handle);
    if (usb->context)
        libusb_exit(usb->context);
    if (usb->node >= 0)
        close(usb->node);
    usb->handle = NULL;
    usb->context = NULL;
    usb->node = -1;
}

// Is the device a virtual one behind USB/IP? Then its port is a child of vhci_hcd.
static bool behind_usbip(const char *path)
{
    char link[PATH_MAX];
    snprintf(link, sizeof link, "/sys/bus/usb/devices/%s", path);
    char *real = realpath(link, NULL);
    bool found = real && strstr(real, "vhci_hcd");
    free(real);
    return found;
}

// A device that is plugged in beside ours is not ours after ours has left.
static void look_around(struct target_usb *usb)
{
    usb_list_read(&usb->follow.before, USB_SYSFS);
    usb_sysfs_peer(USB_SYSFS, usb->follow.place, usb->follow.peer);
    usb->heard_us = now_us(&usb->base);
}

static void say_where(struct target_usb *usb)
{
    uint64_t age_ms = usb_sysfs_age_ms(USB_SYSFS, usb->follow.place);
    uint64_t now = now_us(&usb->base);
    usb->base.connected_us = age_ms > now / 1000 ? 0 : now - age_ms * 1000;
    snprintf(usb->base.where, sizeof usb->base.where, "path %s, address %u", usb->follow.place,
             usb->follow.address);
}

// Take a handle into use, with its context or its device node. Returns 0, or a libusb error, and
// then everything is closed.
static int adopt(struct target_usb *usb,
                 libusb_device_handle *handle,
                 libusb_context *context,
                 int node,
                 const struct usb_seen *seen)
{
    usb->handle = handle;
    usb->context = context;
    usb->node = node;
    usb->base.fault[0] = '\0';
    usb->base.control_limit = 4096; // libusb on Linux carries no more
    int result = read_descriptors(usb) < 0 ? LIBUSB_ERROR_IO : claim_dfu(usb);
    if (result < 0) {
        forget_handle(usb);
        return result;
    }
    // Only now, because until then the device is waited for at its old place.
    memcpy(usb->follow.place, seen->place, sizeof usb->follow.place);
    usb->follow.address = seen->address;
    usb_serial(handle, usb->follow.serial);
    look_around(usb);
    say_where(usb);
    usb->base.speed = speed_of(libusb_get_device(handle));
    usb->base.capabilities = TARGET_CAN_RESET | (*usb->power ? TARGET_CAN_POWER : 0);
    if (!behind_usbip(usb->follow.place))
        usb->base.capabilities |= TARGET_CAN_ANY_LENGTH;
    return 0;
}

// ---- Leaving and coming back ----

static int address_now(const struct target_usb *usb)
{
    return usb_address_at(usb->follow.place, (int)usb->follow.address);
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct target_usb *usb = usb_of(target);
    uint64_t end_us = now_us(target) + timeout_ms * UINT64_C(1000);
    while (usb->handle) {
        if (address_now(usb) != (int)usb->follow.address) {
            forget_handle(usb);
            break;
        }
        if (now_us(target) >= end_us)
            return USB_TIMEOUT;
        sleep_ms(target, POLL_MS);
    }
    return 0;
}

// By libusb's own list: what sysfs has shown, or, where there is no sysfs, what is at its place.
// udev may set the permissions a moment later, so a failed open is not an error here.
static bool return_by_scan(struct target_usb *usb, const struct usb_seen *wanted)
{
    libusb_context *context;
    libusb_device **list;
    libusb_device_handle *handle = NULL;
    struct usb_seen seen;
    if (libusb_init(&context) < 0)
        return false;
    ssize_t count = libusb_get_device_list(context, &list);
    for (ssize_t i = 0; i < count && !handle; i++) {
        usb_locate(list[i], &seen);
        bool found = wanted ? seen.bus == wanted->bus && seen.address == wanted->address
                            : strcmp(seen.place, usb->follow.place) == 0 &&
                                  seen.address != usb->follow.address;
        if (found && libusb_open(list[i], &handle) < 0)
            handle = NULL;
    }
    if (count >= 0)
        libusb_free_device_list(list, 1);
    if (!handle)
        libusb_exit(context);
    return handle && adopt(usb, handle, context, -1, &seen) == 0;
}

// The same without a scan, which takes a second in a guest: sysfs has said what to open.
static bool return_by_node(struct target_usb *usb, const struct usb_seen *seen)
{
    char name[64];
    libusb_device_handle *handle;
    snprintf(name, sizeof name, "/dev/bus/usb/%03u/%03u", seen->bus, seen->address);
    int node = open(name, O_RDWR | O_CLOEXEC);
    if (node < 0)
        return false;
    if (libusb_wrap_sys_device(usb->anchor, node, &handle) < 0) {
        close(node);
        return false;
    }
    return adopt(usb, handle, NULL, node, seen) == 0;
}

static uint64_t heard_ms(struct target_usb *usb)
{
    return (now_us(&usb->base) - usb->heard_us) / 1000;
}

// Returns whether it is there and in use; fault says why one that is there is not.
static bool try_return(struct target_usb *usb, bool elsewhere)
{
    static struct usb_list now;
    const struct usb_seen *seen;
    char names[100];
    char node[200];
    char *fault = usb->base.fault;
    if (usb_sysfs_address(USB_SYSFS, usb->follow.place) < 0)
        return return_by_scan(usb, NULL);
    usb_list_read(&now, USB_SYSFS);
    fault[0] = '\0';
    switch (usb_follow_choose(&usb->follow, &now, heard_ms(usb), elsewhere, &seen, names,
                              sizeof names)) {
    case USB_FOLLOW_NONE:
        return false;
    case USB_FOLLOW_SEVERAL:
        snprintf(fault, TARGET_FAULT_TEXT,
                 "which device came back cannot be told: %.100s; name its place with path=", names);
        return false;
    case USB_FOLLOW_FOUND:
        break;
    }
    if (return_by_node(usb, seen) || return_by_scan(usb, seen))
        return true;
    if (usb_node_fault(seen->bus, seen->address, node, sizeof node))
        snprintf(fault, TARGET_FAULT_TEXT, "the device is back as %04x:%04x at %s, but %.199s",
                 seen->idVendor, seen->idProduct, seen->place, node);
    return false;
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct target_usb *usb = usb_of(target);
    uint64_t start_us = now_us(target);
    while (!usb->handle) {
        uint64_t waited_ms = (now_us(target) - start_us) / 1000;
        if (try_return(usb, waited_ms >= ELSEWHERE_AFTER_MS))
            break;
        if (waited_ms >= timeout_ms)
            return *target->fault ? USB_IO : USB_TIMEOUT;
        sleep_ms(target, POLL_MS);
    }
    return 0;
}

// ---- Transfers ----

// The device has left as soon as any call says so; when it returns it has another handle.
static int finish(struct target_usb *usb, int result)
{
    if (result >= 0)
        return result;
    int error = error_of(result);
    if (error == USB_GONE)
        forget_handle(usb);
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
        claim(usb, config->interfaces[endpoint->interface].bInterfaceNumber) < 0)
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
        claim(usb, (uint8_t)setup->wIndex);
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
        usb->heard_us = now_us(target);
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
    release_all(usb); // or usbfs says "busy"
    int result = libusb_set_configuration(usb->handle, value ? value : -1);
    if (result == 0 && value)
        result = claim_dfu(usb);
    return finish(usb, result);
}

static int set_interface(struct target *target, uint8_t interface, uint8_t alternate)
{
    struct target_usb *usb = usb_of(target);
    if (!usb->handle)
        return USB_GONE;
    int result = claim(usb, interface);
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

// Any failure means that the device did not come back with the same descriptors; wait_return()
// finds it.
static int reset(struct target *target)
{
    struct target_usb *usb = usb_of(target);
    if (!usb->handle)
        return USB_GONE;
    look_around(usb);
    if (libusb_reset_device(usb->handle) == 0)
        return 0;
    forget_handle(usb);
    return USB_GONE;
}

// The command is given half a minute; what it says goes to standard error. A device that loses its
// power leaves the bus; if it stays, the command switched something else.
static int power_cycle(struct target *target)
{
    enum { COMMAND_MS = 30000, LEAVE_MS = 5000, RETURN_MS = 30000 };
    struct target_usb *usb = usb_of(target);
    if (run_command(usb->power, COMMAND_MS) != 0)
        return USB_IO;
    int result = wait_leave(target, LEAVE_MS);
    return result < 0 ? result : wait_return(target, RETURN_MS);
}

static void give_configuration_back(struct target_usb *usb)
{
    int active;
    if (usb->handle && usb->found_configuration &&
        libusb_get_configuration(usb->handle, &active) == 0 && active != usb->found_configuration)
        set_configuration(&usb->base, (uint8_t)usb->found_configuration);
}

static void close_usb(struct target *target)
{
    struct target_usb *usb = usb_of(target);
    give_configuration_back(usb);
    forget_handle(usb);
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
    .wait_leave = wait_leave,
    .wait_return = wait_return,
    .now_us = now_us,
    .sleep_ms = sleep_ms,
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
    result = adopt(usb, handle, context, -1, &seen);
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
    if (!open_device(usb, spec, error, size)) {
        close_usb(&usb->base);
        return NULL;
    }
    return &usb->base;
}
