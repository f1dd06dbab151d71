// SPDX-License-Identifier: MIT
//
// Branches that stay in Thumb state (ARM A5.2.3, A5.2.6, A6.7.10, A6.7.13): 3 cycles, 1 when not
// taken, BL 4, POP with PC 4 and one for each register (TRM 3.3). What leads into an exception or
// out of one is in armv6m_slow.c.

#include "armv6m_op.h"

#define OPERATION(name)                                                                            \
    static int name(struct armv6m *cpu, const uint8_t *ip, int64_t left,                           \
                    const struct armv6m_entry *in)

// A branch by the distance in the instruction, which ip is behind.
static ALWAYS_INLINE int
branch(struct armv6m *cpu, const uint8_t *ip, int64_t left, const struct armv6m_entry *in)
{
    const uint32_t behind = armv6m_address(cpu, ip);
    if (!armv6m_jump(cpu, behind - 2, behind + 2 + in->imm, left, &ip))
        return 0;
    TAIL_CALL armv6m_dispatch(cpu, ip, left, in);
}

// ---- conditional ----

#define BRANCH_IF(name, condition)                                                                 \
    OPERATION(name)                                                                                \
    {                                                                                              \
        if (condition)                                                                             \
            TAIL_CALL branch(cpu, ip, left - 3, in);                                               \
        TAIL_CALL armv6m_next(cpu, ip, left - 1, in);                                              \
    }

#define N_IS_NOT_V (armv6m_n(cpu) != cpu->v)

BRANCH_IF(beq, armv6m_z(cpu))
BRANCH_IF(bne, !armv6m_z(cpu))
BRANCH_IF(bcs, cpu->c)
BRANCH_IF(bcc, !cpu->c)
BRANCH_IF(bmi, armv6m_n(cpu))
BRANCH_IF(bpl, !armv6m_n(cpu))
BRANCH_IF(bvs, cpu->v)
BRANCH_IF(bvc, !cpu->v)
BRANCH_IF(bhi, cpu->c && !armv6m_z(cpu))
BRANCH_IF(bls, !cpu->c || armv6m_z(cpu))
BRANCH_IF(bge, !N_IS_NOT_V)
BRANCH_IF(blt, N_IS_NOT_V)
BRANCH_IF(bgt, !armv6m_z(cpu) && !N_IS_NOT_V)
BRANCH_IF(ble, armv6m_z(cpu) || N_IS_NOT_V)

// ---- unconditional ----

OPERATION(b)
{
    TAIL_CALL branch(cpu, ip, left - 3, in);
}

// With both J bits, as the target is less than 4 MB away; imm is of the first halfword. Farther
// ones and the other 32-bit instructions are for the slow way.
OPERATION(bl)
{
    if (left == 0 || (get_half(ip) & 0xF800) != 0xF800)
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    const uint32_t behind = armv6m_address(cpu, ip) + 2;
    const uint32_t target = behind + in->imm + (get_half(ip) & 0x7FF) * 2;
    cpu->r[LR] = behind | 1;
    left -= 4;
    if (!armv6m_jump(cpu, behind - 4, target, left, &ip))
        return 0;
    TAIL_CALL armv6m_dispatch(cpu, ip, left, in);
}

OPERATION(bx)
{
    const uint32_t to = cpu->r[in->rn];
    if (!armv6m_is_plain(cpu, to))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    left -= 3;
    if (!armv6m_jump(cpu, armv6m_address(cpu, ip) - 2, to & ~1u, left, &ip))
        return 0;
    TAIL_CALL armv6m_dispatch(cpu, ip, left, in);
}

OPERATION(blx)
{
    const uint32_t to = cpu->r[in->rn];
    const uint32_t behind = armv6m_address(cpu, ip);
    if (!(to & 1))
        TAIL_CALL armv6m_slow(cpu, ip, left, in);
    cpu->r[LR] = behind | 1;
    left -= 3;
    if (!armv6m_jump(cpu, behind - 2, to & ~1u, left, &ip))
        return 0;
    TAIL_CALL armv6m_dispatch(cpu, ip, left, in);
}

