// SPDX-License-Identifier: MIT
//
// usbfs.h - the USB full-speed device peripheral of the STM32F072 (RM0091 chapter 30), with its
// 1 KB packet memory.
//
// The peripheral has two sides. The CPU reads and writes registers and packet memory; the wire
// delivers resets, SOFs and transactions. Both sides pass the time, because the peripheral measures
// time itself: the suspend timer, which counts missing SOFs (ESOF) and finds a bus that has been
// silent for 3 ms (SUSP), and the end of a transaction. The token decides what a transaction does;
// EPnR shows it when the handshake is over.

#ifndef F072_USBFS_H
#define F072_USBFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim/wire.h>

#include <stm32f072/report.h>

enum { F072_PMA_SIZE = 1024, F072_USB_ENDPOINTS = 8 };

// Register offsets (RM0091 30.6.3).
enum {
    F072_USB_EP0R = 0x00, // EPnR at 4 * n
    F072_USB_CNTR = 0x40,
    F072_USB_ISTR = 0x44,
    F072_USB_FNR = 0x48,
    F072_USB_DADDR = 0x4C,
    F072_USB_BTABLE = 0x50,
    F072_USB_LPMCSR = 0x54,
    F072_USB_BCDR = 0x58,
};

// USB_EPnR (RM0091 30.6.1).
enum {
    F072_EP_CTR_RX = 0x8000,
    F072_EP_DTOG_RX = 0x4000,
    F072_EP_STAT_RX = 0x3000,
    F072_EP_SETUP = 0x0800,
    F072_EP_TYPE = 0x0600,
    F072_EP_BULK = 0x0000,
    F072_EP_CONTROL = 0x0200,
    F072_EP_ISOCHRONOUS = 0x0400,
    F072_EP_INTERRUPT = 0x0600,
    F072_EP_KIND = 0x0100, // bulk: double-buffered; control: STATUS_OUT
    F072_EP_CTR_TX = 0x0080,
    F072_EP_DTOG_TX = 0x0040,
    F072_EP_STAT_TX = 0x0030,
    F072_EP_EA = 0x000F,
};

// USB_CNTR and USB_ISTR (RM0091 30.6.1). Bits 15..7 of both are the same events.
enum {
    F072_USB_CTR = 0x8000,
    F072_USB_PMAOVR = 0x4000,
    F072_USB_ERR = 0x2000,
    F072_USB_WKUP = 0x1000,
    F072_USB_SUSP = 0x0800,
    F072_USB_RESET = 0x0400,
    F072_USB_SOF = 0x0200,
    F072_USB_ESOF = 0x0100,
    F072_USB_L1REQ = 0x0080,
    F072_USB_EVENTS = 0xFF80,

    F072_CNTR_L1RESUME = 0x0020,
    F072_CNTR_RESUME = 0x0010,
    F072_CNTR_FSUSP = 0x0008,
    F072_CNTR_LP_MODE = 0x0004,
    F072_CNTR_PDWN = 0x0002,
    F072_CNTR_FRES = 0x0001,

    F072_ISTR_DIR = 0x0010,
};

enum {
    F072_FNR_RXDP = 0x8000,
    F072_FNR_RXDM = 0x4000,
    F072_FNR_LCK = 0x2000,
    F072_DADDR_EF = 0x0080,
    F072_BCDR_DPPU = 0x8000,
    F072_LPMCSR_BESL_SHIFT = 4,
    F072_LPMCSR_REMWAKE = 0x0008,
    F072_LPMCSR_LPMACK = 0x0002,
    F072_LPMCSR_LPMEN = 0x0001,
};

// The two data lines as the device sees them.
enum f072_usb_line {
    F072_LINE_J,   // idle
    F072_LINE_K,   // resume
    F072_LINE_SE0, // reset
};

struct f072_usbfs {
    struct f072_report *report;
    uint16_t ep[F072_USB_ENDPOINTS];
    uint16_t cntr;
    uint16_t istr; // without CTR, DIR and EP_ID, which follow from ep[]
    uint16_t fnr;
    uint16_t daddr;
    uint16_t btable;
    uint16_t lpmcsr;
    uint16_t bcdr;
    uint8_t pma[F072_PMA_SIZE];

    bool clocked; // bus clock and 48 MHz are there: told by the clock tree
    bool vbus;
    enum f072_usb_line line;
    bool watching;           // the suspend timer runs: after the first reset
    uint64_t sof_missing_ns; // when the next SOF counts as missing
    bool suspended;          // from FSUSP to the end of the resume sequence: no SUSP
    uint64_t resume_ns;      // when CNTR.RESUME was set; 0: it is not
    uint64_t l1_resume_ns;   // when the resume of CNTR.L1RESUME ends; UINT64_MAX: there is none
    unsigned missed;         // SOFs missed in a row
    unsigned seen;           // SOFs in a row since a reset or a suspend, up to 2: FNR.LCK
    // The transaction under way.
    struct {
        enum f072_usb_transaction {
            F072_TRANSACTION_NONE,
            F072_TRANSACTION_SETUP,
            F072_TRANSACTION_OUT,
            F072_TRANSACTION_IN,
        } kind;
        uint8_t n;       // of EPnR
        uint64_t end_ns; // of its handshake
    } transaction;
    uint8_t double_started; // bit n: USB_EPnR has done a transaction since DBL_BUF was set
};

// As after a system reset, or after USBRST in RCC_APB1RSTR. What the wire does is untouched.
void f072_usbfs_reset(struct f072_usbfs *usb);

// ---- The CPU's side ----

uint16_t f072_usbfs_read(const struct f072_usbfs *usb, uint32_t offset);
void f072_usbfs_write(struct f072_usbfs *usb, uint32_t offset, uint16_t value, uint64_t now_ns);

// Is the interrupt line (number 31) active?
bool f072_usbfs_interrupt(const struct f072_usbfs *usb);

// ---- Time ----

// When something happens by itself, UINT64_MAX when nothing will.
uint64_t f072_usbfs_next_event(const struct f072_usbfs *usb);
void f072_usbfs_advance(struct f072_usbfs *usb, uint64_t now_ns);

// ---- The wire's side: as in sim/wire.h ----

bool f072_usbfs_connected(const struct f072_usbfs *usb);
bool f072_usbfs_waking(const struct f072_usbfs *usb);
void f072_usbfs_bus_reset(struct f072_usbfs *usb, bool se0, uint64_t now_ns);
void f072_usbfs_sof(struct f072_usbfs *usb, uint16_t frame, uint64_t now_ns);
void f072_usbfs_resume(struct f072_usbfs *usb, uint64_t now_ns);
int f072_usbfs_lpm(struct f072_usbfs *usb, uint8_t address, uint16_t bmAttributes);
int f072_usbfs_setup(struct f072_usbfs *usb,
                     uint8_t address,
                     uint8_t endpoint,
                     const uint8_t setup[USBDEV_SETUP_SIZE],
                     uint64_t now_ns);
int f072_usbfs_out(struct f072_usbfs *usb,
                   uint8_t address,
                   uint8_t endpoint,
                   bool data1,
                   const uint8_t *data,
                   size_t length,
                   uint64_t now_ns);
int f072_usbfs_in(struct f072_usbfs *usb,
                  uint8_t address,
                  uint8_t endpoint,
                  bool *ret_data1,
                  uint8_t data[SIM_MAX_PACKET],
                  uint64_t now_ns);

#endif
