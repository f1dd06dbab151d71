// SPDX-License-Identifier: MIT
//
// Memory as GDB reads and writes it (gdb/stub.h). To read leaves no trace, whatever a read of the
// register does to the chip. What is written makes another history, so it is refused in the past.

#include <stdio.h>

#include <armv6m/armv6m_debug.h>

#include "f072_debug_private.h"

bool f072_debug_begin_write(const struct f072_debug *debug)
{
    return !f072_history_is_past(debug->history);
}

void f072_debug_end_write(struct f072_debug *debug)
{
    f072_history_restart(debug->history);
}

// The largest aligned access at an address that is not longer than what is left.
static unsigned access_size(uint32_t address, size_t left)
{
    if (address % 4 == 0 && left >= 4)
        return 4;
    return address % 2 == 0 && left >= 2 ? 2 : 1;
}

size_t f072_debug_read_memory(void *context, uint32_t address, uint8_t *bytes, size_t size)
{
    struct f072_debug *debug = context;
    struct f072_chip *chip = &debug->board->chip;
    uint32_t value;
    size_t at = 0;

    *debug->kept = *chip;
    chip->report.quiet = true;
    chip->report.trace = 0;
    while (at < size) {
        unsigned unit = access_size(address + (uint32_t)at, size - at);

        if (!armv6m_load(&chip->cpu, address + (uint32_t)at, unit, &value))
            break;
        for (unsigned i = 0; i < unit; i++)
            bytes[at++] = (uint8_t)(value >> 8 * i);
    }
    *chip = *debug->kept;
    return at;
}

static bool is_flash(const struct f072_debug *debug, uint32_t address)
{
    return address - F072_FLASH_BASE < debug->board->flash.memory.size ||
           address < debug->board->flash.memory.size;
}

size_t f072_debug_write_memory(void *context, uint32_t address, const uint8_t *bytes, size_t size)
{
    struct f072_debug *debug = context;
    size_t at = 0;

    if (!f072_debug_begin_write(debug))
        return 0;
    while (at < size && !is_flash(debug, address + (uint32_t)at)) {
        unsigned unit = access_size(address + (uint32_t)at, size - at);
        uint32_t value = 0;

        for (unsigned i = 0; i < unit; i++)
            value |= (uint32_t)bytes[at + i] << 8 * i;
        if (!armv6m_store(&debug->board->chip.cpu, address + (uint32_t)at, unit, value))
            break;
        at += unit;
    }
    f072_debug_end_write(debug);
    return at;
}

// ---- Flash: as a programmer does it, so an erased page is needed first ----

static bool in_flash(const struct f072_debug *debug, uint32_t address, size_t size)
{
    uint32_t offset = address - F072_FLASH_BASE;
    uint32_t flash_size = debug->board->flash.memory.size;

    return offset < flash_size && size <= flash_size - offset;
}

bool f072_debug_erase_flash(void *context, uint32_t address, uint32_t size)
{
    struct f072_debug *debug = context;
    const struct memory *flash = &debug->board->flash.memory;
    uint32_t page = debug->board->options.model->page_size;

    if (!f072_debug_begin_write(debug) || !in_flash(debug, address, size))
        return false;
    for (uint32_t at = address / page * page; at < address + size; at += page)
        flash->erase(flash->context, at);
    f072_debug_end_write(debug);
    return true;
}

// Programming clears bits.
bool f072_debug_program_flash(void *context, uint32_t address, const uint8_t *bytes, size_t size)
{
    struct f072_debug *debug = context;
    uint8_t *flash = debug->board->flash.bytes + (address - F072_FLASH_BASE);

    if (!f072_debug_begin_write(debug) || !in_flash(debug, address, size))
        return false;
    for (size_t i = 0; i < size; i++)
        flash[i] &= bytes[i];
    f072_debug_end_write(debug);
    return true;
}

// GDB is told that what cannot be written is ROM, and what needs an erase is flash: it uses
// hardware breakpoints there.
const char *f072_debug_memory_map(void *context)
{
    static char text[1000];
    const struct f072_model *model = ((struct f072_debug *)context)->board->options.model;

    snprintf(text, sizeof text,
             "<?xml version=\"1.0\"?>\n"
             "<!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
             "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n"
             "<memory-map>\n"
             "<memory type=\"rom\" start=\"0x0\" length=\"0x%x\"/>\n"
             "<memory type=\"flash\" start=\"0x%x\" length=\"0x%x\">"
             "<property name=\"blocksize\">0x%x</property></memory>\n"
             "<memory type=\"rom\" start=\"0x%x\" length=\"0x%x\"/>\n"
             "<memory type=\"ram\" start=\"0x%x\" length=\"0x%x\"/>\n"
             "<memory type=\"ram\" start=\"0x40000000\" length=\"0x20000000\"/>\n"
             "<memory type=\"ram\" start=\"0xe0000000\" length=\"0x100000\"/>\n"
             "</memory-map>\n",
             model->flash_size, F072_FLASH_BASE, model->flash_size, model->page_size,
             model->rom_base, F072_SRAM_BASE - model->rom_base, F072_SRAM_BASE, model->sram_size);
    return text;
}
