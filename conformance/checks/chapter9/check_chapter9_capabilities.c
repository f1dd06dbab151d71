// SPDX-License-Identifier: MIT
//
// What a device says of itself beyond USB 2.0 1.0: the binary object store (LPM ECN, USB 3.2
// 9.6.2), the device qualifier and the other speed (USB 2.0 9.6.2, 9.6.4).

#include "capabilities.h"

#include <conformance/check_bos.h>

// ---- BOS ----

void bos_where_due(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t header[BOS_HEADER_SIZE];
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

static void bos_whole(struct probe *probe)
{
    struct bos bos;
    if (!bos_read(probe, &bos) ||
        !expect_number(probe, "the number of bytes returned", (unsigned)bos.length,
                       usbdev_load_le16(bos.bytes + 2)))
        return;

    struct descriptor_walk walk;
    struct descriptor capability;
    unsigned count = 0;
    descriptor_walk_start(&walk, bos.bytes + BOS_HEADER_SIZE, (size_t)bos.length - BOS_HEADER_SIZE);
    while (descriptor_walk_next(&walk, &capability)) {
        count++;
        if (!expect_number(probe, "bDescriptorType of a capability", capability.bDescriptorType,
                           BOS_DT_CAPABILITY))
            return;
    }
    if (expect(probe, !walk.problem, "capabilities that fill wTotalLength exactly",
               "%s at offset %zu", walk.problem ? walk.problem : "", walk.next + BOS_HEADER_SIZE))
        expect_number(probe, "bNumDeviceCaps", bos.bytes[4], count);
}

static uint8_t least_length(uint8_t type)
{
    switch (type) {
    case BOS_USB_2_0_EXTENSION:
        return 7;
    case BOS_SUPERSPEED:
        return 10;
    case BOS_CONTAINER_ID:
    case BOS_PLATFORM:
        return 20;
    default:
        return 3;
    }
}

// Bit 0 of the USB 2.0 extension is reserved, bit 1 says that the device supports LPM, and the
// reserved byte of a container id or platform capability is 0 (USB 3.2 9.6.2).
static bool reserved_is_zero(const struct descriptor *capability)
{
    const uint8_t *bytes = capability->bytes;
    switch (bytes[2]) {
    case BOS_USB_2_0_EXTENSION:
        return (bytes[3] & 1) == 0;
    case BOS_CONTAINER_ID:
    case BOS_PLATFORM:
        return bytes[3] == 0;
    default:
        return true;
    }
}

static void bos_capabilities(struct probe *probe)
{
    struct bos bos;
    struct descriptor_walk walk;
    struct descriptor capability;
    if (!given(probe, bos_read(probe, &bos)))
        return;
    descriptor_walk_start(&walk, bos.bytes + BOS_HEADER_SIZE, (size_t)bos.length - BOS_HEADER_SIZE);
    while (descriptor_walk_next(&walk, &capability)) {
        uint8_t type = capability.bLength > 2 ? capability.bytes[2] : 0;
        if (!expect(probe, capability.bLength >= 3 && capability.bLength >= least_length(type),
                    "capability descriptors of the length of their type",
                    "bDevCapabilityType %02Xh: bLength %u", type, capability.bLength) ||
            !expect(probe, reserved_is_zero(&capability), "reserved bits 0",
                    "bDevCapabilityType %02Xh: %02Xh", type, capability.bytes[3]))
            return;
    }
}

// ---- Device qualifier and other speed ----

enum { QUALIFIER_SIZE = 10 };

// A device that supports full and high speed answers for the other speed; one that supports only
// full speed STALLs both requests, and so does a SuperSpeed device.
static int ask_qualifier(struct probe *probe, uint8_t bytes[QUALIFIER_SIZE])
{
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_DEVICE_QUALIFIER, 0, 0, QUALIFIER_SIZE);
    return probe_control(probe, &setup, bytes);
}

// bMaxPacketSize0 is that of the other speed.
static bool expect_qualified(struct probe *probe, const uint8_t bytes[QUALIFIER_SIZE])
{
    uint16_t bcdUSB = usbdev_load_le16(bytes + 2);
    uint8_t size = bytes[7];
    bool full = probe->target->speed == TARGET_SPEED_FULL;
    return expect(probe, bcdUSB >= 0x0200, "bcdUSB of the qualifier at least 0200h", "%04xh",
                  bcdUSB) &&
           expect(probe, size == 64 || (!full && (size == 8 || size == 16 || size == 32)),
                  full ? "bMaxPacketSize0 64, at high speed" : "bMaxPacketSize0 8, 16, 32 or 64",
                  "%u", size);
}

