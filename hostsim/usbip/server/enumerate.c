// SPDX-License-Identifier: MIT
//
// What a host learns of a device when it enumerates it. Whatever a defective device answers is kept
// as far as it can be: its client is to see it too.

#include "device_private.h"

static const uint64_t appear_ns = 2000 * SIM_MS; // for a device to come (back) to the bus
static const uint64_t answer_ns = 500 * SIM_MS;  // for a descriptor (USB 2.0 9.2.6.4)

static int
get_descriptor(struct usbip_device *device, uint8_t type, uint8_t index, uint8_t *data, size_t size)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = USBDEV_DIR_IN,
        .bRequest = USBDEV_GET_DESCRIPTOR,
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
    length = get_descriptor(device, USBDEV_DT_CONFIGURATION, index, configuration->bytes,
                            USBDEV_CONFIGURATION_DESCRIPTOR_SIZE);
    if (length < USBDEV_CONFIGURATION_DESCRIPTOR_SIZE)
        return;
    total = usbdev_load_le16(configuration->bytes + 2);
    if (total > sizeof configuration->bytes)
        total = sizeof configuration->bytes;
    length = get_descriptor(device, USBDEV_DT_CONFIGURATION, index, configuration->bytes, total);
    if (length >= USBDEV_CONFIGURATION_DESCRIPTOR_SIZE)
        configuration->length = (size_t)length;
}

// Interfaces as alternate setting 0 of the first configuration shows them.
static void list_interfaces(struct usbip_device *device)
{
    const uint8_t *bytes = device->configurations[0].bytes;
    size_t left = device->configuration_count ? device->configurations[0].length : 0;
    uint8_t count = 0;

    while (left >= 2 && bytes[0] >= 2 && bytes[0] <= left && count < MAX_INTERFACES) {
        if (bytes[1] == USBDEV_DT_INTERFACE && bytes[0] >= USBDEV_INTERFACE_DESCRIPTOR_SIZE &&
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
    record->idVendor = usbdev_load_le16(descriptor + 8);
    record->idProduct = usbdev_load_le16(descriptor + 10);
    record->bcdDevice = usbdev_load_le16(descriptor + 12);
    record->bNumConfigurations = descriptor[17];
    record->bConfigurationValue = 0;
}

static int read_descriptors(struct usbip_device *device)
{
    uint8_t descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    int length = get_descriptor(device, USBDEV_DT_DEVICE, 0, descriptor, sizeof descriptor);

    if (length < 0)
        return length;
    if (length < USBDEV_DEVICE_DESCRIPTOR_SIZE)
        return USB_IO;
    describe(device, descriptor);
    device->configuration_count = descriptor[17];
    if (device->configuration_count > MAX_CONFIGURATIONS)
        device->configuration_count = MAX_CONFIGURATIONS;
    for (size_t i = 0; i < device->configuration_count; i++)
        read_configuration(device, (uint8_t)i);
    list_interfaces(device);
    return 0;
}

int device_enumerate(struct usbip_device *device)
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
        device_note(device, "the device does not enumerate: %s", usb_result_text(result));
    return result;
}
