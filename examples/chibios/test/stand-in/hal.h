// SPDX-License-Identifier: MIT
//
// What the adapter uses of ChibiOS's hal.h: declarations of our own, for the test alone.

#ifndef STAND_IN_HAL_H
#define STAND_IN_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { USB_SELECTED = 3, USB_ACTIVE = 4 } usbstate_t;
typedef enum { USB_EVENT_RESET = 0, USB_EVENT_ADDRESS, USB_EVENT_CONFIGURED } usbevent_t;

typedef struct stand_in_driver USBDriver;

struct stand_in_driver {
    usbstate_t state;
    uint8_t setup[8];
    uint8_t *ep0next;
    size_t ep0n;
    void (*ep0endcb)(USBDriver *usbp);
};

static inline void
usbSetupTransfer(USBDriver *usbp, uint8_t *buf, size_t n, void (*endcb)(USBDriver *))
{
    usbp->ep0next = buf;
    usbp->ep0n = n;
    usbp->ep0endcb = endcb;
}

#endif
