// SPDX-License-Identifier: MIT
//
// NUCLEO-F072RB and the Discovery board have their LED and button at other pins. Both LEDs are
// driven and both buttons read, so that one image serves both boards.

#include "board.h"

#include <stdint.h>

#include "regs/system.h"

enum {
    NUCLEO_LED = 5,
    NUCLEO_BUTTON = 13,
    DISCOVERY_LED = 9,
    DISCOVERY_BUTTON = 0,
};

static void set_field(volatile uint32_t *reg, unsigned pin, uint32_t value)
{
    *reg = (*reg & ~(UINT32_C(3) << 2 * pin)) | value << 2 * pin;
}

void board_init(void)
{
    stm32_rcc_enable(&RCC->AHBENR, RCC_AHBENR_GPIOA | RCC_AHBENR_GPIOC);
    set_field(&GPIOA->MODER, NUCLEO_LED, GPIO_MODE_OUTPUT);
    set_field(&GPIOC->MODER, DISCOVERY_LED, GPIO_MODE_OUTPUT);
    set_field(&GPIOC->PUPDR, NUCLEO_BUTTON, GPIO_PULL_UP);
    set_field(&GPIOA->PUPDR, DISCOVERY_BUTTON, GPIO_PULL_DOWN);
}

void board_led(bool on)
{
    unsigned low_or_high = on ? 0 : 16; // sets or resets (RM0091 8.4.7)

    GPIOA->BSRR = UINT32_C(1) << (NUCLEO_LED + low_or_high);
    GPIOC->BSRR = UINT32_C(1) << (DISCOVERY_LED + low_or_high);
}

bool board_button(void)
{
    bool nucleo = (GPIOC->IDR & 1u << NUCLEO_BUTTON) == 0;
    bool discovery = (GPIOA->IDR & 1u << DISCOVERY_BUTTON) != 0;

    return nucleo || discovery;
}
