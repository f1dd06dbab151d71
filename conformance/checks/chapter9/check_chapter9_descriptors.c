// SPDX-License-Identifier: MIT
//
// The device and configuration descriptors around the DFU interface (USB 2.0 9.6). They hold in
// either mode: one group checks the device as it is given, another one its boot loader.

#include <stdio.h>
#include <string.h>

#include "capabilities.h"

#include <conformance/check_fields.h>

// ---- Device descriptor ----

static void device_form(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, bytes))
        return;
    expect_number(probe, "bLength", bytes[0], USBDEV_DEVICE_DESCRIPTOR_SIZE);
    expect_number(probe, "bDescriptorType", bytes[1], USBDEV_DT_DEVICE);
}

// USB 2.0 5.5.3; at SuperSpeed an exponent of 2 (USB 3.2 9.6.1).
static const char *max_packet_problem(enum target_speed speed, uint16_t bcdUSB, uint8_t size)
{
    enum { SUPERSPEED_512 = 9 };
    bool usual = size == 8 || size == 16 || size == 32 || size == 64;
    switch (speed) {
    case TARGET_SPEED_LOW:
        return size == 8 ? NULL : "8, at low speed";
    case TARGET_SPEED_FULL:
        return usual ? NULL : "8, 16, 32 or 64, at full speed";
    case TARGET_SPEED_HIGH:
        return size == 64 ? NULL : "64, at high speed";
    case TARGET_SPEED_SUPER:
        return size == SUPERSPEED_512 ? NULL : "9 (512 bytes), at SuperSpeed";
    case TARGET_SPEED_UNKNOWN:
        break;
    }
    return usual || (size == SUPERSPEED_512 && bcdUSB >= 0x0300) ? NULL : "8, 16, 32 or 64";
}

static void device_max_packet(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, bytes))
        return;
    const char *problem =
        max_packet_problem(probe->target->speed, usbdev_load_le16(bytes + 2), bytes[7]);
    char expected[64];
    snprintf(expected, sizeof expected, "bMaxPacketSize0 %s", problem ? problem : "as it must be");
    expect(probe, !problem, expected, "%u", bytes[7]);
}

// A release of USB, or of Wireless USB (0250h); of those after USB 3.2 the form is known.
static bool is_release(uint16_t bcdUSB)
{
    static const uint16_t releases[] = {0x0100, 0x0110, 0x0200, 0x0201, 0x0210,
                                        0x0250, 0x0300, 0x0310, 0x0320};
    enum { LAST = sizeof releases / sizeof releases[0] - 1 };
    for (size_t i = 0; i <= LAST; i++) {
        if (bcdUSB == releases[i])
            return true;
    }
    return bcdUSB > releases[LAST] && bcdUSB < 0x0400 && (bcdUSB >> 4 & 15) <= 9 &&
           (bcdUSB & 15) <= 9;
}

static void device_version(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, bytes))
        return;
    uint16_t bcdUSB = usbdev_load_le16(bytes + 2);
    expect(probe, is_release(bcdUSB),
           "bcdUSB the release of a USB specification: 0100h, 0110h, 0200h, 0201h, 0210h, 0300h, "
           "0310h, 0320h",
           "%04xh", bcdUSB);
}

static void device_class(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, bytes))
        expect(probe, bytes[4] != 0 || bytes[5] == 0, "bDeviceSubClass 0 where bDeviceClass is 0",
               "bDeviceSubClass %02xh", bytes[5]);
}

enum { END = 0 }; // of a list of lengths

// Ask for every one of these lengths; each answer is the first min(wLength, size) bytes.
static void expect_lengths(struct probe *probe,
                           struct usbdev_setup_packet setup,
                           const uint8_t *whole,
                           size_t size,
                           const uint16_t *lengths)
{
    uint8_t bytes[PROBE_CONTROL_MAX];
    for (size_t i = 0; lengths[i] != END; i++) {
        setup.wLength = lengths[i];
        size_t expected = lengths[i] < size ? lengths[i] : size;
        if (!expect_length(probe, &setup, bytes, (uint16_t)expected) ||
            !expect(probe, memcmp(bytes, whole, expected) == 0,
                    "the bytes that a longer request returned", "other bytes"))
            return;
    }
}

static void device_lengths(struct probe *probe)
{
    static const uint16_t lengths[] = {1, 2, 9, 17, 18, 19, 255, 4096, END};
    uint8_t whole[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, whole))
        expect_lengths(probe, usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, 0), whole, sizeof whole,
                       lengths);
}

static void device_first_lengths(struct probe *probe)
{
    static const uint16_t lengths[] = {8, 64, END};
    uint8_t whole[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (read_device_descriptor(probe, whole))
        expect_lengths(probe, usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, 0), whole, sizeof whole,
                       lengths);
}

