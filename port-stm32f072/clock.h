// SPDX-License-Identifier: MIT
//
// clock.h - 48 MHz without a crystal, and a millisecond.

#ifndef STM32_CLOCK_H
#define STM32_CLOCK_H

#include <stdint.h>

// Run everything from HSI48, trimmed to the host's SOF packets, and start SysTick at 1 kHz with
// its interrupt off. Works from any clock that the ROM boot loader left.
void stm32_clock_init(void);

// Call stm32_systick_interrupt() each millisecond from now on.
void stm32_clock_start_tick(void);

// 3 MHz for a bus-powered product on a suspended bus, where it may draw 2.5 mA (USB 2.0 7.2.3), or
// 48 MHz. A tick stays a millisecond. The USB needs more than 10 MHz while packets move (RM0091
// 30.4): go back at once when the bus resumes or is reset.
enum stm32_clock_speed {
    STM32_CLOCK_FULL,
    STM32_CLOCK_SUSPENDED,
};
void stm32_clock_set(enum stm32_clock_speed speed);

// Busy for at least this long. Works with interrupts masked or inside an interrupt, and may
// swallow ticks there.
void stm32_clock_delay(uint32_t delay_ms);

#endif
