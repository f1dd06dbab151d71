// SPDX-License-Identifier: MIT
//
// All peripherals together: finding them, resetting them, when the next of them does something by
// itself, and which interrupt lines follow.

#include "peripherals.h"

// ---- Finding one ----

enum { NONE = 0xFF };

// The bus in pages of 1 KB: all of APB and AHB, then the ports. Or -1.
static int bus_page(uint32_t address)
{
    enum { LOW_PAGES = F072_BUS_PAGES - F072_GPIO_PORTS };

    if (address - 0x40000000 < LOW_PAGES * 0x400)
        return (int)((address - 0x40000000) / 0x400);
    if (address - 0x48000000 < F072_GPIO_PORTS * 0x400)
        return (int)(LOW_PAGES + (address - 0x48000000) / 0x400);
    return -1;
}

const struct f072_peripheral *f072_find_peripheral(const struct f072_chip *chip, uint32_t address)
{
    int page = bus_page(address);

    if (page < 0 || chip->page[page] == NONE)
        return NULL;
    return &f072_peripherals[chip->page[page]];
}

void f072_peripherals_init(struct f072_chip *chip)
{
    chip->fpec.bytes = chip->flash;
    chip->fpec.size = chip->model->flash_size;
    chip->fpec.page_size = chip->model->page_size;
    chip->rcc.has_hsi48 = chip->model->hsi48;
    chip->fpec.options = chip->options;
    chip->usb.report = &chip->report;
    for (int i = 0; i < F072_BUS_PAGES; i++)
        chip->page[i] = NONE;
    for (unsigned i = 0; i < f072_peripheral_count; i++)
        chip->page[bus_page(f072_peripherals[i].base)] = (uint8_t)i;
}

// ---- Resets ----

void f072_peripherals_reset(struct f072_chip *chip)
{
    for (unsigned i = 0; i < f072_peripheral_count; i++)
        if (f072_peripherals[i].reset)
            f072_peripherals[i].reset(chip, &f072_peripherals[i]);
    for (int i = 0; i < 3; i++)
        chip->dbgmcu[i] = 0;
    chip->others_used = false;
}

bool f072_held_in_reset(const struct f072_chip *chip, const struct f072_peripheral *p)
{
    return p->bus != F072_ALWAYS && (chip->rcc.reset[p->bus] >> p->bit & 1);
}

void f072_reset_held(struct f072_chip *chip)
{
    for (unsigned i = 0; i < f072_peripheral_count; i++)
        if (f072_peripherals[i].reset && f072_held_in_reset(chip, &f072_peripherals[i]))
            f072_peripherals[i].reset(chip, &f072_peripherals[i]);
}

// ---- Wires ----

static bool looks_at(const struct f072_chip *chip, unsigned line, unsigned port)
{
    return (chip->syscfg_exticr[line / 4] >> 4 * (line % 4) & 0xF) == port;
}

void f072_chip_wire(struct f072_chip *chip, unsigned port, uint16_t pins, uint16_t levels)
{
    struct f072_gpio *gpio = &chip->gpio[port];
    uint32_t before = f072_gpio_read(gpio, F072_GPIO_IDR);

    gpio->wired = pins;
    gpio->levels = levels;
    uint32_t after = f072_gpio_read(gpio, F072_GPIO_IDR);
    for (unsigned pin = 0; pin < 16; pin++) {
        if (((before ^ after) >> pin & 1) && looks_at(chip, pin, port))
            f072_exti_edge(&chip->exti, pin, after >> pin & 1);
        if (~before & after & 1u << pin)
            f072_low_power_pin(chip, port, pin);
    }
    f072_chip_update(chip);
}

