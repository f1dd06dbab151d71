// SPDX-License-Identifier: MIT
//
// The descriptors of DFU at run time (DFU 1.1 chapter 4.1). Each check reads them from the device
// again: what counts is what it returns, and the bytes belong in its transcript.

#include <stdio.h>

#include "check_common.h"

// Read the configuration and find the DFU interface and its functional descriptor in it.
static bool read_dfu(struct probe *probe,
                     struct configuration_bytes *read,
                     const struct usb_interface **ret_interface,
                     const struct usb_dfu_functional **ret_functional)
{
    if (!given(probe, read_configuration(probe, read)))
        return false;
    *ret_interface = configuration_dfu_interface(&read->config);
    *ret_functional = configuration_functional(&read->config);
    return given(probe,
                 expect(probe, *ret_interface, "an interface of class FEh, subclass 01h", "none") &&
                     expect(probe, *ret_functional, "a DFU functional descriptor", "none"));
}

static void one_dfu_interface(struct probe *probe)
{
    struct configuration_bytes read;
    if (!read_configuration(probe, &read))
        return;

    unsigned count = 0;
    for (size_t i = 0; i < read.config.interface_count; ++i)
        count += interface_is_dfu(&read.config.interfaces[i]);
    expect_number(probe, "the number of DFU interface descriptors", count, 1);
}

static void one_functional_descriptor(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read))
        expect_number(probe, "the number of DFU functional descriptors",
                      (unsigned)read.config.functional_count, 1);
}

static void interface_counted(struct probe *probe)
{
    struct configuration_bytes read;
    if (read_configuration(probe, &read))
        expect_number(probe, "bNumInterfaces", read.config.bNumInterfaces,
                      (unsigned)configuration_interface_numbers(&read.config));
}

static void interface_protocol(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (read_dfu(probe, &read, &interface, &functional))
        expect_number(probe, "bInterfaceProtocol", interface->bInterfaceProtocol,
                      DFURT_PROTOCOL_RUNTIME);
}

static void interface_alternate(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (read_dfu(probe, &read, &interface, &functional))
        expect_number(probe, "bAlternateSetting", interface->bAlternateSetting, 0);
}

static void interface_endpoints(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (!read_dfu(probe, &read, &interface, &functional) ||
        !expect_number(probe, "bNumEndpoints", interface->bNumEndpoints, 0))
        return;

    unsigned endpoints = 0;
    for (size_t i = 0; i < read.config.endpoint_count; ++i)
        endpoints += read.config.endpoints[i].interface == interface - read.config.interfaces;
    expect_number(probe, "the number of endpoint descriptors after the DFU interface", endpoints,
                  0);
}

static void functional_length(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (!read_dfu(probe, &read, &interface, &functional))
        return;
    expect(probe, functional->bLength == USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE, "bLength is 9",
           functional->bLength == 7 ? "%u, the DFU 1.0 form" : "%u", functional->bLength);
}

static void attributes_reserved(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (!read_dfu(probe, &read, &interface, &functional))
        return;
    // Bit 7 is "acceleration" in ST's extension, which bcdDFUVersion 011Ah announces.
    uint8_t reserved = functional->bcdDFUVersion == 0x011A ? 0x70 : 0xF0;
    expect(probe, (functional->bmAttributes & reserved) == 0, "bmAttributes bits 7..4 are zero",
           "bmAttributes %02Xh", functional->bmAttributes);
}

static void transfer_size(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (!read_dfu(probe, &read, &interface, &functional))
        return;

    uint8_t packet = device_max_packet0(probe_device(probe));
    char expected[64];
    snprintf(expected, sizeof expected, "wTransferSize >= bMaxPacketSize0 (%u), not 0", packet);
    expect(probe, functional->wTransferSize != 0 && functional->wTransferSize >= packet, expected,
           "wTransferSize %u", functional->wTransferSize);
}

static void transfer_size_plausible(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (read_dfu(probe, &read, &interface, &functional))
        expect(probe, functional->wTransferSize != 0xFFFF,
               "a wTransferSize that a buffer stands behind", "wTransferSize FFFFh");
}

static void dfu_version(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (!read_dfu(probe, &read, &interface, &functional))
        return;

    uint16_t version = functional->bcdDFUVersion;
    if (version == 0x0100)
        probe_note(probe, "the device says DFU 1.0");
    if (version == 0x011A)
        probe_note(probe, "the device says DfuSe, ST's extension");
    expect(probe, version == 0x0110 || version == 0x0100 || version == 0x011A,
           "bcdDFUVersion 0110h (or 0100h, DFU 1.0; or 011Ah, DfuSe)", "%04Xh", version);
}

static void detach_timeout_usable(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (!read_dfu(probe, &read, &interface, &functional))
        return;
    bool leaves = functional->bmAttributes & DFURT_ATTR_WILL_DETACH;
    expect(probe, leaves || functional->wDetachTimeOut > 0,
           "wDetachTimeOut > 0, because the device waits for a bus reset", "wDetachTimeOut 0");
}

