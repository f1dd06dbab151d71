// SPDX-License-Identifier: MIT
//
// Instructions that take more than registers and memory: what faults, reaches the bus, changes the
// state or the stack, or enters and leaves exceptions. The functions are ARM A6.7 and B4.2; each
// takes the instruction `i` and finds its fields there.
//
// Before an operation r[15] has moved on to the next instruction, and one cycle is counted; an
// operation returns the cycles that it takes beyond (TRM 3.3, with a single-cycle multiplier and no
// wait states). One that fails leaves all registers as they were.

#include "armv6m_op.h"

// Faults at the current instruction, which takes no time beyond the exception's.
static unsigned fault(struct armv6m *cpu)
{
    cpu->r[PC] -= 2;
    armv6m_hardfault(cpu);
    return 0;
}

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
        return fault(cpu);
    return branch_exchange(cpu, operand(cpu, high_rm(i)));
}

static unsigned blx(struct armv6m *cpu, uint16_t i)
{
    if (bits(i, 0, 3) != 0 || high_rm(i) == PC)
        return fault(cpu);
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
        return fault(cpu);
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
        return fault(cpu);
    cpu->r[t] = is_signed ? sign_extend(value, 8 * access.size) : value;
    return 1;
}

static unsigned store(struct armv6m *cpu, unsigned t, struct armv6m_access access)
{
    return armv6m_write(cpu, access.address, access.size, cpu->r[t]) ? 1 : fault(cpu);
}

static unsigned access_one(struct armv6m *cpu, uint16_t i)
{
    const enum armv6m_op op = armv6m_decode(i);
    const bool has_r8 = op == OP_LDR_LITERAL || op == OP_LDR_SP || op == OP_STR_SP;
    const unsigned t = has_r8 ? r8(i) : i & 7;
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
        return fault(cpu);
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
        return fault(cpu);
    if (!bits(i, r8(i), 1))
        cpu->r[r8(i)] = end;
    return count;
}

static unsigned push(struct armv6m *cpu, uint16_t i)
{
    const uint32_t list = imm8(i) | bits(i, 8, 1) << LR;
    const uint32_t count = armv6m_count_bits(list);
    if (count == 0 || !store_list(cpu, list, cpu->r[SP] - 4 * count))
        return fault(cpu);
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
        return fault(cpu);
    cpu->r[SP] += 4 * count;
    return returns ? count + 1 + branch_exchange(cpu, values[PC]) : count;
}

// ---- system ----

// CPSIE and CPSID exist for PRIMASK only (ARM B4.2.1).
static unsigned cps(struct armv6m *cpu, uint16_t i)
{
    if ((i & 0xFFEF) != 0xB662)
        return fault(cpu);
    cpu->primask = bits(i, 4, 1);
    armv6m_update_priority(cpu);
    return 0;
}

// Where SVCall cannot be taken it escalates to HardFault, with the return address of an SVCall:
// that of the next instruction (ARM B1.5.6, ReturnAddress(); B1.5.7).
static unsigned svc(struct armv6m *cpu)
{
    if (cpu->priority[ARMV6M_SVCALL] >= cpu->current_priority)
        armv6m_hardfault(cpu);
    else
        armv6m_svcall(cpu);
    return 0;
}

// Stops the run the first time, as a debugger would; run on, it is a fault.
static unsigned bkpt(struct armv6m *cpu)
{
    const uint32_t here = cpu->r[PC] - 2;
    if (cpu->reported_bkpt == (here | 1)) {
        cpu->reported_bkpt = 0;
        return fault(cpu);
    }
    cpu->reported_bkpt = here | 1;
    cpu->r[PC] = here;
    cpu->cycles--;
    armv6m_halt(cpu, ARMV6M_BKPT);
    return 0;
}

static unsigned wait_for_event(struct armv6m *cpu)
{
    if (!cpu->event)
        cpu->sleep = ARMV6M_WFE;
    cpu->event = false;
    armv6m_look(cpu);
    return 1;
}

static unsigned wait_for_interrupt(struct armv6m *cpu)
{
    cpu->sleep = ARMV6M_WFI;
    armv6m_look(cpu);
    return 1;
}

// Hints (ARM A5.2.5): those that are not allocated do nothing. With bits below, it is the IT of
// other profiles.
static unsigned hint(struct armv6m *cpu, uint16_t i)
{
    enum { WFE = 2, WFI = 3, SEV = 4 };
    if (bits(i, 0, 4) != 0)
        return fault(cpu);
    switch (bits(i, 4, 4)) {
    case WFE:
        return wait_for_event(cpu);
    case WFI:
        return wait_for_interrupt(cpu);
    case SEV:
        cpu->event = true;
        return 0;
    default:
        return 0;
    }
}

// SYSm of MRS and MSR (ARM B4.2.2). 0 to 7 are xPSR: bit 2 clear includes APSR, bit 0 set IPSR;
// EPSR reads as zero.
enum { SYSM_MSP = 8, SYSM_PSP = 9, SYSM_PRIMASK = 16, SYSM_CONTROL = 20 };

