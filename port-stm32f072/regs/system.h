// SPDX-License-Identifier: MIT
//
// What runs the chip: RCC, FLASH, CRS, SYSCFG, GPIO, the unique id (RM0091).

#ifndef REGS_SYSTEM_H
#define REGS_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

// ---- RCC: reset and clock control (RM0091 6.4) ----

struct stm32_rcc {
    volatile uint32_t CR;
    volatile uint32_t CFGR;
    volatile uint32_t CIR;
    volatile uint32_t APB2RSTR;
    volatile uint32_t APB1RSTR;
    volatile uint32_t AHBENR;
    volatile uint32_t APB2ENR;
    volatile uint32_t APB1ENR;
    volatile uint32_t BDCR;
    volatile uint32_t CSR;
    volatile uint32_t AHBRSTR;
    volatile uint32_t CFGR2;
    volatile uint32_t CFGR3;
    volatile uint32_t CR2;
};
_Static_assert(offsetof(struct stm32_rcc, APB1RSTR) == 0x10, "RM0091 6.4.5");
_Static_assert(offsetof(struct stm32_rcc, AHBENR) == 0x14, "RM0091 6.4.6");
_Static_assert(offsetof(struct stm32_rcc, APB1ENR) == 0x1C, "RM0091 6.4.8");
_Static_assert(offsetof(struct stm32_rcc, CSR) == 0x24, "RM0091 6.4.10");
_Static_assert(offsetof(struct stm32_rcc, CFGR3) == 0x30, "RM0091 6.4.13");
_Static_assert(offsetof(struct stm32_rcc, CR2) == 0x34, "RM0091 6.4.14");

#define RCC ((struct stm32_rcc *)0x40021000u)

// Switch a peripheral's clock on. Reading the register back takes the cycles that the clock needs
// to arrive, before the peripheral is used.
static inline void stm32_rcc_enable(volatile uint32_t *enr, uint32_t bits)
{
    *enr |= bits;
    (void)*enr;
}

enum {
    RCC_CFGR_SW_HSI48 = 3 << 0,
    RCC_CFGR_SWS = 3 << 2, // the switch as it stands; same values as SW
    RCC_CFGR_SWS_HSI48 = 3 << 2,
    RCC_CFGR_HPRE_DIV16 = 11 << 4,

    RCC_APB1_USB = 1 << 23, // in APB1ENR and APB1RSTR
    RCC_APB1_CRS = 1 << 27,

    RCC_AHBENR_GPIOA = 1 << 17,
    RCC_AHBENR_GPIOC = 1 << 19,

    RCC_APB2ENR_SYSCFG = 1 << 0,

    RCC_CR2_HSI48ON = 1 << 16,
    RCC_CR2_HSI48RDY = 1 << 17,
};

// Why the chip was reset (RM0091 6.4.10). The flags add up until RMVF or a power-on clears them.
// PINRSTF comes with every reset, for each of them pulls NRST low.
#define RCC_CSR_RMVF (1u << 24)
#define RCC_CSR_OBLRSTF (1u << 25)
#define RCC_CSR_PINRSTF (1u << 26)
#define RCC_CSR_PORRSTF (1u << 27)
#define RCC_CSR_SFTRSTF (1u << 28)
#define RCC_CSR_IWDGRSTF (1u << 29)
#define RCC_CSR_WWDGRSTF (1u << 30)
#define RCC_CSR_LPWRRSTF (1u << 31)

// ---- FLASH: the access time (RM0091 3.5.1) ----

struct stm32_flash {
    volatile uint32_t ACR;
};

#define FLASH ((struct stm32_flash *)0x40022000u)

enum {
    FLASH_ACR_LATENCY_1 = 1 << 0, // one wait state, for more than 24 MHz
    FLASH_ACR_PRFTBE = 1 << 4,
};

// ---- CRS: trims HSI48 (RM0091 7.6) ----

struct stm32_crs {
    volatile uint32_t CR;
    volatile uint32_t CFGR; // resets to: synchronise to the USB SOF, each 1 ms, 48 MHz wanted
};
_Static_assert(offsetof(struct stm32_crs, CFGR) == 0x04, "RM0091 7.6.2");

#define CRS ((struct stm32_crs *)0x40006C00u)

enum {
    CRS_CR_CEN = 1 << 5,
    CRS_CR_AUTOTRIMEN = 1 << 6,
};

// ---- SYSCFG: what address 0 shows (RM0091 9.1.1) ----

struct stm32_syscfg {
    volatile uint32_t CFGR1;
};

#define SYSCFG ((struct stm32_syscfg *)0x40010000u)

enum { SYSCFG_CFGR1_MEM_MODE = 3 << 0 }; // 0: main flash, 1: system memory, 3: SRAM

// ---- GPIO (RM0091 8.4): two bits a pin in MODER and PUPDR ----

struct stm32_gpio {
    volatile uint32_t MODER;
    volatile uint32_t OTYPER;
    volatile uint32_t OSPEEDR;
    volatile uint32_t PUPDR;
    volatile uint32_t IDR;
    volatile uint32_t ODR;
    volatile uint32_t BSRR; // low half sets, high half resets
};
_Static_assert(offsetof(struct stm32_gpio, PUPDR) == 0x0C, "RM0091 8.4.4");
_Static_assert(offsetof(struct stm32_gpio, IDR) == 0x10, "RM0091 8.4.5");
_Static_assert(offsetof(struct stm32_gpio, BSRR) == 0x18, "RM0091 8.4.7");

#define GPIOA ((struct stm32_gpio *)0x48000000u)
#define GPIOC ((struct stm32_gpio *)0x48000800u)

enum {
    GPIO_MODE_OUTPUT = 1,
    GPIO_PULL_UP = 1,
    GPIO_PULL_DOWN = 2,
};

// ---- The unique device id, 96 bits (RM0091 33.1) ----

#define UNIQUE_ID ((const volatile uint32_t *)0x1FFFF7ACu)

// ---- System memory: the ROM boot loader and its vector table (AN2606, STM32F07xxx) ----

#define SYSTEM_MEMORY ((const volatile uint32_t *)0x1FFFC800u)

#endif
