// SPDX-License-Identifier: MIT
//
// Time is cycles: base_ns is the time at base_cycles, and now is base_ns plus the cycles since, at
// HCLK. A change of HCLK moves the base. f072_chip_run() executes up to the next event of a
// peripheral, lets all peripherals advance to that time, applies the reset that one may have asked
// for, and repeats. A processor that sleeps lets its cycles pass without executing.

#include <stm32f072/chip.h>

#include <string.h>

#include <sim/trace.h>
#include <usb/bytes.h>

enum { NS_PER_S = 1000000000 };

// What SYST_CALIB reads: counts of HCLK / 8 in 1 ms at 48 MHz (RM0091 11.1.1).
enum { SYST_CALIB = 6000 };

// Slots of the processor's memory map, the busiest first.
enum { MAP_SRAM, MAP_FLASH, MAP_ZERO, MAP_ROM, MAP_OPTIONS };

// ---- Memory ----

static uint32_t rom_size(const struct f072_chip *chip)
{
    return F072_ROM_END - chip->model->rom_base;
}

void f072_chip_map(struct f072_chip *chip, enum f072_memory memory)
{
    struct armv6m_region zero = {.bytes = chip->flash, .size = chip->model->flash_size};

    if (memory == F072_MEMORY_ROM)
        zero = (struct armv6m_region){.bytes = chip->rom, .size = rom_size(chip), .foreign = true};
    if (memory == F072_MEMORY_SRAM)
        zero = (struct armv6m_region){
            .bytes = chip->sram, .size = chip->model->sram_size, .writable = true};
    armv6m_map(&chip->cpu, MAP_ZERO, &zero);
}

static void map_fixed(struct f072_chip *chip)
{
    const struct armv6m_region sram = {F072_SRAM_BASE, chip->sram, chip->model->sram_size,
                                       .writable = true};
    const struct armv6m_region flash = {F072_FLASH_BASE, chip->flash, chip->model->flash_size};
    const struct armv6m_region rom = {chip->model->rom_base, chip->rom, rom_size(chip),
                                      .foreign = true};
    const struct armv6m_region options = {F072_OPTIONS_BASE, chip->options, F072_OPTIONS_SIZE};

    armv6m_map(&chip->cpu, MAP_SRAM, &sram);
    armv6m_map(&chip->cpu, MAP_FLASH, &flash);
    armv6m_map(&chip->cpu, MAP_ROM, &rom);
    armv6m_map(&chip->cpu, MAP_OPTIONS, &options);
}

// What can be read of system memory. The boot loader itself is not there: a jump to it is caught
// and a model takes over. Its exception vectors lead into the ROM too, but not to its entry.
static void fill_rom(struct f072_chip *chip, uint32_t serial)
{
    const uint32_t base = chip->model->rom_base;
    static const uint8_t wafer_and_lot[8] = {7, 'V', 'I', 'R', 'T', 'U', 'A', 'L'};
    uint8_t *unique_id = chip->rom + (chip->model->unique_id - base);
    enum {
        VECTORS = 48,
        ID = 0x1FFFF6A6,
        TS_CAL1 = 0x1FFFF7B8, // RM0091 13.9, 13.10
        VREFINT_CAL = 0x1FFFF7BA,
        TS_CAL2 = 0x1FFFF7C2,
        FLASH_SIZE = 0x1FFFF7CC,
    };

    memset(chip->rom, 0xFF, sizeof chip->rom);
    store_le32(chip->rom, F072_ROM_STACK);
    store_le32(chip->rom + 4, (base + F072_ROM_ENTRY) | 1);
    for (unsigned i = 2; i < VECTORS; i++)
        store_le32(chip->rom + 4 * i, (base + F072_ROM_ENTRY + 2 * i) | 1);
    chip->rom[ID - base] = chip->model->rom_id;
    store_le32(unique_id, serial);
    memcpy(unique_id + 4, wafer_and_lot, sizeof wafer_and_lot);
    usbdev_store_le16(chip->rom + (TS_CAL1 - base), F072_TS_CAL1);
    usbdev_store_le16(chip->rom + (VREFINT_CAL - base), F072_VREFINT_CAL);
    usbdev_store_le16(chip->rom + (TS_CAL2 - base), F072_TS_CAL2);
    usbdev_store_le16(chip->rom + (FLASH_SIZE - base), (uint16_t)(chip->model->flash_size / 1024));
}

// SRAM contents at power-on. A xorshift generator: the same seed gives the same contents.
static void fill_with_noise(uint8_t *bytes, size_t size, uint32_t seed)
{
    uint32_t x = seed ^ UINT32_C(0x9E3779B9);

    for (size_t i = 0; i < size; i++) {
        x = x == 0 ? 1 : x;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        bytes[i] = (uint8_t)(x >> 11);
    }
}

// ---- Time ----

uint64_t f072_chip_now(const struct f072_chip *chip)
{
    uint64_t cycles = chip->cpu.cycles - chip->base_cycles;

    if (cycles == 0) // most often: spare the division
        return chip->base_ns;
    return chip->base_ns + (cycles * NS_PER_S + chip->base_rest) / chip->hclk;
}

