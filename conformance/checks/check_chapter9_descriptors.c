// SPDX-License-Identifier: MIT
//
// The device and configuration descriptors around the DFU interface (USB 2.0 9.6). They hold in
// either mode: the device is checked as it is.

#include <stdio.h>
#include <string.h>

#include "check_common.h"

// ---- Device descriptor ----

static void device_form(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, bytes))
        return;
    expect_number(probe, "bLength", bytes[0], USBDEV_DEVICE_DESCRIPTOR_SIZE);
    expect_number(probe, "bDescriptorType", bytes[1], USBDEV_DT_DEVICE);
}

static void device_max_packet(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, bytes))
        return;
    uint8_t size = bytes[7];
    expect(probe, size == 8 || size == 16 || size == 32 || size == 64,
           "bMaxPacketSize0 8, 16, 32 or 64", "%u", size);
}

static void device_configurations(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, bytes))
        expect(probe, bytes[17] >= 1, "bNumConfigurations at least 1", "%u", bytes[17]);
}

static bool is_bcd(unsigned number)
{
    for (; number; number >>= 4) {
        if ((number & 15) > 9)
            return false;
    }
    return true;
}

static void device_version(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, bytes))
        return;
    uint16_t bcdUSB = usbdev_load_le16(bytes + 2);
    expect(probe, is_bcd(bcdUSB) && bcdUSB >= 0x0100 && bcdUSB < 0x0400,
           "bcdUSB a version of USB in binary-coded decimal", "%04xh", bcdUSB);
}

static void device_class(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, bytes))
        expect(probe, bytes[4] != 0 || bytes[5] == 0, "bDeviceSubClass 0 where bDeviceClass is 0",
               "bDeviceSubClass %02xh", bytes[5]);
}

// Ask for every one of these lengths; each answer is the first min(wLength, size) bytes.
static void expect_lengths(struct probe *probe,
                           uint8_t type,
                           const uint8_t *whole,
                           size_t size,
                           const uint16_t *lengths,
                           size_t count)
{
    uint8_t bytes[PROBE_CONTROL_MAX];
    for (size_t i = 0; i < count; ++i) {
        const struct usbdev_setup_packet setup = usb_get_descriptor(type, 0, 0, lengths[i]);
        size_t expected = lengths[i] < size ? lengths[i] : size;
        if (!expect_length(probe, &setup, bytes, (uint16_t)expected) ||
            !expect(probe, memcmp(bytes, whole, expected) == 0,
                    "the bytes that a longer request returned", "other bytes"))
            return;
    }
}

static void device_lengths(struct probe *probe)
{
    static const uint16_t lengths[] = {1, 2, 9, 17, 18, 19, 255, 4096};
    uint8_t whole[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, whole))
        expect_lengths(probe, USBDEV_DT_DEVICE, whole, sizeof whole, lengths,
                       sizeof lengths / sizeof lengths[0]);
}

static void device_first_lengths(struct probe *probe)
{
    static const uint16_t lengths[] = {8, 64};
    uint8_t whole[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, whole))
        expect_lengths(probe, USBDEV_DT_DEVICE, whole, sizeof whole, lengths, 2);
}

static void device_length_zero(struct probe *probe)
{
    uint8_t none[1];
    const struct usbdev_setup_packet setup = usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, 0);
    expect_length(probe, &setup, none, 0);
}

// ---- Configuration descriptor ----

static void configuration_form(struct probe *probe)
{
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, 0, 0, sizeof header);
    if (!expect_length(probe, &setup, header, sizeof header))
        return;
    expect_number(probe, "bLength", header[0], USBDEV_CONFIGURATION_DESCRIPTOR_SIZE);
    expect_number(probe, "bDescriptorType", header[1], USBDEV_DT_CONFIGURATION);
}

static void configuration_total(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read))
        expect_number(probe, "the number of bytes returned", (unsigned)read.length,
                      read.config.wTotalLength);
}

static void configuration_walk(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    const struct usb_configuration *config = &read.config;
    expect(probe, !config->problem, "descriptors that fill wTotalLength exactly",
           "%s at offset %zu", config->problem ? config->problem : "", config->problem_offset);
}

