// SPDX-License-Identifier: MIT
//
// Where each peripheral is on the bus, and how the bus reaches it. A peripheral whose registers
// know no lanes gets a whole word: what was there, with the written lanes changed.

#include <sim/trace.h>
#include <usb/bytes.h>

#include "peripherals.h"

// Registers with bits that follow the time: which of them, need not be known.
static bool all_move(uint32_t offset)
{
    (void)offset;
    return true;
}

// ---- RCC ----

static uint32_t rcc_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_rcc_read(&chip->rcc, a->offset, f072_chip_now(chip));
}

enum { RCC_BDCR_BDRST = 1 << 16 };

// LSEON, LSEBYP, RTCSEL and RTCEN need PWR_CR.DBP (RM0091 6.4.9). What is written instead.
static uint32_t
protect_bdcr(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t old, uint32_t value)
{
    enum { BDCR = 0x20, PROTECTED = 0x8305 };

    if ((old ^ value) & PROTECTED)
        f072_warn_once(&chip->report, p->base + BDCR,
                       "RCC_BDCR is written while PWR_CR.DBP is 0 (pc %08X): no effect",
                       f072_chip_pc(chip));
    return (old & PROTECTED) | (value & ~(uint32_t)PROTECTED);
}

static bool rcc_write(struct f072_chip *chip, const struct f072_access *a)
{
    enum { RCC_BDCR = 0x20, RCC_CR2 = 0x34, RCC_CR2_HSI48ON = 1 << 16 };
    uint64_t now_ns = f072_chip_now(chip);
    uint32_t old = rcc_read(chip, a);
    uint32_t value = (old & ~a->lanes) | (a->value & a->lanes);

    if (a->offset == RCC_BDCR && !f072_row_rtc_is_open(chip))
        value = protect_bdcr(chip, a->p, old, value);
    f072_rcc_write(&chip->rcc, a->offset, value, now_ns);
    if (a->offset == RCC_CR2 && (value & RCC_CR2_HSI48ON) && !chip->rcc.has_hsi48)
        f072_warn_once(
            &chip->report, a->p->base + a->offset,
            "HSI48 is switched on (pc %08X), which the %s does not have: it will never be "
            "ready",
            f072_chip_pc(chip), chip->model->title);
    if (chip->rcc.bdcr & RCC_BDCR_BDRST)
        f072_rtc_reset(&chip->rtc);
    f072_reset_held(chip);
    f072_chip_clocks_changed(chip);
    return true;
}

// ---- Flash controller ----

static uint32_t flash_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_fpec_read(&chip->fpec, a->offset, f072_chip_now(chip));
}

static bool flash_write(struct f072_chip *chip, const struct f072_access *a)
{
    uint32_t merged = (flash_read(chip, a) & ~a->lanes) | (a->value & a->lanes);
    bool fine = f072_fpec_write(&chip->fpec, a->offset, merged, f072_chip_now(chip));

    chip->unrepeatable++;

    if (chip->fpec.cr & F072_FLASH_CR_OBL_LAUNCH)
        chip->reset_cause = F072_RESET_OBL;
    return fine;
}

static void flash_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_fpec_reset(&chip->fpec);
}

// ---- USB ----

static uint32_t usb_read(struct f072_chip *chip, const struct f072_access *a)
{
    if (a->offset == F072_USB_FNR)
        chip->unrepeatable++;
    return f072_usbfs_read(&chip->usb, a->offset);
}

static bool usb_write(struct f072_chip *chip, const struct f072_access *a)
{
    if (a->lanes & 0xFFFF) // registers are the lower half-words
        f072_usbfs_write(&chip->usb, a->offset, (uint16_t)a->value, f072_chip_now(chip));
    return true;
}

static void usb_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_usbfs_reset(&chip->usb);
}

static uint32_t pma_read(struct f072_chip *chip, const struct f072_access *a)
{
    return load_le32(chip->usb.pma + a->offset);
}

static bool pma_write(struct f072_chip *chip, const struct f072_access *a)
{
    if (a->lanes & 0xFFFF)
        usbdev_store_le16(chip->usb.pma + a->offset, (uint16_t)a->value);
    if (a->lanes >> 16)
        usbdev_store_le16(chip->usb.pma + a->offset + 2, (uint16_t)(a->value >> 16));
    return true;
}

// ---- GPIO ----

static uint32_t gpio_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_gpio_read(&chip->gpio[a->p->index], a->offset);
}