static void rebase(struct f072_chip *chip)
{
    uint64_t cycles = chip->cpu.cycles - chip->base_cycles;
    uint64_t total = cycles * NS_PER_S + chip->base_rest;

    chip->base_ns += total / chip->hclk;
    chip->base_rest = total % chip->hclk;
    chip->base_cycles = chip->cpu.cycles;
}

void f072_chip_skip_to(struct f072_chip *chip, uint64_t now_ns)
{
    chip->base_ns = now_ns;
    chip->base_rest = 0;
    chip->base_cycles = chip->cpu.cycles;
    chip->last.since_ns = now_ns;
}

static uint64_t cycles_until(const struct f072_chip *chip, uint64_t ns)
{
    uint64_t wanted = (ns - chip->base_ns) * chip->hclk - chip->base_rest;

    return (wanted + NS_PER_S - 1) / NS_PER_S;
}

static void check_clocks(struct f072_chip *chip)
{
    if (chip->hclk > 48000000)
        f072_trouble(&chip->report, "the processor is clocked at %u Hz, over 48 MHz", chip->hclk);
    if (chip->hclk > 24000000 && !(chip->fpec.acr & 7))
        f072_trouble(&chip->report,
                     "the processor runs at %u Hz with no wait state in FLASH_ACR (RM0091 3.5.1)",
                     chip->hclk);
}

void f072_chip_clocks_changed(struct f072_chip *chip)
{
    uint64_t now_ns = f072_chip_now(chip);
    uint32_t hclk = f072_rcc_hclk(&chip->rcc);

    if (hclk != chip->hclk) {
        rebase(chip);
        chip->base_rest = 0;
        chip->hclk = hclk;
        check_clocks(chip);
        armv6m_stop_run(&chip->cpu);
    }
    for (int i = 0; i < F072_TIMERS; i++)
        f072_timer_set_clock(&chip->timer[i], f072_rcc_timer_clock(&chip->rcc), now_ns);
    f072_wwdg_set_clock(&chip->wwdg, f072_rcc_pclk(&chip->rcc), now_ns);
    f072_serials_set_clocks(chip);
    chip->adc.pclk_hz = f072_rcc_pclk(&chip->rcc);
    f072_rtc_set_clock(&chip->rtc, f072_rcc_rtc_clock(&chip->rcc), now_ns);
}

// ---- Resets ----

const char *f072_reset_name(uint32_t cause)
{
    switch ((enum f072_reset_flag)cause) {
    case F072_RESET_OBL:
        return "option bytes are loaded";
    case F072_RESET_PIN:
        return "pin";
    case F072_RESET_POWER_ON:
        return "power-on";
    case F072_RESET_SOFTWARE:
        return "software";
    case F072_RESET_IWDG:
        return "independent watchdog";
    case F072_RESET_WWDG:
        return "window watchdog";
    case F072_RESET_STANDBY:
        return "end of Standby mode";
    }
    return "unknown";
}

static bool load_word(const struct f072_chip *chip, uint32_t address, uint32_t *ret_word)
{
    uint16_t low;
    uint16_t high;

    if (!armv6m_peek16(&chip->cpu, address, &low) || !armv6m_peek16(&chip->cpu, address + 2, &high))
        return false;
    *ret_word = low | (uint32_t)high << 16;
    return true;
}

// What a boot loader does last: main stack pointer and PC from the vector table at an address.
static bool start_at(struct f072_chip *chip, uint32_t address)
{
    uint32_t msp;
    uint32_t pc;

    if (!load_word(chip, address, &msp) || !load_word(chip, address + 4, &pc))
        return false;
    chip->cpu.r[13] = msp & ~3u;
    chip->cpu.r[15] = pc & ~1u;
    chip->cpu.thumb = pc & 1;
    return true;
}

// RM0091 2.5: the pin BOOT0 decides, or nBOOT0 where BOOT_SEL is 0; then nBOOT1.
enum f072_memory f072_chip_boot_memory(const struct f072_chip *chip)
{
    enum { BOOT_SEL = 1 << 15, nBOOT1 = 1 << 12, nBOOT0 = 1 << 11 }; // of FLASH_OBR
    uint32_t obr = chip->fpec.obr;
    bool by_pin = !chip->model->boot_sel || obr & BOOT_SEL;

    if (by_pin ? !chip->boot0 : (obr & nBOOT0) != 0)
        return F072_MEMORY_FLASH;
    return obr & nBOOT1 ? F072_MEMORY_ROM : F072_MEMORY_SRAM;
}