static void configuration_reserved_one(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read))
        expect(probe, read.config.bmAttributes & 0x80, "bmAttributes with bit 7 set", "%02xh",
               read.config.bmAttributes);
}

static void configuration_reserved_zero(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read))
        expect(probe, !(read.config.bmAttributes & 0x1F), "bmAttributes with bits 4..0 clear",
               "%02xh", read.config.bmAttributes);
}

static void configuration_power(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read))
        expect(probe, read.config.bMaxPower <= 250, "bMaxPower of at most 250 (500 mA)", "%u",
               read.config.bMaxPower);
}

static void configuration_value(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read))
        expect(probe, read.config.bConfigurationValue != 0, "a bConfigurationValue other than 0",
               "0");
}

static void interfaces_counted(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read))
        expect_number(probe, "bNumInterfaces", read.config.bNumInterfaces,
                      (unsigned)configuration_interface_numbers(&read.config));
}

static void interfaces_numbered(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    size_t numbers = configuration_interface_numbers(&read.config);
    for (size_t i = 0; i < numbers; ++i) {
        if (!expect(probe, configuration_has_interface(&read.config, (uint8_t)i),
                    "interface numbers from 0 without a gap", "no interface %zu of %zu", i,
                    numbers))
            return;
    }
}

// The alternate settings of an interface follow each other: 0, 1, 2, ...
static void alternates_numbered(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    const struct usb_configuration *config = &read.config;
    for (size_t i = 0; i < config->interface_count; ++i) {
        const struct usb_interface *interface = &config->interfaces[i];
        unsigned earlier = 0;
        for (size_t j = 0; j < i; ++j)
            earlier += config->interfaces[j].bInterfaceNumber == interface->bInterfaceNumber;
        if (!expect(probe, interface->bAlternateSetting == earlier,
                    "the alternate settings of an interface counted from 0",
                    "interface %u has alternate %u as its %u. setting", interface->bInterfaceNumber,
                    interface->bAlternateSetting, earlier + 1))
            return;
    }
}

static void endpoints_counted(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    const struct usb_configuration *config = &read.config;
    for (size_t i = 0; i < config->interface_count; ++i) {
        unsigned count = 0;
        for (size_t j = 0; j < config->endpoint_count; ++j)
            count += config->endpoints[j].interface == (int)i;
        if (!expect_number(probe, "bNumEndpoints", config->interfaces[i].bNumEndpoints, count))
            return;
    }
}

static bool endpoint_size_legal(const struct usb_endpoint *endpoint)
{
    uint16_t size = endpoint->wMaxPacketSize & 0x7FF;
    switch (endpoint->bmAttributes & 3) {
    case USBDEV_ENDPOINT_BULK: // USB 2.0 5.8.3
        return size == 8 || size == 16 || size == 32 || size == 64 || size == 512;
    case USBDEV_ENDPOINT_INTERRUPT: // USB 2.0 5.7.3
        return size <= 1024 && endpoint->bInterval >= 1;
    case USBDEV_ENDPOINT_ISOCHRONOUS: // USB 2.0 5.6.3
        return size <= 1024 && endpoint->bInterval >= 1;
    default:
        return false; // an interface has no control endpoint of its own here
    }
}

static void endpoints_legal(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    const struct usb_configuration *config = &read.config;
    if (config->endpoint_count == 0)
        expect_vacuously(probe, "there is no endpoint but endpoint 0");
    for (size_t i = 0; i < config->endpoint_count; ++i) {
        const struct usb_endpoint *endpoint = &config->endpoints[i];
        uint8_t address = endpoint->bEndpointAddress;
        if (!expect(probe, (address & 0x0F) != 0 && !(address & 0x70),
                    "an endpoint number of 1 to 15, reserved bits 0", "%02xh", address) ||
            !expect(probe, endpoint_size_legal(endpoint),
                    "wMaxPacketSize and bInterval that the transfer type allows",
                    "endpoint %02xh: bmAttributes %02xh, wMaxPacketSize %u, bInterval %u", address,
                    endpoint->bmAttributes, endpoint->wMaxPacketSize, endpoint->bInterval))
            return;
    }
}

