// SPDX-License-Identifier: MIT
//
// Loads and stores that reach mapped memory (ARM A5.2.4, A6.7.25, A6.7.58): 2 cycles, lists 1 and
// one for each register (TRM 3.3). The others, and those that fault, are in armv6m_slow.c.

#include "armv6m_op.h"

#define OPERATION(name)                                                                            \
    static int name(struct armv6m *cpu, const uint8_t *ip, int64_t left,                           \
                    const struct armv6m_entry *in)

// ---- addresses ----

// Two registers, or a register, SP among them, and an immediate.
static inline uint32_t at_register(const struct armv6m *cpu, const struct armv6m_entry *in)
{
    return cpu->r[in->rn] + cpu->r[in->rm];
}

static inline uint32_t at_immediate(const struct armv6m *cpu, const struct armv6m_entry *in)
{
    return cpu->r[in->rn] + in->imm;
}

static bool find_elsewhere(const struct armv6m *cpu, uint32_t address, const uint8_t **ret_bytes)
{
    const struct armv6m_region *region = armv6m_find(cpu, address);
    if (region)
        *ret_bytes = region->bytes + (address - region->base);
    return region != NULL;
}

// Is an address aligned, in mapped memory, and what does it read? The first region is found
// fastest.
static ALWAYS_INLINE bool
readable(const struct armv6m *cpu, uint32_t address, unsigned size, const uint8_t **ret_bytes)
{
    const uint32_t offset = address - cpu->regions[0].base;
    if (address & (size - 1))
        return false;
    if (offset >= cpu->regions[0].size)
        return find_elsewhere(cpu, address, ret_bytes);
    *ret_bytes = cpu->regions[0].bytes + offset;
    return true;
}

// What it writes: only the first region is worth a fast way.
static ALWAYS_INLINE bool
writable(const struct armv6m *cpu, uint32_t address, unsigned size, uint8_t **ret_bytes)
{
    const uint32_t offset = address - cpu->regions[0].base;
    if (address & (size - 1) || offset >= cpu->regions[0].size || !cpu->regions[0].writable)
        return false;
    *ret_bytes = cpu->regions[0].bytes + offset;
    return true;
}

// ---- one register ----

#define LOAD(name, size, address, value)                                                           \
    OPERATION(name)                                                                                \
    {                                                                                              \
        const uint8_t *bytes;                                                                      \
        if (!readable(cpu, address(cpu, in), size, &bytes))                                        \
            TAIL_CALL armv6m_slow(cpu, ip, left, in);                                              \
        cpu->r[in->rd] = value;                                                                    \
        TAIL_CALL armv6m_next(cpu, ip, left - 2, in);                                              \
    }

#define STORE(name, size, address, put)                                                            \
    OPERATION(name)                                                                                \
    {                                                                                              \
        uint8_t *bytes;                                                                            \
        if (!writable(cpu, address(cpu, in), size, &bytes))                                        \
            TAIL_CALL armv6m_slow(cpu, ip, left, in);                                              \
        put(bytes, cpu->r[in->rd]);                                                                \
        TAIL_CALL armv6m_next(cpu, ip, left - 2, in);                                              \
    }

static inline void store_byte(uint8_t *byte, uint32_t value)
{
    *byte = (uint8_t)value;
}

LOAD(ldr_reg, 4, at_register, get_word(bytes))
LOAD(ldrh_reg, 2, at_register, get_half(bytes))
LOAD(ldrb_reg, 1, at_register, *bytes)
LOAD(ldrsh_reg, 2, at_register, sign_extend(get_half(bytes), 16))
LOAD(ldrsb_reg, 1, at_register, sign_extend(*bytes, 8))
LOAD(ldr_imm, 4, at_immediate, get_word(bytes))
LOAD(ldrh_imm, 2, at_immediate, get_half(bytes))
LOAD(ldrb_imm, 1, at_immediate, *bytes)

STORE(str_reg, 4, at_register, put_word)
STORE(strh_reg, 2, at_register, put_half)
STORE(strb_reg, 1, at_register, store_byte)
STORE(str_imm, 4, at_immediate, put_word)
STORE(strh_imm, 2, at_immediate, put_half)
STORE(strb_imm, 1, at_immediate, store_byte)

// From Align(PC, 4), in the code's own region.
OPERATION(ldr_literal)
{
    const uint32_t offset =
        ((uint32_t)(ip - cpu->code.bytes + 2) & ~3u) + in->imm; // a region's base is aligned
    if (offset >= cpu->code.size)
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    cpu->r[in->rd] = get_word(cpu->code.bytes + offset);
    TAIL_CALL armv6m_next(cpu, ip, left - 2, in);
}

