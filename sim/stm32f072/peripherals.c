// SPDX-License-Identifier: MIT
//
// The bus: which peripheral answers where, what narrow accesses become on the way, and which
// interrupt lines follow from it all.
//
// On the AHB each byte lane is written by itself. A bridge to an APB makes every access 32 bits
// wide: it repeats a byte or half-word in all lanes (RM0091 2.1). The USB packet memory is 16 bits
// wide, so there a half-word is one, and only a byte is repeated.

#include "chip.h"

#include <sim/devices.h>

#include "register_names.h"

struct peripheral {
    const char *name;
    uint32_t base;
    enum f072_bus bus; // its clock enable and reset bits
    uint8_t bit;
    uint8_t index; // among its like
    uint8_t kind;  // of a stub
    uint32_t (*read)(struct f072_chip *chip, const struct peripheral *p, uint32_t offset);
    bool (*write)(struct f072_chip *chip,
                  const struct peripheral *p,
                  uint32_t offset,
                  uint32_t value,
                  uint32_t lanes);
    void (*reset)(struct f072_chip *chip, const struct peripheral *p);
};

// ---- RCC ----

static uint32_t rcc_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    return f072_rcc_read(&chip->rcc, offset, f072_chip_now(chip));
}

static void reset_held(struct f072_chip *chip);

static bool rcc_write(struct f072_chip *chip,
                      const struct peripheral *p,
                      uint32_t offset,
                      uint32_t value,
                      uint32_t lanes)
{
    uint64_t now_ns = f072_chip_now(chip);
    uint32_t old = rcc_read(chip, p, offset);

    f072_rcc_write(&chip->rcc, offset, (old & ~lanes) | (value & lanes), now_ns);
    if (chip->rcc.cir != 0)
        f072_warn_once(
            &chip->report, p->base + offset,
            "RCC_CIR asks for an interrupt when a clock is ready (pc %08X): not modelled",
            chip->cpu.r[15]);
    reset_held(chip);
    f072_chip_clocks_changed(chip);
    return true;
}

// ---- Flash controller ----

static uint32_t flash_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    return f072_fpec_read(&chip->fpec, offset, f072_chip_now(chip));
}

static bool flash_write(struct f072_chip *chip,
                        const struct peripheral *p,
                        uint32_t offset,
                        uint32_t value,
                        uint32_t lanes)
{
    uint32_t merged = (flash_read(chip, p, offset) & ~lanes) | (value & lanes);
    bool fine = f072_fpec_write(&chip->fpec, offset, merged, f072_chip_now(chip));

    if (chip->fpec.cr & F072_FLASH_CR_OBL_LAUNCH)
        chip->reset_cause = F072_RESET_OBL;
    return fine;
}

static void flash_reset(struct f072_chip *chip, const struct peripheral *p)
{
    (void)p;
    f072_fpec_reset(&chip->fpec);
}

// ---- USB ----

static uint32_t usb_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    return f072_usbfs_read(&chip->usb, offset);
}

static bool usb_write(struct f072_chip *chip,
                      const struct peripheral *p,
                      uint32_t offset,
                      uint32_t value,
                      uint32_t lanes)
{
    (void)p;
    if (lanes & 0xFFFF) // registers are the lower half-words
        f072_usbfs_write(&chip->usb, offset, (uint16_t)value, f072_chip_now(chip));
    return true;
}

static void usb_reset(struct f072_chip *chip, const struct peripheral *p)
{
    (void)p;
    f072_usbfs_reset(&chip->usb);
}

static uint32_t pma_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    return load_le16(chip->usb.pma + offset) | (uint32_t)load_le16(chip->usb.pma + offset + 2)
                                                   << 16;
}

static bool pma_write(struct f072_chip *chip,
                      const struct peripheral *p,
                      uint32_t offset,
                      uint32_t value,
                      uint32_t lanes)
{
    (void)p;
    if (lanes & 0xFFFF)
        store_le16(chip->usb.pma + offset, (uint16_t)value);
    if (lanes >> 16)
        store_le16(chip->usb.pma + offset + 2, (uint16_t)(value >> 16));
    return true;
}