static void reset_all(struct f072_chip *chip, uint32_t cause)
{
    uint64_t now_ns = f072_chip_now(chip);

    f072_trace(&chip->report, SIM_TRACE_STATES, now_ns, "reset: %s", f072_reset_name(cause));
    rebase(chip);
    chip->base_rest = 0;
    f072_rcc_reset(&chip->rcc, cause);
    chip->hclk = f072_rcc_hclk(&chip->rcc);
    f072_peripherals_reset(chip);
    if (cause == F072_RESET_POWER_ON) { // no other reset reaches these (RM0091 5.4.2, 6.1.3)
        f072_rtc_reset(&chip->rtc);
        f072_low_power_forget(chip);
    }
    chip->low_power = F072_RUN;
    chip->reset_cause = 0;
    chip->last_reset = cause;
    chip->resets = cause == F072_RESET_POWER_ON ? 0 : chip->resets + 1;
    f072_report_reset(&chip->report);
    chip->last.since_ns = now_ns;
    chip->last.address = 0;
    chip->syscfg_cfgr1 = f072_chip_boot_memory(chip); // by the option bytes just loaded
    f072_chip_map(chip, f072_chip_boot_memory(chip));
    f072_chip_clocks_changed(chip);
    f072_chip_update(chip);
    armv6m_reset(&chip->cpu);
    if (chip->boot_address != 0 && f072_chip_boot_memory(chip) == F072_MEMORY_FLASH)
        start_at(chip, chip->boot_address);
}

void f072_chip_reset(struct f072_chip *chip, uint32_t cause)
{
    reset_all(chip, cause);
}

void f072_chip_lose_sram(struct f072_chip *chip)
{
    fill_with_noise(chip->sram, chip->model->sram_size, (uint32_t)f072_chip_now(chip));
}

void f072_chip_power_on(struct f072_chip *chip, uint32_t seed, uint64_t now_ns)
{
    f072_chip_skip_to(chip, now_ns);
    fill_with_noise(chip->sram, chip->model->sram_size, seed);
    reset_all(chip, F072_RESET_POWER_ON);
}

// ---- The boot loader in ROM ----

void f072_chip_enter_rom(struct f072_chip *chip, uint32_t seed)
{
    fill_with_noise(chip->sram, F072_ROM_RAM_SIZE, seed);
}

static void reset_by_rom(struct f072_chip *chip, uint64_t now_ns)
{
    struct f072_iwdg iwdg = chip->iwdg; // only a reset stops these
    struct f072_wwdg wwdg = chip->wwdg;

    f072_peripherals_reset(chip);
    chip->iwdg = iwdg;
    chip->wwdg = wwdg;
    chip->syscfg_cfgr1 = F072_MEMORY_ROM;
    f072_chip_map(chip, F072_MEMORY_ROM);
    f072_fpec_write(&chip->fpec, F072_FLASH_ACR, 1, now_ns);
    f072_rcc_as_left_by_rom(&chip->rcc, now_ns);
    f072_chip_clocks_changed(chip);
}

bool f072_chip_leave_rom(struct f072_chip *chip, uint32_t address, uint64_t now_ns)
{
    f072_chip_skip_to(chip, now_ns);
    reset_by_rom(chip, now_ns);
    f072_report_reset(&chip->report);
    armv6m_reset(&chip->cpu);
    f072_chip_update(chip);
    return start_at(chip, address);
}

void f072_chip_init(struct f072_chip *chip,
                    const struct f072_model *model,
                    uint8_t *flash,
                    uint8_t *options,
                    uint32_t serial)
{
    memset(chip, 0, sizeof *chip);
    chip->model = model;
    chip->flash = flash;
    chip->options = options;
    chip->hclk = 8000000;
    fill_rom(chip, serial);
    armv6m_init(&chip->cpu, &(struct armv6m_bus){f072_bus_read, f072_bus_write, chip, SYST_CALIB});
    map_fixed(chip);
    f072_peripherals_init(chip);
}

// ---- Running ----

static uint64_t min_ns(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// Advances all peripherals to now, and applies a reset that results.
static void catch_up(struct f072_chip *chip)
{
    rebase(chip);
    f072_peripherals_advance(chip, chip->base_ns);
    f072_chip_update(chip);
    if (chip->reset_cause != 0)
        reset_all(chip, chip->reset_cause);
}

enum f072_stop f072_chip_run(struct f072_chip *chip, uint64_t until_ns)
{
    while (f072_chip_now(chip) < until_ns) {
        if (chip->low_power != F072_RUN) {
            f072_low_power_pass(chip, until_ns);
            continue;
        }
        uint64_t end_ns = min_ns(until_ns, f072_peripherals_next_event(chip));
        end_ns = min_ns(end_ns, chip->base_ns + NS_PER_S);
        chip->slice_end_ns = end_ns;
        uint64_t cycles = end_ns > chip->base_ns ? cycles_until(chip, end_ns) : 1;
        enum armv6m_stop stop = armv6m_run(&chip->cpu, cycles);
        catch_up(chip);
        switch (stop) {
        case ARMV6M_BUDGET:
        case ARMV6M_STOPPED:
            break;
        case ARMV6M_ASLEEP:
            chip->last.since_ns = chip->base_ns;
            break;
        case ARMV6M_DEEP:
            f072_low_power_enter(chip);
            break;
        case ARMV6M_RESET:
            reset_all(chip, F072_RESET_SOFTWARE);
            break;
        case ARMV6M_LOCKUP:
            return F072_LOCKUP;
        case ARMV6M_BKPT:
            return F072_BKPT;
        case ARMV6M_FOREIGN:
            return F072_IN_ROM;
        case ARMV6M_HELD:
            return F072_HELD;
        }
    }
    return F072_RUNNING;
}
