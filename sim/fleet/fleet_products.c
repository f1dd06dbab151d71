// SPDX-License-Identifier: MIT
//
// Products whose descriptors use the numbers and the classes at the ends of what USB allows.

#include "fleet_rows.h"

enum { STRING_LONG = 5, STRING_HIGH = 200, STRING_UNNAMED = 0xF0 };

// ---- Endpoints ----

static const uint8_t last_endpoints[] = {
    INTERFACE(0, 0, 4, 0xFF, 0, 0, 0),
    ENDPOINT(0x8F, USBDEV_ENDPOINT_INTERRUPT, 1, 255),
    ENDPOINT(0x0F, USBDEV_ENDPOINT_INTERRUPT, 64, 1),
    ENDPOINT(0x8E, USBDEV_ENDPOINT_BULK, 8, 0),
    ENDPOINT(0x0E, USBDEV_ENDPOINT_BULK, 8, 255),
};

static const uint8_t one_number_two_types[] = {
    INTERFACE(0, 0, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_INTERRUPT, 8, 10),
    INTERFACE(1, 0, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 64, 0),
};

static const uint8_t isochronous_largest[] = {
    INTERFACE(0, 0, 0, 0xFF, 0, 0, 0),
    INTERFACE(0, 1, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x83, USBDEV_ENDPOINT_ISOCHRONOUS, 1023, 1),
    INTERFACE(0, 2, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x83, USBDEV_ENDPOINT_ISOCHRONOUS | 0x24, 1, 16), // implicit feedback, asynchronous
};

static const uint8_t high_bandwidth[] = {
    INTERFACE(0, 0, 1, 0xFF, 0, 0, 0), ENDPOINT(0x81, USBDEV_ENDPOINT_INTERRUPT, 64, 16),
    INTERFACE(0, 1, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_INTERRUPT, 0x1400, 1), // three packets of 1024 a microframe
};

// ---- Classes ----

// CDC ACM whose data interface has no association, as before the ECN.
static const uint8_t acm_by_union[] = {
    INTERFACE(0, 0, 1, 2, 2, 1, 0),
    DESCRIPTOR(5, 0x24, 0, 0x10, 1),
    DESCRIPTOR(5, 0x24, 1, 3, 1),
    DESCRIPTOR(4, 0x24, 2, 6),
    DESCRIPTOR(5, 0x24, 6, 0, 1),
    ENDPOINT(0x83, USBDEV_ENDPOINT_INTERRUPT, 16, 255),
    INTERFACE(1, 0, 2, 10, 0, 0, 0),
    ENDPOINT(0x02, USBDEV_ENDPOINT_BULK, 32, 0),
    ENDPOINT(0x82, USBDEV_ENDPOINT_BULK, 32, 0),
};

// CDC NCM: as ECM, and the network address is a string.
static const uint8_t two_functions[] = {
    ASSOCIATION(0, 2, 2, 13, 0, STRING_HIGH),
    INTERFACE(0, 0, 1, 2, 13, 0, 0),
    DESCRIPTOR(5, 0x24, 0, 0x10, 1),
    DESCRIPTOR(5, 0x24, 6, 0, 1),
    DESCRIPTOR(6, 0x24, 0x1A, 0, 1, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_INTERRUPT, 16, 50),
    INTERFACE(1, 0, 0, 10, 0, 1, 0),
    INTERFACE(1, 1, 2, 10, 0, 1, 0),
    ENDPOINT(0x82, USBDEV_ENDPOINT_BULK, 64, 0),
    ENDPOINT(0x02, USBDEV_ENDPOINT_BULK, 64, 0),
    ASSOCIATION(2, 2, 14, 3, 0, 0),
    INTERFACE(2, 0, 0, 14, 1, 0, 0),
    INTERFACE(3, 0, 0, 14, 2, 0, 0),
};

// Smart card (CCID), whose class descriptor has HID's and DFU's type.
#define CCID_DESCRIPTOR                                                                            \
    54, 0x21, 0x10, 0x01, 0x00, 0x07, 0x03, 0x00, 0x00, 0x00, 0xA0, 0x0F, 0x00, 0x00, 0xA0, 0x0F,  \
        0x00, 0x00, 0x00, 0x00, 0x2A, 0x00, 0x00, 0x00, 0x2A, 0x00, 0x00, 0x00, 0xFE, 0x00, 0x00,  \
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xBA, 0x04, 0x01, 0x00, 0x0F, 0x01,  \
        0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01

static const uint8_t smart_card[] = {
    INTERFACE(0, 0, 2, 11, 0, 0, 0),
    CCID_DESCRIPTOR,
    ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 64, 0),
    ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 64, 0),
};

