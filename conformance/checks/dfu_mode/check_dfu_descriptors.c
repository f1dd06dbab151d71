// SPDX-License-Identifier: MIT
//
// The descriptors of DFU mode (DFU 1.1 chapter 4.2).

#include <stdio.h>
#include <string.h>

#include <conformance/check_common.h>

static void device_class(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, device))
        expect(probe, device[4] == 0 && device[5] == 0 && device[6] == 0,
               "bDeviceClass, bDeviceSubClass, bDeviceProtocol 00 00 00", "%02x %02x %02x",
               device[4], device[5], device[6]);
}

static void one_configuration(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, device))
        expect_number(probe, "bNumConfigurations", device[17], 1);
}

static void usb_version(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, device))
        return;
    uint16_t version = usbdev_load_le16(device + 2);
    expect(probe, version == 0x0100 || version == 0x0110 || version == 0x0200,
           "bcdUSB 0100h (the text), or 0110h or 0200h (today's devices)", "%04Xh", version);
}

static void one_interface(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read) &&
        expect_number(probe, "bNumInterfaces", read.config.bNumInterfaces, 1))
        expect_number(probe, "the number of different interfaces",
                      (unsigned)configuration_interface_numbers(&read.config), 1);
}

// An interface beside DFU's is DM-DESC-03a's: the other checks are about DFU's own alone.
static bool read_dfu_interface(struct probe *probe,
                               struct configuration_bytes *read,
                               const struct usb_interface **ret_first)
{
    if (!read_configuration(probe, read))
        return false;
    *ret_first = configuration_dfu_interface(&read->config);
    return given(probe,
                 expect(probe, *ret_first, "an interface of class FEh, subclass 01h", "none"));
}

static void interface_number(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *dfu;
    if (read_dfu_interface(probe, &read, &dfu))
        expect_number(probe, "bInterfaceNumber", dfu->bInterfaceNumber, 0);
}

static bool is_alternate_of(const struct usb_interface *interface, const struct usb_interface *dfu)
{
    return interface->bInterfaceNumber == dfu->bInterfaceNumber;
}

// DFU 1.0 4.2.3 has no protocol: bInterfaceProtocol is 0 in both modes.
static bool is_dfu_mode_interface(const struct usb_interface *interface, bool dfu_1_0)
{
    return interface_is_dfu(interface) &&
           (interface->bInterfaceProtocol == DFURT_PROTOCOL_DFU_MODE ||
            (dfu_1_0 && interface->bInterfaceProtocol == 0));
}

static void interface_class(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;
    const struct usb_interface *dfu = configuration_dfu_interface(&read.config);
    if (!expect(probe, dfu, "an interface of class FEh, subclass 01h, protocol 02h", "none"))
        return;
    const struct usb_dfu_functional *functional = configuration_functional(&read.config);
    bool dfu_1_0 = functional && functional->bcdDFUVersion == 0x0100;
    if (dfu_1_0)
        probe_note(probe,
                   "the device says DFU 1.0, whose bInterfaceProtocol is 0; DFU 1.1 wants 2");
    for (size_t i = 0; i < read.config.interface_count; i++) {
        const struct usb_interface *interface = &read.config.interfaces[i];
        if (is_alternate_of(interface, dfu) &&
            !expect(probe, is_dfu_mode_interface(interface, dfu_1_0),
                    "class, subclass, protocol fe 01 02 in each alternate setting",
                    "alternate setting %u: %02x %02x %02x", interface->bAlternateSetting,
                    interface->bInterfaceClass, interface->bInterfaceSubClass,
                    interface->bInterfaceProtocol))
            return;
    }
}

static void no_endpoints(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *dfu;
    unsigned endpoints = 0;
    if (!read_dfu_interface(probe, &read, &dfu))
        return;
    for (size_t i = 0; i < read.config.interface_count; i++) {
        const struct usb_interface *interface = &read.config.interfaces[i];
        if (is_alternate_of(interface, dfu) &&
            !expect_number(probe, "bNumEndpoints", interface->bNumEndpoints, 0))
            return;
    }
    for (size_t i = 0; i < read.config.endpoint_count; i++) {
        int interface = read.config.endpoints[i].interface;
        endpoints += interface < 0 || is_alternate_of(&read.config.interfaces[interface], dfu);
    }
    expect_number(probe, "the number of endpoint descriptors", endpoints, 0);
}

static void alternates_contiguous(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *dfu;
    unsigned settings = 0;
    if (!read_dfu_interface(probe, &read, &dfu))
        return;
    for (size_t i = 0; i < read.config.interface_count; i++) {
        const struct usb_interface *interface = &read.config.interfaces[i];
        if (is_alternate_of(interface, dfu) &&
            !expect_number(probe, "bAlternateSetting", interface->bAlternateSetting, settings++))
            return;
    }
}

