// SPDX-License-Identifier: MIT
//
// Instructions that take more than registers and memory: what faults, reaches the bus, changes the
// state, or leaves exceptions. The functions are ARM A6.7; each takes the instruction `i` and finds
// its fields there. Those of the system are in armv6m_system.c.
//
// Before an operation r[15] has moved on to the next instruction, and one cycle is counted; an
// operation returns the cycles that it takes beyond (TRM 3.3, with a single-cycle multiplier and no
// wait states). One that fails leaves all registers as they were.

#include "armv6m_op.h"

// ---- fields of an instruction ----

static inline unsigned r8(uint16_t i)
{
    return i >> 8 & 7;
}

static inline uint32_t imm8(uint16_t i)
{
    return i & 0xFF;
}

// Registers 0 to 15 of the special data instructions (ARM A5.2.3).
static inline unsigned high_rd(uint16_t i)
{
    return (i & 7u) | (i >> 4 & 8u);
}

static inline unsigned high_rm(uint16_t i)
{
    return i >> 3 & 15;
}

// A register as an operand: PC reads as the address of the instruction plus 4 (ARM A5.1.2).
static inline uint32_t operand(const struct armv6m *cpu, unsigned n)
{
    return n == PC ? cpu->r[PC] + 2 : cpu->r[n];
}

// ---- branches ----

static unsigned branch(struct armv6m *cpu, uint32_t target)
{
    armv6m_branch(cpu, cpu->r[PC] - 2, target & ~1u, 0);
    return 2;
}

// BLXWritePC() of the manual: bit 0 is the state to execute in.
static unsigned branch_interworking(struct armv6m *cpu, uint32_t target)
{
    armv6m_set_thumb(cpu, target & 1);
    return branch(cpu, target);
}

// BXWritePC() of the manual: in Handler mode 0xFxxxxxxx is an exception return.
static unsigned branch_exchange(struct armv6m *cpu, uint32_t target)
{
    if (!cpu->exception || target >> 28 != 0xF)
        return branch_interworking(cpu, target);
    armv6m_exception_return(cpu, cpu->r[PC] - 2, target);
    return 2;
}

static unsigned bx(struct armv6m *cpu, uint16_t i)
{
    if (bits(i, 0, 3) != 0)
        return armv6m_fault(cpu);
    return branch_exchange(cpu, operand(cpu, high_rm(i)));
}

static unsigned blx(struct armv6m *cpu, uint16_t i)
{
    if (bits(i, 0, 3) != 0 || high_rm(i) == PC)
        return armv6m_fault(cpu);
    const uint32_t target = cpu->r[high_rm(i)];
    cpu->r[LR] = cpu->r[PC] | 1;
    return branch_interworking(cpu, target);
}

// ---- special data ----

// ---- special data with PC, which branches without changing state ----

// SP stays aligned.
static unsigned write_high(struct armv6m *cpu, unsigned d, uint32_t result)
{
    if (d == PC)
        return branch(cpu, result);
    cpu->r[d] = d == SP ? result & ~3u : result;
    return 0;
}

static unsigned add_high(struct armv6m *cpu, uint16_t i)
{
    const unsigned d = high_rd(i), m = high_rm(i);
    if (d == PC && m == PC)
        return armv6m_fault(cpu);
    return write_high(cpu, d, operand(cpu, d) + operand(cpu, m));
}

static unsigned mov_high(struct armv6m *cpu, uint16_t i)
{
    return write_high(cpu, high_rd(i), operand(cpu, high_rm(i)));
}

// ---- loads and stores ----

// Of what armv6m_next_access() finds.
static unsigned load(struct armv6m *cpu, unsigned t, struct armv6m_access access, bool is_signed)
{
    uint32_t value;
    if (!armv6m_read(cpu, access.address, access.size, &value))
        return armv6m_fault(cpu);
    cpu->r[t] = is_signed ? sign_extend(value, 8 * access.size) : value;
    return 1;
}

static unsigned store(struct armv6m *cpu, unsigned t, struct armv6m_access access)
{
    return armv6m_write(cpu, access.address, access.size, cpu->r[t]) ? 1 : armv6m_fault(cpu);
}

static unsigned access_one(struct armv6m *cpu, uint16_t i)
{
    const enum armv6m_op op = (enum armv6m_op)armv6m_ops[i / 64];
    const unsigned t = armv6m_entries[i].rd;
    const struct armv6m_access access = armv6m_access_at(cpu, cpu->r[PC] - 2, i);
    if (access.is_write)
        return store(cpu, t, access);
    return load(cpu, t, access, op == OP_LDRSB_REG || op == OP_LDRSH_REG);
}