static bool expect_qualifier(struct probe *probe, int result, const uint8_t bytes[QUALIFIER_SIZE])
{
    return expect_result(probe, result, QUALIFIER_SIZE, bytes) &&
           expect(probe,
                  bytes[0] == QUALIFIER_SIZE && bytes[1] == USBDEV_DT_DEVICE_QUALIFIER &&
                      bytes[9] == 0,
                  "bLength 10, bDescriptorType 06h, bReserved 0", "%02x %02x, bReserved %02x",
                  bytes[0], bytes[1], bytes[9]) &&
           expect_qualified(probe, bytes);
}

void qualifier_form(struct probe *probe)
{
    uint8_t bytes[QUALIFIER_SIZE];
    int result = ask_qualifier(probe, bytes);
    // DFU 1.1 4.2 names no qualifier among the descriptors of DFU mode.
    bool due = probe->target->speed == TARGET_SPEED_HIGH && probe->mode != DEVICE_DFU_MODE;
    if (result == USB_STALL && !due)
        expect(probe, true, "STALL", "STALL");
    else
        expect_qualifier(probe, result, bytes);
}

// The qualifier is answered: so is the configuration of the other speed.
static bool other_speed_read(struct probe *probe,
                             uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE])
{
    enum { SIZE = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE };
    uint8_t qualifier[QUALIFIER_SIZE];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_OTHER_SPEED_CONFIGURATION, 0, 0, SIZE);
    int result = ask_qualifier(probe, qualifier);
    if (result == USB_STALL)
        return probe_inapplicable(probe, "a device that supports full and high speed");
    return given(probe, expect_qualifier(probe, result, qualifier)) &&
           expect_length(probe, &setup, header, SIZE);
}

// It differs from a configuration descriptor in its type alone (9.6.4).
static void expect_parsed(struct probe *probe, uint8_t *bytes, uint16_t length)
{
    static struct usb_configuration config;
    bytes[1] = USBDEV_DT_CONFIGURATION;
    bool parsed = configuration_parse(&config, bytes, length);
    if (parsed && config.too_large)
        probe_inconclusive(probe, "%s: the suite stores no more", config.too_large);
    else if (expect(probe, parsed && !config.problem, "descriptors that fill wTotalLength exactly",
                    "%s", parsed ? config.problem : "no configuration"))
        expect_number(probe, "bNumInterfaces", config.bNumInterfaces,
                      (unsigned)configuration_interface_numbers(&config));
}

static void other_speed(struct probe *probe)
{
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    uint8_t bytes[PROBE_CONTROL_MAX];
    if (!other_speed_read(probe, header))
        return;
    expect_number(probe, "bDescriptorType", header[1], USBDEV_DT_OTHER_SPEED_CONFIGURATION);
    uint16_t total = usbdev_load_le16(header + 2);
    if (!given_carried(probe, total))
        return;
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_OTHER_SPEED_CONFIGURATION, 0, 0, total);
    if (expect_length(probe, &setup, bytes, total))
        expect_parsed(probe, bytes, total);
}

// clang-format off
static const struct check checks[] = {
    {"CH9-BOS-01", "USB 2.0 LPM ECN 3", LEVEL_MUST,
     "there is a BOS if and only if bcdUSB is 0201h or above",
     0, bos_where_due},
    {"CH9-BOS-02", "USB 3.2 9.6.2", LEVEL_MUST,
     "bNumDeviceCaps capabilities fill the BOS exactly",
     0, bos_whole},
    {"CH9-BOS-03", "USB 3.2 9.6.2", LEVEL_MUST,
     "each capability of the BOS has the length and the reserved bits of its type",
     0, bos_capabilities},
    {"CH9-QUAL-01", "USB 2.0 9.6.2", LEVEL_MUST,
     "GET_DESCRIPTOR(DEVICE_QUALIFIER) STALLs, or returns a valid qualifier",
     0, qualifier_form},
    {"CH9-QUAL-02", "USB 2.0 9.6.4", LEVEL_MUST,
     "a device with a device qualifier has the configuration of the other speed",
     0, other_speed},
};
// clang-format on

const struct check_group check_chapter9_capabilities = {
    .title = "BOS, device qualifier",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
