// SPDX-License-Identifier: MIT
//
// What example.c needs of its board.

#ifndef DFURT_EXAMPLE_BOARD_H
#define DFURT_EXAMPLE_BOARD_H

#include <dfurt/usbdev.h>

// Leave the bus and reset into the boot loader.
void board_enter_boot_loader(void);

// The USB peripheral. It reports what happens on the bus to product_usb.
extern const struct usbdev_driver board_usb_driver;
extern struct usbdev product_usb;

void product_start(void);

#endif