// A test and measurement class of the application-specific ones (FEh/03h), as DFU is FEh/01h.
static const uint8_t measurement[] = {
    INTERFACE(0, 0, 2, 0xFE, 3, 1, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 64, 0),
    ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 64, 0),
};

// ---- Strings ----

static const char *long_strings(uint8_t index, uint16_t langid)
{
    static const char text[] = "0123456789012345678901234567890123456789012345678901234567890123456"
                               "78901234567890123456789012345678901234567890123456789012345";

    if (langid != 0x0409)
        return NULL;
    return index == STRING_LONG   ? text
           : index == STRING_HIGH ? "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x8C"
                                  : NULL;
}

static const char *unnamed_string(uint8_t index, uint16_t langid)
{
    return index == STRING_UNNAMED && langid == 0x0409 ? "calibrated 2026-01-05" : NULL;
}

// From index 5 on each is what follows in a sentence, of another length.
static const char *string_at_any_index(uint8_t index, uint16_t langid)
{
    static const char sentence[] = "the quick brown fox jumps over the lazy dog and runs away from "
                                   "it as fast as it can, until both of them are too tired to go";
    return index >= 5 && langid == 0x0409 ? sentence + index % (sizeof sentence - 1) : NULL;
}

static const uint8_t named[] = {
    INTERFACE(0, 0, 0, 0xFF, 0, 0, STRING_LONG),
    INTERFACE(1, 0, 0, 0xFF, 0, 0, STRING_HIGH),
};

// ---- BOS ----

// USB 2.0 extension with BESL, a container id, an unassigned platform capability, and an
// unknown type.
static const uint8_t many_capabilities[] = {
    5,    USBDEV_DT_BOS,
    62,   0,
    4,    7,
    0x10, 2,
    0x1E, 0xF4,
    0,    0,
    20,   0x10,
    4,    0,
    1,    2,
    3,    4,
    5,    6,
    7,    8,
    9,    10,
    11,   12,
    13,   14,
    15,   16,
    24,   0x10,
    5,    0,
    16,   15,
    14,   13,
    12,   11,
    10,   9,
    8,    7,
    6,    5,
    4,    3,
    2,    1,
    0,    1,
    2,    3,
    6,    0x10,
    0x7F, 1,
    2,    3,
};

static const struct product_shape with_last_endpoints = {.before = STANDS(last_endpoints, 1)};
static const struct product_shape with_one_number = {.before = STANDS(one_number_two_types, 2)};
static const struct product_shape with_isochronous = {.before = STANDS(isochronous_largest, 1)};
static const struct product_shape with_high_bandwidth = {.before = STANDS(high_bandwidth, 1)};
static const struct product_shape with_acm_by_union = {.before = STANDS(acm_by_union, 2),
                                                       .device_class = {2, 0, 0}};
static const struct product_shape with_two_functions = {.before = STANDS(two_functions, 4),
                                                        .device_class = ASSOCIATIONS_FOLLOW,
                                                        .string = long_strings};
static const struct product_shape with_smart_card = {.before = STANDS(smart_card, 1)};
static const struct product_shape with_measurement = {.before = STANDS(measurement, 1)};
static const struct product_shape with_unnamed_string = {.string = unnamed_string};
static const struct product_shape with_all_strings = {.string = string_at_any_index};
static const struct product_shape with_long_strings = {.before = STANDS(named, 2),
                                                       .string = long_strings};
static const struct product_shape with_capabilities = {.bcdUSB = 0x0201, .bos = many_capabilities};
static const struct product_shape self_powered_and_wakes = {.bmAttributes = 0xE0,
                                                            .bConfigurationValue = 2};

#define ASKS_FOR(type)                                                                             \
    AT_RUN_TIME, .bmRequestType = USBDEV_DIR_IN, .bRequest = USBDEV_GET_DESCRIPTOR,                \
                 .wValue_mask = 0xFFFF, .wValue = (type) << 8, .target = ANY_INDEX,                \
                 .action = DO_REPLY
#define QUALIFIER 10, USBDEV_DT_DEVICE_QUALIFIER, 0x00, 0x02, 0, 0, 0, 64, 1, 0
#define AT_FULL_SPEED                                                                              \
    9, 7, 43, 0, 2, 1, 0, 0x80, 50, INTERFACE(0, 0, 1, 0xFF, 0, 0, 0),                             \
        ENDPOINT(0x81, USBDEV_ENDPOINT_INTERRUPT, 64, 1), INTERFACE(1, 0, 0, 0xFE, 1, 1, 4), 9,    \
        0x21, 0x0B, 0xFF, 0, 0, 8, 0x1A, 1

