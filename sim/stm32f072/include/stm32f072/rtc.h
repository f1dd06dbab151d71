// SPDX-License-Identifier: MIT
//
// rtc.h - the real-time clock (RM0091 chapter 25): calendar, alarm A, wake-up timer and backup
// registers, with the write protection of WPR. Time stamps, tamper detection, calibration and
// shifts are registers alone.
//
// Its clock is the LSE, the LSI or the HSE through RCC_BDCR, which goes on in Stop and Standby mode
// and over every reset but power-on.

#ifndef F072_RTC_H
#define F072_RTC_H

#include <stdbool.h>
#include <stdint.h>

enum { F072_RTC_REGISTERS = 25 };

// Flags of ISR.
enum { F072_RTC_ALARM = 1 << 8, F072_RTC_WAKE_UP = 1 << 10 };

struct f072_rtc {
    uint32_t reg[F072_RTC_REGISTERS]; // by offset / 4; what the calendar makes of them is below
    uint32_t clock_hz;                // 0: it stands still
    unsigned keys;                    // of WPR that have been written; 2: unlocked

    // The calendar at since_ns.
    uint64_t since_ns;
    uint32_t days;    // since 1 January of year 0
    uint32_t weekday; // of that day, 0 to 6
    uint32_t second;  // of the day
    uint32_t tick;    // of the second: what SSR has counted down

    uint64_t alarm_ns; // UINT64_MAX: none is due
    uint64_t wake_up_ns;
};

// Power-on, or RCC_BDCR.BDRST.
void f072_rtc_reset(struct f072_rtc *rtc);

void f072_rtc_set_clock(struct f072_rtc *rtc, uint32_t clock_hz, uint64_t now_ns);

uint32_t f072_rtc_read(const struct f072_rtc *rtc, uint32_t offset, uint64_t now_ns);

// False: the register is write-protected, and stays as it was.
bool f072_rtc_write(struct f072_rtc *rtc, uint32_t offset, uint32_t value, uint64_t now_ns);

// Does what it reads as change with the time?
bool f072_rtc_moves(uint32_t offset);

// When an alarm or the wake-up timer comes next, UINT64_MAX: never.
uint64_t f072_rtc_next_event(const struct f072_rtc *rtc);

// Which of the flags have been set and are enabled to interrupt.
uint32_t f072_rtc_advance(struct f072_rtc *rtc, uint64_t now_ns);

#endif