// ---- GPIO ----

static uint32_t gpio_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    return f072_gpio_read(&chip->gpio[p->index], offset);
}

static bool gpio_write(struct f072_chip *chip,
                       const struct peripheral *p,
                       uint32_t offset,
                       uint32_t value,
                       uint32_t lanes)
{
    struct f072_gpio *gpio = &chip->gpio[p->index];
    uint16_t before = f072_gpio_driven(gpio);

    f072_gpio_write(gpio, offset, value, lanes);
    if (f072_gpio_driven(gpio) != before)
        f072_trace(&chip->report, SIM_TRACE_STATES, f072_chip_now(chip), "%s drives %04X", p->name,
                   f072_gpio_driven(gpio));
    return true;
}

static void gpio_reset(struct f072_chip *chip, const struct peripheral *p)
{
    f072_gpio_reset(&chip->gpio[p->index], p->index);
}

// ---- Timers ----

static uint32_t timer_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    return f072_timer_read(&chip->timer[p->index], offset, f072_chip_now(chip));
}

static bool timer_write(struct f072_chip *chip,
                        const struct peripheral *p,
                        uint32_t offset,
                        uint32_t value,
                        uint32_t lanes)
{
    (void)lanes;
    chip->timers_used |= UINT32_C(1) << p->index;
    f072_timer_write(&chip->timer[p->index], offset, value, f072_chip_now(chip));
    return true;
}

static void timer_reset(struct f072_chip *chip, const struct peripheral *p)
{
    chip->timers_used &= ~(UINT32_C(1) << p->index);
    f072_timer_reset(&chip->timer[p->index], p->index == 0 ? UINT32_MAX : 0xFFFF); // TIM2
}

// ---- Watchdogs ----

static uint32_t iwdg_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    return f072_iwdg_read(&chip->iwdg, offset);
}

static bool iwdg_write(struct f072_chip *chip,
                       const struct peripheral *p,
                       uint32_t offset,
                       uint32_t value,
                       uint32_t lanes)
{
    (void)p;
    (void)lanes;
    f072_iwdg_write(&chip->iwdg, offset, value, f072_chip_now(chip));
    return true;
}

static void iwdg_reset(struct f072_chip *chip, const struct peripheral *p)
{
    (void)p;
    f072_iwdg_reset(&chip->iwdg);
}

static uint32_t wwdg_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    return f072_wwdg_read(&chip->wwdg, offset, f072_chip_now(chip));
}

static bool wwdg_write(struct f072_chip *chip,
                       const struct peripheral *p,
                       uint32_t offset,
                       uint32_t value,
                       uint32_t lanes)
{
    (void)p;
    (void)lanes;
    f072_wwdg_write(&chip->wwdg, offset, value, f072_chip_now(chip));
    return true;
}

static void wwdg_reset(struct f072_chip *chip, const struct peripheral *p)
{
    (void)p;
    f072_wwdg_reset(&chip->wwdg);
}

// ---- CRS, EXTI, SYSCFG, DBGMCU ----

static uint32_t crs_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    return f072_crs_read(&chip->crs, offset);
}

static bool crs_write(struct f072_chip *chip,
                      const struct peripheral *p,
                      uint32_t offset,
                      uint32_t value,
                      uint32_t lanes)
{
    (void)p;
    (void)lanes;
    f072_crs_write(&chip->crs, offset, value);
    return true;
}

static void crs_reset(struct f072_chip *chip, const struct peripheral *p)
{
    (void)p;
    f072_crs_reset(&chip->crs);
}

static uint32_t exti_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    return f072_exti_read(&chip->exti, offset);
}

static bool exti_write(struct f072_chip *chip,
                       const struct peripheral *p,
                       uint32_t offset,
                       uint32_t value,
                       uint32_t lanes)
{
    (void)p;
    (void)lanes;
    f072_exti_write(&chip->exti, offset, value);
    return true;
}

