// SPDX-License-Identifier: MIT
//
// usbfs_private.h - what usbfs.c and usbfs_packets.c share.

#ifndef F072_USBFS_PRIVATE_H
#define F072_USBFS_PRIVATE_H

#include <stm32f072/usbfs.h>

// Can the peripheral hear the bus at all?
static inline bool f072_usbfs_powered(const struct f072_usbfs *usb)
{
    return usb->clocked && !(usb->cntr & (F072_CNTR_FRES | F072_CNTR_PDWN));
}

#endif
