// SPDX-License-Identifier: MIT
//
// The Cortex-M0's own peripherals: SysTick, NVIC, SCB (PM0215 chapter 4).

#ifndef REGS_CORTEX_M0_H
#define REGS_CORTEX_M0_H

#include <stddef.h>
#include <stdint.h>

// ---- SysTick (PM0215 4.4) ----

struct stm32_systick {
    volatile uint32_t CTRL;
    volatile uint32_t LOAD;
    volatile uint32_t VAL;
    volatile uint32_t CALIB;
};
_Static_assert(offsetof(struct stm32_systick, CALIB) == 0x0C, "PM0215 4.4");

#define SYSTICK ((struct stm32_systick *)0xE000E010u)

enum {
    SYSTICK_CTRL_ENABLE = 1 << 0,
    SYSTICK_CTRL_TICKINT = 1 << 1,
    SYSTICK_CTRL_CLKSOURCE = 1 << 2,  // HCLK; else HCLK / 8
    SYSTICK_CTRL_COUNTFLAG = 1 << 16, // counted to 0 since the last read of CTRL
};

// ---- NVIC (PM0215 4.2): one bit for each of the 32 interrupts; writing 0 does nothing ----

struct stm32_nvic {
    volatile uint32_t ISER;
    uint32_t reserved_004[31];
    volatile uint32_t ICER;
    uint32_t reserved_084[31];
    volatile uint32_t ISPR;
    uint32_t reserved_104[31];
    volatile uint32_t ICPR;
};
_Static_assert(offsetof(struct stm32_nvic, ICER) == 0x080, "PM0215 4.2");
_Static_assert(offsetof(struct stm32_nvic, ISPR) == 0x100, "PM0215 4.2");
_Static_assert(offsetof(struct stm32_nvic, ICPR) == 0x180, "PM0215 4.2");

#define NVIC ((struct stm32_nvic *)0xE000E100u)

// Interrupt numbers (RM0091 12.1.3).
enum {
    IRQ_USB = 31,
    IRQ_COUNT = 32,
};

// ---- SCB (PM0215 4.3) ----

struct stm32_scb {
    volatile uint32_t CPUID;
    volatile uint32_t ICSR;
    uint32_t reserved_08;
    volatile uint32_t AIRCR;
    volatile uint32_t SCR;
};
_Static_assert(offsetof(struct stm32_scb, ICSR) == 0x04, "PM0215 4.3");
_Static_assert(offsetof(struct stm32_scb, AIRCR) == 0x0C, "PM0215 4.3");
_Static_assert(offsetof(struct stm32_scb, SCR) == 0x10, "PM0215 4.3");

#define SCB ((struct stm32_scb *)0xE000ED00u)

enum {
    SCB_ICSR_PENDSTCLR = 1 << 25,
    SCB_ICSR_PENDSVCLR = 1 << 27,
};

// AIRCR takes a write only with this key in its upper half.
#define SCB_AIRCR_VECTKEY 0x05FA0000u
enum { SCB_AIRCR_SYSRESETREQ = 1 << 2 };

#endif
