// SPDX-License-Identifier: MIT
//
// Descriptors that are legal and unusual.

#include "fleet_rows.h"

enum { GERMAN = 0x0407, SELF_POWERED = 0xC0, REMOTE_WAKEUP = 0xA0 };

// ---- Strings ----

static const uint8_t german[] = {4, USBDEV_DT_STRING, 0x07, 0x04};
static const uint8_t two_languages[] = {6, USBDEV_DT_STRING, 0x09, 0x04, 0x07, 0x04};
static const uint8_t french_first[] = {8, USBDEV_DT_STRING, 0x0C, 0x04, 0x09, 0x04, 0x11, 0x04};

static const struct product_shape without_serial = {.no_serial = true};
static const struct product_shape without_strings = {.no_strings = true};
static const struct product_shape in_german = {.langids = german};
static const struct product_shape in_two_languages = {.langids = two_languages};
static const struct product_shape in_french_first = {.langids = french_first};

// ---- Configurations ----

static const uint8_t vendor_interface[] = {9, USBDEV_DT_INTERFACE, 0, 0, 0, 0xFF, 0, 0, 0};
static const uint8_t without_dfu[] = {9, USBDEV_DT_CONFIGURATION, 18, 0, 1, 2,    0, 0x80, 50,
                                      9, USBDEV_DT_INTERFACE,     0,  0, 0, 0xFF, 0, 0,    0};

static const struct product_shape two_configurations = {.before = STANDS(vendor_interface, 1),
                                                        .other_configuration = without_dfu};
static const struct product_shape dfu_in_second = {.before = STANDS(vendor_interface, 1),
                                                   .other_configuration = without_dfu,
                                                   .other_is_first = true};
static const struct product_shape value_5 = {.bConfigurationValue = 5};
static const struct product_shape value_255 = {.bConfigurationValue = 255};
static const struct product_shape self_powered = {.bmAttributes = SELF_POWERED};
static const struct product_shape wakes = {.bmAttributes = REMOTE_WAKEUP};

// ---- Packets and versions ----

static const struct product_shape max_packet_8 = {.bMaxPacketSize0 = 8};
static const struct product_shape max_packet_32 = {.bMaxPacketSize0 = 32};
static const struct product_shape usb_1_1 = {.bcdUSB = 0x0110};
static const struct product_shape vendor_class = {.device_class = {0xFF, 0xFF, 0xFF}};

// ---- More descriptors in a configuration ----

static const uint8_t otg[] = {3, 9, 3}; // HNP and SRP
static const struct product_shape with_otg = {.before = STANDS(otg, 0)};

static const uint8_t vendor_descriptor[] = {6, 0x41, 1, 2, 3, 4};
static const struct product_shape with_vendor_descriptor = {.after = STANDS(vendor_descriptor, 0)};

enum { INTERFACES = 64, LONG_DESCRIPTORS = 20, LONG_LENGTH = 255 };

static void describe_64_interfaces(struct defect_view *view)
{
    for (uint8_t number = 1; view->runtime && number < INTERFACES; number++)
        defect_append_interface(view, number);
}

// 16 associations of two interfaces each, behind DFU.
static void describe_16_associations(struct defect_view *view)
{
    for (uint8_t first = 1; view->runtime && first < 33; first = (uint8_t)(first + 2)) {
        const uint8_t association[] = {8, USBDEV_DT_INTERFACE_ASSOCIATION, first, 2, 0xFF, 0, 0, 0};

        defect_append(view, association, sizeof association);
        defect_append_interface(view, first);
        defect_append_interface(view, (uint8_t)(first + 1));
    }
}

static void describe_long(struct defect_view *view)
{
    uint8_t vendor[LONG_LENGTH] = {LONG_LENGTH, 0x41};

    for (int i = 0; view->runtime && i < LONG_DESCRIPTORS; i++)
        defect_append(view, vendor, sizeof vendor);
}

// Class descriptors follow each interface descriptor: a copy behind the first of two settings.
static void describe_functional_for_each(struct defect_view *view)
{
    defect_repeat_functional(view);
}

static void describe_vendor_between(struct defect_view *view)
{
    uint8_t *functional = defect_find(view, USBDEV_DT_DFU_FUNCTIONAL, 0);

    if (view->runtime && functional)
        defect_insert(view, functional, vendor_descriptor, sizeof vendor_descriptor);
}

static int answer_for_64(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime ? defect_answer_for_interfaces(view, setup, 1, INTERFACES - 1)
                         : NATIVE_PASS;
}

static int answer_for_33(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime ? defect_answer_for_interfaces(view, setup, 1, 32) : NATIVE_PASS;
}

