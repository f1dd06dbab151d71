// SPDX-License-Identifier: MIT
//
// The USB full-speed device peripheral (RM0091 chapter 30).
//
// EPnR (RM0091 30.6.1), which is easily written wrongly. Three kinds of bits:
//
//    15      14      13 12    11     10 9     8       7       6       5 4      3..0
//   CTR_RX DTOG_RX STAT_RX  SETUP  EP_TYPE EP_KIND CTR_TX DTOG_TX STAT_TX     EA
//   rc_w0  toggle  toggle     r      rw      rw    rc_w0   toggle  toggle     rw
//
//   rc_w0   writing 0 clears, writing 1 does nothing: write 1 to those you do not mean;
//   toggle  writing 1 flips, writing 0 does nothing: write (is ^ wanted) to those you mean, 0 to
//           the others. The hardware flips them too, so they must never be written back as read;
//   rw      must be written back as read.
//
// ISTR (RM0091 30.6.1): every flag is rc_w0. Clear with a plain write of ~FLAG: a read-modify-write
// would clear what came in between.

#ifndef REGS_USB_H
#define REGS_USB_H

#include <stddef.h>
#include <stdint.h>

struct stm32_usb_endpoint_register {
    volatile uint16_t R;
    uint16_t reserved;
};

struct stm32_usb_registers {
    volatile uint16_t CNTR;
    uint16_t reserved_42;
    volatile uint16_t ISTR;
    uint16_t reserved_46;
    volatile uint16_t FNR;
    uint16_t reserved_4a;
    volatile uint16_t DADDR;
    uint16_t reserved_4e;
    volatile uint16_t BTABLE;
    uint16_t reserved_52;
    volatile uint16_t LPMCSR;
    uint16_t reserved_56;
    volatile uint16_t BCDR;
};
_Static_assert(sizeof(struct stm32_usb_endpoint_register) == 0x04, "RM0091 30.6.1");
_Static_assert(offsetof(struct stm32_usb_registers, ISTR) == 0x44 - 0x40, "RM0091 30.6.1");
_Static_assert(offsetof(struct stm32_usb_registers, DADDR) == 0x4C - 0x40, "RM0091 30.6.1");
_Static_assert(offsetof(struct stm32_usb_registers, BTABLE) == 0x50 - 0x40, "RM0091 30.6.1");
_Static_assert(offsetof(struct stm32_usb_registers, BCDR) == 0x58 - 0x40, "RM0091 30.6.1");

// The eight EPnR, and the common registers 40h after them: apart, so that the CPU reaches either by
// a short offset.
#define USB_EP ((struct stm32_usb_endpoint_register *)0x40005C00u)
#define USB ((struct stm32_usb_registers *)0x40005C40u)

enum {
    USB_CNTR_FRES = 1 << 0,
    USB_CNTR_PDWN = 1 << 1,
    USB_CNTR_LPMODE = 1 << 2,
    USB_CNTR_FSUSP = 1 << 3,
    USB_CNTR_RESUME = 1 << 4,
    USB_CNTR_L1RESUME = 1 << 5,
    USB_CNTR_L1REQM = 1 << 7,
    USB_CNTR_RESETM = 1 << 10,
    USB_CNTR_SUSPM = 1 << 11,
    USB_CNTR_WKUPM = 1 << 12,
    USB_CNTR_CTRM = 1 << 15,

    USB_ISTR_EP_ID = 0x0F, // index of the endpoint register, not the address in its EA
    USB_ISTR_L1REQ = 1 << 7,
    USB_ISTR_RESET = 1 << 10,
    USB_ISTR_SUSP = 1 << 11,
    USB_ISTR_WKUP = 1 << 12,
    USB_ISTR_CTR = 1 << 15, // read-only: some CTR_RX or CTR_TX is set

    USB_DADDR_EF = 1 << 7,

    USB_LPMCSR_LPMEN = 1 << 0,
    USB_LPMCSR_LPMACK = 1 << 1,
    USB_LPMCSR_REMWAKE = 1 << 3,

    USB_BCDR_DPPU = 1 << 15, // the pull-up on D+

    USB_EPR_CTR_RX = 1 << 15,
    USB_EPR_DTOG_RX = 1 << 14,
    USB_EPR_STAT_RX = 3 << 12,
    USB_EPR_SETUP = 1 << 11,
    USB_EPR_EP_TYPE = 3 << 9,
    USB_EPR_EP_KIND = 1 << 8,
    USB_EPR_CTR_TX = 1 << 7,
    USB_EPR_DTOG_TX = 1 << 6,
    USB_EPR_STAT_TX = 3 << 4,
    USB_EPR_EA = 0x0F,

    USB_EPR_TYPE_BULK = 0 << 9,
    USB_EPR_TYPE_CONTROL = 1 << 9,
    USB_EPR_TYPE_ISO = 2 << 9,
    USB_EPR_TYPE_INTERRUPT = 3 << 9,
};

// STAT_RX and STAT_TX (RM0091 30.6.1, USB_EPnR).
enum stm32_usb_stat {
    USB_STAT_DISABLED = 0,
    USB_STAT_STALL = 1,
    USB_STAT_NAK = 2,
    USB_STAT_VALID = 3,
};

// ---- Packet memory, 1 KB: bytes or half-words only (RM0091 30.6.2) ----

enum { USB_PMA_SIZE = 1024 };
#define USB_PMA ((volatile uint16_t *)0x40006000u)

// An entry of the buffer description table, which lies in packet memory at BTABLE.
struct stm32_usb_buffers {
    volatile uint16_t ADDR_TX; // offset in packet memory
    volatile uint16_t COUNT_TX;
    volatile uint16_t ADDR_RX;
    volatile uint16_t COUNT_RX; // bits 9..0: bytes received; above: size of the buffer
};
_Static_assert(sizeof(struct stm32_usb_buffers) == 8, "RM0091 30.6.2");

#define USB_BUFFERS ((struct stm32_usb_buffers *)0x40006000u)

enum {
    USB_COUNT_RX_64 = 1 << 15 | 1 << 10, // BL_SIZE 32 bytes, (1 + 1) blocks
    USB_COUNT_RX_MASK = 0x3FF,
};

#endif