static bool is_psr(unsigned sysm)
{
    return sysm < 8 && sysm != 4;
}

static bool read_special(const struct armv6m *cpu, unsigned sysm, uint32_t *ret_value)
{
    const uint32_t psr = armv6m_xpsr(cpu);
    if (is_psr(sysm))
        *ret_value = (sysm & 4 ? 0 : psr & 0xF0000000) | (sysm & 1 ? psr & 0x3F : 0);
    else if (sysm == SYSM_MSP)
        *ret_value = armv6m_msp(cpu);
    else if (sysm == SYSM_PSP)
        *ret_value = armv6m_psp(cpu);
    else if (sysm == SYSM_PRIMASK)
        *ret_value = cpu->primask;
    else if (sysm == SYSM_CONTROL)
        *ret_value = (uint32_t)cpu->spsel << 1;
    else
        return false;
    return true;
}

static void write_stack(struct armv6m *cpu, bool process, uint32_t value)
{
    if (cpu->spsel == process)
        cpu->r[SP] = value & ~3u;
    else
        cpu->banked_sp = value & ~3u;
}

// CONTROL.SPSEL can be written in Thread mode only.
static bool write_special(struct armv6m *cpu, unsigned sysm, uint32_t value)
{
    if (is_psr(sysm)) {
        if (!(sysm & 4))
            armv6m_set_flags(cpu, value);
    } else if (sysm == SYSM_MSP || sysm == SYSM_PSP) {
        write_stack(cpu, sysm == SYSM_PSP, value);
    } else if (sysm == SYSM_PRIMASK) {
        cpu->primask = value & 1;
        armv6m_update_priority(cpu);
    } else if (sysm == SYSM_CONTROL) {
        if (!cpu->exception)
            armv6m_select_stack(cpu, bits(value, 1, 1));
    } else {
        return false;
    }
    return true;
}

static bool mrs(struct armv6m *cpu, uint16_t second)
{
    const unsigned d = bits(second, 8, 4);
    return d != SP && d != PC && read_special(cpu, imm8(second), &cpu->r[d]);
}

static bool msr(struct armv6m *cpu, uint16_t first, uint16_t second)
{
    const unsigned n = bits(first, 0, 4);
    return n != SP && n != PC && write_special(cpu, imm8(second), cpu->r[n]);
}

static bool bl(struct armv6m *cpu, uint16_t first, uint16_t second)
{
    const uint32_t next = cpu->r[PC];
    cpu->r[LR] = next | 1;
    armv6m_branch(cpu, next - 4, next + (uint32_t)armv6m_bl_offset(first, second), 0);
    return true;
}

static bool execute_wide(struct armv6m *cpu, uint16_t first, uint16_t second)
{
    switch (armv6m_decode_wide(first, second)) {
    case WIDE_BL:
        return bl(cpu, first, second);
    case WIDE_MSR:
        return msr(cpu, first, second);
    case WIDE_MRS:
        return mrs(cpu, second);
    case WIDE_BARRIER:
        return true;
    case WIDE_UNDEFINED:
        break;
    }
    return false;
}

static unsigned wide(struct armv6m *cpu, uint16_t first)
{
    const uint32_t here = cpu->r[PC] - 2;
    cpu->r[PC] = here; // where a failing fetch faults
    const uint8_t *second = armv6m_find_code(cpu, here + 2);
    if (!second)
        return 0;
    cpu->r[PC] = here + 4;
    if (execute_wide(cpu, first, (uint16_t)usbdev_load_le16(second)))
        return 3;
    cpu->r[PC] = here + 2;
    return fault(cpu);
}

// ---- all of them ----

static unsigned execute(struct armv6m *cpu, uint16_t i)
{
    switch ((int)armv6m_decode(i)) {
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
        return cps(cpu, i);
    case OP_BKPT:
        return bkpt(cpu);
    case OP_HINT:
        return hint(cpu, i);
    case OP_SVC:
        return svc(cpu);
    case OP_WIDE:
        return wide(cpu, i);
    case OP_CMP_HIGH: // of registers for which it is UNPREDICTABLE
    case OP_UNDEFINED:
        return fault(cpu);
    default:
        return access_one(cpu, i);
    }
}

// Where nobody has interfered, straight on to the next instruction.
int armv6m_slow(struct armv6m *cpu, const uint8_t *ip, int64_t left, const struct armv6m_entry *in)
{
    const uint32_t behind = armv6m_address(cpu, ip);
    cpu->r[PC] = behind;
    cpu->cycles = cpu->limit - (uint64_t)left + 1;
    cpu->cycles += execute(cpu, (uint16_t)(in - armv6m_entries));
    if (cpu->attention != cpu->limit || cpu->r[PC] != behind || cpu->code.size == 0)
        return 0;
    TAIL_CALL armv6m_next(cpu, ip, (int64_t)(cpu->limit - cpu->cycles), in);
}