const struct variation fleet_of_products[] = {
    {
        .model = {.name = "last-endpoints",
                  .summary = "endpoints 14 and 15, an interrupt packet of 1 byte each 255 ms",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_last_endpoints},
        .allowed_by = "USB 2.0 9.6.6: numbers to 15, bInterval to 255; 5.7.3, 5.8.3",
    },
    {
        .model = {.name = "one-number-two-types",
                  .summary = "endpoint number 1 is interrupt IN and bulk OUT, in two interfaces",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_one_number},
        .allowed_by = "USB 2.0 5.3.1: an address is a number and a direction",
    },
    {
        .model = {.name = "isochronous-1023",
                  .summary = "isochronous packets of 1023 bytes, and of 1 each 2^15 frames",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_isochronous},
        .allowed_by = "USB 2.0 5.6.3; table 9-13: bInterval 1 to 16, bits 5..2 of bmAttributes",
    },
    {
        .model = {.name = "high-bandwidth",
                  .summary = "high speed: three interrupt packets of 1024 bytes a microframe",
                  .bootloader = FLEET_DFUSE(1024,
                                            .choices = {.leaves_by_itself = true},
                                            .alternates = {"@Internal Flash  "
                                                           "/0x08000000/064*0002Kg"}),
                  .product = &with_high_bandwidth,
                  .speed = SIM_HIGH_SPEED,
                  .loader_speed = SIM_HIGH_SPEED},
        .allowed_by = "USB 2.0 5.7.3, 5.9; table 9-13: bits 12..11 of wMaxPacketSize",
        .way = {.rules = RULES({ASKS_FOR(USBDEV_DT_DEVICE_QUALIFIER), BYTES(QUALIFIER)},
                               {ASKS_FOR(7), BYTES(AT_FULL_SPEED)})},
    },
    {
        .model = {.name = "acm-by-union",
                  .summary = "a serial port without an association: a union alone, class 02h",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_acm_by_union},
        .allowed_by = "CDC 1.2 5.2.3.2: the union descriptor groups interfaces",
    },
    {
        .model = {.name = "network-and-camera",
                  .summary = "two associations, one of them named, DFU behind them",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_two_functions},
        .allowed_by = "USB 2.0 ECN Interface Association; NCM 1.0 5.1",
    },
    {
        .model = {.name = "smart-card",
                  .summary =
                      "a smart card reader, whose class descriptor of 54 bytes is of type 21h",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_smart_card},
        .allowed_by = "CCID 1.1 5.1: bDescriptorType 21h",
    },
    {
        .model = {.name = "measurement",
                  .summary = "an interface of class FEh, subclass 03h, before DFU",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_measurement},
        .allowed_by = "USBTMC 1.0 5.5: class FEh is for several subclasses",
    },
    {
        .model = {.name = "unnamed-string",
                  .summary = "string F0h, which no descriptor names, for the maker's own tool",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_unnamed_string},
        .allowed_by = "USB 2.0 9.4.3: a STALL is due where a device does not support a descriptor",
    },
    {
        .model = {.name = "255-strings",
                  .summary = "a string at each index",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_all_strings},
        .allowed_by = "USB 2.0 9.6: each iString field and each class may name others",
    },
    {
        .model = {.name = "long-strings",
                  .summary = "a string of 126 characters, and one at index 200 beyond ASCII",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_long_strings},
        .allowed_by = "USB 2.0 9.6.7: bLength to 255, UTF-16, any index",
    },
    {
        .model = {.name = "many-capabilities",
                  .summary = "a BOS of four capabilities, one of a type that is not known",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_capabilities},
        .allowed_by = "USB 3.2 9.6.2: capabilities in any number and order",
    },
    {
        .model = {.name = "self-powered-and-wakes",
                  .summary = "bmAttributes E0h, bConfigurationValue 2",
                  .bootloader = &bootloader_st_rom,
                  .product = &self_powered_and_wakes},
        .allowed_by = "USB 2.0 9.6.3: bits 6 and 5 are independent",
    },
    {
        .model = {.name = "power-0-ma",
                  .summary = "bMaxPower 0, self-powered",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &self_powered_and_wakes},
        .allowed_by = "USB 2.0 9.6.3: bMaxPower is what is drawn from the bus",
        .way = {.patches = PATCHES({PATCH_CONFIGURATION, AT_RUN_TIME, 8, 0})},
    },
    {.allowed_by = NULL},
};