// ---- Time and interrupts ----

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t f072_peripherals_next_event(const struct f072_chip *chip)
{
    uint64_t next = f072_usbfs_next_event(&chip->usb);

    next = earlier(next, f072_iwdg_expiry(&chip->iwdg));
    next = earlier(next, f072_rtc_next_event(&chip->rtc));
    if (chip->low_power != F072_RUN)
        return next;
    next = earlier(next, f072_rcc_next_event(&chip->rcc));
    next = earlier(next, f072_wwdg_next_event(&chip->wwdg));
    next = earlier(next, f072_fpec_next_event(&chip->fpec));
    next = earlier(next, f072_serials_next_event(chip));
    next = earlier(next, chip->adc.end_ns);
    for (uint32_t i = 0, left = chip->timers_used; left != 0; i++, left >>= 1)
        if (left & 1)
            next = earlier(next, f072_timer_next_event(&chip->timer[i]));
    return next;
}

enum { USBEN = 23 }; // RCC_APB1ENR

// A suspended device may have stopped its clocks.
void f072_chip_check_usb_clock(struct f072_chip *chip)
{
    const struct f072_usbfs *usb = &chip->usb;

    if (!f072_usbfs_connected(usb) || usb->clocked || (usb->cntr & F072_CNTR_FSUSP))
        return;
    f072_trouble(
        &chip->report,
        "the pull-up is on and the host has reset the bus, but USB has no 48 MHz clock: %s "
        "(RM0091 6.4)",
        f072_rcc_enabled(&chip->rcc, F072_APB1, USBEN)
            ? f072_rcc_why_no_usb_clock(&chip->rcc, f072_chip_now(chip))
            : "RCC_APB1ENR.USBEN is 0");
}

static void clock_usb(struct f072_chip *chip, uint64_t now_ns)
{
    chip->usb.clocked = chip->low_power == F072_RUN &&
                        f072_rcc_enabled(&chip->rcc, F072_APB1, USBEN) &&
                        f072_rcc_usb_clock(&chip->rcc, now_ns) == 48000000;
    if (chip->usb.clocked && f072_rcc_usb_clock_is_coarse(&chip->rcc))
        f072_warn_once(&chip->report,
                       0x40021030, // RCC_CFGR3
                       "USB gets its 48 MHz from the HSI, too inaccurate for USB on a real chip");
}

// What the system clock drives.
static void advance_clocked(struct f072_chip *chip, uint64_t now_ns)
{
    if (f072_rcc_next_event(&chip->rcc) <= now_ns) {
        f072_rcc_advance(&chip->rcc, now_ns);
        f072_chip_clocks_changed(chip);
    }
    f072_wwdg_advance(&chip->wwdg, now_ns);
    f072_serials_advance(chip, now_ns);
    while (chip->adc.end_ns <= now_ns) {
        f072_adc_end_conversion(&chip->adc);
        f072_dma_serve(chip);
    }
    for (uint32_t i = 0, left = chip->timers_used; left != 0; i++, left >>= 1)
        if (left & 1)
            f072_timer_advance(&chip->timer[i], now_ns);
}

// Lines 17 and 20 of EXTI (RM0091 11.2.5); either wakes the chip from Standby.
static void advance_rtc(struct f072_chip *chip, uint64_t now_ns)
{
    enum { ALARM_LINE = 17, WAKE_UP_LINE = 20 };
    uint32_t risen = f072_rtc_advance(&chip->rtc, now_ns);

    if (risen & F072_RTC_ALARM)
        f072_exti_edge(&chip->exti, ALARM_LINE, true);
    if (risen & F072_RTC_WAKE_UP)
        f072_exti_edge(&chip->exti, WAKE_UP_LINE, true);
    if (risen)
        chip->standby_ends = true;
}

void f072_peripherals_advance(struct f072_chip *chip, uint64_t now_ns)
{
    if (chip->low_power == F072_RUN)
        advance_clocked(chip, now_ns);
    clock_usb(chip, now_ns);
    f072_usbfs_advance(&chip->usb, now_ns);
    if (f072_rtc_next_event(&chip->rtc) <= now_ns)
        advance_rtc(chip, now_ns);
    if (f072_iwdg_expiry(&chip->iwdg) <= now_ns)
        chip->reset_cause = F072_RESET_IWDG;
    if (chip->wwdg.expired)
        chip->reset_cause = F072_RESET_WWDG;
}