// ---- lists: all of it in the first region, or the slow way ----

static inline unsigned lowest_bit(uint32_t list)
{
    return (unsigned)__builtin_ctz(list);
}

static ALWAYS_INLINE bool
whole_list(const struct armv6m *cpu, uint32_t address, unsigned count, uint8_t **ret_bytes)
{
    const uint32_t offset = address - cpu->regions[0].base;
    if (address & 3 || (uint64_t)offset + 4 * count > cpu->regions[0].size ||
        !cpu->regions[0].writable)
        return false;
    *ret_bytes = cpu->regions[0].bytes + offset;
    return true;
}

static inline void store_list(const struct armv6m *cpu, uint32_t list, uint8_t *bytes)
{
    for (; list; list &= list - 1, bytes += 4)
        put_word(bytes, cpu->r[lowest_bit(list)]);
}

static inline void load_list(struct armv6m *cpu, uint32_t list, const uint8_t *bytes)
{
    for (; list; list &= list - 1, bytes += 4)
        cpu->r[lowest_bit(list)] = get_word(bytes);
}

// For lists, rn is the base, SP that of PUSH and POP, and rm how many registers there are.

OPERATION(push)
{
    const uint32_t base = cpu->r[SP] - 4u * in->rm;
    uint8_t *bytes;
    if (!whole_list(cpu, base, in->rm, &bytes))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    store_list(cpu, in->imm, bytes);
    cpu->r[SP] = base;
    TAIL_CALL armv6m_next(cpu, ip, left - 1 - in->rm, in);
}

// A POP with PC in its list, which is the last.
int armv6m_pop_pc(struct armv6m *cpu,
                  const uint8_t *ip,
                  int64_t left,
                  const struct armv6m_entry *in)
{
    uint8_t *bytes;
    if (!whole_list(cpu, cpu->r[SP], in->rm, &bytes))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    const uint32_t target = get_word(bytes + 4u * in->rm - 4);
    if (!armv6m_is_plain(cpu, target))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    load_list(cpu, in->imm & 0xFF, bytes);
    cpu->r[SP] += 4u * in->rm;
    left -= 4 + in->rm;
    if (!armv6m_jump(cpu, armv6m_address(cpu, ip) - 2, target & ~1u, left, &ip))
        return 0;
    TAIL_CALL armv6m_dispatch(cpu, ip, left, in);
}

OPERATION(stm)
{
    uint8_t *bytes;
    if (!whole_list(cpu, cpu->r[in->rn], in->rm, &bytes))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    store_list(cpu, in->imm, bytes);
    cpu->r[in->rn] += 4u * in->rm;
    TAIL_CALL armv6m_next(cpu, ip, left - 1 - in->rm, in);
}

// The base is written back unless it is loaded.
OPERATION(ldm)
{
    uint8_t *bytes;
    if (!whole_list(cpu, cpu->r[in->rn], in->rm, &bytes))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    cpu->r[in->rn] += 4u * in->rm;
    load_list(cpu, in->imm, bytes);
    TAIL_CALL armv6m_next(cpu, ip, left - 1 - in->rm, in);
}

armv6m_operation *const armv6m_memory_operations[ARMV6M_OPS] = {
    [OP_LDR_LITERAL] = ldr_literal,
    [OP_STR_REG] = str_reg,
    [OP_STRH_REG] = strh_reg,
    [OP_STRB_REG] = strb_reg,
    [OP_LDRSB_REG] = ldrsb_reg,
    [OP_LDR_REG] = ldr_reg,
    [OP_LDRH_REG] = ldrh_reg,
    [OP_LDRB_REG] = ldrb_reg,
    [OP_LDRSH_REG] = ldrsh_reg,
    [OP_STR_IMM] = str_imm,
    [OP_LDR_IMM] = ldr_imm,
    [OP_STRB_IMM] = strb_imm,
    [OP_LDRB_IMM] = ldrb_imm,
    [OP_STRH_IMM] = strh_imm,
    [OP_LDRH_IMM] = ldrh_imm,
    [OP_STR_SP] = str_imm,
    [OP_LDR_SP] = ldr_imm,
    [OP_PUSH] = push,
    [OP_POP] = ldm,
    [OP_STM] = stm,
    [OP_LDM] = ldm,
};
