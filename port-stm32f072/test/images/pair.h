// SPDX-License-Identifier: MIT
//
// pair.h - the descriptors of an image with one vendor-specific interface that receives on one
// endpoint and sends on another, as bytes of an array (USB 2.0 9.6).

#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include <dfurt/usb_spec.h>

#include "product.h"
#include "usb_fs.h"

enum { RECEIVER = 1, SENDER = 2, PACKET = STM32_USB_MAX_PACKET };

// clang-format off
#define PAIR_DEVICE                                                                                \
    18, USBDEV_DT_DEVICE, LE16(0x0200), 0, 0, 0, STM32_USB_MAX_PACKET, LE16(PRODUCT_idVendor),     \
    LE16(PRODUCT_idProduct), LE16(PRODUCT_bcdDevice), 0, 0, 0, 1

#define PAIR_CONFIGURATION(wTotalLength)                                                           \
    9, USBDEV_DT_CONFIGURATION, LE16(wTotalLength), 1, 1, 0, 0xC0, 0

#define PAIR_INTERFACE(bAlternateSetting, bNumEndpoints)                                           \
    9, USBDEV_DT_INTERFACE, 0, bAlternateSetting, bNumEndpoints, 0xFF, 0, 0, 0

#define PAIR_ENDPOINTS(bmAttributes, bInterval)                                                    \
    7, USBDEV_DT_ENDPOINT, RECEIVER, bmAttributes, LE16(PACKET), bInterval,                        \
    7, USBDEV_DT_ENDPOINT, USBDEV_DIR_IN | SENDER, bmAttributes, LE16(PACKET), bInterval
// clang-format on

#endif