static bool gpio_write(struct f072_chip *chip, const struct f072_access *a)
{
    struct f072_gpio *gpio = &chip->gpio[a->p->index];
    uint16_t before = f072_gpio_driven(gpio);

    f072_gpio_write(gpio, a->offset, a->value, a->lanes);
    if (f072_gpio_driven(gpio) != before)
        f072_trace(&chip->report, SIM_TRACE_STATES, f072_chip_now(chip), "%s drives %04X",
                   a->p->name, f072_gpio_driven(gpio));
    return true;
}

static void gpio_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    f072_gpio_reset(&chip->gpio[p->index], p->index);
}

// ---- Timers ----

static uint32_t timer_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_timer_read(&chip->timer[a->p->index], a->offset, f072_chip_now(chip));
}

static bool timer_write(struct f072_chip *chip, const struct f072_access *a)
{
    const char *unmodelled;

    chip->timers_used |= UINT32_C(1) << a->p->index;
    f072_timer_write(&chip->timer[a->p->index], a->offset, a->value, f072_chip_now(chip));
    unmodelled = f072_timer_unmodelled(&chip->timer[a->p->index]);
    if (unmodelled)
        f072_warn_once(&chip->report, a->p->base, "%s is to %s (pc %08X)", a->p->name, unmodelled,
                       f072_chip_pc(chip));
    return true;
}

static bool timer_moves(uint32_t offset)
{
    enum { CNT = 0x24 };

    return offset == CNT;
}

static void timer_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    chip->timers_used &= ~(UINT32_C(1) << p->index);
    // TIM2, 3, 6, 7, 14, 1, 15, 16, 17 (RM0091 chapters 17 to 21)
    static const uint8_t channels[F072_TIMERS] = {4, 4, 0, 0, 1, 4, 2, 1, 1};

    f072_timer_reset(&chip->timer[p->index], p->index == 0 ? UINT32_MAX : 0xFFFF,
                     channels[p->index]);
}

// ---- Watchdogs ----

static uint32_t iwdg_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_iwdg_read(&chip->iwdg, a->offset);
}

static bool iwdg_write(struct f072_chip *chip, const struct f072_access *a)
{
    f072_iwdg_write(&chip->iwdg, a->offset, a->value, f072_chip_now(chip));
    return true;
}

static void iwdg_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_iwdg_reset(&chip->iwdg);
}

static uint32_t wwdg_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_wwdg_read(&chip->wwdg, a->offset, f072_chip_now(chip));
}

static bool wwdg_write(struct f072_chip *chip, const struct f072_access *a)
{
    f072_wwdg_write(&chip->wwdg, a->offset, a->value, f072_chip_now(chip));
    return true;
}

static void wwdg_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_wwdg_reset(&chip->wwdg);
}

// ---- The table (RM0091 2.2.2; enable bits: 6.4.6 to 6.4.8) ----

#define STUB(name, base, bus, bit, index, kind)                                                    \
    {                                                                                              \
        name, base, bus, bit, index, kind, f072_row_stub_read, f072_row_stub_write,                \
            f072_row_stub_reset                                                                    \
    }
#define SERIAL(name, base, bus, bit, index, kind, moves)                                           \
    {                                                                                              \
        name, base, bus, bit, index, kind, f072_row_stub_read, f072_row_stub_write,                \
            f072_row_stub_reset, moves, f072_row_serial_requests_dma                               \
    }
#define TIMER(name, base, bus, bit, index)                                                         \
    {                                                                                              \
        name, base, bus, bit, index, 0, timer_read, timer_write, timer_reset, timer_moves          \
    }
#define GPIO(name, index)                                                                          \
    {                                                                                              \
        name, 0x48000000 + 0x400 * (index), F072_AHB, 17 + (index), index, 0, gpio_read,           \
            gpio_write, gpio_reset                                                                 \
    }