// A second is what tools ask for; E803h is a second with its bytes swapped.
static void detach_timeout_plausible(struct probe *probe)
{
    enum { LONGEST_MS = 30000 };
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (read_dfu(probe, &read, &interface, &functional))
        expect(probe, functional->wDetachTimeOut <= LONGEST_MS, "wDetachTimeOut <= 30000 ms",
               "%u ms (with its bytes swapped: %u ms)", functional->wDetachTimeOut,
               (functional->wDetachTimeOut >> 8 | functional->wDetachTimeOut << 8) & 0xFFFF);
}

static void functional_follows(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    if (!read_dfu(probe, &read, &interface, &functional))
        return;
    size_t expected_at = interface->offset + interface->bLength;
    char expected[96];
    snprintf(expected, sizeof expected,
             "the functional descriptor at offset %zu, right after its interface", expected_at);
    expect(probe, functional->offset == expected_at, expected, "offset %zu", functional->offset);
}

static void interface_name(struct probe *probe)
{
    struct configuration_bytes read;
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional;
    uint8_t string[255];
    if (!read_dfu(probe, &read, &interface, &functional))
        return;
    if (interface->iInterface == 0) {
        probe_note(probe, "the interface has no name (iInterface 0)");
        return;
    }
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, interface->iInterface, 0x0409, sizeof string);
    int length;
    if (expect_accepted(probe, &setup, string, &length))
        expect(probe, length >= 4 && string[1] == USBDEV_DT_STRING && string[0] == length,
               "a string descriptor that is as long as its bLength says", "%d bytes", length);
}

// clang-format off
static const struct check checks[] = {
    {"RT-DESC-01a", "DFU 1.1 4.1", LEVEL_MUST,
     "the configuration has exactly one DFU interface",
     NEED_RUN_TIME, one_dfu_interface},
    {"RT-DESC-01b", "DFU 1.1 4.1", LEVEL_MUST,
     "the configuration has exactly one DFU functional descriptor",
     NEED_RUN_TIME, one_functional_descriptor},
    {"RT-DESC-01c", "DFU 1.1 4.1", LEVEL_MUST,
     "bNumInterfaces counts the DFU interface",
     NEED_RUN_TIME, interface_counted},
    {"RT-DESC-02a", "DFU 1.1 4.1.2", LEVEL_MUST,
     "the DFU interface has bInterfaceProtocol 01h",
     NEED_RUN_TIME, interface_protocol},
    {"RT-DESC-02b", "DFU 1.1 4.1.2", LEVEL_MUST,
     "the DFU interface is alternate setting 0",
     NEED_RUN_TIME, interface_alternate},
    {"RT-DESC-02c", "DFU 1.1 4.1.2", LEVEL_MUST,
     "the DFU interface has no endpoints",
     NEED_RUN_TIME, interface_endpoints},
    {"RT-DESC-02d", "DFU 1.1 4.1.2", LEVEL_SHOULD,
     "the string that names the DFU interface is readable",
     NEED_RUN_TIME, interface_name},
    {"RT-DESC-03", "DFU 1.1 4.1.3", LEVEL_MUST,
     "the functional descriptor is 9 bytes long",
     NEED_RUN_TIME, functional_length},
    {"RT-DESC-04", "DFU 1.1 4.1.3", LEVEL_SHOULD,
     "the reserved bits of bmAttributes are zero",
     NEED_RUN_TIME, attributes_reserved},
    {"RT-DESC-05a", "DFU 1.1 6.1", LEVEL_MUST,
     "wTransferSize is at least bMaxPacketSize0 and not 0",
     NEED_RUN_TIME, transfer_size},
    {"RT-DESC-05b", "DFU 1.1 4.1.3", LEVEL_INFO,
     "wTransferSize is a size that a buffer can have, not FFFFh",
     NEED_RUN_TIME, transfer_size_plausible},
    {"RT-DESC-06", "DFU 1.1 4.1.3", LEVEL_MUST,
     "bcdDFUVersion is a version that exists",
     NEED_RUN_TIME, dfu_version},
    {"RT-DESC-07a", "DFU 1.1 5.1", LEVEL_SHOULD,
     "a device that waits for a bus reset waits for longer than 0 ms",
     NEED_RUN_TIME, detach_timeout_usable},
    {"RT-DESC-07b", "DFU 1.1 4.1.3", LEVEL_SHOULD,
     "wDetachTimeOut is a time that a host can wait",
     NEED_RUN_TIME, detach_timeout_plausible},
    {"RT-DESC-08", "DFU 1.1 4.1.3", LEVEL_SHOULD,
     "the functional descriptor follows its own interface",
     NEED_RUN_TIME, functional_follows},
};
// clang-format on

const struct check_group check_descriptors = {
    .title = "Descriptors at run time",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