static void length_zero(struct probe *probe)
{
    uint8_t none[1];
    const struct usbdev_setup_packet device = usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, 0);
    const struct usbdev_setup_packet configuration =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, 0, 0, 0);
    if (expect_length(probe, &device, none, 0))
        expect_length(probe, &configuration, none, 0);
}

// ---- Configuration descriptor ----

static void configuration_form(struct probe *probe)
{
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    const struct usbdev_setup_packet setup = usb_get_descriptor(
        USBDEV_DT_CONFIGURATION, active_configuration_index(probe), 0, sizeof header);
    if (!expect_length(probe, &setup, header, sizeof header))
        return;
    expect_number(probe, "bLength", header[0], USBDEV_CONFIGURATION_DESCRIPTOR_SIZE);
    expect_number(probe, "bDescriptorType", header[1], USBDEV_DT_CONFIGURATION);
}

static void each_configuration_read(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, device))
        return;
    for (uint8_t index = 0; index < device[17]; index++) {
        const struct usbdev_setup_packet setup =
            usb_get_descriptor(USBDEV_DT_CONFIGURATION, index, 0, sizeof header);
        if (!expect_length(probe, &setup, header, sizeof header))
            return;
    }
}

// SET_CONFIGURATION could select only one of the two (9.4.7).
static bool
has_its_own_value(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    bool *taken = context;
    uint8_t value = read->config.bConfigurationValue;
    if (!expect(probe, !taken[value], "a bConfigurationValue for each configuration", "%u twice",
                value))
        return false;
    taken[value] = true;
    return true;
}

static void configuration_values_differ(struct probe *probe)
{
    bool taken[UINT8_MAX + 1] = {false};
    for_each_configuration(probe, has_its_own_value, taken);
}

static bool is_whole(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    return expect_number(probe, "the number of bytes returned", (unsigned)read->length,
                         read->config.wTotalLength);
}

static void configuration_total(struct probe *probe)
{
    for_each_configuration(probe, is_whole, NULL);
}

static bool is_filled(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    const struct usb_configuration *config = &read->config;
    return expect(probe, !config->problem, "descriptors that fill wTotalLength exactly",
                  "%s at offset %zu", config->problem ? config->problem : "",
                  config->problem_offset);
}

static void configuration_walk(struct probe *probe)
{
    for_each_configuration(probe, is_filled, NULL);
}

// In units of 2 mA, at SuperSpeed of 8 mA.
static bool
draws_no_more(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    bool super = probe->target->speed == TARGET_SPEED_SUPER;
    unsigned most = super ? 112 : 250;
    char expected[64];
    snprintf(expected, sizeof expected, "bMaxPower of at most %u (%u mA)", most,
             super ? 896u : 500u);
    return expect(probe, read->config.bMaxPower <= most, expected, "%u", read->config.bMaxPower);
}

static void configuration_power(struct probe *probe)
{
    for_each_configuration(probe, draws_no_more, NULL);
}

static void configuration_index_absent(struct probe *probe)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t bytes[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    if (!read_device_descriptor(probe, device) ||
        !given(probe, expect(probe, device[17] > 0, "bNumConfigurations of at least 1", "0")))
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
    const uint16_t lengths[] = {
        1, 2, 8, 9, 10, (uint16_t)(size - 1), size, (uint16_t)(size + 1), 255, 4096, END};
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, active_configuration_index(probe), 0, 0);
    expect_lengths(probe, setup, read.bytes, size, lengths);
}

