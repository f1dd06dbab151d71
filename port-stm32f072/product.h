// SPDX-License-Identifier: MIT
//
// product.h - what the two example products have in common. The build sets PRODUCT_bcdDevice and
// PRODUCT_WILL_DETACH.

#ifndef STM32_PRODUCT_H
#define STM32_PRODUCT_H

#include <dfurt/usb_spec.h>

// A 16-bit field of a descriptor.
#define LE16(value) (uint8_t)(value), (uint8_t)((value) >> 8)

enum {
    PRODUCT_idVendor = 0x1209, // pid.codes' test pair: never ship it
    PRODUCT_idProduct = 0x0001,

    // The fields of the ROM boot loader (AN2606, AN3156; DFU 1.1 4.1.3).
    PRODUCT_wDetachTimeOut = 255,
    PRODUCT_wTransferSize = 2048,
    PRODUCT_bcdDFUVersion = 0x011A, // DfuSe
    PRODUCT_bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD |
                           (PRODUCT_WILL_DETACH ? DFURT_ATTR_WILL_DETACH : 0),

    // Time for the host to see the end of DETACH before the device leaves the bus.
    PRODUCT_SETTLE_MS = 5,

    // Without pull-up between two devices. A host must see it, also one that holds the bus in reset
    // meanwhile: root ports for 50 ms (USB 2.0 7.1.7.5), during which they see nothing.
    PRODUCT_OFF_BUS_MS = 100,
};

#endif