// A class descriptor follows the interface descriptor of each alternate setting (USB 2.0 9.5): with
// several settings there may be a copy behind each of them.
static bool is_copy_for_each_setting(const struct configuration_bytes *read)
{
    const struct usb_configuration *config = &read->config;
    const struct usb_dfu_functional *first = &config->functionals[0];
    if (config->functional_count != config->interface_count)
        return false;
    for (size_t i = 0; i < config->functional_count; i++) {
        const struct usb_dfu_functional *copy = &config->functionals[i];
        if (copy->interface != (int)i || copy->misplaced || copy->bLength != first->bLength ||
            memcmp(read->bytes + copy->offset, read->bytes + first->offset, first->bLength) != 0)
            return false;
    }
    return true;
}

static void functional_present(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *dfu;
    if (read_dfu_interface(probe, &read, &dfu))
        expect(probe, read.config.functional_count == 1 || is_copy_for_each_setting(&read),
               "one DFU functional descriptor, or the same one behind each alternate setting",
               "%zu, with %zu interface descriptors", read.config.functional_count,
               read.config.interface_count);
}

// The functional descriptors of both modes, byte for byte.
static bool read_functionals(struct probe *probe,
                             uint8_t there[UINT8_MAX],
                             uint8_t here[UINT8_MAX],
                             size_t *ret_length)
{
    struct configuration_bytes read;
    const struct usb_dfu_functional *run_time = probe->run_time.functional;
    if (!run_time)
        return probe_skip(probe, "needs the functional descriptor of run time");
    if (!given(probe, read_configuration(probe, &read)))
        return false;
    const struct usb_dfu_functional *now = configuration_functional(&read.config);
    if (!given(probe, expect(probe, now, "a DFU functional descriptor (type 21h)", "none")) ||
        !expect_number(probe, "bLength", now->bLength, run_time->bLength))
        return false;
    memcpy(there, probe->run_time.raw.configuration + run_time->offset, run_time->bLength);
    memcpy(here, read.bytes + now->offset, now->bLength);
    *ret_length = now->bLength;
    return true;
}

static void functional_identical(struct probe *probe)
{
    uint8_t there[UINT8_MAX];
    uint8_t here[UINT8_MAX];
    size_t length;
    if (!read_functionals(probe, there, here, &length))
        return;

    char expected[PROBE_WORDS] = "as at run time: ";
    char received[PROBE_WORDS / 2];
    size_t used = strlen(expected);
    format_bytes(expected + used, sizeof expected - used, there, length);
    format_bytes(received, sizeof received, here, length);
    there[2] &= (uint8_t)~DFURT_ATTR_WILL_DETACH;
    here[2] &= (uint8_t)~DFURT_ATTR_WILL_DETACH;
    expect(probe, memcmp(there, here, length) == 0, expected, "%s", received);
}

// In DFU mode there is nothing left to detach from, and a boot loader in ROM cannot know what the
// product above it does; the text makes no exception for the bit, but no host looks at it there.
static void will_detach_identical(struct probe *probe)
{
    uint8_t there[UINT8_MAX];
    uint8_t here[UINT8_MAX];
    size_t length;
    if (given(probe, read_functionals(probe, there, here, &length)))
        expect_number(probe, "bitWillDetach in DFU mode", (here[2] & DFURT_ATTR_WILL_DETACH) != 0,
                      (there[2] & DFURT_ATTR_WILL_DETACH) != 0);
}

static void nothing_else(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *dfu;
    struct descriptor_walk walk;
    struct descriptor descriptor;
    bool of_dfu = true;
    if (!read_dfu_interface(probe, &read, &dfu))
        return;
    descriptor_walk_start(&walk, read.bytes, (size_t)read.length);
    while (descriptor_walk_next(&walk, &descriptor)) {
        uint8_t type = descriptor.bDescriptorType;
        if (type == USBDEV_DT_INTERFACE && descriptor.bLength >= USBDEV_INTERFACE_DESCRIPTOR_SIZE)
            of_dfu = descriptor.bytes[2] == dfu->bInterfaceNumber;
        if (type == USBDEV_DT_ENDPOINT) // DM-DESC-03d's
            continue;
        if (of_dfu && !expect(probe,
                              type == USBDEV_DT_CONFIGURATION || type == USBDEV_DT_INTERFACE ||
                                  type == USBDEV_DT_DFU_FUNCTIONAL,
                              "configuration, interface and DFU functional descriptors only",
                              "a descriptor of type %02Xh at offset %zu", type, descriptor.offset))
            return;
    }
}

static void product_differs(struct probe *probe)
{
    if (!probe->run_time.seen) {
        probe_skip(probe, "needs the device descriptor of run time");
        return;
    }
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, device))
        return;
    uint16_t vendor = usbdev_load_le16(device + 8);
    uint16_t product = usbdev_load_le16(device + 10);
    char expected[64];
    snprintf(expected, sizeof expected, "another pair than %04x:%04x, which run time has",
             device_vendor(&probe->run_time), device_product(&probe->run_time));
    expect(probe,
           vendor != device_vendor(&probe->run_time) || product != device_product(&probe->run_time),
           expected, "%04x:%04x", vendor, product);
}