// clang-format off
// What DFU 1.1 4.2.1 asks for in DFU mode is not asked for once more there.
#define ROWS(PREFIX, MODE)                                                                         \
    {PREFIX "CH9-DEV-01", "USB 2.0 9.6.1", LEVEL_MUST,                                             \
     "the device descriptor is 18 bytes of type 01h",                                              \
     MODE, device_form},                                                                           \
    {PREFIX "CH9-DEV-02", "USB 2.0 9.6.1", LEVEL_MUST,                                             \
     "bMaxPacketSize0 is a size that the speed allows",                                            \
     MODE, device_max_packet},                                                                     \
    {PREFIX "CH9-DEV-04", "USB 2.0 9.6.1", LEVEL_MUST,                                             \
     "bcdUSB is a version of USB",                                                                 \
     MODE, device_version},                                                                        \
    {PREFIX "CH9-DEV-06", "USB 2.0 9.4.3", LEVEL_MUST,                                             \
     "GET_DESCRIPTOR(DEVICE) returns as much as is asked for, at most 18 bytes",                   \
     MODE, device_lengths},                                                                        \
    {PREFIX "CH9-DEV-07", "USB 2.0 9.4.3", LEVEL_MUST,                                             \
     "GET_DESCRIPTOR(DEVICE) answers the 8 and 64 bytes that hosts ask for first",                 \
     (MODE) | NEED_ANY_LENGTH, device_first_lengths},                                              \
    {PREFIX "CH9-DEV-08", "USB 2.0 9.3.5", LEVEL_SHOULD,                                           \
     "GET_DESCRIPTOR with wLength 0 has no data stage",                                            \
     MODE, length_zero},                                                                           \
    {PREFIX "CH9-CFG-01", "USB 2.0 9.6.3", LEVEL_MUST,                                             \
     "the configuration descriptor begins with 9 bytes of type 02h",                               \
     MODE, configuration_form},                                                                    \
    {PREFIX "CH9-CFG-02", "USB 2.0 9.6.3", LEVEL_MUST,                                             \
     "the device returns wTotalLength bytes",                                                      \
     MODE, configuration_total},                                                                   \
    {PREFIX "CH9-CFG-03", "USB 2.0 9.5", LEVEL_MUST,                                               \
     "the descriptors fill the configuration exactly",                                             \
     MODE, configuration_walk},                                                                    \
    {PREFIX "CH9-CFG-04", "USB 2.0 9.6.3", LEVEL_MUST,                                             \
     "bit 7 of bmAttributes is set",                                                               \
     MODE, check_field, FIELD(CONFIGURATION, 7, 1, "bmAttributes", BITS_SET, 0x80)},               \
    {PREFIX "CH9-CFG-05", "USB 2.0 9.6.3", LEVEL_MUST,                                             \
     "bits 4..0 of bmAttributes are clear",                                                        \
     MODE, check_field, FIELD(CONFIGURATION, 7, 1, "bmAttributes", BITS_CLEAR, 0x1F)},             \
    {PREFIX "CH9-CFG-06", "USB 2.0 9.6.3", LEVEL_MUST,                                             \
     "bMaxPower is at most 500 mA (900 mA at SuperSpeed)",                                         \
     MODE, configuration_power},                                                                   \
    {PREFIX "CH9-CFG-07", "USB 2.0 9.6.3", LEVEL_MUST,                                             \
     "bConfigurationValue is not 0",                                                               \
     MODE, check_field, FIELD(CONFIGURATION, 5, 1, "bConfigurationValue", IS_NOT, 0)},             \
    {PREFIX "CH9-CFG-15", "USB 2.0 9.4.3", LEVEL_MUST,                                             \
     "the index of an absent configuration STALLs",                                                \
     MODE, configuration_index_absent},                                                            \
    {PREFIX "CH9-CFG-16", "USB 2.0 9.4.3", LEVEL_MUST,                                             \
     "GET_DESCRIPTOR(CONFIGURATION) returns as much as is asked for, at most wTotalLength",        \
     MODE, configuration_lengths},                                                                 \
    {PREFIX "CH9-CFG-17", "USB 2.0 9.6.1", LEVEL_MUST,                                             \
     "each configuration that bNumConfigurations counts can be read",                              \
     MODE, each_configuration_read}

static const struct check checks[] = {
    ROWS("", 0),
    {"CH9-DEV-03", "USB 2.0 9.6.1", LEVEL_MUST,
     "there is at least one configuration",
     0, check_field, FIELD(DEVICE, 17, 1, "bNumConfigurations", AT_LEAST, 1)},
    {"CH9-CFG-19", "USB 2.0 9.6.3", LEVEL_MUST,
     "no two configurations have the same bConfigurationValue",
     0, configuration_values_differ},
    {"CH9-DEV-05", "USB 2.0 9.6.1", LEVEL_MUST,
     "bDeviceSubClass is 0 where bDeviceClass is 0",
     0, device_class},
};
static const struct check checks_in_dfu_mode[] = {
    ROWS("DM-", NEED_DFU_MODE),
    {"DM-CH9-BOS-01", "USB 2.0 LPM ECN 3", LEVEL_MUST,
     "there is a BOS if and only if bcdUSB is 0201h or above",
     NEED_DFU_MODE, bos_where_due},
    {"DM-CH9-QUAL-01", "USB 2.0 9.6.2", LEVEL_MUST,
     "GET_DESCRIPTOR(DEVICE_QUALIFIER) STALLs, or returns a valid qualifier",
     NEED_DFU_MODE, qualifier_form},
};
// clang-format on

const struct check_group check_chapter9_descriptors = {
    .title = "Descriptors of any USB device",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};

const struct check_group check_dm_chapter9_descriptors = {
    .title = "Descriptors of any USB device, in DFU mode",
    .checks = checks_in_dfu_mode,
    .count = sizeof checks_in_dfu_mode / sizeof checks_in_dfu_mode[0],
};