// ---- DFU 1.0: a functional descriptor of 7 bytes, bInterfaceProtocol 0 ----

static void describe_dfu_1_0(struct defect_view *view)
{
    uint8_t *bytes = view->configuration;
    uint16_t wTotalLength = usbdev_load_le16(bytes + 2);
    uint8_t *functional = bytes + wTotalLength - USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE;

    functional[0] = 7;
    functional[-USBDEV_INTERFACE_DESCRIPTOR_SIZE + 7] = 0; // bInterfaceProtocol
    usbdev_store_le16(bytes + 2, (uint16_t)(wTotalLength - 2));
}

const struct variation fleet_of_descriptors[] = {
    {
        .model = {.name = "no-serial",
                  .summary = "iSerialNumber 0",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &without_serial},
        .allowed_by = "USB 2.0 9.6.1: an index of 0 says that there is no string",
    },
    {
        .model = {.name = "no-strings",
                  .summary = "no strings at all, in both modes",
                  .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .no_strings = true),
                  .product = &without_strings},
        .allowed_by = "USB 2.0 9.6.7: string descriptors are optional",
    },
    {
        .model = {.name = "no-strings-tolerant",
                  .summary = "no strings at all, in both modes; leaves by itself",
                  .bootloader = FLEET_PLAIN(1024, FLEET_TOLERANT, .no_strings = true),
                  .product = &without_strings},
        .allowed_by = "USB 2.0 9.6.7: string descriptors are optional",
    },
    {
        .model = {.name = "german",
                  .summary = "its only language is 0407h, in both modes",
                  .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .langid = GERMAN),
                  .product = &in_german},
        .allowed_by = "USB 2.0 9.6.7: string 0 names the languages, whichever they are",
    },
    {
        .model = {.name = "german-dfuse",
                  .summary = "its only language is 0407h, in both modes; DfuSe",
                  .bootloader =
                      FLEET_DFUSE(2048,
                                  .langid = GERMAN,
                                  .choices = {.leaves_by_itself = true},
                                  .alternates = {"@Internal Flash  /0x08000000/064*0002Kg"}),
                  .product = &in_german},
        .allowed_by = "USB 2.0 9.6.7: string 0 names the languages, whichever they are",
    },
    {
        .model = {.name = "two-languages",
                  .summary = "strings in 0409h and 0407h",
                  .bootloader = &bootloader_st_rom,
                  .product = &in_two_languages},
        .allowed_by = "USB 2.0 9.6.7: string 0 is a table of languages",
    },
    {
        .model = {.name = "french-first",
                  .summary = "strings in 040Ch, 0409h and 0411h",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &in_french_first},
        .allowed_by = "USB 2.0 9.6.7: string 0 is a table of languages, in any order",
    },
    {
        .model = {.name = "two-configurations",
                  .summary = "a second configuration without DFU",
                  .bootloader = &bootloader_st_rom,
                  .product = &two_configurations},
        .allowed_by = "DFU 1.1 4.1: not every configuration needs to have DFU",
    },
    {
        .model = {.name = "dfu-in-second-configuration",
                  .summary = "the configuration of index 0 has no DFU, that of index 1 has",
                  .bootloader = &bootloader_st_rom,
                  .product = &dfu_in_second},
        .allowed_by = "DFU 1.1 4.1: not every configuration needs to have DFU",
    },
    {
        .model = {.name = "configuration-5",
                  .summary = "bConfigurationValue 5",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &value_5},
        .allowed_by = "USB 2.0 9.6.3: bConfigurationValue is any number but 0",
    },
    {
        .model = {.name = "configuration-255",
                  .summary = "bConfigurationValue 255",
                  .bootloader = &bootloader_st_rom,
                  .product = &value_255},
        .allowed_by = "USB 2.0 9.6.3: bConfigurationValue is any number but 0",
    },
    {
        .model = {.name = "self-powered",
                  .summary = "self-powered, and GET_STATUS says so",
                  .bootloader = &bootloader_st_rom,
                  .product = &self_powered},
        .allowed_by = "USB 2.0 9.6.3: bmAttributes bit 6",
    },
    {
        .model = {.name = "remote-wakeup",
                  .summary = "remote wake-up offered by a device without endpoints",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &wakes},
        .allowed_by = "USB 2.0 9.6.3: bmAttributes bit 5",
    },
    {
        .model = {.name = "power-500-ma",
                  .summary = "bMaxPower 500 mA",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 7.2.1: a high-power device draws 500 mA at most",
        .way = {.patches = PATCHES({PATCH_CONFIGURATION, AT_RUN_TIME, 8, 250})},
    },
    {
        .model = {.name = "max-packet-8",
                  .summary = "bMaxPacketSize0 8 in both modes",
                  .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .bMaxPacketSize0 = 8),
                  .product = &max_packet_8},
        .allowed_by = "USB 2.0 5.5.3: 8, 16, 32 or 64 at full speed",
    },
    {
        .model = {.name = "max-packet-32",
                  .summary = "bMaxPacketSize0 32 at run time and 16 in DFU mode",
                  .bootloader = FLEET_PLAIN(512, FLEET_TOLERANT, .bMaxPacketSize0 = 16),
                  .product = &max_packet_32},
        .allowed_by = "USB 2.0 5.5.3: 8, 16, 32 or 64 at full speed",
    },
    {
        .model = {.name = "max-packet-16-dfuse",
                  .summary = "bMaxPacketSize0 16 in DFU mode, and a string of 5 packets",
                  .bootloader = FLEET_DFUSE(2048,
                                            .bMaxPacketSize0 = 16,
                                            .choices = {.leaves_by_itself = true},
                                            .alternates = {"@Internal Flash  "
                                                           "/0x08000000/064*0002Kg"})},
        .allowed_by = "USB 2.0 5.5.3: 8, 16, 32 or 64 at full speed",
    },
    {
        .model = {.name = "usb-1.1",
                  .summary = "bcdUSB 0110h",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &usb_1_1},
        .allowed_by = "USB 2.0 9.6.1: bcdUSB names the release that the device complies with",
    },
    {
        .model = {.name = "vendor-class",
                  .summary = "bDeviceClass FFh at run time",
                  .bootloader = &bootloader_st_rom,
                  .product = &vendor_class},
        .allowed_by = "USB 2.0 9.6.1: FFh is the vendor's; DFU 1.1 4.1.1 leaves it alone",
    },
    {
        .model = {.name = "interface-without-name",
                  .summary = "iInterface of DFU at run time is 0",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.6.5: an index of 0 says that there is no string",
        .way = {.patches = PATCHES({PATCH_DFU_INTERFACE, AT_RUN_TIME, 8, 0})},
    },
    {
        .model = {.name = "otg",
                  .summary = "an OTG descriptor in the configuration",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_otg},
        .allowed_by = "OTG 1.3 6.4: an OTG descriptor in each configuration",
    },
    {
        .model = {.name = "vendor-descriptor",
                  .summary = "a vendor descriptor after the functional descriptor",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_vendor_descriptor},
        .allowed_by = "USB 2.0 9.5: vendor descriptors may follow the standard ones",
    },
    {
        .model = {.name = "vendor-descriptor-between",
                  .summary = "a vendor descriptor between the interface and its functional "
                             "descriptor",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.5: vendor descriptors follow the standard one they extend, in "
                      "any order",
        .way = {.describe = describe_vendor_between},
    },
    {
        .model = {.name = "64-interfaces",
                  .summary = "64 interfaces",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.6.3: bNumInterfaces is a byte",
        .way = {.describe = describe_64_interfaces, .setup = answer_for_64},
    },
    {
        .model = {.name = "16-associations",
                  .summary = "16 interface associations of two interfaces each",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "USB 2.0 ECN Interface Association: one for each function",
        .way = {.describe = describe_16_associations, .setup = answer_for_33},
    },
    {
        .model = {.name = "long-configuration",
                  .summary = "a configuration of more than 4096 bytes",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "USB 2.0 9.6.3: wTotalLength has 16 bits",
        .way = {.describe = describe_long},
    },
    {
        .model = {.name = "dfu-1.0",
                  .summary = "DFU 1.0: a functional descriptor of 7 bytes, bInterfaceProtocol 0",
                  .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {0})},
        .allowed_by = "DFU 1.0 4.1.2, 4.1.3",
        .way = {.describe = describe_dfu_1_0},
    },
    {
        .model = {.name = "dfu-1.0-in-dfu-mode",
                  .summary =
                      "DFU 1.0, first seen in DFU mode: only the state tells which mode it is",
                  .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {0}),
                  .starts_in_bootloader = true},
        .allowed_by = "DFU 1.0 4.2.3: bInterfaceProtocol 0",
        .way = {.describe = describe_dfu_1_0},
    },
    {
        .model = {.name = "functional-for-each-setting",
                  .summary = "DFU mode has a DFU functional descriptor behind each of its two "
                             "alternate settings",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.5: class descriptors follow the interface descriptor they extend",
        .way = {.describe = describe_functional_for_each},
    },
    {.allowed_by = NULL},
};
