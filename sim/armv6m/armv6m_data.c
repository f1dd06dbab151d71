// SPDX-License-Identifier: MIT
//
// Data processing (ARM A5.2.1 to A5.2.3): operations on registers, a cycle each (TRM 3.3). None of
// them can fail.

#include "armv6m_op.h"

// An operation: its effect on the registers r, with the fields of `in`.
#define OPERATION(name, ...)                                                                       \
    static int name(struct armv6m *cpu, const uint8_t *ip, int64_t left,                           \
                    const struct armv6m_entry *in)                                                 \
    {                                                                                              \
        uint32_t *const r = cpu->r;                                                                \
        __VA_ARGS__;                                                                               \
        TAIL_CALL armv6m_next(cpu, ip, left - 1, in);                                              \
    }

// ---- arithmetic ----

static inline uint32_t set_nz(struct armv6m *cpu, uint32_t result)
{
    cpu->nz = result;
    return result;
}

// ARM A2.2.1 AddWithCarry(), with the flags: a + b, a - b, and with the carry of before. Of the
// first two the host has the overflow from its own addition.
static inline uint32_t add(struct armv6m *cpu, uint32_t a, uint32_t b)
{
    int32_t result;
    cpu->v = __builtin_add_overflow((int32_t)a, (int32_t)b, &result);
    cpu->c = (uint32_t)result < a;
    return set_nz(cpu, (uint32_t)result);
}

static inline uint32_t subtract(struct armv6m *cpu, uint32_t a, uint32_t b)
{
    int32_t result;
    cpu->v = __builtin_sub_overflow((int32_t)a, (int32_t)b, &result);
    cpu->c = a >= b;
    return set_nz(cpu, (uint32_t)result);
}

static inline uint32_t add_carry(struct armv6m *cpu, uint32_t a, uint32_t b)
{
    const uint64_t sum = (uint64_t)a + b + cpu->c;
    const uint32_t result = (uint32_t)sum;
    cpu->v = (uint8_t)(((a ^ result) & (b ^ result)) >> 31);
    cpu->c = (uint8_t)(sum >> 32);
    return set_nz(cpu, result);
}

// ---- shifts (ARM A2.2.1): by 0 leaves the carry alone, by 32 and more shifts everything out ----

static inline uint32_t shift_left(struct armv6m *cpu, uint32_t value, unsigned amount)
{
    if (amount == 0)
        return value;
    if (amount > 32) {
        cpu->c = 0;
        return 0;
    }
    const uint64_t shifted = (uint64_t)value << amount;
    cpu->c = (uint32_t)(shifted >> 32) & 1;
    return (uint32_t)shifted;
}

static inline uint32_t shift_right(struct armv6m *cpu, uint32_t value, unsigned amount)
{
    if (amount == 0)
        return value;
    if (amount > 32) {
        cpu->c = 0;
        return 0;
    }
    cpu->c = value >> (amount - 1) & 1;
    return (uint32_t)((uint64_t)value >> amount);
}

static inline uint32_t shift_right_signed(struct armv6m *cpu, uint32_t value, unsigned amount)
{
    if (amount == 0)
        return value;
    if (amount > 32)
        amount = 32;
    const uint64_t extended = value >> 31 ? UINT64_C(0xFFFFFFFF00000000) | value : value;
    cpu->c = (uint32_t)(extended >> (amount - 1)) & 1;
    return (uint32_t)(extended >> amount);
}

static inline uint32_t rotate_right(struct armv6m *cpu, uint32_t value, unsigned amount)
{
    if (amount == 0)
        return value;
    const unsigned by = amount % 32;
    const uint32_t result = by ? value >> by | value << (32 - by) : value;
    cpu->c = (uint8_t)(result >> 31);
    return result;
}

// Of a register that says by how much, the bottom byte counts.
static inline unsigned amount(uint32_t value)
{
    return value & 0xFF;
}

static inline uint32_t swap16(uint32_t value)
{
    return (value >> 8 & 0x00FF00FF) | (value & 0x00FF00FF) << 8;
}

// ---- operations ----

OPERATION(lsl_imm, r[in->rd] = set_nz(cpu, shift_left(cpu, r[in->rn], in->imm)))
OPERATION(lsr_imm, r[in->rd] = set_nz(cpu, shift_right(cpu, r[in->rn], in->imm)))
OPERATION(asr_imm, r[in->rd] = set_nz(cpu, shift_right_signed(cpu, r[in->rn], in->imm)))
OPERATION(add_reg, r[in->rd] = add(cpu, r[in->rn], r[in->rm]))
OPERATION(sub_reg, r[in->rd] = subtract(cpu, r[in->rn], r[in->rm]))
OPERATION(add_imm, r[in->rd] = add(cpu, r[in->rn], in->imm))
OPERATION(sub_imm, r[in->rd] = subtract(cpu, r[in->rn], in->imm))
OPERATION(mov_imm, r[in->rd] = set_nz(cpu, in->imm))
OPERATION(cmp_imm, subtract(cpu, r[in->rn], in->imm))