// No two interfaces of a configuration share an endpoint, their alternates aside (USB 2.0 9.6.5).
static void endpoints_unshared(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    const struct usb_configuration *config = &read.config;
    if (config->endpoint_count < 2)
        expect_vacuously(probe, "there are no two endpoints");
    for (size_t i = 0; i < config->endpoint_count; ++i) {
        for (size_t j = 0; j < i; ++j) {
            const struct usb_endpoint *a = &config->endpoints[i], *b = &config->endpoints[j];
            bool other = a->interface < 0 || b->interface < 0 || a->interface == b->interface ||
                         config->interfaces[a->interface].bInterfaceNumber !=
                             config->interfaces[b->interface].bInterfaceNumber;
            if (!expect(probe, !other || a->bEndpointAddress != b->bEndpointAddress,
                        "each endpoint address in one interface only", "%02xh twice",
                        a->bEndpointAddress))
                return;
        }
    }
}

static void associations_cover(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    const struct usb_configuration *config = &read.config;
    if (config->association_count == 0)
        expect_vacuously(probe, "there is no interface association");
    for (size_t i = 0; i < config->association_count; ++i) {
        const struct usb_association *association = &config->associations[i];
        unsigned end = association->bFirstInterface + association->bInterfaceCount;
        for (unsigned number = association->bFirstInterface; number < end; ++number) {
            if (!expect(probe, number < 256 && configuration_has_interface(config, (uint8_t)number),
                        "an association of interfaces that exist", "interface %u does not", number))
                return;
        }
    }
}

static void configuration_index_absent(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t bytes[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, device))
        return;
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, device[17], 0, sizeof bytes);
    if (expect_stall(probe, &setup, bytes))
        read_device_descriptor(probe, device);
}

static void configuration_lengths(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    uint16_t size = (uint16_t)read.length;
    const uint16_t lengths[] = {0, 1, 2, 8, 9, size, (uint16_t)(size + 1), 255, 4096};
    expect_lengths(probe, USBDEV_DT_CONFIGURATION, read.bytes, size, lengths,
                   sizeof lengths / sizeof lengths[0]);
}

// ---- BOS and device qualifier ----

static void bos(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t header[5];
    const struct usbdev_setup_packet setup = usb_get_descriptor(USBDEV_DT_BOS, 0, 0, sizeof header);
    if (!read_device_descriptor(probe, device))
        return;
    if (usbdev_load_le16(device + 2) < 0x0201) {
        if (expect_stall(probe, &setup, header))
            read_device_descriptor(probe, device);
        return;
    }
    if (!expect_length(probe, &setup, header, sizeof header))
        return;
    expect_number(probe, "bLength", header[0], sizeof header);
    expect_number(probe, "bDescriptorType", header[1], USBDEV_DT_BOS);
}

// A high-speed device answers, a full-speed one STALLs; the transports do not all tell the speed.
static void qualifier_form(struct probe *probe)
{
    enum { QUALIFIER_SIZE = 10 };
    uint8_t bytes[QUALIFIER_SIZE];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_DEVICE_QUALIFIER, 0, 0, sizeof bytes);
    int result = probe_control(probe, &setup, bytes);
    if (result == USB_STALL) {
        expect(probe, true, "STALL", "STALL");
        return;
    }
    if (expect_result(probe, result, QUALIFIER_SIZE, bytes))
        expect(probe, bytes[0] == QUALIFIER_SIZE && bytes[1] == USBDEV_DT_DEVICE_QUALIFIER,
               "STALL, or bLength 10 and bDescriptorType 06h", "%02x %02x", bytes[0], bytes[1]);
}