static void exti_reset(struct f072_chip *chip, const struct peripheral *p)
{
    (void)p;
    f072_exti_reset(&chip->exti);
}

// RM0091 9.1: CFGR1 at 0, EXTICR1..4 from 8.
enum { SYSCFG_CFGR1 = 0x00, SYSCFG_EXTICR1 = 0x08, SYSCFG_EXTICR4 = 0x14 };

static uint32_t syscfg_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    if (offset == SYSCFG_CFGR1)
        return chip->syscfg_cfgr1;
    if (offset >= SYSCFG_EXTICR1 && offset <= SYSCFG_EXTICR4)
        return chip->syscfg_exticr[(offset - SYSCFG_EXTICR1) / 4];
    return 0;
}

static bool syscfg_write(struct f072_chip *chip,
                         const struct peripheral *p,
                         uint32_t offset,
                         uint32_t value,
                         uint32_t lanes)
{
    (void)p;
    (void)lanes;
    if (offset == SYSCFG_CFGR1) {
        chip->syscfg_cfgr1 = value;
        f072_chip_map(chip, (enum f072_memory)(value & 3));
    }
    if (offset >= SYSCFG_EXTICR1 && offset <= SYSCFG_EXTICR4)
        chip->syscfg_exticr[(offset - SYSCFG_EXTICR1) / 4] = value & 0xFFFF;
    return true;
}

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
    for (unsigned pin = 0; pin < 16; pin++)
        if (((before ^ after) >> pin & 1) && looks_at(chip, pin, port))
            f072_exti_edge(&chip->exti, pin, after >> pin & 1);
    f072_chip_update(chip);
}

// After a system reset MEM_MODE shows how the chip booted (RM0091 9.1.1).
static void syscfg_reset(struct f072_chip *chip, const struct peripheral *p)
{
    (void)p;
    chip->syscfg_cfgr1 = chip->boot0 ? F072_MEMORY_ROM : F072_MEMORY_FLASH;
    for (int i = 0; i < 4; i++)
        chip->syscfg_exticr[i] = 0;
}

enum { DBGMCU_IDCODE = 0x00 };

static uint32_t dbgmcu_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    (void)p;
    if (offset == DBGMCU_IDCODE)
        return 0x20016448; // RM0091 32.4.1: STM32F07x, revision X
    return offset / 4 <= 3 ? chip->dbgmcu[offset / 4 - 1] : 0;
}

static bool dbgmcu_write(struct f072_chip *chip,
                         const struct peripheral *p,
                         uint32_t offset,
                         uint32_t value,
                         uint32_t lanes)
{
    (void)p;
    (void)lanes;
    if (offset != DBGMCU_IDCODE && offset / 4 <= 3)
        chip->dbgmcu[offset / 4 - 1] = value;
    return true;
}

// ---- Stubs ----

static uint32_t stub_read(struct f072_chip *chip, const struct peripheral *p, uint32_t offset)
{
    return f072_stub_read(&chip->stub[p->index], (enum f072_stub_kind)p->kind, offset);
}

static bool stub_write(struct f072_chip *chip,
                       const struct peripheral *p,
                       uint32_t offset,
                       uint32_t value,
                       uint32_t lanes)
{
    enum f072_stub_kind kind = (enum f072_stub_kind)p->kind;
    uint32_t merged = (chip->stub[p->index].words[offset / 4] & ~lanes) | (value & lanes);
    const char *unmodelled = f072_stub_write(&chip->stub[p->index], kind, offset, merged);

    if (unmodelled != NULL)
        f072_warn_once(&chip->report, p->base + offset,
                       "%s starts %s (pc %08X): not modelled, nothing happens", p->name, unmodelled,
                       chip->cpu.r[15]);
    return true;
}

static void stub_reset(struct f072_chip *chip, const struct peripheral *p)
{
    f072_stub_reset(&chip->stub[p->index], (enum f072_stub_kind)p->kind);
}

