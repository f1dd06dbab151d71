// SPDX-License-Identifier: MIT
//
// rcc.h - reset and clock control (RM0091 chapter 6): which clocks run, how fast, and what the
// last reset was.
//
// Oscillators take their start-up time from the data sheet, so that software that does not wait
// for a ready bit is caught. A switch of the system clock to one that is not ready happens when it
// is. The external crystal is the 8 MHz that a NUCLEO board has from its ST-LINK.

#ifndef F072_RCC_H
#define F072_RCC_H

#include <stdbool.h>
#include <stdint.h>

// RCC_CSR: what the last reset was (RM0091 6.4.10). Several may be set until RMVF.
enum f072_reset_flag {
    F072_RESET_STANDBY = 1 << 23, // V18PWRRSTF: the 1.8 V domain was without power
    F072_RESET_OBL = 1 << 25,
    F072_RESET_PIN = 1 << 26,
    F072_RESET_POWER_ON = 1 << 27,
    F072_RESET_SOFTWARE = 1 << 28,
    F072_RESET_IWDG = 1 << 29,
    F072_RESET_WWDG = 1 << 30,
};

// A group of clock enable bits, with its reset bits (RM0091 6.4.4 to 6.4.8, 6.4.11).
enum f072_bus {
    F072_AHB,
    F072_APB1,
    F072_APB2,
    F072_BUSES,
    F072_ALWAYS = F072_BUSES, // no enable bit
};

enum f072_oscillator {
    F072_HSI,
    F072_HSE,
    F072_PLL,
    F072_HSI14,
    F072_HSI48,
    F072_LSI,
    F072_LSE,
    F072_OSCILLATORS,
};

struct f072_rcc {
    bool has_hsi48; // of the chip
    uint32_t cr;
    uint32_t cfgr;
    uint32_t cir;
    uint32_t bdcr;
    uint32_t csr;
    uint32_t cfgr2;
    uint32_t cfgr3;
    uint32_t cr2;
    uint32_t enable[F072_BUSES];
    uint32_t reset[F072_BUSES];
    uint64_t ready_ns[F072_OSCILLATORS]; // UINT64_MAX: off
    unsigned announced;                  // bit n: oscillator n was seen ready since it was off
    unsigned source;                     // what CFGR.SWS reads
};

// cause is one of enum f072_reset_flag; any but the power-on keeps the flags of earlier resets and
// the backup domain.
void f072_rcc_reset(struct f072_rcc *rcc, uint32_t cause);

uint32_t f072_rcc_read(const struct f072_rcc *rcc, uint32_t offset, uint64_t now_ns);
void f072_rcc_write(struct f072_rcc *rcc, uint32_t offset, uint32_t value, uint64_t now_ns);

// When a requested switch of the system clock will happen, or an oscillator become ready that
// interrupts then; UINT64_MAX: neither.
uint64_t f072_rcc_next_event(const struct f072_rcc *rcc);
void f072_rcc_advance(struct f072_rcc *rcc, uint64_t now_ns);

// The interrupt of CIR: is a flag set that is enabled?
bool f072_rcc_interrupt(const struct f072_rcc *rcc);

bool f072_rcc_enabled(const struct f072_rcc *rcc, enum f072_bus bus, unsigned bit);

// Frequencies in Hz.
uint32_t f072_rcc_hclk(const struct f072_rcc *rcc);
uint32_t f072_rcc_pclk(const struct f072_rcc *rcc);
uint32_t f072_rcc_timer_clock(const struct f072_rcc *rcc);

// Of USART1 to 4 and I2C1 and 2; 0: the one that is selected is off.
uint32_t f072_rcc_usart_clock(const struct f072_rcc *rcc, unsigned number);
uint32_t f072_rcc_i2c_clock(const struct f072_rcc *rcc, unsigned number);

uint32_t f072_rcc_rtc_clock(const struct f072_rcc *rcc);

// Stop mode is over: the HSI is the system clock, HSE and PLL are off, what else runs starts anew.
void f072_rcc_leave_stop(struct f072_rcc *rcc, uint64_t now_ns);

// The 48 MHz of the USB peripheral: what comes, and 0 when it is not running.
uint32_t f072_rcc_usb_clock(const struct f072_rcc *rcc, uint64_t now_ns);

// Why that is not 48 MHz, for a person.
const char *f072_rcc_why_no_usb_clock(const struct f072_rcc *rcc, uint64_t now_ns);

// Does that clock come, by the PLL, from the HSI? Its 1 % is too coarse for USB's 0.25 %.
bool f072_rcc_usb_clock_is_coarse(const struct f072_rcc *rcc);

// The state in which the ROM boot loader leaves the clocks: 48 MHz from HSI48, or from the crystal
// where there is none. The flags of the last reset stay.
void f072_rcc_as_left_by_rom(struct f072_rcc *rcc, uint64_t now_ns);

#endif
