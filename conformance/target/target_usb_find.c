// SPDX-License-Identifier: MIT
//
// All devices of libusb's list are compared with the SPEC; only one that matches by its ids is
// opened, to read its serial number. Exactly one match is a result; none and several are errors
// that say what to add.
//
// Where a device is now comes from sysfs; only without sysfs the bus is scanned by a new libusb
// context, which costs more time.

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target_usb_find.h"
#include "usb_sysfs.h"

// "1-4.2", as sysfs spells it; a root hub is "usb1" there and no target.
static void usb_path(libusb_device *device, char path[USB_PLACE_SIZE])
{
    uint8_t ports[7];
    int count = libusb_get_port_numbers(device, ports, sizeof ports);
    int used = snprintf(path, USB_PLACE_SIZE, "%u", libusb_get_bus_number(device));
    for (int i = 0; i < count && used < USB_PLACE_SIZE; i++)
        used +=
            snprintf(path + used, USB_PLACE_SIZE - (size_t)used, "%c%u", i ? '.' : '-', ports[i]);
}

void usb_serial(libusb_device_handle *handle, char serial[TARGET_TEXT])
{
    struct libusb_device_descriptor descriptor;
    serial[0] = '\0';
    if (libusb_get_device_descriptor(libusb_get_device(handle), &descriptor) == 0 &&
        descriptor.iSerialNumber &&
        libusb_get_string_descriptor_ascii(handle, descriptor.iSerialNumber,
                                           (unsigned char *)serial, TARGET_TEXT) < 0)
        serial[0] = '\0';
}

// The address at a place by a scan of the bus, which is slow.
static int address_in_scan(const char *place, int address_before)
{
    libusb_context *context;
    libusb_device **list;
    int address = 0;
    if (libusb_init(&context) < 0)
        return address_before; // nothing was learnt
    ssize_t count = libusb_get_device_list(context, &list);
    for (ssize_t i = 0; i < count; i++) {
        char path[USB_PLACE_SIZE];
        usb_path(list[i], path);
        if (strcmp(path, place) == 0)
            address = libusb_get_device_address(list[i]);
    }
    if (count >= 0)
        libusb_free_device_list(list, 1);
    libusb_exit(context);
    return address;
}

int usb_address_at(const char *path, int address)
{
    int found = usb_sysfs_address(USB_SYSFS, path);
    return found < 0 ? address_in_scan(path, address) : found;
}

// ---- Which device: the first open ----

struct places {
    unsigned count;
    char text[160];
};

struct choice {
    libusb_device *device;
    struct places chosen, others;  // others: the ids alone match
    char fault[TARGET_FAULT_TEXT]; // why a serial number could not be read
};

static bool node_fault(libusb_device *device, char *text, size_t size)
{
    return usb_node_fault(libusb_get_bus_number(device), libusb_get_device_address(device), text,
                          size);
}

static bool serial_matches(libusb_device *device, const char *wanted, struct choice *choice)
{
    libusb_device_handle *handle;
    char serial[TARGET_TEXT];
    if (!*wanted)
        return true;
    if (libusb_open(device, &handle) < 0) {
        node_fault(device, choice->fault, sizeof choice->fault);
        return false;
    }
    usb_serial(handle, serial);
    libusb_close(handle);
    return strcmp(serial, wanted) == 0;
}

static void add_place(struct places *places, const char *path)
{
    size_t used = strlen(places->text);
    snprintf(places->text + used, sizeof places->text - used, "%spath=%s",
             places->count ? " or " : "", path);
    places->count++;
}

static void consider(struct choice *choice, libusb_device *device, const struct target_spec *spec)
{
    struct libusb_device_descriptor descriptor;
    char path[USB_PLACE_SIZE];
    usb_path(device, path);
    if (libusb_get_device_descriptor(device, &descriptor) < 0 ||
        descriptor.idVendor != spec->vendor || descriptor.idProduct != spec->product)
        return;
    if ((*spec->path && strcmp(path, spec->path) != 0) ||
        !serial_matches(device, spec->serial, choice)) {
        add_place(&choice->others, path);
        return;
    }
    add_place(&choice->chosen, path);
    choice->device = device;
}

static void
say_no_device(const struct target_spec *spec, const struct choice *choice, char *error, size_t size)
{
    const char *hint = "is it plugged in? (lsusb)";
    if (access("/dev/bus/usb", F_OK) < 0)
        hint = "/dev/bus/usb is missing, so no device can be opened (in a container: give it the "
               "host's /dev/bus/usb)";
    if (choice->chosen.count > 1)
        snprintf(error, size, "%u devices are %04x:%04x%s%s: add %s%s", choice->chosen.count,
                 spec->vendor, spec->product, *spec->serial ? " with serial number " : "",
                 spec->serial, choice->chosen.text, *spec->serial ? "" : ", or serial=");
    else if (*choice->fault)
        snprintf(error, size, "the serial number of a device %04x:%04x cannot be read: %s",
                 spec->vendor, spec->product, choice->fault);
    else
        snprintf(error, size, "no USB device %04x:%04x%s%s%s%s: %s%s", spec->vendor, spec->product,
                 *spec->path ? " at path " : "", spec->path,
                 *spec->serial ? " with serial number " : "", spec->serial,
                 choice->others.count ? "with these ids there is " : "",
                 choice->others.count ? choice->others.text : hint);
}

void usb_locate(libusb_device *device, struct usb_seen *seen)
{
    *seen = (struct usb_seen){
        .bus = libusb_get_bus_number(device),
        .address = libusb_get_device_address(device),
    };
    usb_path(device, seen->place);
}

// The device node gives a more precise reason than libusb's error.
void usb_say_not_opened(const struct target_spec *spec,
                        const struct usb_seen *seen,
                        int result,
                        char *error,
                        size_t size)
{
    char fault[TARGET_FAULT_TEXT];
    if (!usb_node_fault(seen->bus, seen->address, fault, sizeof fault))
        snprintf(fault, sizeof fault, "%s%s", libusb_strerror(result),
                 result == LIBUSB_ERROR_BUSY ? ": another program or driver uses its DFU interface"
                                             : "");
    snprintf(error, size, "USB device %04x:%04x at %s, address %u: %s", spec->vendor, spec->product,
             seen->place, seen->address, fault);
}

libusb_device_handle *
usb_open_chosen(libusb_context *context, const struct target_spec *spec, char *error, size_t size)
{
    struct choice choice = {.device = NULL};
    libusb_device_handle *handle = NULL;
    libusb_device **list;
    ssize_t count = libusb_get_device_list(context, &list);
    for (ssize_t i = 0; i < count; i++)
        consider(&choice, list[i], spec);

    if (choice.chosen.count != 1) {
        say_no_device(spec, &choice, error, size);
    } else {
        int result = libusb_open(choice.device, &handle);
        if (result < 0) {
            struct usb_seen seen;
            handle = NULL;
            usb_locate(choice.device, &seen);
            usb_say_not_opened(spec, &seen, result, error, size);
        }
    }
    if (count >= 0)
        libusb_free_device_list(list, 1);
    return handle;
}
