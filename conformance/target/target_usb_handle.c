// SPDX-License-Identifier: MIT
//
// Opening the device that was found, claiming its interfaces, resetting its port, and closing it.

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target_requests.h"
#include "target_usb_private.h"
#include "usb_sysfs.h"
#include "wall_clock.h"
#include <usb/descriptors.h>

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

int usb_claim(struct target_usb *usb, uint8_t interface)
{
    uint64_t bit = UINT64_C(1) << interface % 64;
    if (usb->claimed[interface / 64] & bit)
        return 0;
    int result = libusb_claim_interface(usb->handle, interface);
    if (result == 0)
        usb->claimed[interface / 64] |= bit;
    return result;
}

void usb_release_all(struct target_usb *usb)
{
    for (int interface = 0; interface <= UINT8_MAX; interface++) {
        if (usb->claimed[interface / 64] & UINT64_C(1) << interface % 64)
            libusb_release_interface(usb->handle, interface);
    }
    memset(usb->claimed, 0, sizeof usb->claimed);
}

int usb_claim_dfu(struct target_usb *usb)
{
    struct usb_configuration config;
    const struct target_descriptors *descriptors = &usb->base.descriptors;
    if (!configuration_parse(&config, descriptors->configuration,
                             descriptors->configuration_length))
        return 0;
    const struct usb_interface *dfu = configuration_dfu_interface(&config);
    return dfu ? usb_claim(usb, dfu->bInterfaceNumber) : 0;
}

void usb_forget_handle(struct target_usb *usb)
{
    if (!usb->handle)
        return;
    usb_release_all(usb);
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
    snprintf(link, sizeof link, USB_SYSFS "/%s", path);
    char *real = realpath(link, NULL);
    bool found = real && strstr(real, "vhci_hcd");
    free(real);
    return found;
}

void usb_look_around(struct target_usb *usb)
{
    usb_list_read(&usb->follow.before, USB_SYSFS);
    usb_sysfs_peer(USB_SYSFS, usb->follow.place, usb->follow.peer);
    usb->heard_us = wall_clock_us();
}

// libusb releases the interfaces first and claims them again at the end: what it could not claim is
// NOT_FOUND, and so is a device that the kernel has given up. The kernel is asked for a driver,
// which tells them apart without a request to the device.
int usb_reset(struct target_usb *usb)
{
    usb_look_around(usb);
    int result = libusb_reset_device(usb->handle);
    if (result == 0)
        return 0;
    if (libusb_kernel_driver_active(usb->handle, 0) == LIBUSB_ERROR_NO_DEVICE) {
        usb_forget_handle(usb);
        return USB_GONE;
    }
    usb_release_all(usb);
    return usb_claim_dfu(usb) == 0 && result == LIBUSB_ERROR_NOT_FOUND ? 0 : USB_IO;
}

static void say_where(struct target_usb *usb)
{
    uint64_t age_ms = usb_sysfs_age_ms(USB_SYSFS, usb->follow.place);
    uint64_t now = wall_clock_us();
    usb->base.connected_us = age_ms > now / 1000 ? 0 : now - age_ms * 1000;
    snprintf(usb->base.where, sizeof usb->base.where, "path %s, address %u", usb->follow.place,
             usb->follow.address);
}

int usb_adopt(struct target_usb *usb,
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
    int result = read_descriptors(usb) < 0 ? LIBUSB_ERROR_IO : usb_claim_dfu(usb);
    if (result < 0) {
        usb_forget_handle(usb);
        return result;
    }
    // Only now, because until then the device is waited for at its old place.
    memcpy(usb->follow.place, seen->place, sizeof usb->follow.place);
    usb->follow.address = seen->address;
    usb->follow.idVendor = usbdev_load_le16(usb->base.descriptors.device + 8);
    usb->follow.idProduct = usbdev_load_le16(usb->base.descriptors.device + 10);
    usb_serial(handle, usb->follow.serial);
    usb_look_around(usb);
    if (!*usb->follow.first)
        memcpy(usb->follow.first, seen->place, sizeof usb->follow.first);
    usb->base.moved = usb_follow_moved(&usb->follow);
    say_where(usb);
    usb->base.speed = speed_of(libusb_get_device(handle));
    usb->base.capabilities =
        TARGET_CAN_RESET | TARGET_KNOWS_LATENESS | (*usb->power ? TARGET_CAN_POWER : 0);
    if (!behind_usbip(usb->follow.place))
        usb->base.capabilities |= TARGET_CAN_ANY_LENGTH;
    return 0;
}
