// SPDX-License-Identifier: MIT
//
// runtime.h - a product at run time, made of the core alone: DFU run time, or a composite device of
// the loopback function and DFU run time. What it says of its boot loader it takes from the boot
// loader's own identity.

#ifndef SIM_RUNTIME_H
#define SIM_RUNTIME_H

#include <dfurt/dfurt.h>

#include <sim/bootloader.h>
#include <sim/loopback.h>

struct runtime_product {
    const struct bootloader_identity *bootloader;
    bool composite;
    const char *serial;
    void (*enter_dfu)(void *context);
    void *context;
};

enum { RUNTIME_MAX_CONFIGURATION = 128 }; // room for defects to make it longer

struct runtime {
    struct native native;
    struct dfurt dfurt;

    // Private: what usbdev and dfurt are told.
    struct loopback loopback;
    struct runtime_product product;
    struct dfurt_config dfurt_config;
    struct usbdev_config usb_config;
    struct usbdev_function functions[2];
    const uint8_t *configurations[1];
    uint8_t device_descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t configuration[RUNTIME_MAX_CONFIGURATION];
};

// Start the product as after its reset, with the pull-up on.
void runtime_init(struct runtime *runtime, const struct runtime_product *product, uint64_t now_ns);

#endif
