// SPDX-License-Identifier: MIT
//
// Devices of other speeds than full, and one of full speed that can do another
// (USB 2.0 5.5.3, 5.8.3, 9.6.2; USB 3.2 9.6.7).

#include "fleet_rows.h"

static const uint8_t low_speed[] = {
    INTERFACE(0, 0, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_INTERRUPT, 8, 10),
};

static const uint8_t high_speed[] = {
    INTERFACE(0, 0, 2, 0xFF, 0, 0, 0),
    ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 512, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 512, 0),
};

#define COMPANION 6, 0x30, 0, 0, 0, 0

static const uint8_t super_speed[] = {
    INTERFACE(0, 0, 2, 0xFF, 0, 0, 0),
    ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 1024, 0),
    COMPANION,
    ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 1024, 0),
    COMPANION,
};

// USB 2.0 extension, and SuperSpeed: full, high and super speed, all functions at full speed.
#define SUPER_SPEED_BOS                                                                            \
    5, USBDEV_DT_BOS, 22, 0, 2, 7, 0x10, 2, 0x02, 0, 0, 0, 10, 0x10, 3, 0, 0x0E, 0, 1, 10, 0, 0

static const uint8_t super_speed_bos[] = {SUPER_SPEED_BOS};

static const struct product_shape at_low_speed = {.before = STANDS(low_speed, 1),
                                                  .bMaxPacketSize0 = 8};
static const struct product_shape at_high_speed = {.before = STANDS(high_speed, 1)};
static const struct product_shape at_super_speed = {
    .before = STANDS(super_speed, 1), .bcdUSB = 0x0300, .bos = super_speed_bos};

#define ASKS_FOR(type)                                                                             \
    AT_RUN_TIME, .bmRequestType = USBDEV_DIR_IN, .bRequest = USBDEV_GET_DESCRIPTOR,                \
                 .wValue_mask = 0xFFFF, .wValue = (type) << 8, .target = ANY_INDEX,                \
                 .action = DO_REPLY

// At full speed the same device has bulk packets of 64 bytes.
#define QUALIFIER 10, USBDEV_DT_DEVICE_QUALIFIER, 0x00, 0x02, 0, 0, 0, 64, 1, 0
#define AT_FULL_SPEED                                                                              \
    9, 7, 50, 0, 2, 1, 0, 0x80, 50, INTERFACE(0, 0, 2, 0xFF, 0, 0, 0),                             \
        ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 64, 0), ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 64, 0),  \
        9, USBDEV_DT_INTERFACE, 1, 0, 0, 0xFE, 1, 1, 4, 9, 0x21, 0x0B, 0xFF, 0, 0, 8, 0x1A, 1

#define OTHER_SPEED_CONFIGURATION                                                                  \
    9, 7, 27, 0, 1, 1, 0, 0x80, 50, 9, USBDEV_DT_INTERFACE, 0, 0, 0, 0xFE, 1, 1, 4, 9, 0x21, 0x0B, \
        0xFF, 0x00, 0x00, 0x08, 0x1A, 0x01

const struct variation fleet_of_speeds[] = {
    {
        .model = {.name = "high-speed-capable",
                  .summary = "a device that supports high speed, at full speed: it has a qualifier",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.6.2, 9.6.4: qualifier and other-speed configuration",
        .way = {.rules = RULES({ASKS_FOR(USBDEV_DT_DEVICE_QUALIFIER), BYTES(QUALIFIER)},
                               {ASKS_FOR(7), BYTES(OTHER_SPEED_CONFIGURATION)})},
    },
    {
        .model = {.name = "low-speed",
                  .summary = "low speed: packets of 8 bytes, wTransferSize 8",
                  .bootloader = FLEET_PLAIN(8, FLEET_BOTH_WAYS, .bMaxPacketSize0 = 8),
                  .product = &at_low_speed,
                  .speed = SIM_LOW_SPEED,
                  .loader_speed = SIM_LOW_SPEED},
        .allowed_by = "USB 2.0 5.5.3, 5.7.3: 8 bytes on control and interrupt endpoints",
    },
    {
        .model = {.name = "high-speed",
                  .summary = "high speed: bulk packets of 512 bytes, a qualifier",
                  .bootloader =
                      FLEET_DFUSE(2048,
                                  .choices = {.leaves_by_itself = true},
                                  .alternates = {"@Internal Flash  /0x08000000/064*0002Kg"}),
                  .product = &at_high_speed,
                  .speed = SIM_HIGH_SPEED,
                  .loader_speed = SIM_FULL_SPEED},
        .allowed_by = "USB 2.0 5.8.3, 9.6.2: 512 bytes, qualifier and other speed",
        .way = {.rules = RULES({ASKS_FOR(USBDEV_DT_DEVICE_QUALIFIER), BYTES(QUALIFIER)},
                               {ASKS_FOR(7), BYTES(AT_FULL_SPEED)})},
    },
    {
        .model = {.name = "super-speed",
                  .summary = "SuperSpeed: bMaxPacketSize0 9, companions; its boot loader is a "
                             "high-speed device",
                  .bootloader = FLEET_PLAIN(4096, FLEET_TOLERANT, .choices = {0}),
                  .product = &at_super_speed,
                  .speed = SIM_SUPER_SPEED,
                  .loader_speed = SIM_HIGH_SPEED},
        .allowed_by = "USB 3.2 9.6.1, 9.6.7, 8.12.2",
        .way = {.patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 7, 9})},
    },
    {
        .model = {.name = "super-speed-loader",
                  .summary = "SuperSpeed in both modes",
                  .bootloader = FLEET_PLAIN(4096, FLEET_TOLERANT, .choices = {0}),
                  .product = &at_super_speed,
                  .speed = SIM_SUPER_SPEED,
                  .loader_speed = SIM_SUPER_SPEED},
        .allowed_by = "USB 3.2 9.6.1, 9.6.2, 8.12.2",
        .way = {.patches =
                    PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 7, 9}, {PATCH_DEVICE, IN_DFU_MODE, 3, 3}),
                .rules = RULES({IN_DFU_MODE, .bmRequestType = USBDEV_DIR_IN,
                                .bRequest = USBDEV_GET_DESCRIPTOR, .wValue_mask = 0xFFFF,
                                .wValue = USBDEV_DT_BOS << 8, .target = ANY_INDEX,
                                .action = DO_REPLY, BYTES(SUPER_SPEED_BOS)})},
    },
    {.allowed_by = NULL},
};
