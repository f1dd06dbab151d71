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

    // What the ROM boot loader says of itself (AN2606, AN3156; DFU 1.1 4.1.3).
    PRODUCT_wDetachTimeOut = 255,
    PRODUCT_wTransferSize = 2048,
    PRODUCT_bcdDFUVersion = 0x011A, // DfuSe
    PRODUCT_bmAttributes = DFU_ATTR_CAN_DNLOAD | DFU_ATTR_CAN_UPLOAD |
                           (PRODUCT_WILL_DETACH ? DFU_ATTR_WILL_DETACH : 0),

    PRODUCT_SETTLE_MS = 5,   // lets the host see the end of DETACH before the device goes
    PRODUCT_OFF_BUS_MS = 20, // without pull-up between two devices: every hub sees that
};

#endif
