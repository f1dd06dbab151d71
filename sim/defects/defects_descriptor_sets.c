// SPDX-License-Identifier: MIT
//
// Descriptors that do not fit together (USB 2.0 9.6 and its companions): configurations and their
// count, interface associations, alternate settings, the BOS, the second speed, languages.

#include <string.h>

#include "defects_private.h"

// Insert bytes into the configuration, before at.
static void insert(struct defect_view *view, uint8_t *at, const uint8_t *bytes, uint8_t length)
{
    uint8_t *end = view->configuration + total_length(view);

    memmove(at + length, at, (size_t)(end - at));
    memcpy(at, bytes, length);
    usbdev_store_le16(view->configuration + 2, (uint16_t)(total_length(view) + length));
}

// ---- Interface associations: of the composite device, whose interfaces 0 and 1 have one ----

enum { ASSOCIATION_SIZE = 8 };

// Behind the interface that it should stand before.
static void association_late(struct defect_view *view)
{
    uint8_t *association = defect_find(view, USBDEV_DT_INTERFACE_ASSOCIATION, 0);
    uint8_t *interface = defect_find(view, USBDEV_DT_INTERFACE, 0);
    uint8_t copy[ASSOCIATION_SIZE];

    if (!view->runtime || !association)
        return;
    memcpy(copy, association, sizeof copy);
    memmove(association, interface, USBDEV_INTERFACE_DESCRIPTOR_SIZE);
    memcpy(association + USBDEV_INTERFACE_DESCRIPTOR_SIZE, copy, sizeof copy);
}

static void association_class_0(struct defect_view *view)
{
    uint8_t *association = defect_find(view, USBDEV_DT_INTERFACE_ASSOCIATION, 0);

    if (view->runtime && association)
        association[4] = 0;
}

// A second one, of interface 1 alone, where interface 1 begins.
static void association_overlaps(struct defect_view *view)
{
    static const uint8_t second[ASSOCIATION_SIZE] = {
        ASSOCIATION_SIZE, USBDEV_DT_INTERFACE_ASSOCIATION, 1, 1, 0xFF, 0, 0, 0};
    uint8_t *interface = defect_find(view, USBDEV_DT_INTERFACE, 1);

    if (view->runtime && interface)
        insert(view, interface, second, sizeof second);
}

// ---- Alternate settings ----

enum { SECOND_INTERFACE = 1 };

// Interface 1 with two settings.
static void add_settings(struct defect_view *view, uint8_t second)
{
    const uint8_t interfaces[2 * USBDEV_INTERFACE_DESCRIPTOR_SIZE] = {
        USBDEV_INTERFACE_DESCRIPTOR_SIZE,
        USBDEV_DT_INTERFACE,
        SECOND_INTERFACE,
        0,
        0,
        0xFF,
        0,
        0,
        0,
        USBDEV_INTERFACE_DESCRIPTOR_SIZE,
        USBDEV_DT_INTERFACE,
        SECOND_INTERFACE,
        second,
        0,
        0xFF,
        0,
        0,
        0,
    };

    if (!view->runtime)
        return;
    insert(view, view->configuration + total_length(view), interfaces, sizeof interfaces);
    view->configuration[4]++; // bNumInterfaces
}

static void add_settings_0_and_1(struct defect_view *view)
{
    add_settings(view, 1);
}

static void add_settings_0_and_2(struct defect_view *view)
{
    add_settings(view, 2);
}

// Standard requests to interface 1; the setting is kept in scratch.
static int
know_settings(struct defect_view *view, const struct usbdev_setup_packet *setup, uint16_t greatest)
{
    bool standard = (setup->bmRequestType & ~USBDEV_DIR_IN) == USBDEV_RECIPIENT_INTERFACE;

    if (!view->runtime || !standard || setup->wIndex != SECOND_INTERFACE ||
        setup->wValue > greatest)
        return NATIVE_PASS;
    if (setup->bRequest == USBDEV_SET_INTERFACE)
        view->scratch = setup->wValue;
    view->reply[0] = setup->bRequest == USBDEV_GET_INTERFACE ? (uint8_t)view->scratch : 0;
    view->reply[1] = 0;
    return setup->wLength < 2 ? setup->wLength : 2;
}

static int know_setting_0(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return know_settings(view, setup, 0);
}

static int know_setting_2(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return setup->wValue == 1 ? NATIVE_PASS : know_settings(view, setup, 2);
}

// One variable for the settings of all interfaces.
static int one_setting_for_all(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool gets = is_request(setup, GET | USBDEV_RECIPIENT_INTERFACE, USBDEV_GET_INTERFACE);

    if (!view->runtime || !gets || setup->wIndex != view->interface || view->scratch == 0)
        return know_settings(view, setup, 1);
    view->reply[0] = (uint8_t)view->scratch;
    return setup->wLength < 1 ? 0 : 1;
}

// ---- Strings ----

