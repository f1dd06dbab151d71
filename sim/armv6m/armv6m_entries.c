// SPDX-License-Identifier: MIT
//
// The table of instructions that armv6m_op.h tells of: for each halfword its operation and fields.

#include <threads.h>

#include "armv6m_op.h"

struct armv6m_entry armv6m_entries[ARMV6M_ENTRIES];
uint8_t armv6m_ops[ARMV6M_ENTRIES / 64];

// ---- fields ----

// The immediate by the operation (ARM A5.2, A6.7).
static uint32_t immediate(enum armv6m_op op, uint16_t i)
{
    const uint32_t imm5 = bits(i, 6, 5);
    const uint32_t imm8 = bits(i, 0, 8);
    switch ((int)op) {
    case OP_LSL_IMM:
        return imm5;
    case OP_LSR_IMM:
    case OP_ASR_IMM:
        return imm5 ? imm5 : 32;
    case OP_ADD_IMM3:
    case OP_SUB_IMM3:
        return bits(i, 6, 3);
    case OP_ADD_HIGH:
    case OP_MOV_HIGH: // the mask of the result
        return (bits(i, 0, 3) | bits(i, 7, 1) << 3) == SP ? ~3u : ~0u;
    case OP_STR_IMM:
    case OP_LDR_IMM:
        return 4 * imm5;
    case OP_STRH_IMM:
    case OP_LDRH_IMM:
        return 2 * imm5;
    case OP_STRB_IMM:
    case OP_LDRB_IMM:
        return imm5;
    case OP_LDR_LITERAL:
    case OP_STR_SP:
    case OP_LDR_SP:
    case OP_ADR:
    case OP_ADD_RD_SP:
        return 4 * imm8;
    case OP_ADD_SP:
        return 4 * bits(i, 0, 7);
    case OP_SUB_SP:
        return 0u - 4 * bits(i, 0, 7);
    case OP_PUSH:
        return imm8 | bits(i, 8, 1) << LR;
    case OP_POP:
        return imm8 | bits(i, 8, 1) << PC;
    case OP_WIDE: // BL: S and imm10
        return sign_extend(bits(i, 0, 11), 11) << 12;
    case OP_B:
        return 2 * sign_extend(bits(i, 0, 11), 11);
    default:
        return op >= OP_BEQ && op <= OP_BLE ? 2 * sign_extend(imm8, 8) : imm8;
    }
}

static bool is_special_data(enum armv6m_op op)
{
    return op == OP_ADD_HIGH || op == OP_CMP_HIGH || op == OP_MOV_HIGH || op == OP_BX ||
           op == OP_BLX;
}

static bool is_list(enum armv6m_op op)
{
    return op == OP_PUSH || op == OP_POP || op == OP_STM || op == OP_LDM;
}

// With a register at bit 8, which is their operand, too, where they have no other.
static bool has_r8(enum armv6m_op op)
{
    return (op >= OP_MOV_IMM && op <= OP_SUB_IMM8) || op == OP_LDR_LITERAL || op == OP_STR_SP ||
           op == OP_LDR_SP || op == OP_ADR || op == OP_ADD_RD_SP || op == OP_STM || op == OP_LDM;
}

static bool has_sp(enum armv6m_op op)
{
    return op == OP_STR_SP || op == OP_LDR_SP || op == OP_PUSH || op == OP_POP;
}

// SP is the result of an adjustment of the stack.
static unsigned rd(enum armv6m_op op, uint16_t i)
{
    if (op == OP_ADD_SP || op == OP_SUB_SP)
        return SP;
    if (has_r8(op))
        return bits(i, 8, 3);
    return bits(i, 0, 3) | (is_special_data(op) ? bits(i, 7, 1) << 3 : 0);
}

static unsigned rn(enum armv6m_op op, uint16_t i)
{
    if (has_sp(op))
        return SP;
    return has_r8(op) ? bits(i, 8, 3) : bits(i, 3, is_special_data(op) ? 4 : 3);
}

// ---- operations ----

// Forms that use PC or are UNPREDICTABLE (ARM A6.7).
static bool is_slow_form(enum armv6m_op op, const struct armv6m_entry *in, uint16_t i)
{
    if (is_list(op))
        return in->imm == 0;
    switch ((int)op) {
    case OP_ADD_HIGH:
    case OP_MOV_HIGH:
        return in->rd == PC || in->rn == PC;
    case OP_CMP_HIGH:
        return (in->rd < 8 && in->rn < 8) || in->rd == PC || in->rn == PC;
    case OP_BX:
    case OP_BLX:
        return bits(i, 0, 3) != 0 || in->rn == PC;
    default:
        return false;
    }
}

static armv6m_operation *operation(enum armv6m_op op, const struct armv6m_entry *in, uint16_t i)
{
    const uint32_t to_itself = (uint32_t)-4; // by the distance from the instruction + 4,
    const uint32_t to_the_one_before = (uint32_t)-6;
    if (is_slow_form(op, in, i))
        return armv6m_slow;
    if (op == OP_POP && bits(i, 8, 1))
        return armv6m_pop_pc;
    if (op == OP_B && in->imm == to_itself)
        return armv6m_branch_to_itself;
    if (op == OP_BNE && in->imm == to_the_one_before)
        return armv6m_delay_loop;
    if (armv6m_data_operations[op])
        return armv6m_data_operations[op];
    if (armv6m_memory_operations[op])
        return armv6m_memory_operations[op];
    return armv6m_flow_operations[op] ? armv6m_flow_operations[op] : armv6m_slow;
}

static void fill_entry(struct armv6m_entry *in, enum armv6m_op op, uint16_t i)
{
    in->imm = immediate(op, i);
    in->rd = (uint8_t)rd(op, i);
    in->rn = (uint8_t)rn(op, i);
    in->rm = (uint8_t)(is_list(op) ? armv6m_count_bits(in->imm) : bits(i, 6, 3));
    in->operation = operation(op, in, i);
}

// The top 10 bits decide which operation it is.
static void fill(void)
{
    for (uint32_t i = 0; i < ARMV6M_ENTRIES / 64; i++)
        armv6m_ops[i] = (uint8_t)armv6m_decode((uint16_t)(64 * i));
    for (uint32_t i = 0; i < ARMV6M_ENTRIES; i++)
        fill_entry(&armv6m_entries[i], (enum armv6m_op)armv6m_ops[i / 64], (uint16_t)i);
}

void armv6m_fill_entries(void)
{
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, fill);
}
