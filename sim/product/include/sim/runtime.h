// SPDX-License-Identifier: MIT
//
// runtime.h - a product at run time, made of the core alone: DFU run time, and whatever else its
// shape says. Its functional descriptor is made of the boot loader's identity.
//
// A shape is what the product has beside DFU run time and how its descriptors say it. Interfaces
// are given as the bytes that describe them, those of DFU are put between: numbers 0 to
// interfaces_before - 1, then DFU's, then the rest. Their class and vendor requests STALL unless a
// handler is named; their endpoints answer NAK.

#ifndef SIM_RUNTIME_H
#define SIM_RUNTIME_H

#include <dfurt/dfurt.h>

#include <sim/bootloader.h>
#include <sim/loopback.h>

// Descriptors of interfaces, numbered from where they stand.
struct product_interfaces {
    const uint8_t *bytes;
    uint16_t length;
    uint8_t count;
};

// Zeroed: DFU alone, at full speed.
struct product_shape {
    bool small;    // not usbdev_full: for DFU alone
    bool loopback; // the two interfaces of loopback.h stand before DFU's
    struct product_interfaces before;
    struct product_interfaces after;
    const struct usbdev_handler *handler; // of before, after and the device; context: the runtime
    uint8_t device_class[3];              // bDeviceClass, SubClass, Protocol
    uint16_t bcdUSB;                      // 0: 0200h
    uint8_t bMaxPacketSize0;              // 0: 64
    uint8_t bConfigurationValue;          // 0: 1
    uint8_t bmAttributes;                 // of the configuration; 0: bus-powered
    const uint8_t *other_configuration;   // without DFU, or NULL
    bool other_is_first;                  // that one has index 0
    const uint8_t *bos;
    const uint8_t *langids;     // string descriptor 0; NULL: 0409h alone
    bool no_serial, no_strings; // iSerialNumber 0; no index names a string

    // Strings 5 and more, or NULL.
    const char *(*string)(uint8_t index, uint16_t langid);
};

struct runtime_product {
    const struct bootloader_identity *bootloader;
    const struct product_shape *shape; // NULL: as zeroed
    const char *serial;
    uint8_t *configuration; // the caller's room for it: runtime_configuration_size() bytes or more
    void (*enter_dfu)(void *context);
    void *context;
};

enum { RUNTIME_TROUBLE = 160 };
enum { RUNTIME_MAX_CONFIGURATION = 8192 }; // room for defects to make it longer

// Bytes of the configuration with DFU in it.
size_t runtime_configuration_size(const struct product_shape *shape);

struct runtime {
    struct native native;
    struct dfurt dfurt;

    // Private: what usbdev and dfurt are told.
    struct loopback loopback;
    struct runtime_product product;
    struct product_shape shape;
    struct dfurt_config dfurt_config;
    struct usbdev_config usb_config;
    struct usbdev_function functions[3];
    const uint8_t *configurations[2];
    uint8_t device_descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t *configuration; // product.configuration
    char trouble[RUNTIME_TROUBLE];
};

// Descriptors of the product that are no descriptors, in one line, or NULL.
const char *runtime_trouble(const struct runtime *runtime);

// Start the product as after its reset, with the pull-up on.
void runtime_init(struct runtime *runtime, const struct runtime_product *product, uint64_t now_ns);

// Can nothing but a packet, a bus reset or a suspended bus change what it does: does no timer run?
bool runtime_at_rest(const struct runtime *runtime);

#endif
