// SPDX-License-Identifier: MIT
//
// A product that goes to L1 when the host asks for it, for tests of the virtual board: dfu_only.c
// with LPM tokens acknowledged (RM0091 30.6.1, LPMCSR). In L1 the peripheral is suspended as by
// silence, and where the token allowed it the device itself ends L1 after some milliseconds.

#include <dfurt/usbdev.h>

#include "usb_fs_private.h"

enum { WAKE_AFTER_MS = 5 };

// The linker puts these around stm32_usb_poll() and usbdev_tick(): -Wl,--wrap.
void __real_stm32_usb_poll(struct stm32_usb *usb);
void __real_usbdev_tick(struct usbdev *dev, uint16_t ms);
void __wrap_stm32_usb_poll(struct stm32_usb *usb);
void __wrap_usbdev_tick(struct usbdev *dev, uint16_t ms);

static volatile unsigned asleep_ms;

static void go_to_sleep(void)
{
    asleep_ms = 0;
    USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP;
    USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP | USB_CNTR_LPMODE;
    USB->ISTR = (uint16_t)~USB_ISTR_L1REQ;
}

void __wrap_stm32_usb_poll(struct stm32_usb *usb)
{
    if (USB->ISTR & USB_ISTR_L1REQ) {
        go_to_sleep();
        return;
    }
    __real_stm32_usb_poll(usb);
    USB->LPMCSR = USB_LPMCSR_LPMEN | USB_LPMCSR_LPMACK;
    if ((USB->CNTR & USB_CNTR_FSUSP) == 0)
        USB->CNTR = CNTR_AWAKE | USB_CNTR_L1REQM;
}

void __wrap_usbdev_tick(struct usbdev *dev, uint16_t ms)
{
    __real_usbdev_tick(dev, ms);
    if ((USB->CNTR & USB_CNTR_FSUSP) && (USB->LPMCSR & USB_LPMCSR_REMWAKE) &&
        ++asleep_ms == WAKE_AFTER_MS)
        USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP | USB_CNTR_L1RESUME;
}