static const struct check checks[] = {
    {"CH9-DEV-01", "USB 2.0 9.6.1", LEVEL_MUST, "the device descriptor is 18 bytes of type 01h", 0,
     device_form},
    {"CH9-DEV-02", "USB 2.0 9.6.1", LEVEL_MUST, "bMaxPacketSize0 is 8, 16, 32 or 64", 0,
     device_max_packet},
    {"CH9-DEV-03", "USB 2.0 9.6.1", LEVEL_MUST, "there is at least one configuration", 0,
     device_configurations},
    {"CH9-DEV-04", "USB 2.0 9.6.1", LEVEL_MUST, "bcdUSB is a version of USB", 0, device_version},
    {"CH9-DEV-05", "USB 2.0 9.6.1", LEVEL_MUST, "bDeviceSubClass is 0 where bDeviceClass is 0", 0,
     device_class},
    {"CH9-DEV-06", "USB 2.0 9.4.3", LEVEL_MUST,
     "GET_DESCRIPTOR(DEVICE) returns as much as is asked for, at most 18 bytes", 0, device_lengths},
    {"CH9-DEV-07", "USB 2.0 9.4.3", LEVEL_MUST,
     "GET_DESCRIPTOR(DEVICE) answers the 8 and 64 bytes that hosts ask for first", NEED_ANY_LENGTH,
     device_first_lengths},
    {"CH9-DEV-08", "USB 2.0 9.3.5", LEVEL_SHOULD,
     "GET_DESCRIPTOR(DEVICE) with wLength 0 has no data stage", 0, device_length_zero},
    {"CH9-CFG-01", "USB 2.0 9.6.3", LEVEL_MUST,
     "the configuration descriptor begins with 9 bytes of type 02h", 0, configuration_form},
    {"CH9-CFG-02", "USB 2.0 9.6.3", LEVEL_MUST, "the device returns wTotalLength bytes", 0,
     configuration_total},
    {"CH9-CFG-03", "USB 2.0 9.5", LEVEL_MUST, "the descriptors fill the configuration exactly", 0,
     configuration_walk},
    {"CH9-CFG-04", "USB 2.0 9.6.3", LEVEL_MUST, "bit 7 of bmAttributes is set", 0,
     configuration_reserved_one},
    {"CH9-CFG-05", "USB 2.0 9.6.3", LEVEL_MUST, "bits 4..0 of bmAttributes are clear", 0,
     configuration_reserved_zero},
    {"CH9-CFG-06", "USB 2.0 9.6.3", LEVEL_MUST, "bMaxPower is at most 500 mA", 0,
     configuration_power},
    {"CH9-CFG-07", "USB 2.0 9.6.3", LEVEL_MUST, "bConfigurationValue is not 0", 0,
     configuration_value},
    {"CH9-CFG-08", "USB 2.0 9.6.3", LEVEL_MUST, "bNumInterfaces counts the interfaces", 0,
     interfaces_counted},
    {"CH9-CFG-09", "USB 2.0 9.6.5", LEVEL_MUST, "interfaces are numbered from 0 without a gap", 0,
     interfaces_numbered},
    {"CH9-CFG-10", "USB 2.0 9.6.5", LEVEL_MUST,
     "alternate settings are numbered from 0 without a gap", 0, alternates_numbered},
    {"CH9-CFG-11", "USB 2.0 9.6.5", LEVEL_MUST,
     "bNumEndpoints counts the endpoints of its interface", 0, endpoints_counted},
    {"CH9-CFG-12", "USB 2.0 9.6.6", LEVEL_MUST, "endpoint descriptors are legal", 0,
     endpoints_legal},
    {"CH9-CFG-13", "USB 2.0 9.6.5", LEVEL_MUST, "no two interfaces share an endpoint", 0,
     endpoints_unshared},
    {"CH9-CFG-14", "IAD ECN 9.X.Z", LEVEL_MUST, "interface associations name interfaces that exist",
     0, associations_cover},
    {"CH9-CFG-15", "USB 2.0 9.4.3", LEVEL_MUST, "the index of an absent configuration STALLs", 0,
     configuration_index_absent},
    {"CH9-CFG-16", "USB 2.0 9.4.3", LEVEL_MUST,
     "GET_DESCRIPTOR(CONFIGURATION) returns as much as is asked for, at most wTotalLength", 0,
     configuration_lengths},
    {"CH9-BOS-01", "USB 2.0 LPM ECN 3", LEVEL_MUST,
     "there is a BOS if and only if bcdUSB is 0201h or above", 0, bos},
    {"CH9-QUAL-01", "USB 2.0 9.6.2", LEVEL_MUST,
     "the device qualifier STALLs, or is that of a high-speed device", 0, qualifier_form},
};

const struct check_group check_chapter9_descriptors = {
    .title = "Descriptors of any USB device",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