static inline unsigned lowest_bit(uint32_t list)
{
    return (unsigned)__builtin_ctz(list);
}

// Loads the registers of a list in order, lowest from the lowest address. All of it or nothing.
static bool load_list(struct armv6m *cpu, uint32_t list, uint32_t address, uint32_t values[16])
{
    for (uint32_t left = list; left; left &= left - 1, address += 4)
        if (!armv6m_read(cpu, address, 4, &values[lowest_bit(left)]))
            return false;
    for (uint32_t left = list & 0xFF; left; left &= left - 1)
        cpu->r[lowest_bit(left)] = values[lowest_bit(left)];
    return true;
}

static bool store_list(struct armv6m *cpu, uint32_t list, uint32_t address)
{
    for (; list; list &= list - 1, address += 4)
        if (!armv6m_write(cpu, address, 4, cpu->r[lowest_bit(list)]))
            return false;
    return true;
}

static unsigned stm(struct armv6m *cpu, uint16_t i)
{
    const uint32_t count = armv6m_count_bits(imm8(i));
    if (count == 0 || !store_list(cpu, imm8(i), cpu->r[r8(i)]))
        return armv6m_fault(cpu);
    cpu->r[r8(i)] += 4 * count;
    return count;
}

// The base is written back unless it was loaded.
static unsigned ldm(struct armv6m *cpu, uint16_t i)
{
    const uint32_t count = armv6m_count_bits(imm8(i));
    const uint32_t end = cpu->r[r8(i)] + 4 * count;
    uint32_t values[16];
    if (count == 0 || !load_list(cpu, imm8(i), cpu->r[r8(i)], values))
        return armv6m_fault(cpu);
    if (!bits(i, r8(i), 1))
        cpu->r[r8(i)] = end;
    return count;
}

static unsigned push(struct armv6m *cpu, uint16_t i)
{
    const uint32_t list = imm8(i) | bits(i, 8, 1) << LR;
    const uint32_t count = armv6m_count_bits(list);
    if (count == 0 || !store_list(cpu, list, cpu->r[SP] - 4 * count))
        return armv6m_fault(cpu);
    cpu->r[SP] -= 4 * count;
    return count;
}

static unsigned pop(struct armv6m *cpu, uint16_t i)
{
    const bool returns = bits(i, 8, 1);
    const uint32_t list = imm8(i) | (uint32_t)returns << PC;
    const uint32_t count = armv6m_count_bits(list);
    uint32_t values[16];
    if (count == 0 || !load_list(cpu, list, cpu->r[SP], values))
        return armv6m_fault(cpu);
    cpu->r[SP] += 4 * count;
    return returns ? count + 1 + branch_exchange(cpu, values[PC]) : count;
}

// ---- all of them ----

static unsigned execute(struct armv6m *cpu, uint16_t i)
{
    switch (armv6m_ops[i / 64]) {
    case OP_ADD_HIGH:
        return add_high(cpu, i);
    case OP_MOV_HIGH:
        return mov_high(cpu, i);
    case OP_BX:
        return bx(cpu, i);
    case OP_BLX:
        return blx(cpu, i);
    case OP_PUSH:
        return push(cpu, i);
    case OP_POP:
        return pop(cpu, i);
    case OP_STM:
        return stm(cpu, i);
    case OP_LDM:
        return ldm(cpu, i);
    case OP_CPS:
    case OP_BKPT:
    case OP_HINT:
    case OP_SVC:
    case OP_WIDE:
        return armv6m_system(cpu, i);
    case OP_CMP_HIGH: // of registers for which it is UNPREDICTABLE
    case OP_UNDEFINED:
        return armv6m_fault(cpu);
    default:
        return access_one(cpu, i);
    }
}

// Without an interruption, straight on to the next instruction.
int armv6m_slow(struct armv6m *cpu, const uint8_t *ip, int64_t left, const struct armv6m_entry *in)
{
    const uint32_t behind = armv6m_address(cpu, ip);
    cpu->r[PC] = behind;
    cpu->cycles = cpu->last_start - (uint64_t)left + 1;
    cpu->cycles += execute(cpu, (uint16_t)(in - armv6m_entries));
    if (cpu->attention == 0 || cpu->r[PC] != behind || cpu->code.size == 0)
        return 0;
    TAIL_CALL armv6m_next(cpu, ip, (int64_t)(cpu->last_start - cpu->cycles), in);
}
