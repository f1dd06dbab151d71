// SPDX-License-Identifier: MIT
//
// interrupts.h - what startup.c calls: the product's main and its two interrupts.
//
// Both interrupts keep the priority they have after reset, the same: neither interrupts the other,
// so everything that is called from them runs in one context, as dfurt and usbdev ask.

#ifndef STM32_INTERRUPTS_H
#define STM32_INTERRUPTS_H

// RAM is initialised, interrupts are enabled in the CPU but off in NVIC and SysTick, the clock is
// as the reset or the ROM boot loader left it. Must not return.
_Noreturn void stm32_main(void);

void stm32_systick_interrupt(void);
void stm32_usb_interrupt(void);

#endif