// ---- The table (RM0091 2.2.2; enable bits: 6.4.6 to 6.4.8) ----

#define STUB(name, base, bus, bit, index, kind)                                                    \
    {                                                                                              \
        name, base, bus, bit, index, kind, stub_read, stub_write, stub_reset                       \
    }
#define TIMER(name, base, bus, bit, index)                                                         \
    {                                                                                              \
        name, base, bus, bit, index, 0, timer_read, timer_write, timer_reset                       \
    }
#define GPIO(name, index)                                                                          \
    {                                                                                              \
        name, 0x48000000 + 0x400 * (index), F072_AHB, 17 + (index), index, 0, gpio_read,           \
            gpio_write, gpio_reset                                                                 \
    }

static const struct peripheral peripherals[] = {
    TIMER("TIM2", 0x40000000, F072_APB1, 0, 0),
    TIMER("TIM3", 0x40000400, F072_APB1, 1, 1),
    TIMER("TIM6", 0x40001000, F072_APB1, 4, 2),
    TIMER("TIM7", 0x40001400, F072_APB1, 5, 3),
    TIMER("TIM14", 0x40002000, F072_APB1, 8, 4),
    STUB("RTC", 0x40002800, F072_ALWAYS, 0, 0, F072_STUB_RTC),
    {"WWDG", 0x40002C00, F072_APB1, 11, 0, 0, wwdg_read, wwdg_write, wwdg_reset},
    {"IWDG", 0x40003000, F072_ALWAYS, 0, 0, 0, iwdg_read, iwdg_write, iwdg_reset},
    STUB("SPI2", 0x40003800, F072_APB1, 14, 1, F072_STUB_SPI),
    STUB("USART2", 0x40004400, F072_APB1, 17, 2, F072_STUB_USART),
    STUB("USART3", 0x40004800, F072_APB1, 18, 3, F072_STUB_USART),
    STUB("USART4", 0x40004C00, F072_APB1, 19, 4, F072_STUB_USART),
    STUB("I2C1", 0x40005400, F072_APB1, 21, 5, F072_STUB_I2C),
    STUB("I2C2", 0x40005800, F072_APB1, 22, 6, F072_STUB_I2C),
    {"USB", 0x40005C00, F072_APB1, 23, 0, 0, usb_read, usb_write, usb_reset},
    {"USB_PMA", 0x40006000, F072_APB1, 23, 0, 0, pma_read, pma_write, NULL},
    STUB("CAN", 0x40006400, F072_APB1, 25, 7, F072_STUB_CAN),
    {"CRS", 0x40006C00, F072_APB1, 27, 0, 0, crs_read, crs_write, crs_reset},
    STUB("PWR", 0x40007000, F072_APB1, 28, 8, F072_STUB_OTHER),
    STUB("DAC", 0x40007400, F072_APB1, 29, 9, F072_STUB_OTHER),
    STUB("CEC", 0x40007800, F072_APB1, 30, 10, F072_STUB_OTHER),
    {"SYSCFG", 0x40010000, F072_APB2, 0, 0, 0, syscfg_read, syscfg_write, syscfg_reset},
    {"EXTI", 0x40010400, F072_ALWAYS, 0, 0, 0, exti_read, exti_write, exti_reset},
    STUB("ADC", 0x40012400, F072_APB2, 9, 11, F072_STUB_ADC),
    TIMER("TIM1", 0x40012C00, F072_APB2, 11, 5),
    STUB("SPI1", 0x40013000, F072_APB2, 12, 12, F072_STUB_SPI),
    STUB("USART1", 0x40013800, F072_APB2, 14, 13, F072_STUB_USART),
    TIMER("TIM15", 0x40014000, F072_APB2, 16, 6),
    TIMER("TIM16", 0x40014400, F072_APB2, 17, 7),
    TIMER("TIM17", 0x40014800, F072_APB2, 18, 8),
    {"DBGMCU", 0x40015800, F072_ALWAYS, 0, 0, 0, dbgmcu_read, dbgmcu_write, NULL},
    STUB("DMA", 0x40020000, F072_AHB, 0, 14, F072_STUB_DMA),
    {"RCC", 0x40021000, F072_ALWAYS, 0, 0, 0, rcc_read, rcc_write, NULL},
    {"FLASH", 0x40022000, F072_ALWAYS, 0, 0, 0, flash_read, flash_write, flash_reset},
    STUB("TSC", 0x40024000, F072_AHB, 24, 15, F072_STUB_OTHER),
    GPIO("GPIOA", 0),
    GPIO("GPIOB", 1),
    GPIO("GPIOC", 2),
    GPIO("GPIOD", 3),
    GPIO("GPIOE", 4),
    GPIO("GPIOF", 5),
};