// The strings of the second language are half a surrogate pair.
static int second_language_malformed(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    static const uint8_t languages[] = {6, USBDEV_DT_STRING, 0x09, 0x04, 0x07, 0x04};
    static const uint8_t string[] = {4, USBDEV_DT_STRING, 0x00, 0xD8};

    if (!is_request(setup, GET, USBDEV_GET_DESCRIPTOR) || setup->wValue >> 8 != USBDEV_DT_STRING)
        return NATIVE_PASS;
    bool is_table = (setup->wValue & 0xFF) == 0;
    if (!is_table && setup->wIndex != 0x0407)
        return NATIVE_PASS;
    uint16_t length = is_table ? sizeof languages : sizeof string;
    memcpy(view->reply, is_table ? languages : string, length);
    return setup->wLength < length ? setup->wLength : length;
}

// A string of 62 bytes of text: one packet of 64 bytes, with nothing after it.
static int string_of_64_bytes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { SIZE = 64 };

    if (!is_request(setup, GET, USBDEV_GET_DESCRIPTOR) ||
        setup->wValue != (USBDEV_DT_STRING << 8 | 2))
        return NATIVE_PASS;
    view->reply[0] = SIZE;
    view->reply[1] = USBDEV_DT_STRING;
    for (int i = 2; i < SIZE; i += 2) {
        view->reply[i] = 'x';
        view->reply[i + 1] = 0;
    }
    view->native->omits_empty_packet = true;
    return setup->wLength < SIZE ? setup->wLength : SIZE;
}

#define GET_DESCRIPTOR(wanted, mask)                                                               \
    IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR, .wValue_mask = (mask), \
                   .wValue = (wanted), .target = ANY_INDEX

const struct sim_defect defects_of_descriptor_sets[] = {
    {
        .name = "configuration-uncounted",
        .summary = "bNumConfigurations 2, but the second STALLs",
        .patches = PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 17, 2}),
    },
    {
        .name = "configuration-value-twice",
        .summary = "two configurations have bConfigurationValue 1",
        .patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 17, 2}),
        SAYS(USBDEV_DT_CONFIGURATION,
             1,
             {9, 2, 18, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 0, 0xFF, 0, 0, 0}),
    },
    {
        .name = "endpoint-reserved-bits",
        .summary = "bit 6 of an endpoint's bmAttributes is set",
        .patches = PATCHES({PATCH_ENDPOINT, AT_RUN_TIME, 3, 0x42}),
    },
    {
        .name = "association-late",
        .summary = "an interface association follows its first interface",
        .describe = association_late,
    },
    {
        .name = "association-class-0",
        .summary = "bFunctionClass of an interface association is 0",
        .describe = association_class_0,
    },
    {
        .name = "association-overlaps",
        .summary = "two interface associations share an interface",
        .describe = association_overlaps,
    },
    {
        .name = "association-unannounced",
        .summary = "interface associations in a device of class 0",
        .patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 4, 0},
                           {PATCH_DEVICE, AT_RUN_TIME, 5, 0},
                           {PATCH_DEVICE, AT_RUN_TIME, 6, 0}),
    },
    {
        .name = "bos-count",
        .summary = "bNumDeviceCaps counts one capability too many",
        .patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 2, 0x10}),
        SAYS(USBDEV_DT_BOS, 0, {5, USBDEV_DT_BOS, 12, 0, 2, 7, 0x10, 2, 2, 0, 0, 0}),
    },
    {
        .name = "bos-capability-short",
        .summary = "the USB 2.0 extension of the BOS is 4 bytes long",
        .patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 2, 0x10}),
        SAYS(USBDEV_DT_BOS, 0, {5, USBDEV_DT_BOS, 9, 0, 1, 4, 0x10, 2, 2}),
    },
    {
        .name = "qualifier-alone",
        .summary = "a device qualifier, but no configuration of the other speed",
        .rules = RULES({GET_DESCRIPTOR(USBDEV_DT_DEVICE_QUALIFIER << 8, 0xFFFF), .action = DO_REPLY,
                        BYTES(10, USBDEV_DT_DEVICE_QUALIFIER, 0, 2, 0, 0, 0, 64, 1, 0)}),
    },
    {
        .name = "string-second-language",
        .summary = "string 0 has two languages, the strings of the second STALL",
        .rules = RULES({GET_DESCRIPTOR(USBDEV_DT_STRING << 8, 0xFFFF), .action = DO_REPLY,
                        BYTES(6, USBDEV_DT_STRING, 0x09, 0x04, 0x07, 0x04)}),
    },
    {
        .name = "string-second-language-malformed",
        .summary = "string 0 has two languages, the strings of the second are no UTF-16LE",
        .setup = second_language_malformed,
    },
    {
        .name = "zero-packet-missing",
        .summary = "a string of 64 bytes is not ended by a zero-length packet",
        .setup = string_of_64_bytes,
    },
    {
        .name = "alternate-refused",
        .summary = "SET_INTERFACE of an alternate setting that is described STALLs",
        .describe = add_settings_0_and_1,
        .setup = know_setting_0,
    },
    {
        .name = "alternate-of-all",
        .summary = "an alternate setting that is selected is the one of each interface",
        .describe = add_settings_0_and_1,
        .setup = one_setting_for_all,
    },
    {
        .name = "alternate-gap",
        .summary = "an interface has the alternate settings 0 and 2",
        .describe = add_settings_0_and_2,
        .setup = know_setting_2,
    },
    {0},
};