OPERATION(and, r[in->rd] = set_nz(cpu, r[in->rd] & r[in->rn]))
OPERATION(eor, r[in->rd] = set_nz(cpu, r[in->rd] ^ r[in->rn]))
OPERATION(lsl_reg, r[in->rd] = set_nz(cpu, shift_left(cpu, r[in->rd], amount(r[in->rn]))))
OPERATION(lsr_reg, r[in->rd] = set_nz(cpu, shift_right(cpu, r[in->rd], amount(r[in->rn]))))
OPERATION(asr_reg, r[in->rd] = set_nz(cpu, shift_right_signed(cpu, r[in->rd], amount(r[in->rn]))))
OPERATION(adc, r[in->rd] = add_carry(cpu, r[in->rd], r[in->rn]))
OPERATION(sbc, r[in->rd] = add_carry(cpu, r[in->rd], ~r[in->rn]))
OPERATION(ror, r[in->rd] = set_nz(cpu, rotate_right(cpu, r[in->rd], amount(r[in->rn]))))
OPERATION(tst, set_nz(cpu, r[in->rd] & r[in->rn]))
OPERATION(rsb, r[in->rd] = subtract(cpu, 0, r[in->rn]))
OPERATION(cmp_reg, subtract(cpu, r[in->rd], r[in->rn]))
OPERATION(cmn, add(cpu, r[in->rd], r[in->rn]))
OPERATION(orr, r[in->rd] = set_nz(cpu, r[in->rd] | r[in->rn]))
OPERATION(mul, r[in->rd] = set_nz(cpu, r[in->rd] * r[in->rn]))
OPERATION(bic, r[in->rd] = set_nz(cpu, r[in->rd] & ~r[in->rn]))
OPERATION(mvn, r[in->rd] = set_nz(cpu, ~r[in->rn]))

// With registers up to LR; SP stays aligned: imm is the mask for it.
OPERATION(add_high, r[in->rd] = (r[in->rd] + r[in->rn]) & in->imm)
OPERATION(cmp_high, subtract(cpu, r[in->rd], r[in->rn]))
OPERATION(mov_high, r[in->rd] = r[in->rn] & in->imm)

// Align(PC, 4) (ARM A5.1.2)
OPERATION(adr, r[in->rd] = ((armv6m_address(cpu, ip) + 2) & ~3u) + in->imm)
OPERATION(add_sp, r[in->rd] = r[SP] + in->imm)

OPERATION(sxth, r[in->rd] = sign_extend(r[in->rn], 16))
OPERATION(sxtb, r[in->rd] = sign_extend(r[in->rn], 8))
OPERATION(uxth, r[in->rd] = r[in->rn] & 0xFFFF)
OPERATION(uxtb, r[in->rd] = r[in->rn] & 0xFF)
OPERATION(rev, r[in->rd] = swap16(r[in->rn] >> 16 | r[in->rn] << 16))
OPERATION(rev16, r[in->rd] = swap16(r[in->rn]))
OPERATION(revsh, r[in->rd] = sign_extend(swap16(r[in->rn]), 16))

armv6m_operation *const armv6m_data_operations[ARMV6M_OPS] = {
    [OP_LSL_IMM] = lsl_imm,   [OP_LSR_IMM] = lsr_imm,   [OP_ASR_IMM] = asr_imm,
    [OP_ADD_REG] = add_reg,   [OP_SUB_REG] = sub_reg,   [OP_ADD_IMM3] = add_imm,
    [OP_SUB_IMM3] = sub_imm,  [OP_MOV_IMM] = mov_imm,   [OP_CMP_IMM] = cmp_imm,
    [OP_ADD_IMM8] = add_imm,  [OP_SUB_IMM8] = sub_imm,  [OP_AND] = and,
    [OP_EOR] = eor,           [OP_LSL_REG] = lsl_reg,   [OP_LSR_REG] = lsr_reg,
    [OP_ASR_REG] = asr_reg,   [OP_ADC] = adc,           [OP_SBC] = sbc,
    [OP_ROR] = ror,           [OP_TST] = tst,           [OP_RSB] = rsb,
    [OP_CMP_REG] = cmp_reg,   [OP_CMN] = cmn,           [OP_ORR] = orr,
    [OP_MUL] = mul,           [OP_BIC] = bic,           [OP_MVN] = mvn,
    [OP_ADD_HIGH] = add_high, [OP_CMP_HIGH] = cmp_high, [OP_MOV_HIGH] = mov_high,
    [OP_ADR] = adr,           [OP_ADD_RD_SP] = add_sp,  [OP_ADD_SP] = add_sp,
    [OP_SUB_SP] = add_sp,     [OP_SXTH] = sxth,         [OP_SXTB] = sxtb,
    [OP_UXTH] = uxth,         [OP_UXTB] = uxtb,         [OP_REV] = rev,
    [OP_REV16] = rev16,       [OP_REVSH] = revsh,
};