enum { PERIPHERALS = sizeof peripherals / sizeof peripherals[0], NONE = 0xFF };

// Which timer interrupts where (RM0091 11.1.3), by index.
static const uint8_t timer_lines[F072_TIMERS] = {15, 16, 17, 18, 19, 13, 20, 21, 22};

// ---- Finding one ----

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

static const struct peripheral *find(const struct f072_chip *chip, uint32_t address)
{
    int page = bus_page(address);

    if (page < 0 || chip->page[page] == NONE)
        return NULL;
    return &peripherals[chip->page[page]];
}

void f072_peripherals_init(struct f072_chip *chip)
{
    chip->fpec.bytes = chip->flash;
    chip->fpec.options = chip->options;
    chip->usb.report = &chip->report;
    for (int i = 0; i < F072_BUS_PAGES; i++)
        chip->page[i] = NONE;
    for (int i = 0; i < PERIPHERALS; i++)
        chip->page[bus_page(peripherals[i].base)] = (uint8_t)i;
}

// ---- Resets ----

void f072_peripherals_reset(struct f072_chip *chip)
{
    for (int i = 0; i < PERIPHERALS; i++)
        if (peripherals[i].reset != NULL)
            peripherals[i].reset(chip, &peripherals[i]);
    for (int i = 0; i < 3; i++)
        chip->dbgmcu[i] = 0;
}

static bool held_in_reset(const struct f072_chip *chip, const struct peripheral *p)
{
    return p->bus != F072_ALWAYS && (chip->rcc.reset[p->bus] >> p->bit & 1);
}

static void reset_held(struct f072_chip *chip)
{
    for (int i = 0; i < PERIPHERALS; i++)
        if (peripherals[i].reset != NULL && held_in_reset(chip, &peripherals[i]))
            peripherals[i].reset(chip, &peripherals[i]);
}

static bool responds(struct f072_chip *chip, const struct peripheral *p)
{
    if (!f072_rcc_enabled(&chip->rcc, p->bus, p->bit)) {
        f072_warn_once(&chip->report, p->base,
                       "%s is accessed while its clock is off (pc %08X): reads as 0", p->name,
                       chip->cpu.r[15]);
        return false;
    }
    return !held_in_reset(chip, p);
}

// ---- Time and interrupts ----

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t f072_peripherals_next_event(const struct f072_chip *chip)
{
    uint64_t next = f072_usbfs_next_event(&chip->usb);

    next = earlier(next, f072_rcc_next_event(&chip->rcc));
    next = earlier(next, f072_iwdg_expiry(&chip->iwdg));
    next = earlier(next, f072_wwdg_next_event(&chip->wwdg));
    next = earlier(next, f072_fpec_next_event(&chip->fpec));
    for (uint32_t i = 0, left = chip->timers_used; left != 0; i++, left >>= 1)
        if (left & 1)
            next = earlier(next, f072_timer_next_event(&chip->timer[i]));
    return next;
}

