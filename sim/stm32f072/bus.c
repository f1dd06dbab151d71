// SPDX-License-Identifier: MIT
//
// The bus as the processor sees it: how narrow accesses are widened, and the report of accesses
// that reach no register.
//
// On the AHB each byte lane is written by itself. A bridge to an APB makes every access 32 bits
// wide: it repeats a byte or half-word in all lanes (RM0091 2.1). The USB packet memory is 16 bits
// wide, so there a half-word is one, and only a byte is repeated.

#include <stdio.h>

#include <sim/trace.h>

#include "peripherals.h"

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

// Software that waits endlessly reads the same register again and again.
static void note_access(struct f072_chip *chip, uint32_t address, uint32_t value, bool is_read)
{
    chip->last.cycle = chip->cpu.cycles;
    if (is_read && chip->last.only_reads && chip->last.address == address &&
        chip->last.value == value)
        return;
    chip->last.address = address;
    chip->last.value = value;
    chip->last.only_reads = is_read;
    chip->last.since_ns = f072_chip_now(chip);
}

// A register's name: "USB_ISTR", or "DAC+2Ch" where it is not in the lists.
enum { NAME_SIZE = 32 };
static void register_name(const char *peripheral, uint32_t offset, char text[NAME_SIZE])
{
    const char *name = f072_register_name(peripheral, offset);

    if (name)
        snprintf(text, NAME_SIZE, "%s_%s", peripheral, name);
    else
        snprintf(text, NAME_SIZE, "%s+%02Xh", peripheral, offset);
}

bool f072_chip_polled(const struct f072_chip *chip, char text[F072_POLLED_SIZE])
{
    const struct f072_peripheral *p = f072_find_peripheral(chip, chip->last.address);
    uint64_t recent = 2 * (uint64_t)chip->hclk; // turns of a loop may have been skipped
    char name[NAME_SIZE];

    if (!p || !chip->last.only_reads || chip->cpu.cycles - chip->last.cycle > recent)
        return false;
    register_name(p->name, chip->last.address & 0x3FF, name);
    snprintf(text, F072_POLLED_SIZE, "%s, %08Xh", name, chip->last.value);
    return true;
}

// A bus error. Returns false.
static bool refuse(struct f072_chip *chip, uint32_t address, bool is_write, const char *why)
{
    chip->refused.address = address;
    chip->refused.pc = f072_chip_pc(chip);
    chip->refused.is_write = is_write;
    chip->refused.why = why;
    return false;
}

// "08000A90  USB_ISTR -> 8110": the PC, what was accessed, and the value read or written.
static void trace_access(const struct f072_chip *chip,
                         const char *peripheral,
                         uint32_t address,
                         const char *arrow,
                         uint32_t value)
{
    char name[NAME_SIZE];

    if (!(chip->report.trace & SIM_TRACE_MMIO))
        return;
    register_name(peripheral, address & 0x3FF, name);
    f072_trace(&chip->report, SIM_TRACE_MMIO, f072_chip_now(chip), "%08X  %s %s %X",
               f072_chip_pc(chip), name, arrow, value);
}

static bool responds(struct f072_chip *chip, const struct f072_peripheral *p)
{
    if (!f072_rcc_enabled(&chip->rcc, p->bus, p->bit)) {
        f072_warn_once(&chip->report, p->base,
                       "%s is accessed while its clock is off (pc %08X): reads as 0", p->name,
                       f072_chip_pc(chip));
        return false;
    }
    return !f072_held_in_reset(chip, p);
}

// A trace shows each access, so none may be skipped.
static bool stays(const struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset)
{
    return !(chip->report.trace & SIM_TRACE_MMIO) && (!p->moves || !p->moves(offset));
}

bool f072_bus_read(void *context, uint32_t address, unsigned size, uint32_t *ret_value)
{
    struct f072_chip *chip = context;
    const struct f072_peripheral *p = f072_find_peripheral(chip, address);
    uint32_t value = 0;

    if (!is_bus(address))
        return refuse(chip, address, false, "");
    if (!p)
        f072_warn_once(&chip->report, address, "read of %08X (pc %08X): not modelled, reads as 0",
                       address, f072_chip_pc(chip));
    const struct f072_access access = {.p = p, .offset = address & 0x3FC, .size = size};
    if (p && responds(chip, p))
        value = p->read(chip, &access) >> 8 * (address & 3);
    *ret_value = size == 4 ? value : value & ((UINT32_C(1) << 8 * size) - 1);
    note_access(chip, address, *ret_value, true);
    trace_access(chip, !p ? "unknown" : p->name, address, "->", *ret_value);
    if (p && stays(chip, p, address & 0x3FC))
        armv6m_stays(&chip->cpu);
    return true;
}

// A write into flash memory or the option bytes; address 0 shows one of the memories. One that is
// not of a half-word is a bus error (RM0091 3.2.2).
static bool write_memory(struct f072_chip *chip, uint32_t address, unsigned size, uint32_t value)
{
    bool alias = address < chip->model->flash_size && (chip->syscfg_cfgr1 & 3) == F072_MEMORY_FLASH;
    uint32_t target = alias ? address + F072_FLASH_BASE : address;
    bool main_memory = target - F072_FLASH_BASE < chip->model->flash_size;

    if (!main_memory && target - F072_OPTIONS_BASE >= F072_OPTIONS_SIZE)
        return refuse(chip, address, true, "");
    if (!f072_fpec_program(&chip->fpec, target, size, (uint16_t)value, f072_chip_now(chip)))
        return refuse(chip, address, true, ", flash takes half-words alone");
    if (!(chip->fpec.cr & (F072_FLASH_CR_PG | F072_FLASH_CR_OPTPG)))
        f072_warn_once(&chip->report, address,
                       "write to flash at %08X (pc %08X) without programming it: no effect",
                       address, f072_chip_pc(chip));
    return true;
}

static bool write_bus(struct f072_chip *chip, uint32_t address, unsigned size, uint32_t value)
{
    const struct f072_peripheral *p = f072_find_peripheral(chip, address);

    trace_access(chip, !p ? "unknown" : p->name, address, "<-", value);
    note_access(chip, address, value, false);
    if (!p) {
        f072_warn_once(&chip->report, address,
                       "write of %X to %08X (pc %08X): not modelled, no effect", value, address,
                       f072_chip_pc(chip));
        return true;
    }
    if (!responds(chip, p))
        return true;
    struct f072_access access = {.p = p, .offset = address & 0x3FC, .size = size, .value = value};
    access.lanes = widen(address, size, &access.value);
    return p->write(chip, &access) || refuse(chip, address, true, "");
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