// Which timer interrupts where (RM0091 11.1.3), by index.
static const uint8_t timer_lines[F072_TIMERS] = {15, 16, 17, 18, 19, 13, 20, 21, 22};

// TIM1 has a line of its own for compare.
enum { TIM1 = 5, TIM1_CC_LINE = 14 };

static uint32_t update_flags(uint32_t index)
{
    return index == TIM1 ? F072_TIMER_UPDATE : F072_TIMER_UPDATE | F072_TIMER_COMPARE;
}

// Serial interfaces, ADC and DMA.
static uint32_t other_lines(const struct f072_chip *chip)
{
    uint32_t active = f072_serials_lines(chip);

    active |= (uint32_t)f072_dma_interrupt(&chip->dma, 1, 1) << 9;
    active |= (uint32_t)f072_dma_interrupt(&chip->dma, 2, 3) << 10;
    active |= (uint32_t)f072_dma_interrupt(&chip->dma, 4, 7) << 11;
    active |= (uint32_t)f072_adc_interrupt(&chip->adc) << 12;
    active |= (uint32_t)f072_tsc_interrupt(&chip->stub[F072_TSC]) << 8;
    return active;
}

static uint32_t exti_lines(const struct f072_exti *exti)
{
    enum { RTC_LINES = 1 << 17 | 1 << 19 | 1 << 20 };

    if (!f072_exti_interrupt(exti, UINT32_MAX))
        return 0;
    return (uint32_t)f072_exti_interrupt(exti, RTC_LINES) << 2 |
           (uint32_t)f072_exti_interrupt(exti, 0x0003) << 5 |
           (uint32_t)f072_exti_interrupt(exti, 0x000C) << 6 |
           (uint32_t)f072_exti_interrupt(exti, 0xFFF0) << 7;
}

// The end of an erase or a program comes by the time, which is asked for where it interrupts.
static bool flash_interrupts(struct f072_chip *chip)
{
    return (chip->fpec.cr & (F072_FLASH_CR_EOPIE | F072_FLASH_CR_ERRIE)) &&
           f072_fpec_interrupt(&chip->fpec, f072_chip_now(chip));
}

// Asked after each access of the processor to a peripheral, and in each frame.
static uint32_t lines(struct f072_chip *chip)
{
    uint32_t active = chip->others_used ? other_lines(chip) : 0;

    for (uint32_t i = 0, left = chip->timers_used; left != 0; i++, left >>= 1)
        active |= (uint32_t)f072_timer_interrupt(&chip->timer[i], update_flags(i))
                  << timer_lines[i];
    if (chip->timers_used >> TIM1 & 1)
        active |= (uint32_t)f072_timer_interrupt(&chip->timer[TIM1], F072_TIMER_COMPARE)
                  << TIM1_CC_LINE;
    active |= (uint32_t)f072_wwdg_interrupt(&chip->wwdg) << 0;
    active |= exti_lines(&chip->exti);
    active |= (uint32_t)flash_interrupts(chip) << 3;
    active |= (uint32_t)(f072_crs_interrupt(&chip->crs) || f072_rcc_interrupt(&chip->rcc)) << 4;
    active |= (uint32_t)f072_usbfs_interrupt(&chip->usb) << 31;
    return active;
}

void f072_chip_update(struct f072_chip *chip)
{
    uint32_t active = lines(chip);
    uint32_t changed = active ^ chip->cpu.lines;

    if (chip->low_power != F072_RUN)
        changed &= f072_low_power_lines(chip);
    if (f072_exti_take_event(&chip->exti))
        armv6m_set_event(&chip->cpu);
    for (unsigned line = 0; changed != 0; line++, changed >>= 1)
        if (changed & 1)
            armv6m_set_irq(&chip->cpu, line, active >> line & 1);
}
