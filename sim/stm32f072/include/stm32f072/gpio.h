// SPDX-License-Identifier: MIT
//
// gpio.h - one general-purpose I/O port (RM0091 chapter 8). A pin reads what it drives, else what
// is wired to it, else what its pull resistor makes of it.

#ifndef F072_GPIO_H
#define F072_GPIO_H

#include <stdint.h>

enum { F072_GPIO_IDR = 0x10 }; // what the pins read

struct f072_gpio {
    uint32_t moder;
    uint32_t otyper;
    uint32_t ospeedr;
    uint32_t pupdr;
    uint32_t odr;
    uint32_t lckr;
    uint32_t afr[2];

    // Outside the chip: pins that something drives, and to which level. No reset changes it.
    uint16_t wired;
    uint16_t levels;
};

// index 0 is port A, whose pins 13 and 14 come up as the debug port.
void f072_gpio_reset(struct f072_gpio *gpio, unsigned index);
uint32_t f072_gpio_read(const struct f072_gpio *gpio, uint32_t offset);

// Writes the lanes that mask selects.
void f072_gpio_write(struct f072_gpio *gpio, uint32_t offset, uint32_t value, uint32_t mask);

// Levels of the pins that are outputs; what is not driven reads 0. For an LED.
uint16_t f072_gpio_driven(const struct f072_gpio *gpio);

#endif
