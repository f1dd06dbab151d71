// SPDX-License-Identifier: MIT
//
// usbfs_private.h - what usbfs.c and usbfs_packets.c share.

#ifndef F072_USBFS_PRIVATE_H
#define F072_USBFS_PRIVATE_H

#include <stm32f072/usbfs.h>

// Are the peripheral's clocks and its transceiver on?
static inline bool f072_usbfs_powered(const struct f072_usbfs *usb)
{
    return usb->clocked && !(usb->cntr & (F072_CNTR_FRES | F072_CNTR_PDWN));
}

static inline bool f072_usbfs_is_isochronous(uint16_t ep)
{
    return (ep & F072_EP_TYPE) == F072_EP_ISOCHRONOUS;
}

// DBL_BUF: a bulk endpoint with two buffers for its one direction (RM0091 30.5.3).
static inline bool f072_usbfs_is_double_buffered(uint16_t ep)
{
    return (ep & (F072_EP_TYPE | F072_EP_KIND)) == (F072_EP_BULK | F072_EP_KIND);
}

// Both rows of the buffer table serve one direction, and DTOG says which is the peripheral's.
static inline bool f072_usbfs_has_two_rows(uint16_t ep)
{
    return f072_usbfs_is_isochronous(ep) || f072_usbfs_is_double_buffered(ep);
}

// The handshake of the transaction under way is over: EPnR shows what it did.
void f072_usbfs_end_transaction(struct f072_usbfs *usb);

#endif