static void clock_usb(struct f072_chip *chip, uint64_t now_ns)
{
    enum { USBEN = 23 };

    chip->usb.clocked = f072_rcc_enabled(&chip->rcc, F072_APB1, USBEN) &&
                        f072_rcc_usb_clock(&chip->rcc, now_ns) == 48000000;
    if (chip->usb.clocked && f072_rcc_usb_clock_is_coarse(&chip->rcc))
        f072_warn_once(&chip->report,
                       0x40021030, // RCC_CFGR3
                       "USB gets its 48 MHz from the HSI, too inaccurate for USB on a real chip");
}

void f072_peripherals_advance(struct f072_chip *chip, uint64_t now_ns)
{
    if (f072_rcc_next_event(&chip->rcc) <= now_ns) {
        f072_rcc_advance(&chip->rcc, now_ns);
        f072_chip_clocks_changed(chip);
    }
    clock_usb(chip, now_ns);
    f072_usbfs_advance(&chip->usb, now_ns);
    f072_wwdg_advance(&chip->wwdg, now_ns);
    for (uint32_t i = 0, left = chip->timers_used; left != 0; i++, left >>= 1)
        if (left & 1)
            f072_timer_advance(&chip->timer[i], now_ns);
    if (f072_iwdg_expiry(&chip->iwdg) <= now_ns)
        chip->reset_cause = F072_RESET_IWDG;
    if (chip->wwdg.expired)
        chip->reset_cause = F072_RESET_WWDG;
}

static uint32_t lines(struct f072_chip *chip)
{
    uint32_t active = 0;

    for (uint32_t i = 0, left = chip->timers_used; left != 0; i++, left >>= 1)
        active |= (uint32_t)f072_timer_interrupt(&chip->timer[i]) << timer_lines[i];
    active |= (uint32_t)f072_wwdg_interrupt(&chip->wwdg) << 0;
    active |= (uint32_t)f072_fpec_interrupt(&chip->fpec, f072_chip_now(chip)) << 3;
    active |= (uint32_t)f072_crs_interrupt(&chip->crs) << 4;
    active |= (uint32_t)f072_exti_interrupt(&chip->exti, 0x0003) << 5;
    active |= (uint32_t)f072_exti_interrupt(&chip->exti, 0x000C) << 6;
    active |= (uint32_t)f072_exti_interrupt(&chip->exti, 0xFFF0) << 7;
    active |= (uint32_t)f072_usbfs_interrupt(&chip->usb) << 31;
    return active;
}

void f072_chip_update(struct f072_chip *chip)
{
    uint32_t active = lines(chip);
    uint32_t changed = active ^ chip->cpu.lines;

    for (unsigned line = 0; changed != 0; line++, changed >>= 1)
        if (changed & 1)
            armv6m_set_irq(&chip->cpu, line, active >> line & 1);
}

// ---- The bus as the processor sees it ----

static bool on_apb(uint32_t address)
{
    return address < 0x40020000;
}

// Widen a narrow write to 32 bits; returns the lanes it really writes.
static uint32_t widen(uint32_t address, unsigned size, uint32_t *value)
{
    unsigned shift = 8 * (address & 3);
    bool is_pma = (address & 0xFFFFFC00) == 0x40006000;

    if (size == 4)
        return UINT32_MAX;
    if (size == 1 && on_apb(address))
        *value = (*value & 0xFF) * UINT32_C(0x01010101);
    else if (size == 2 && on_apb(address))
        *value = (*value & 0xFFFF) * UINT32_C(0x00010001);
    else
        *value <<= shift;
    if (is_pma || (address & 0xFFFFFC00) == 0x40005C00)
        return UINT32_C(0xFFFF) << 8 * (address & 2);
    if (on_apb(address))
        return UINT32_MAX;
    return (size == 1 ? UINT32_C(0xFF) : UINT32_C(0xFFFF)) << shift;
}

static bool is_bus(uint32_t address)
{
    return address >> 29 == 2; // 40000000h..5FFFFFFFh
}

// What software does when it waits for ever: only read the same thing.
static void note_access(struct f072_chip *chip, uint32_t address, uint32_t value, bool is_read)
{
    if (is_read && chip->last.only_reads && chip->last.address == address &&
        chip->last.value == value)
        return;
    chip->last.address = address;
    chip->last.value = value;
    chip->last.only_reads = is_read;
    chip->last.since_ns = f072_chip_now(chip);
}

