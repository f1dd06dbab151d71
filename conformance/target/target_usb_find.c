// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target_usb_find.h"

// "1-4.2", as sysfs spells it; a root hub is "usb1" there and no target.
void usb_path(libusb_device *device, char path[USB_PATH_SIZE])
{
    uint8_t ports[7];
    int count = libusb_get_port_numbers(device, ports, sizeof ports);
    int used = snprintf(path, USB_PATH_SIZE, "%u", libusb_get_bus_number(device));
    for (int i = 0; i < count && used < USB_PATH_SIZE; ++i)
        used +=
            snprintf(path + used, USB_PATH_SIZE - (size_t)used, "%c%u", i ? '.' : '-', ports[i]);
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

bool usb_has_dfu_interface(libusb_device *device)
{
    struct libusb_config_descriptor *config;
    bool found = false;
    if (libusb_get_active_config_descriptor(device, &config) < 0)
        return false;
    for (unsigned i = 0; i < config->bNumInterfaces; ++i) {
        const struct libusb_interface *interface = &config->interface[i];
        for (int j = 0; j < interface->num_altsetting; ++j) {
            const struct libusb_interface_descriptor *alternate = &interface->altsetting[j];
            found |= alternate->bInterfaceClass == DFURT_INTERFACE_CLASS &&
                     alternate->bInterfaceSubClass == DFURT_INTERFACE_SUBCLASS;
        }
    }
    libusb_free_config_descriptor(config);
    return found;
}

// A number that sysfs keeps of the device at a place, or -1.
static long long number_in_sysfs(const char *place, const char *name)
{
    char path[USB_PATH_SIZE + sizeof "/sys/bus/usb/devices//power/connected_duration"];
    long long number = -1;
    snprintf(path, sizeof path, "/sys/bus/usb/devices/%s/%s", place, name);
    FILE *in = fopen(path, "re");
    if (!in)
        return -1;
    if (fscanf(in, "%lld", &number) != 1)
        number = -1;
    fclose(in);
    return number;
}

uint64_t usb_connected_us(const char *path, uint64_t now_us)
{
    long long ms = number_in_sysfs(path, "power/connected_duration");
    return ms < 0 || (uint64_t)ms * 1000 > now_us ? 0 : now_us - (uint64_t)ms * 1000;
}

// The address of what is at this place; 0 if nothing is, -1 if this machine has no sysfs to say so.
static int address_in_sysfs(const char *place)
{
    if (access("/sys/bus/usb/devices", F_OK) < 0)
        return -1;
    long long address = number_in_sysfs(place, "devnum");
    return address < 0 ? 0 : (int)address;
}

// The same by a scan of the bus, which is dear.
static int address_in_scan(const char *place, int address_before)
{
    libusb_context *context;
    libusb_device **list;
    int address = 0;
    if (libusb_init(&context) < 0)
        return address_before; // nothing was learnt
    ssize_t count = libusb_get_device_list(context, &list);
    for (ssize_t i = 0; i < count; ++i) {
        char path[USB_PATH_SIZE];
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
    int found = address_in_sysfs(path);
    return found < 0 ? address_in_scan(path, address) : found;
}

// ---- Which device: the first open ----

struct choice {
    libusb_device *device;
    unsigned count;
    bool no_permission; // a serial number could not be read for want of it
    char paths[160];    // of all that match, for the message
};

static bool serial_matches(libusb_device *device, const char *wanted, struct choice *choice)
{
    libusb_device_handle *handle;
    char serial[TARGET_TEXT];
    if (!*wanted)
        return true;
    int result = libusb_open(device, &handle);
    if (result < 0) {
        choice->no_permission |= result == LIBUSB_ERROR_ACCESS;
        return false;
    }
    usb_serial(handle, serial);
    libusb_close(handle);
    return strcmp(serial, wanted) == 0;
}

static void consider(struct choice *choice, libusb_device *device, const struct target_spec *spec)
{
    struct libusb_device_descriptor descriptor;
    char path[USB_PATH_SIZE];
    usb_path(device, path);
    if (libusb_get_device_descriptor(device, &descriptor) < 0 ||
        descriptor.idVendor != spec->vendor || descriptor.idProduct != spec->product ||
        (*spec->path && strcmp(path, spec->path) != 0) ||
        !serial_matches(device, spec->serial, choice))
        return;

    size_t used = strlen(choice->paths);
    snprintf(choice->paths + used, sizeof choice->paths - used, "%spath=%s",
             choice->count ? " or " : "", path);
    choice->device = device;
    ++choice->count;
}

static void
say_no_device(const struct target_spec *spec, const struct choice *choice, char *error, size_t size)
{
    if (choice->count > 1)
        snprintf(error, size, "%u devices are %04x:%04x: add %s, or serial=", choice->count,
                 spec->vendor, spec->product, choice->paths);
    else if (choice->no_permission)
        snprintf(error, size,
                 "no permission to read the serial number of %04x:%04x: run as root, or install "
                 "the udev rule",
                 spec->vendor, spec->product);
    else
        snprintf(error, size, "no USB device %04x:%04x%s%s%s%s: is it plugged in? (lsusb)",
                 spec->vendor, spec->product, *spec->path ? " at path " : "", spec->path,
                 *spec->serial ? " with serial number " : "", spec->serial);
}

void usb_say_not_opened(const struct target_spec *spec, int result, char *error, size_t size)
{
    const char *remedy = "";
    if (result == LIBUSB_ERROR_ACCESS)
        remedy = ": run as root, or install the udev rule";
    else if (result == LIBUSB_ERROR_BUSY)
        remedy = ": another program or driver uses its DFU interface";
    snprintf(error, size, "cannot open USB device %04x:%04x: %s%s", spec->vendor, spec->product,
             libusb_strerror(result), remedy);
}

// Open the one device that matches. Returns NULL with one line in error.
libusb_device_handle *
usb_open_chosen(libusb_context *context, const struct target_spec *spec, char *error, size_t size)
{
    struct choice choice = {.device = NULL};
    libusb_device_handle *handle = NULL;
    libusb_device **list;
    ssize_t count = libusb_get_device_list(context, &list);
    for (ssize_t i = 0; i < count; ++i)
        consider(&choice, list[i], spec);

    if (choice.count != 1) {
        say_no_device(spec, &choice, error, size);
    } else {
        int result = libusb_open(choice.device, &handle);
        if (result < 0) {
            handle = NULL;
            usb_say_not_opened(spec, result, error, size);
        }
    }
    if (count >= 0)
        libusb_free_device_list(list, 1);
    return handle;
}