static bool read_serial(struct probe *probe, const uint8_t *device, uint8_t string[255])
{
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, device[16], probe_language(probe), 255);
    memset(string, 0, 255);
    return device[16] && probe_control(probe, &setup, string) >= 2;
}

static void serial_readable(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t string[255];
    if (read_device_descriptor(probe, device))
        expect(probe, read_serial(probe, device, string), "a serial number, to tell boards apart",
               "none");
}

static unsigned alternates_of(const struct usb_configuration *config,
                              const struct usb_interface *dfu)
{
    unsigned count = 0;
    for (size_t i = 0; i < config->interface_count; i++)
        count += is_alternate_of(&config->interfaces[i], dfu);
    return count;
}

static void alternates_named(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *dfu;
    if (!read_dfu_interface(probe, &read, &dfu))
        return;
    uint16_t language = probe_language(probe);
    bool several = alternates_of(&read.config, dfu) > 1;
    for (size_t i = 0; several && i < read.config.interface_count; i++) {
        const struct usb_interface *interface = &read.config.interfaces[i];
        if (!is_alternate_of(interface, dfu))
            continue;
        uint8_t string[255];
        const struct usbdev_setup_packet setup =
            usb_get_descriptor(USBDEV_DT_STRING, interface->iInterface, language, sizeof string);
        char expected[64];
        snprintf(expected, sizeof expected, "a string that names alternate setting %u",
                 interface->bAlternateSetting);
        int length = interface->iInterface ? probe_control(probe, &setup, string) : 0;
        bool named = length > 2;
        if (length == USB_GONE || length == USB_IO) {
            probe_inconclusive(probe, "%s", usb_result_text(length));
            return;
        }
        if (!expect(probe, named, expected, "none (iInterface %u)", interface->iInterface))
            return;
    }
}

// clang-format off
static const struct check checks[] = {
    {"DM-DESC-01a", "DFU 1.1 4.2.1", LEVEL_MUST,
     "bDeviceClass, bDeviceSubClass and bDeviceProtocol are 0",
     NEED_DFU_MODE, device_class},
    {"DM-DESC-01b", "DFU 1.1 4.2.1", LEVEL_MUST,
     "there is one configuration",
     NEED_DFU_MODE, one_configuration},
    {"DM-DESC-02", "DFU 1.1 4.2.1", LEVEL_INFO,
     "bcdUSB is 0100h, 0110h or 0200h",
     NEED_DFU_MODE, usb_version},
    {"DM-DESC-03a", "DFU 1.1 4.2.2", LEVEL_MUST,
     "there is one interface",
     NEED_DFU_MODE, one_interface},
    {"DM-DESC-03b", "DFU 1.1 4.2.3", LEVEL_MUST,
     "the interface has number 0",
     NEED_DFU_MODE, interface_number},
    {"DM-DESC-03c", "DFU 1.1 4.2.3", LEVEL_MUST,
     "the interface is of class FEh, subclass 01h, protocol 02h",
     NEED_DFU_MODE, interface_class},
    {"DM-DESC-03d", "DFU 1.1 4.2.3", LEVEL_MUST,
     "the interface has no endpoints",
     NEED_DFU_MODE, no_endpoints},
    {"DM-DESC-03e", "DFU 1.1 4.2.3", LEVEL_MUST,
     "alternate settings are numbered from 0 without a gap",
     NEED_DFU_MODE, alternates_contiguous},
    {"DM-DESC-04a", "DFU 1.1 4.2.4", LEVEL_MUST,
     "there is one DFU functional descriptor, or a copy for each alternate setting",
     NEED_DFU_MODE, functional_present},
    {"DM-DESC-04b", "DFU 1.1 4.2.4", LEVEL_MUST,
     "the functional descriptor is the one of run time, except bitWillDetach",
     NEED_DFU_MODE, functional_identical},
    {"DM-DESC-04c", "DFU 1.1 4.2.4", LEVEL_SHOULD,
     "bitWillDetach is what it was at run time",
     NEED_DFU_MODE, will_detach_identical},
    {"DM-DESC-05", "DFU 1.1 4.2", LEVEL_MUST,
     "the configuration has no other descriptor",
     NEED_DFU_MODE, nothing_else},
    {"DM-DESC-06a", "DFU 1.1 2", LEVEL_SHOULD,
     "idVendor and idProduct are not those of run time",
     NEED_DFU_MODE, product_differs},
    {"DM-DESC-06b", "DFU 1.1 4.2.1", LEVEL_INFO,
     "the device has a serial number in DFU mode",
     NEED_DFU_MODE, serial_readable},
    {"DM-DESC-07", "DFU 1.1 4.2.3", LEVEL_SHOULD,
     "each of several alternate settings has a name",
     NEED_DFU_MODE, alternates_named},
};
// clang-format on

const struct check_group check_dfu_descriptors = {
    .title = "Descriptors in DFU mode",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
