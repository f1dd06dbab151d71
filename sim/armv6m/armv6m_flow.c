// SPDX-License-Identifier: MIT
//
// Branches that stay in Thumb state (ARM A5.2.3, A5.2.6, A6.7.10, A6.7.13): 3 cycles, 1 when not
// taken, BL 4, POP with PC 4 and one for each register (TRM 3.3). What leads into an exception or
// out of one is in armv6m_slow.c.

#include "armv6m_op.h"

#define OPERATION(name)                                                                            \
    static int name(struct armv6m *cpu, const uint8_t *ip, int64_t left,                           \
                    const struct armv6m_entry *in)

// The target of a branch by the distance in the instruction, which ip is behind.
static ALWAYS_INLINE const uint8_t *
target(struct armv6m *cpu, const uint8_t *ip, const struct armv6m_entry *in)
{
    const uint32_t behind = armv6m_address(cpu, ip);
    return armv6m_go_to(cpu, behind - 2, behind + 2 + in->imm);
}

// ---- conditional ----

#define BRANCH_IF(name, condition)                                                                 \
    OPERATION(name)                                                                                \
    {                                                                                              \
        if (condition)                                                                             \
            TAIL_CALL armv6m_arrive(cpu, target(cpu, ip, in), left - 3, in);                       \
        TAIL_CALL armv6m_next(cpu, ip, left - 1, in);                                              \
    }

#define N_IS_NOT_V ((cpu->n ^ cpu->v) >> 31)

BRANCH_IF(beq, cpu->z == 0)
BRANCH_IF(bne, cpu->z != 0)
BRANCH_IF(bcs, cpu->c)
BRANCH_IF(bcc, !cpu->c)
BRANCH_IF(bmi, cpu->n >> 31)
BRANCH_IF(bpl, !(cpu->n >> 31))
BRANCH_IF(bvs, cpu->v >> 31)
BRANCH_IF(bvc, !(cpu->v >> 31))
BRANCH_IF(bhi, cpu->c && cpu->z != 0)
BRANCH_IF(bls, !cpu->c || cpu->z == 0)
BRANCH_IF(bge, !N_IS_NOT_V)
BRANCH_IF(blt, N_IS_NOT_V)
BRANCH_IF(bgt, cpu->z != 0 && !N_IS_NOT_V)
BRANCH_IF(ble, cpu->z == 0 || N_IS_NOT_V)

// ---- unconditional ----

OPERATION(b)
{
    TAIL_CALL armv6m_arrive(cpu, target(cpu, ip, in), left - 3, in);
}

// Any other of the 32-bit instructions is for the slow way.
OPERATION(bl)
{
    if (ip == cpu->code_end)
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    const uint16_t first = (uint16_t)(in - armv6m_entries);
    const uint16_t second = (uint16_t)usbdev_load_le16(ip);
    if (!armv6m_is_bl(second))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    const uint32_t behind = armv6m_address(cpu, ip) + 2;
    cpu->r[LR] = behind | 1;
    ip = armv6m_go_to(cpu, behind - 4, behind + (uint32_t)armv6m_bl_offset(first, second));
    TAIL_CALL armv6m_arrive(cpu, ip, left - 4, in);
}

OPERATION(bx)
{
    const uint32_t to = cpu->r[in->rn];
    if (!armv6m_is_plain(cpu, to))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    ip = armv6m_go_to(cpu, armv6m_address(cpu, ip) - 2, to & ~1u);
    TAIL_CALL armv6m_arrive(cpu, ip, left - 3, in);
}

OPERATION(blx)
{
    const uint32_t to = cpu->r[in->rn];
    const uint32_t behind = armv6m_address(cpu, ip);
    if (!(to & 1))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    cpu->r[LR] = behind | 1;
    ip = armv6m_go_to(cpu, behind - 2, to & ~1u);
    TAIL_CALL armv6m_arrive(cpu, ip, left - 3, in);
}

// ---- loops that do nothing but take time: many turns at once, as many as there is time for ----

// `b .`: a turn takes 3 cycles.
int armv6m_branch_to_itself(struct armv6m *cpu,
                            const uint8_t *ip,
                            int64_t left,
                            const struct armv6m_entry *in)
{
    const uint64_t turns = ((uint64_t)left + 2) / 3;
    const uint32_t here = armv6m_address(cpu, ip) - 2;
    armv6m_remember(cpu, here, here, 0);
    cpu->branches[cpu->last_branch].count += (uint32_t)turns - 1;
    TAIL_CALL armv6m_leave(cpu, ip - 2, left - 3 * (int64_t)turns, in);
}

// The register that SUBS rd, #imm at ip counts down, or NULL where ip is something else, or where
// it does not meet zero.
static ALWAYS_INLINE uint32_t *counter_at(struct armv6m *cpu, const uint8_t *ip)
{
    const struct armv6m_entry *in = &armv6m_entries[usbdev_load_le16(ip)];
    const bool is_imm8 = in->operation == armv6m_data_operations[OP_SUB_IMM8];
    const bool is_imm3 = in->operation == armv6m_data_operations[OP_SUB_IMM3] && in->rd == in->rn;
    uint32_t *counter = &cpu->r[is_imm8 ? in->r8 : in->rd];
    const bool ends = in->imm == 1 || (in->imm != 0 && *counter % in->imm == 0);
    return (is_imm8 || is_imm3) && ends && *counter != 0 ? counter : NULL;
}

// `1: subs rd, #imm; bne 1b`, at its BNE. What is left of the turns, or as many as there is time
// for: a turn takes 4 cycles, and the last BNE is not taken.
int armv6m_delay_loop(struct armv6m *cpu,
                      const uint8_t *ip,
                      int64_t left,
                      const struct armv6m_entry *in)
{
    if (cpu->z == 0)
        TAIL_CALL armv6m_next(cpu, ip, left - 1, in);
    const uint8_t *head = target(cpu, ip, in);
    uint32_t *counter = head ? counter_at(cpu, head) : NULL;
    left -= 3;
    if (!counter || left <= 0)
        TAIL_CALL armv6m_arrive(cpu, head, left, in);
    const uint32_t step = armv6m_entries[usbdev_load_le16(head)].imm;
    const uint32_t before_last = (step == 1 ? *counter : *counter / step) - 1;
    const uint64_t in_time = ((uint64_t)left - 1) / 4;
    const uint32_t turns = in_time < before_last ? (uint32_t)in_time : before_last;
    cpu->branches[cpu->last_branch].count += turns;
    *counter -= turns * step;
    left -= 4 * (int64_t)turns;
    if (turns < before_last || left <= 1)
        TAIL_CALL armv6m_next(cpu, head, left, in); // to a SUBS, which sets the flags
    *counter = 0;
    cpu->n = 0;
    cpu->z = 0;
    cpu->c = 1;
    cpu->v = 0;
    TAIL_CALL armv6m_next(cpu, ip, left - 2, in);
}

armv6m_operation *const armv6m_flow_operations[ARMV6M_OPS] = {
    [OP_BEQ] = beq, [OP_BNE] = bne, [OP_BCS] = bcs, [OP_BCC] = bcc, [OP_BMI] = bmi, [OP_BPL] = bpl,
    [OP_BVS] = bvs, [OP_BVC] = bvc, [OP_BHI] = bhi, [OP_BLS] = bls, [OP_BGE] = bge, [OP_BLT] = blt,
    [OP_BGT] = bgt, [OP_BLE] = ble, [OP_B] = b,     [OP_WIDE] = bl, [OP_BX] = bx,   [OP_BLX] = blx,
};
