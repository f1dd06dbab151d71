// SPDX-License-Identifier: MIT
//
// What a host learns of a device when it enumerates it. The answers of a defective device are kept
// as far as possible, so that its client sees them too.

#include "device_private.h"

#include <usb/descriptors.h>

// Interfaces as alternate setting 0 of the first configuration shows them.
static void list_interfaces(struct usbip_device *device)
{
    struct descriptor_walk walk;
    struct descriptor it;
    size_t length;
    const uint8_t *bytes = usb_core_configuration(&device->core, 0, &length);
    uint8_t count = 0;

    descriptor_walk_start(&walk, bytes, length);
    while (count < MAX_INTERFACES && descriptor_walk_next(&walk, &it))
        if (it.bDescriptorType == USBDEV_DT_INTERFACE &&
            it.bLength >= USBDEV_INTERFACE_DESCRIPTOR_SIZE && it.bytes[3] == 0)
            device->interfaces[count++] =
                (struct usbip_interface){it.bytes[5], it.bytes[6], it.bytes[7]};
    device->record.bNumInterfaces = count;
}

static enum usbip_speed speed_of(const struct usbip_device *device)
{
    switch (sim_host_device(device->host)->speed) {
    case SIM_LOW_SPEED:
        return USBIP_SPEED_LOW;
    case SIM_FULL_SPEED:
        return USBIP_SPEED_FULL;
    case SIM_HIGH_SPEED:
        return USBIP_SPEED_HIGH;
    case SIM_SUPER_SPEED:
        return USBIP_SPEED_SUPER;
    }
    return USBIP_SPEED_FULL;
}

static void describe(struct usbip_device *device, const uint8_t *descriptor)
{
    struct usbip_record *record = &device->record;

    record->speed = speed_of(device);
    record->bDeviceClass = descriptor[4];
    record->bDeviceSubClass = descriptor[5];
    record->bDeviceProtocol = descriptor[6];
    record->idVendor = usbdev_load_le16(descriptor + 8);
    record->idProduct = usbdev_load_le16(descriptor + 10);
    record->bcdDevice = usbdev_load_le16(descriptor + 12);
    record->bNumConfigurations = descriptor[17];
    record->bConfigurationValue = 0;
}

void device_begin_enumeration(struct usbip_device *device, uint64_t timeout_ns)
{
    device->enumerating = true;
    device->present = false;
    device->failed = false;
    usb_core_begin(&device->core, timeout_ns);
}

int device_enumerate(struct usbip_device *device, uint64_t limit_ns)
{
    int result = usb_core_go_on(&device->core, limit_ns);

    if (result == SIM_UNDER_WAY)
        return result;
    if (result == 0) {
        describe(device, device->core.descriptors);
        list_interfaces(device);
    }
    device->enumerating = false;
    device->present = result == 0;
    device->failed = result < 0 && sim_host_connected(device->host);
    const char *fault = sim_host_fault(device->host);
    if (device->failed)
        device_note(device, "the device does not enumerate: %s",
                    *fault ? fault : usb_result_text(result));
    return result;
}
