// SPDX-License-Identifier: MIT
//
// The configuration is read twice, as a host does: 9 bytes for wTotalLength, then all of it. With
// several configurations each index is read until the one with the wanted bConfigurationValue is
// found.

#include <string.h>

#include "target_requests.h"
#include <usb/descriptors.h>
#include <usb/requests.h>

static int send(struct target *target, struct usbdev_setup_packet setup)
{
    int result = target->ops->control(target, &setup, NULL, TARGET_ENUMERATION_MS);
    return result > 0 ? 0 : result;
}

int target_request_set_configuration(struct target *target, uint8_t value)
{
    return send(target, usb_set_configuration(value));
}

int target_request_set_interface(struct target *target, uint8_t interface, uint8_t alternate)
{
    return send(target, usb_set_interface(interface, alternate));
}

int target_request_clear_halt(struct target *target, uint8_t bEndpointAddress)
{
    return send(target, usb_clear_halt(bEndpointAddress));
}

// ---- Descriptors ----

// At least `least` bytes of what is asked for, or an error.
static int
read_at_least(struct target *target, struct usbdev_setup_packet setup, uint8_t *data, int least)
{
    int result = target->ops->control(target, &setup, data, TARGET_ENUMERATION_MS);
    return result >= 0 && result < least ? USB_IO : result;
}

static int read_descriptor(
    struct target *target, uint8_t type, uint8_t index, uint8_t *data, uint16_t length, int least)
{
    return read_at_least(target, usb_get_descriptor(type, index, 0, length), data, least);
}

static int read_configuration(struct target *target, uint8_t index)
{
    struct target_descriptors *descriptors = &target->descriptors;
    uint8_t *bytes = descriptors->configuration;
    enum { HEADER = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE };
    int result = read_descriptor(target, USBDEV_DT_CONFIGURATION, index, bytes, HEADER, HEADER);
    if (result < 0)
        return result;
    uint16_t total = usbdev_load_le16(bytes + 2);
    if (target->control_limit && total > target->control_limit)
        total = target->control_limit;
    result = read_descriptor(target, USBDEV_DT_CONFIGURATION, index, bytes, total, HEADER);
    if (result >= 0)
        descriptors->configuration_length = (size_t)result;
    return result;
}

int target_read_descriptors(struct target *target, uint8_t bConfigurationValue)
{
    struct target_descriptors *descriptors = &target->descriptors;
    *descriptors = (struct target_descriptors){.configuration_length = 0};
    enum { DEVICE = USBDEV_DEVICE_DESCRIPTOR_SIZE };
    int result = read_descriptor(target, USBDEV_DT_DEVICE, 0, descriptors->device, DEVICE, DEVICE);
    if (result < 0)
        return result;

    uint8_t count = descriptors->device[17];
    for (uint8_t index = 0; index == 0 || index < count; index++) {
        result = read_configuration(target, index);
        if (result < 0)
            return result;
        if (bConfigurationValue == 0 || descriptors->configuration[5] == bConfigurationValue)
            return 0;
    }
    return USB_IO;
}

size_t target_read_serial(struct target *target, uint8_t serial[TARGET_STRING_MAX])
{
    enum { HEADER = 2, LANGID = 2, DEVICE = USBDEV_DEVICE_DESCRIPTOR_SIZE };
    uint8_t device[DEVICE];
    uint8_t *languages = serial;
    if (read_descriptor(target, USBDEV_DT_DEVICE, 0, device, DEVICE, DEVICE) < 0 || !device[16] ||
        read_descriptor(target, USBDEV_DT_STRING, 0, languages, TARGET_STRING_MAX,
                        HEADER + LANGID) < 0)
        return 0;
    uint16_t language = usbdev_load_le16(languages + HEADER);
    int length = read_at_least(
        target, usb_get_descriptor(USBDEV_DT_STRING, device[16], language, TARGET_STRING_MAX),
        serial, HEADER + 1);
    return length > 0 ? (size_t)length : 0;
}

bool target_has_dfu(const uint8_t *configuration, size_t length)
{
    struct usb_configuration config;
    return configuration_parse(&config, configuration, length) &&
           configuration_dfu_interface(&config);
}

static bool read_dfu_configuration(struct target *target, uint8_t index)
{
    const struct target_descriptors *descriptors = &target->descriptors;
    return read_configuration(target, index) >= 0 &&
           target_has_dfu(descriptors->configuration, descriptors->configuration_length);
}

int target_read_dfu_descriptors(struct target *target, uint8_t bConfigurationValue)
{
    const struct target_descriptors *descriptors = &target->descriptors;
    int result = target_read_descriptors(target, bConfigurationValue);
    uint8_t count = descriptors->device[17];
    if (result < 0 || count < 2 ||
        target_has_dfu(descriptors->configuration, descriptors->configuration_length))
        return result;
    for (uint8_t index = 0; index < count; index++) {
        if (read_dfu_configuration(target, index))
            return 0;
    }
    return target_read_descriptors(target, bConfigurationValue);
}

bool target_descriptors_equal(const struct target_descriptors *a,
                              const struct target_descriptors *b)
{
    return memcmp(a->device, b->device, sizeof a->device) == 0 &&
           a->configuration_length == b->configuration_length &&
           memcmp(a->configuration, b->configuration, a->configuration_length) == 0;
}

const uint8_t *target_find_endpoint(const struct target *target, uint8_t bEndpointAddress)
{
    struct descriptor_walk walk;
    struct descriptor descriptor;
    descriptor_walk_start(&walk, target->descriptors.configuration,
                          target->descriptors.configuration_length);
    while (descriptor_walk_next(&walk, &descriptor)) {
        if (descriptor.bDescriptorType == USBDEV_DT_ENDPOINT &&
            descriptor.bLength >= USBDEV_ENDPOINT_DESCRIPTOR_SIZE &&
            descriptor.bytes[2] == bEndpointAddress)
            return descriptor.bytes;
    }
    return NULL;
}
