// SPDX-License-Identifier: MIT
//
// While a debugger is attached, the processor calls hold() before each instruction and stops where
// it returns true. armv6m_next_access() decodes the next instruction without executing it and
// computes the addresses that it will read or write (ARMv6-M ARM A5.2), so that a watchpoint stops
// before the access.

#include <armv6m/armv6m_debug.h>

#include "armv6m_op.h"

void armv6m_set_hold(struct armv6m *cpu,
                     bool (*hold)(void *ctx, const struct armv6m *cpu),
                     void *ctx)
{
    cpu->hold = hold;
    cpu->hold_ctx = ctx;
}

// The last jump of any kind was the entry, and PC has not moved since. A loop of the handler to its
// own first instruction is another jump.
bool armv6m_at_handler(const struct armv6m *cpu)
{
    const struct armv6m_branch *last = &cpu->branches[cpu->last_branch];

    return cpu->exception != 0 && last->exception == cpu->exception && last->to == cpu->r[PC];
}

// The frame is on the stack that EXC_RETURN in LR names (ARM B1.5.8).
struct armv6m_access armv6m_stacked_frame(const struct armv6m *cpu)
{
    enum { FRAME_SIZE = 0x20, EXC_RETURN_PSP = 1 << 2 };
    uint32_t sp = cpu->r[14] & EXC_RETURN_PSP ? armv6m_psp(cpu) : armv6m_msp(cpu);

    return (struct armv6m_access){sp, FRAME_SIZE, .is_write = true};
}

// ---- What an instruction accesses (ARM A5.2) ----

static uint32_t reg(const struct armv6m *cpu, uint16_t i, unsigned low)
{
    return cpu->r[bits(i, low, 3)];
}

static struct armv6m_access load(uint32_t address, uint32_t size)
{
    return (struct armv6m_access){address, size, .is_write = false};
}

static struct armv6m_access store(uint32_t address, uint32_t size)
{
    return (struct armv6m_access){address, size, .is_write = true};
}

// [Rn, Rm] and [Rn, #imm5 * size]
static uint32_t at_register(const struct armv6m *cpu, uint16_t i)
{
    return reg(cpu, i, 3) + reg(cpu, i, 6);
}

static uint32_t at_imm5(const struct armv6m *cpu, uint16_t i, uint32_t size)
{
    return reg(cpu, i, 3) + size * bits(i, 6, 5);
}

static uint32_t at_sp(const struct armv6m *cpu, uint16_t i)
{
    return cpu->r[SP] + 4 * bits(i, 0, 8);
}

// The bytes of a list of registers; bit 8 of PUSH and POP is LR or PC.
static uint32_t listed(uint16_t i)
{
    return 4 * armv6m_count_bits(bits(i, 0, 8));
}

static uint32_t stacked(uint16_t i)
{
    return 4 * armv6m_count_bits(bits(i, 0, 9));
}

struct armv6m_access armv6m_access_at(const struct armv6m *cpu, uint32_t address, uint16_t i)
{
    switch (armv6m_ops[i / 64]) {
    case OP_LDR_LITERAL:
        return load(((address + 4) & ~3u) + 4 * bits(i, 0, 8), 4);
    case OP_STR_REG:
        return store(at_register(cpu, i), 4);
    case OP_STRH_REG:
        return store(at_register(cpu, i), 2);
    case OP_STRB_REG:
        return store(at_register(cpu, i), 1);
    case OP_LDR_REG:
        return load(at_register(cpu, i), 4);
    case OP_LDRH_REG:
    case OP_LDRSH_REG:
        return load(at_register(cpu, i), 2);
    case OP_LDRB_REG:
    case OP_LDRSB_REG:
        return load(at_register(cpu, i), 1);
    case OP_STR_IMM:
        return store(at_imm5(cpu, i, 4), 4);
    case OP_STRH_IMM:
        return store(at_imm5(cpu, i, 2), 2);
    case OP_STRB_IMM:
        return store(at_imm5(cpu, i, 1), 1);
    case OP_LDR_IMM:
        return load(at_imm5(cpu, i, 4), 4);
    case OP_LDRH_IMM:
        return load(at_imm5(cpu, i, 2), 2);
    case OP_LDRB_IMM:
        return load(at_imm5(cpu, i, 1), 1);
    case OP_STR_SP:
        return store(at_sp(cpu, i), 4);
    case OP_LDR_SP:
        return load(at_sp(cpu, i), 4);
    case OP_PUSH:
        return store(cpu->r[SP] - stacked(i), stacked(i));
    case OP_POP:
        return load(cpu->r[SP], stacked(i));
    case OP_STM:
        return store(reg(cpu, i, 8), listed(i));
    case OP_LDM:
        return load(reg(cpu, i, 8), listed(i));
    default: // none of the others accesses memory
        return (struct armv6m_access){0};
    }
}

struct armv6m_access armv6m_next_access(const struct armv6m *cpu)
{
    uint16_t instruction;

    if (!armv6m_peek16(cpu, cpu->r[PC], &instruction))
        return (struct armv6m_access){0};
    return armv6m_access_at(cpu, cpu->r[PC], instruction);
}

// ---- Memory and registers ----

bool armv6m_load(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t *ret_value)
{
    return armv6m_read(cpu, address, size, ret_value);
}

bool armv6m_store(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t value)
{
    return armv6m_write(cpu, address, size, value);
}

void armv6m_set_pc(struct armv6m *cpu, uint32_t value)
{
    cpu->r[PC] = value & ~1u;
    cpu->sleep = ARMV6M_AWAKE;
}

static void set_sp(struct armv6m *cpu, bool process, uint32_t value)
{
    *(cpu->spsel == process ? &cpu->r[SP] : &cpu->banked_sp) = value & ~3u;
}

void armv6m_set_msp(struct armv6m *cpu, uint32_t value)
{
    set_sp(cpu, false, value);
}

void armv6m_set_psp(struct armv6m *cpu, uint32_t value)
{
    set_sp(cpu, true, value);
}

void armv6m_set_xpsr(struct armv6m *cpu, uint32_t value)
{
    armv6m_set_flags(cpu, value);
    armv6m_set_thumb(cpu, bits(value, 24, 1));
}
