// SPDX-License-Identifier: MIT

#include "test_machine.h"

#include <string.h>

static bool mmio_read(void *ctx, uint32_t address, unsigned size, uint32_t *ret_value)
{
    struct machine *machine = ctx;
    if (address - MMIO >= sizeof(machine->mmio))
        return false;
    machine->accessed_at = machine->cpu.cycles;
    const uint32_t word = machine->mmio[(address - MMIO) / 4] >> 8 * (address % 4);
    *ret_value = size == 4 ? word : word & ((1u << 8 * size) - 1);
    return true;
}

static bool mmio_write(void *ctx, uint32_t address, unsigned size, uint32_t value)
{
    struct machine *machine = ctx;
    if (address - MMIO >= sizeof(machine->mmio) || size != 4)
        return false;
    machine->accessed_at = machine->cpu.cycles;
    machine->mmio[(address - MMIO) / 4] = value;
    if (machine->on_write)
        machine->on_write(machine);
    return true;
}

static uint8_t *memory(struct machine *machine, uint32_t address)
{
    return address - SRAM < MEMORY_SIZE ? machine->sram + (address - SRAM)
                                        : machine->flash + (address - FLASH);
}

void machine_put(struct machine *machine, uint32_t address, const uint16_t *code, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memory(machine, address)[2 * i] = (uint8_t)code[i];
        memory(machine, address)[2 * i + 1] = (uint8_t)(code[i] >> 8);
    }
}

void machine_set_word(struct machine *machine, uint32_t address, uint32_t value)
{
    PUT(machine, address, (uint16_t)value, (uint16_t)(value >> 16));
}

uint32_t machine_word(const struct machine *machine, uint32_t address)
{
    const uint8_t *bytes = memory((struct machine *)machine, address);
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

void machine_start(struct machine *machine)
{
    memset(machine, 0, sizeof(*machine));
    memset(machine->mmio, 0xFF, sizeof(machine->mmio));
    machine_set_word(machine, FLASH, STACK_TOP);
    machine_set_word(machine, FLASH + 4, CODE | 1);
    for (uint32_t exception = 2; exception < ARMV6M_EXCEPTIONS; exception++) {
        machine_set_word(machine, FLASH + 4 * exception, HANDLER(exception) | 1);
        PUT(machine, HANDLER(exception), 0x4770); // bx lr
    }
    struct armv6m *cpu = &machine->cpu;
    armv6m_init(cpu, &(struct armv6m_bus){
                         .read = mmio_read,
                         .write = mmio_write,
                         .ctx = machine,
                         .systick_calib = 6000,
                     });
    armv6m_map(cpu, 0, &(struct armv6m_region){SRAM, machine->sram, MEMORY_SIZE, .writable = true});
    armv6m_map(cpu, 1, &(struct armv6m_region){FLASH, machine->flash, MEMORY_SIZE});
    armv6m_map(cpu, 2, &(struct armv6m_region){0, machine->flash, MEMORY_SIZE});
    armv6m_reset(cpu);
}

enum armv6m_stop machine_step(struct machine *machine)
{
    return armv6m_run(&machine->cpu, 1);
}

void machine_steps(struct machine *machine, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        machine_step(machine);
}

const char *machine_flags(const struct machine *machine, char text[5])
{
    const uint32_t psr = armv6m_xpsr(&machine->cpu);
    for (unsigned i = 0; i < 4; i++)
        text[i] = psr >> (31 - i) & 1 ? "NZCV"[i] : '-';
    text[4] = '\0';
    return text;
}