const struct f072_peripheral f072_peripherals[] = {
    TIMER("TIM2", 0x40000000, F072_APB1, 0, 0),
    TIMER("TIM3", 0x40000400, F072_APB1, 1, 1),
    TIMER("TIM6", 0x40001000, F072_APB1, 4, 2),
    TIMER("TIM7", 0x40001400, F072_APB1, 5, 3),
    TIMER("TIM14", 0x40002000, F072_APB1, 8, 4),
    {"RTC", 0x40002800, F072_ALWAYS, 0, 0, 0, f072_row_rtc_read, f072_row_rtc_write, NULL,
     f072_rtc_moves},
    {"WWDG", 0x40002C00, F072_APB1, 11, 0, 0, wwdg_read, wwdg_write, wwdg_reset, all_move},
    {"IWDG", 0x40003000, F072_ALWAYS, 0, 0, 0, iwdg_read, iwdg_write, iwdg_reset},
    SERIAL("SPI2", 0x40003800, F072_APB1, 14, 1, F072_STUB_SPI, f072_row_spi_moves),
    SERIAL("USART2", 0x40004400, F072_APB1, 17, 2, F072_STUB_USART, NULL),
    SERIAL("USART3", 0x40004800, F072_APB1, 18, 3, F072_STUB_USART, NULL),
    SERIAL("USART4", 0x40004C00, F072_APB1, 19, 4, F072_STUB_USART, NULL),
    STUB("I2C1", 0x40005400, F072_APB1, 21, 5, F072_STUB_I2C),
    STUB("I2C2", 0x40005800, F072_APB1, 22, 6, F072_STUB_I2C),
    {"USB", 0x40005C00, F072_APB1, 23, 0, 0, usb_read, usb_write, usb_reset},
    {"USB_PMA", 0x40006000, F072_APB1, 23, 0, 0, pma_read, pma_write, NULL},
    STUB("CAN", 0x40006400, F072_APB1, 25, 7, F072_STUB_CAN),
    {"CRS", 0x40006C00, F072_APB1, 27, 0, 0, f072_row_crs_read, f072_row_crs_write,
     f072_row_crs_reset},
    {"PWR", 0x40007000, F072_APB1, 28, F072_PWR, F072_STUB_OTHER, f072_row_stub_read,
     f072_row_pwr_write, f072_row_pwr_reset},
    STUB("DAC", 0x40007400, F072_APB1, 29, 9, F072_STUB_OTHER),
    STUB("CEC", 0x40007800, F072_APB1, 30, 10, F072_STUB_CEC),
    {"SYSCFG", 0x40010000, F072_APB2, 0, 0, 0, f072_row_syscfg_read, f072_row_syscfg_write,
     f072_row_syscfg_reset},
    {"EXTI", 0x40010400, F072_ALWAYS, 0, 0, 0, f072_row_exti_read, f072_row_exti_write,
     f072_row_exti_reset},
    {"ADC", 0x40012400, F072_APB2, 9, 0, 0, f072_row_adc_read, f072_row_adc_write,
     f072_row_adc_reset, f072_row_adc_moves, f072_row_adc_requests_dma},
    TIMER("TIM1", 0x40012C00, F072_APB2, 11, 5),
    SERIAL("SPI1", 0x40013000, F072_APB2, 12, 12, F072_STUB_SPI, f072_row_spi_moves),
    SERIAL("USART1", 0x40013800, F072_APB2, 14, 13, F072_STUB_USART, NULL),
    TIMER("TIM15", 0x40014000, F072_APB2, 16, 6),
    TIMER("TIM16", 0x40014400, F072_APB2, 17, 7),
    TIMER("TIM17", 0x40014800, F072_APB2, 18, 8),
    {"DBGMCU", 0x40015800, F072_ALWAYS, 0, 0, 0, f072_row_dbgmcu_read, f072_row_dbgmcu_write, NULL},
    {"DMA", 0x40020000, F072_AHB, 0, 0, 0, f072_row_dma_read, f072_row_dma_write,
     f072_row_dma_reset},
    {"RCC", 0x40021000, F072_ALWAYS, 0, 0, 0, rcc_read, rcc_write, NULL, all_move},
    {"FLASH", 0x40022000, F072_ALWAYS, 0, 0, 0, flash_read, flash_write, flash_reset, all_move},
    {"CRC", 0x40023000, F072_AHB, 6, 0, 0, f072_row_crc_read, f072_row_crc_write,
     f072_row_crc_reset},
    STUB("TSC", 0x40024000, F072_AHB, 24, F072_TSC, F072_STUB_TSC),
    GPIO("GPIOA", 0),
    GPIO("GPIOB", 1),
    GPIO("GPIOC", 2),
    GPIO("GPIOD", 3),
    GPIO("GPIOE", 4),
    GPIO("GPIOF", 5),
};

const unsigned f072_peripheral_count = sizeof f072_peripherals / sizeof f072_peripherals[0];
