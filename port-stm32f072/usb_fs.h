// SPDX-License-Identifier: MIT
//
// usb_fs.h - the STM32F072's USB peripheral as a driver of usbdev.h.
//
// Control endpoint 0, and bulk and interrupt endpoints 1 to 6 in both directions, of up to 64
// bytes a packet. The two directions of one number share a register and thereby a type: 01h bulk
// and 81h interrupt cannot live together.
//
//     static struct usbdev dev;
//     static struct stm32_usb usb;
//
//     usbdev_init(&dev, &config, &stm32_usb_driver, &usb);
//     stm32_usb_init(&usb, &dev);
//     usbdev_connect(&dev, true);
//
//     void stm32_usb_interrupt(void) { stm32_usb_poll(&usb); }
//     void stm32_systick_interrupt(void) { stm32_usb_tick(&usb); usbdev_tick(&dev, 1); }

#ifndef STM32_USB_FS_H
#define STM32_USB_FS_H

#include <stdint.h>

#include <dfurt/usbdev.h>

enum { STM32_USB_MAX_PACKET = 64 };

// The caller's memory; every field is private.
struct stm32_usb {
    struct usbdev *dev;
    uint8_t wakeup_ms;                    // until remote wake-up is over; 0: none under way
    uint8_t packet[STM32_USB_MAX_PACKET]; // what an OUT or SETUP transaction brought
};

// Drivers whose port is a struct stm32_usb: a whole one; and one for a product that has neither
// endpoints of its own nor remote wake-up, without what is in usb_fs_endpoints.c.
extern const struct usbdev_driver stm32_usb_driver;
extern const struct usbdev_driver stm32_usb_control_driver;

// Switch the peripheral on, off the bus, and enable its interrupt. Needs the clock at 48 MHz and
// SysTick running.
void stm32_usb_init(struct stm32_usb *usb, struct usbdev *dev);

// Handle what the peripheral reports. For the USB interrupt.
void stm32_usb_poll(struct stm32_usb *usb);

// A millisecond has passed. Of use to remote wake-up only.
void stm32_usb_tick(struct stm32_usb *usb);

#endif
