// SPDX-License-Identifier: MIT
//
// HSI48 is made for USB: CRS compares it with the SOF packets, one each millisecond, and trims it
// into the 0.25 % that USB 2.0 7.1.11 asks for. As the factory trimmed it, it is near enough to see
// the first of them.

#include "clock.h"

#include "regs/cortex_m0.h"
#include "regs/system.h"

enum {
    TICKS_PER_MS_FULL = 48000,
    TICKS_PER_MS_SUSPENDED = TICKS_PER_MS_FULL / 16,
};

static void run_from_hsi48(void)
{
    RCC->CR2 |= RCC_CR2_HSI48ON;
    while ((RCC->CR2 & RCC_CR2_HSI48RDY) == 0)
        ;
    FLASH->ACR = FLASH_ACR_PRFTBE | FLASH_ACR_LATENCY_1; // before the clock rises
    while ((FLASH->ACR & FLASH_ACR_LATENCY_1) == 0)
        ;
    RCC->CFGR = RCC_CFGR_SW_HSI48; // no prescalers
    while ((RCC->CFGR & RCC_CFGR_SWS) != RCC_CFGR_SWS_HSI48)
        ;
}

static void trim_from_sof(void)
{
    stm32_rcc_enable(&RCC->APB1ENR, RCC_APB1_CRS);
    CRS->CR |= CRS_CR_AUTOTRIMEN | CRS_CR_CEN; // CFGR resets to what SOF needs
}

static void count_ms(uint32_t ticks_per_ms)
{
    SYSTICK->LOAD = ticks_per_ms - 1;
    SYSTICK->VAL = 0;
}

void stm32_clock_init(void)
{
    run_from_hsi48();
    trim_from_sof();
    count_ms(TICKS_PER_MS_FULL);
    SYSTICK->CTRL = SYSTICK_CTRL_CLKSOURCE | SYSTICK_CTRL_ENABLE;
}

void stm32_clock_start_tick(void)
{
    SYSTICK->CTRL |= SYSTICK_CTRL_TICKINT;
}

void stm32_clock_set(enum stm32_clock_speed speed)
{
    if (speed == STM32_CLOCK_SUSPENDED) {
        RCC->CFGR = RCC_CFGR_SW_HSI48 | RCC_CFGR_HPRE_DIV16;
        count_ms(TICKS_PER_MS_SUSPENDED);
    } else {
        RCC->CFGR = RCC_CFGR_SW_HSI48;
        count_ms(TICKS_PER_MS_FULL);
    }
}

void stm32_clock_delay(uint32_t delay_ms)
{
    (void)SYSTICK->CTRL; // forget a period that has ended already

    // The first period has begun already: wait for one more.
    for (uint32_t periods = delay_ms + 1; periods > 0; periods--) {
        while ((SYSTICK->CTRL & SYSTICK_CTRL_COUNTFLAG) == 0)
            ;
    }
}
