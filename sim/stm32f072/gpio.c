// SPDX-License-Identifier: MIT
//
// A pin that is an output reads its own bit of ODR; an input reads the level that is wired to it,
// and without one its pull-up. Two-bit fields of MODER and PUPDR are reduced to one bit for each
// pin, so that all 16 pins are computed at once.

#include <stm32f072/gpio.h>

// Register offsets (RM0091 8.4).
enum {
    MODER = 0x00,
    OTYPER = 0x04,
    OSPEEDR = 0x08,
    PUPDR = 0x0C,
    IDR = F072_GPIO_IDR,
    ODR = 0x14,
    BSRR = 0x18,
    LCKR = 0x1C,
    AFRL = 0x20,
    AFRH = 0x24,
    BRR = 0x28,
};

void f072_gpio_reset(struct f072_gpio *gpio, unsigned index)
{
    *gpio = (struct f072_gpio){.wired = gpio->wired, .levels = gpio->levels};
    if (index != 0)
        return;
    gpio->moder = 0x28000000;
    gpio->ospeedr = 0x0C000000;
    gpio->pupdr = 0x24000000;
}

// The pins whose two-bit field is 01: an output in MODER, a pull-up in PUPDR.
static uint16_t pins_with_01(uint32_t fields)
{
    uint32_t x = fields & ~(fields >> 1) & 0x55555555;

    x = (x | x >> 1) & 0x33333333; // close the gaps: bit 2n goes to bit n
    x = (x | x >> 2) & 0x0F0F0F0F;
    x = (x | x >> 4) & 0x00FF00FF;
    return (uint16_t)(x | x >> 8);
}

uint16_t f072_gpio_driven(const struct f072_gpio *gpio)
{
    return (uint16_t)(gpio->odr & pins_with_01(gpio->moder));
}

static uint32_t read_idr(const struct f072_gpio *gpio)
{
    uint32_t inputs = ~(uint32_t)pins_with_01(gpio->moder);
    uint32_t wired = inputs & gpio->wired;
    uint32_t floating = inputs & ~wired;

    return f072_gpio_driven(gpio) | (wired & gpio->levels) | (floating & pins_with_01(gpio->pupdr));
}

uint32_t f072_gpio_read(const struct f072_gpio *gpio, uint32_t offset)
{
    switch (offset) {
    case MODER:
        return gpio->moder;
    case OTYPER:
        return gpio->otyper;
    case OSPEEDR:
        return gpio->ospeedr;
    case PUPDR:
        return gpio->pupdr;
    case IDR:
        return read_idr(gpio);
    case ODR:
        return gpio->odr;
    case LCKR:
        return gpio->lckr;
    case AFRL:
        return gpio->afr[0];
    case AFRH:
        return gpio->afr[1];
    default: // BSRR and BRR are write-only
        return 0;
    }
}

static void merge(uint32_t *target, uint32_t value, uint32_t mask)
{
    *target = (*target & ~mask) | (value & mask);
}

void f072_gpio_write(struct f072_gpio *gpio, uint32_t offset, uint32_t value, uint32_t mask)
{
    switch (offset) {
    case MODER:
        merge(&gpio->moder, value, mask);
        break;
    case OTYPER:
        merge(&gpio->otyper, value, mask & 0xFFFF);
        break;
    case OSPEEDR:
        merge(&gpio->ospeedr, value, mask);
        break;
    case PUPDR:
        merge(&gpio->pupdr, value, mask);
        break;
    case ODR:
        merge(&gpio->odr, value, mask & 0xFFFF);
        break;
    case BSRR: // set wins over reset (RM0091 8.4.7)
        value &= mask;
        gpio->odr = (gpio->odr & ~(value >> 16)) | (value & 0xFFFF);
        break;
    case LCKR:
        merge(&gpio->lckr, value, mask & 0x1FFFF);
        break;
    case AFRL:
    case AFRH:
        merge(&gpio->afr[(offset - AFRL) / 4], value, mask);
        break;
    case BRR:
        gpio->odr &= ~(value & mask & 0xFFFF);
        break;
    default:
        break;
    }
}