// ---- loops that do nothing but take time: many turns at once, as many as there is time for ----

// `b .`: a turn takes 3 cycles.
int armv6m_branch_to_itself(struct armv6m *cpu,
                            const uint8_t *ip,
                            int64_t left,
                            const struct armv6m_entry *in)
{
    const uint64_t turns = (uint64_t)left / 3 + 1;
    const uint32_t here = armv6m_address(cpu, ip) - 2;
    armv6m_remember(cpu, here, here, 0, (uint32_t)turns);
    TAIL_CALL armv6m_leave(cpu, ip - 2, left - 3 * (int64_t)turns, in);
}

// `1: subs rd, #imm; bne 1b`: a turn takes 4 cycles, the last one 2, as its BNE is not taken.
enum { DELAY_LOOP = 4, TAKEN = 3, TURN = 4, LAST_TURN = 2 };

// The instruction that the loop begins with, where ip is behind it.
static ALWAYS_INLINE const struct armv6m_entry *head_of(const uint8_t *ip)
{
    return &armv6m_entries[get_half(ip - DELAY_LOOP)];
}

// How many turns are left; 0 if it does not begin with SUBS rd, #imm, or does not meet zero.
static ALWAYS_INLINE uint32_t turns_left(const struct armv6m *cpu, const struct armv6m_entry *head)
{
    const uint32_t counter = cpu->r[head->rd];
    if (head->operation != armv6m_data_operations[OP_SUB_IMM8] || head->rd != head->rn)
        return 0;
    if (head->imm == 1)
        return counter;
    return head->imm != 0 && counter % head->imm == 0 ? counter / head->imm : 0;
}

// As many turns as there is time for: rare, so that the registers of the host are for the others.
__attribute__((noinline)) OPERATION(delay_in_part)
{
    const uint32_t here = armv6m_address(cpu, ip) - 2;
    const struct armv6m_entry *head = head_of(ip);
    const uint32_t turns = (uint32_t)((left - TAKEN) / TURN);
    armv6m_remember(cpu, here, here - 2, 0, 1 + turns);
    cpu->r[head->rd] -= turns * head->imm;
    left -= TAKEN + TURN * (int64_t)turns;
    TAIL_CALL armv6m_next(cpu, ip - DELAY_LOOP, left, in);
}

// At the BNE of such a loop: what is left of it.
int armv6m_delay_loop(struct armv6m *cpu,
                      const uint8_t *ip,
                      int64_t left,
                      const struct armv6m_entry *in)
{
    if (armv6m_z(cpu) || ip - cpu->code.bytes < DELAY_LOOP)
        TAIL_CALL bne(cpu, ip, left, in);
    const struct armv6m_entry *head = head_of(ip);
    const int64_t turns = turns_left(cpu, head);
    if (turns == 0)
        TAIL_CALL bne(cpu, ip, left, in);
    if (left < TAKEN + TURN * (turns - 1) + 1)
        TAIL_CALL delay_in_part(cpu, ip, left, in);
    const uint32_t here = armv6m_address(cpu, ip) - 2;
    armv6m_remember(cpu, here, here - 2, 0, (uint32_t)turns);
    cpu->r[head->rd] = 0;
    cpu->nz = 0;
    cpu->c = 1;
    cpu->v = 0;
    TAIL_CALL armv6m_next(cpu, ip, left - TAKEN - TURN * (turns - 1) - LAST_TURN, in);
}

armv6m_operation *const armv6m_flow_operations[ARMV6M_OPS] = {
    [OP_BEQ] = beq, [OP_BNE] = bne, [OP_BCS] = bcs, [OP_BCC] = bcc, [OP_BMI] = bmi, [OP_BPL] = bpl,
    [OP_BVS] = bvs, [OP_BVC] = bvc, [OP_BHI] = bhi, [OP_BLS] = bls, [OP_BGE] = bge, [OP_BLT] = blt,
    [OP_BGT] = bgt, [OP_BLE] = ble, [OP_B] = b,     [OP_WIDE] = bl, [OP_BX] = bx,   [OP_BLX] = blx,
};
