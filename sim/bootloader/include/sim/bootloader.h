// SPDX-License-Identifier: MIT
//
// bootloader.h - a boot loader as a device on the wire: the DFU-mode state machine (dfu_mode.h) on
// usbdev on the native USB peripheral (native.h).
//
// It is independent of the board. A board provides memory and a leave function; it forwards the
// wire to bootloader->native.base while the boot loader is running, and stops when leave is called
// (drop the pull-up, start the firmware). The native boards and the virtual STM32F072 both do so.
//
//     bootloader_init(&bootloader, &bootloader_st_rom, &board, now_ns);   // pull-up on
//     ... bootloader.native.base.ops->advance(&bootloader.native.base, now_ns) ...

#ifndef SIM_BOOTLOADER_H
#define SIM_BOOTLOADER_H

#include <sim/dfu_mode.h>
#include <sim/native.h>

// The identity of a boot loader.
struct bootloader_identity {
    const struct dfu_dialect *dialect;
    uint16_t bcdUSB;
    uint16_t idVendor;
    uint16_t idProduct;
    uint16_t bcdDevice;
    uint16_t wDetachTimeOut;
    uint16_t wTransferSize;
    uint16_t bcdDFUVersion;
    uint8_t bmAttributes;    // of the functional descriptor
    uint8_t bMaxPacketSize0; // 0: 64
    uint16_t langid;         // the one language of its strings; 0: 0409h
    bool no_strings;
    struct dfu_mode_choices choices;
    const char *manufacturer;
    const char *product;
    const char *alternates[4]; // interface strings, one for each alternate; NULL after the last
};

// The fields of a boot loader of plain DFU 1.1, 1209:0002, but for its alternates and its choices.
#define BOOTLOADER_PLAIN(timeout_ms, size, attributes)                                             \
    .dialect = &dfu_dialect_plain, .bcdUSB = 0x0200, .idVendor = 0x1209, .idProduct = 0x0002,      \
    .bcdDevice = 0x0100, .wDetachTimeOut = (timeout_ms), .wTransferSize = (size),                  \
    .bcdDFUVersion = 0x0110, .bmAttributes = (attributes), .manufacturer = "dfurt",                \
    .product = "dfurt boot loader"

// ST's ROM in the STM32F072 as dfu-util sees it: 0483:df11, DfuSe, flash and option bytes.
extern const struct bootloader_identity bootloader_st_rom;

// 1209:0002, plain DFU 1.1: manifestation tolerant, leaves by itself; or neither.
extern const struct bootloader_identity bootloader_plain_tolerant;
extern const struct bootloader_identity bootloader_plain_wait_reset;

// What the board provides to the boot loader.
struct bootloader_board {
    const struct memory *memory;
    const char *serial; // serial number string
    // Start the firmware at this address. Called once, from inside advance() or bus_reset().
    void (*leave)(void *context, uint32_t address);
    void *context;
};

enum { BOOTLOADER_MAX_CONFIGURATION = 128 }; // room for defects to make it longer

struct bootloader {
    struct native native;

    // Private: the configuration of usbdev and dfu_mode.
    const struct bootloader_identity *identity;
    const char *serial;
    struct dfu_mode_config dfu_config;
    struct usbdev_config usb_config;
    struct usbdev_function function;
    const uint8_t *configurations[1];
    uint8_t device_descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t configuration[BOOTLOADER_MAX_CONFIGURATION];
    uint8_t langids[4];

    struct dfu_mode dfu; // the last member, as its buffer is its last
};

// Start the boot loader as after its reset, with the pull-up on.
void bootloader_init(struct bootloader *bootloader,
                     const struct bootloader_identity *identity,
                     const struct bootloader_board *board,
                     uint64_t now_ns);

#endif