// "08000A90  USB_ISTR -> 8110": the PC, what was accessed, and the value read or written.
static void trace_access(const struct f072_chip *chip,
                         const char *peripheral,
                         uint32_t address,
                         const char *arrow,
                         uint32_t value)
{
    const char *name;

    if (!(chip->report.trace & SIM_TRACE_MMIO))
        return;
    name = f072_register_name(peripheral, address & 0x3FF);
    if (name != NULL)
        f072_trace(&chip->report, SIM_TRACE_MMIO, f072_chip_now(chip), "%08X  %s_%s %s %X",
                   chip->cpu.r[15], peripheral, name, arrow, value);
    else
        f072_trace(&chip->report, SIM_TRACE_MMIO, f072_chip_now(chip), "%08X  %s+%02Xh %s %X",
                   chip->cpu.r[15], peripheral, address & 0x3FF, arrow, value);
}

bool f072_bus_read(void *context, uint32_t address, unsigned size, uint32_t *ret_value)
{
    struct f072_chip *chip = context;
    const struct peripheral *p = find(chip, address);
    uint32_t value = 0;

    if (!is_bus(address))
        return false;
    if (p == NULL)
        f072_warn_once(&chip->report, address, "read of %08X (pc %08X): not modelled, reads as 0",
                       address, chip->cpu.r[15]);
    else if (responds(chip, p))
        value = p->read(chip, p, address & 0x3FC) >> 8 * (address & 3);
    *ret_value = size == 4 ? value : value & ((UINT32_C(1) << 8 * size) - 1);
    note_access(chip, address, *ret_value, true);
    trace_access(chip, p == NULL ? "unknown" : p->name, address, "->", *ret_value);
    return true;
}

// A write into flash memory or the option bytes; address 0 shows one of the memories.
static bool write_memory(struct f072_chip *chip, uint32_t address, unsigned size, uint32_t value)
{
    bool alias = address < F072_FLASH_SIZE && (chip->syscfg_cfgr1 & 3) == F072_MEMORY_FLASH;
    uint32_t target = alias ? address + F072_FLASH_BASE : address;
    bool main_memory = target - F072_FLASH_BASE < F072_FLASH_SIZE;

    if (!main_memory && target - F072_OPTIONS_BASE >= F072_OPTIONS_SIZE)
        return false;
    if (!(chip->fpec.cr & (F072_FLASH_CR_PG | F072_FLASH_CR_OPTPG)))
        f072_warn_once(&chip->report, address,
                       "write to flash at %08X (pc %08X) without programming it: no effect",
                       address, chip->cpu.r[15]);
    return f072_fpec_program(&chip->fpec, target, size, (uint16_t)value, f072_chip_now(chip));
}

static bool write_bus(struct f072_chip *chip, uint32_t address, unsigned size, uint32_t value)
{
    const struct peripheral *p = find(chip, address);

    trace_access(chip, p == NULL ? "unknown" : p->name, address, "<-", value);
    note_access(chip, address, value, false);
    if (p == NULL) {
        f072_warn_once(&chip->report, address,
                       "write of %X to %08X (pc %08X): not modelled, no effect", value, address,
                       chip->cpu.r[15]);
        return true;
    }
    if (!responds(chip, p))
        return true;
    uint32_t lanes = widen(address, size, &value);
    return p->write(chip, p, address & 0x3FC, value, lanes);
}

bool f072_bus_write(void *context, uint32_t address, unsigned size, uint32_t value)
{
    struct f072_chip *chip = context;
    bool fine = is_bus(address) ? write_bus(chip, address, size, value)
                                : write_memory(chip, address, size, value);

    f072_chip_update(chip);
    if (chip->reset_cause != 0 || f072_peripherals_next_event(chip) < chip->slice_end_ns)
        armv6m_stop_run(&chip->cpu);
    return fine;
}
