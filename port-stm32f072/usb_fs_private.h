// SPDX-License-Identifier: MIT
//
// usb_fs_private.h - what usb_fs.c and usb_fs_endpoints.c share.

#ifndef STM32_USB_FS_PRIVATE_H
#define STM32_USB_FS_PRIVATE_H

#include "usb_fs.h"

#include "regs/usb.h"

// An enum stm32_usb_stat in its place in EPnR.
#define STAT_RX(stat) ((unsigned)(stat) << 12)
#define STAT_TX(stat) ((unsigned)(stat) << 4)

enum {
    CNTR_AWAKE = USB_CNTR_CTRM | USB_CNTR_RESETM | USB_CNTR_SUSPM | USB_CNTR_WKUPM,
};

// What a write to EPnR must hold to change nothing (regs/usb.h).
static inline unsigned stm32_usb_unchanged(unsigned epr)
{
    return (epr & (USB_EPR_EP_TYPE | USB_EPR_EP_KIND | USB_EPR_EA)) | USB_EPR_CTR_RX |
           USB_EPR_CTR_TX;
}

// Give those toggle bits of EPnR that are in mask the value wanted.
void stm32_usb_set_bits(unsigned endpoint, unsigned mask, unsigned wanted);

// ctr is USB_EPR_CTR_RX or USB_EPR_CTR_TX.
void stm32_usb_clear_ctr(unsigned endpoint, unsigned ctr);

// Give an endpoint its buffers in packet memory.
void stm32_usb_describe_buffers(unsigned endpoint);

// Put a packet into the buffer that the endpoint sends from.
void stm32_usb_fill(unsigned endpoint, const uint8_t *data, uint16_t length);

// What stm32_usb_control_driver does for endpoint 0.
void stm32_usb_set_address(void *port, uint8_t address);
void stm32_usb_ep0_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length);
void stm32_usb_ep0_out(void *port, uint8_t endpoint);
void stm32_usb_ep0_stall(void *port);
void stm32_usb_connect(void *port, bool on);

#endif
