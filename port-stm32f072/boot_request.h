// SPDX-License-Identifier: MIT
//
// boot_request.h - how the application becomes the ROM boot loader.
//
// The application leaves a word in RAM and resets the chip; start-up code finds the word and jumps
// into system memory. The reset in between gives the ROM what it expects: clocks, USB, SysTick and
// NVIC as after power-on.

#ifndef STM32_BOOT_REQUEST_H
#define STM32_BOOT_REQUEST_H

// Reset into the boot loader. The caller has taken the device off the bus already, long enough for
// the host to see.
_Noreturn void boot_request_reset(void);

// For start-up code, before RAM is initialised: jump into the boot loader if the last reset was
// boot_request_reset()'s. Otherwise returns with memory and interrupts as after a reset, though the
// boot loader may have started the application by a jump: flash at address 0, no interrupt enabled
// or pending. Either way the request and the reset flags are gone.
void boot_request_obey(void);

#endif
