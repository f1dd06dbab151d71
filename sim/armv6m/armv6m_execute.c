// SPDX-License-Identifier: MIT
//
// What each operation does: the inner loop of the processor, one switch over the operations. The
// functions above it are ARM A6.7 in the order of the operations; each takes the instruction `i`
// and finds its fields there.
//
// Before an operation r[15] has moved on to the next instruction, and one cycle is counted; an
// operation returns the cycles that it takes beyond (TRM 3.3, with a single-cycle multiplier and no
// wait states). One that fails leaves all registers as they were.
//
// The loop keeps PC and the cycle counter in local variables and only writes them to memory:
// reading them back for each instruction would cost a third of the speed. It follows that an
// operation which moves PC takes at least 2 cycles more (as every branch does) or calls
// armv6m_look() (as every exception does), which is when the loop reads PC again.

#include "armv6m_private.h"

enum { SP = 13, LR = 14, PC = 15 };

// Faults at the current instruction, which takes no time beyond the exception's.
static unsigned fault(struct armv6m *cpu)
{
    cpu->r[PC] -= 2;
    armv6m_hardfault(cpu);
    return 0;
}

// ---- fetching ----

// Finds the region of an address that is not in the current one. Where there is none, the
// instruction at r[15] faults.
static bool find_code(struct armv6m *cpu, uint32_t address)
{
    const struct armv6m_region *region = armv6m_find(cpu, address);
    if (!cpu->thumb || !region) {
        armv6m_hardfault(cpu);
        return false;
    }
    if (region->foreign) {
        armv6m_halt(cpu, ARMV6M_FOREIGN);
        return false;
    }
    cpu->code = *region;
    return true;
}

// The halfword at an address, or -1: then the instruction has faulted, or the run stops.
static inline int32_t fetch(struct armv6m *cpu, uint32_t address)
{
    if (address - cpu->code.base >= cpu->code.size && !find_code(cpu, address))
        return -1;
    return (int32_t)usbdev_load_le16(cpu->code.bytes + (address - cpu->code.base));
}

// ---- fields of an instruction ----

static inline unsigned rd(uint16_t i)
{
    return i & 7;
}

static inline unsigned rn(uint16_t i)
{
    return i >> 3 & 7;
}

static inline unsigned rm(uint16_t i)
{
    return i >> 6 & 7;
}

static inline unsigned imm5(uint16_t i)
{
    return i >> 6 & 31;
}

// The register and the immediate of the encodings with 8 bits of immediate.
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

// ---- arithmetic ----

static inline void set_nz(struct armv6m *cpu, uint32_t result)
{
    cpu->n = result;
    cpu->z = result;
}

static inline void move(struct armv6m *cpu, unsigned d, uint32_t result)
{
    cpu->r[d] = result;
    set_nz(cpu, result);
}

// ARM A2.2.1 AddWithCarry(), with the flags.
static inline uint32_t add(struct armv6m *cpu, uint32_t a, uint32_t b, uint32_t carry)
{
    const uint64_t sum = (uint64_t)a + b + carry;
    const uint32_t result = (uint32_t)sum;
    set_nz(cpu, result);
    cpu->c = (uint32_t)(sum >> 32);
    cpu->v = (a ^ result) & (b ^ result);
    return result;
}

static inline uint32_t subtract(struct armv6m *cpu, uint32_t a, uint32_t b)
{
    return add(cpu, a, ~b, 1);
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
    cpu->c = result >> 31;
    return result;
}

// An immediate of 0 means 32 to the right.
static inline unsigned right_amount(uint16_t i)
{
    return imm5(i) ? imm5(i) : 32;
}

// The bottom byte of the register counts.
static inline unsigned register_amount(const struct armv6m *cpu, uint16_t i)
{
    return cpu->r[rn(i)] & 0xFF;
}

static inline uint32_t swap16(uint32_t value)
{
    return (value >> 8 & 0x00FF00FF) | (value & 0x00FF00FF) << 8;
}

// ---- branches ----

static inline unsigned branch(struct armv6m *cpu, uint32_t target)
{
    armv6m_branch(cpu, cpu->r[PC] - 2, target & ~1u, 0);
    return 2;
}

static inline unsigned branch_if(struct armv6m *cpu, uint16_t i, bool condition)
{
    return condition ? branch(cpu, cpu->r[PC] + 2 + 2 * sign_extend(imm8(i), 8)) : 0;
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

// ADD and MOV to any register: PC branches without changing state, SP stays aligned.
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

static unsigned cmp_high(struct armv6m *cpu, uint16_t i)
{
    const unsigned n = high_rd(i), m = high_rm(i);
    if ((n < 8 && m < 8) || n == PC || m == PC)
        return fault(cpu);
    subtract(cpu, cpu->r[n], cpu->r[m]);
    return 0;
}

// ---- loads and stores ----

static inline unsigned load(struct armv6m *cpu, unsigned t, uint32_t address, unsigned size)
{
    uint32_t value;
    if (!armv6m_read(cpu, address, size, &value))
        return fault(cpu);
    cpu->r[t] = value;
    return 1;
}

static inline unsigned load_signed(struct armv6m *cpu, unsigned t, uint32_t address, unsigned size)
{
    uint32_t value;
    if (!armv6m_read(cpu, address, size, &value))
        return fault(cpu);
    cpu->r[t] = sign_extend(value, 8 * size);
    return 1;
}

static inline unsigned store(struct armv6m *cpu, unsigned t, uint32_t address, unsigned size)
{
    return armv6m_write(cpu, address, size, cpu->r[t]) ? 1 : fault(cpu);
}

// Addresses: two registers, or a register and an immediate in units of the size.
static inline uint32_t at_register(const struct armv6m *cpu, uint16_t i)
{
    return cpu->r[rn(i)] + cpu->r[rm(i)];
}

static inline uint32_t at_immediate(const struct armv6m *cpu, uint16_t i, unsigned size)
{
    return cpu->r[rn(i)] + imm5(i) * size;
}

// Align(PC, 4) (ARM A5.1.2)
static inline uint32_t literal_base(const struct armv6m *cpu)
{
    return (cpu->r[PC] + 2) & ~3u;
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

static inline uint32_t count_bits(uint32_t list)
{
    uint32_t count = 0;
    for (; list; list &= list - 1)
        count++;
    return count;
}

static unsigned stm(struct armv6m *cpu, uint16_t i)
{
    const uint32_t count = count_bits(imm8(i));
    if (count == 0 || !store_list(cpu, imm8(i), cpu->r[r8(i)]))
        return fault(cpu);
    cpu->r[r8(i)] += 4 * count;
    return count;
}

// The base is written back unless it was loaded.
static unsigned ldm(struct armv6m *cpu, uint16_t i)
{
    const uint32_t count = count_bits(imm8(i));
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
    const uint32_t count = count_bits(list);
    if (count == 0 || !store_list(cpu, list, cpu->r[SP] - 4 * count))
        return fault(cpu);
    cpu->r[SP] -= 4 * count;
    return count;
}

static unsigned pop(struct armv6m *cpu, uint16_t i)
{
    const bool returns = bits(i, 8, 1);
    const uint32_t list = imm8(i) | (uint32_t)returns << PC;
    const uint32_t count = count_bits(list);
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
    const int32_t second = fetch(cpu, here + 2);
    if (second < 0)
        return 0;
    cpu->r[PC] = here + 4;
    if (execute_wide(cpu, first, (uint16_t)second))
        return 3;
    cpu->r[PC] = here + 2;
    return fault(cpu);
}

// ---- the loop ----

static inline unsigned execute(struct armv6m *cpu, uint16_t i)
{
    uint32_t *const r = cpu->r;
    switch ((enum armv6m_op)cpu->decode[i >> 6]) {
    case OP_LSL_IMM:
        move(cpu, rd(i), shift_left(cpu, r[rn(i)], imm5(i)));
        return 0;
    case OP_LSR_IMM:
        move(cpu, rd(i), shift_right(cpu, r[rn(i)], right_amount(i)));
        return 0;
    case OP_ASR_IMM:
        move(cpu, rd(i), shift_right_signed(cpu, r[rn(i)], right_amount(i)));
        return 0;
    case OP_ADD_REG:
        r[rd(i)] = add(cpu, r[rn(i)], r[rm(i)], 0);
        return 0;
    case OP_SUB_REG:
        r[rd(i)] = subtract(cpu, r[rn(i)], r[rm(i)]);
        return 0;
    case OP_ADD_IMM3:
        r[rd(i)] = add(cpu, r[rn(i)], rm(i), 0);
        return 0;
    case OP_SUB_IMM3:
        r[rd(i)] = subtract(cpu, r[rn(i)], rm(i));
        return 0;
    case OP_MOV_IMM:
        move(cpu, r8(i), imm8(i));
        return 0;
    case OP_CMP_IMM:
        subtract(cpu, r[r8(i)], imm8(i));
        return 0;
    case OP_ADD_IMM8:
        r[r8(i)] = add(cpu, r[r8(i)], imm8(i), 0);
        return 0;
    case OP_SUB_IMM8:
        r[r8(i)] = subtract(cpu, r[r8(i)], imm8(i));
        return 0;

    case OP_AND:
        move(cpu, rd(i), r[rd(i)] & r[rn(i)]);
        return 0;
    case OP_EOR:
        move(cpu, rd(i), r[rd(i)] ^ r[rn(i)]);
        return 0;
    case OP_LSL_REG:
        move(cpu, rd(i), shift_left(cpu, r[rd(i)], register_amount(cpu, i)));
        return 0;
    case OP_LSR_REG:
        move(cpu, rd(i), shift_right(cpu, r[rd(i)], register_amount(cpu, i)));
        return 0;
    case OP_ASR_REG:
        move(cpu, rd(i), shift_right_signed(cpu, r[rd(i)], register_amount(cpu, i)));
        return 0;
    case OP_ADC:
        r[rd(i)] = add(cpu, r[rd(i)], r[rn(i)], cpu->c);
        return 0;
    case OP_SBC:
        r[rd(i)] = add(cpu, r[rd(i)], ~r[rn(i)], cpu->c);
        return 0;
    case OP_ROR:
        move(cpu, rd(i), rotate_right(cpu, r[rd(i)], register_amount(cpu, i)));
        return 0;
    case OP_TST:
        set_nz(cpu, r[rd(i)] & r[rn(i)]);
        return 0;
    case OP_RSB:
        r[rd(i)] = subtract(cpu, 0, r[rn(i)]);
        return 0;
    case OP_CMP_REG:
        subtract(cpu, r[rd(i)], r[rn(i)]);
        return 0;
    case OP_CMN:
        add(cpu, r[rd(i)], r[rn(i)], 0);
        return 0;
    case OP_ORR:
        move(cpu, rd(i), r[rd(i)] | r[rn(i)]);
        return 0;
    case OP_MUL:
        move(cpu, rd(i), r[rd(i)] * r[rn(i)]);
        return 0;
    case OP_BIC:
        move(cpu, rd(i), r[rd(i)] & ~r[rn(i)]);
        return 0;
    case OP_MVN:
        move(cpu, rd(i), ~r[rn(i)]);
        return 0;

    case OP_ADD_HIGH:
        return add_high(cpu, i);
    case OP_CMP_HIGH:
        return cmp_high(cpu, i);
    case OP_MOV_HIGH:
        return write_high(cpu, high_rd(i), operand(cpu, high_rm(i)));
    case OP_BX:
        return bx(cpu, i);
    case OP_BLX:
        return blx(cpu, i);

    case OP_LDR_LITERAL:
        return load(cpu, r8(i), literal_base(cpu) + 4 * imm8(i), 4);
    case OP_STR_REG:
        return store(cpu, rd(i), at_register(cpu, i), 4);
    case OP_STRH_REG:
        return store(cpu, rd(i), at_register(cpu, i), 2);
    case OP_STRB_REG:
        return store(cpu, rd(i), at_register(cpu, i), 1);
    case OP_LDRSB_REG:
        return load_signed(cpu, rd(i), at_register(cpu, i), 1);
    case OP_LDR_REG:
        return load(cpu, rd(i), at_register(cpu, i), 4);
    case OP_LDRH_REG:
        return load(cpu, rd(i), at_register(cpu, i), 2);
    case OP_LDRB_REG:
        return load(cpu, rd(i), at_register(cpu, i), 1);
    case OP_LDRSH_REG:
        return load_signed(cpu, rd(i), at_register(cpu, i), 2);
    case OP_STR_IMM:
        return store(cpu, rd(i), at_immediate(cpu, i, 4), 4);
    case OP_LDR_IMM:
        return load(cpu, rd(i), at_immediate(cpu, i, 4), 4);
    case OP_STRB_IMM:
        return store(cpu, rd(i), at_immediate(cpu, i, 1), 1);
    case OP_LDRB_IMM:
        return load(cpu, rd(i), at_immediate(cpu, i, 1), 1);
    case OP_STRH_IMM:
        return store(cpu, rd(i), at_immediate(cpu, i, 2), 2);
    case OP_LDRH_IMM:
        return load(cpu, rd(i), at_immediate(cpu, i, 2), 2);
    case OP_STR_SP:
        return store(cpu, r8(i), r[SP] + 4 * imm8(i), 4);
    case OP_LDR_SP:
        return load(cpu, r8(i), r[SP] + 4 * imm8(i), 4);

    case OP_ADR:
        r[r8(i)] = literal_base(cpu) + 4 * imm8(i);
        return 0;
    case OP_ADD_RD_SP:
        r[r8(i)] = r[SP] + 4 * imm8(i);
        return 0;
    case OP_ADD_SP:
        r[SP] += 4 * bits(i, 0, 7);
        return 0;
    case OP_SUB_SP:
        r[SP] -= 4 * bits(i, 0, 7);
        return 0;

    case OP_SXTH:
        r[rd(i)] = sign_extend(r[rn(i)], 16);
        return 0;
    case OP_SXTB:
        r[rd(i)] = sign_extend(r[rn(i)], 8);
        return 0;
    case OP_UXTH:
        r[rd(i)] = r[rn(i)] & 0xFFFF;
        return 0;
    case OP_UXTB:
        r[rd(i)] = r[rn(i)] & 0xFF;
        return 0;
    case OP_PUSH:
        return push(cpu, i);
    case OP_POP:
        return pop(cpu, i);
    case OP_CPS:
        return cps(cpu, i);
    case OP_REV:
        r[rd(i)] = swap16(r[rn(i)] >> 16 | r[rn(i)] << 16);
        return 0;
    case OP_REV16:
        r[rd(i)] = swap16(r[rn(i)]);
        return 0;
    case OP_REVSH:
        r[rd(i)] = sign_extend(swap16(r[rn(i)]), 16);
        return 0;
    case OP_BKPT:
        return bkpt(cpu);
    case OP_HINT:
        return hint(cpu, i);

    case OP_STM:
        return stm(cpu, i);
    case OP_LDM:
        return ldm(cpu, i);

    case OP_BEQ:
        return branch_if(cpu, i, cpu->z == 0);
    case OP_BNE:
        return branch_if(cpu, i, cpu->z != 0);
    case OP_BCS:
        return branch_if(cpu, i, cpu->c);
    case OP_BCC:
        return branch_if(cpu, i, !cpu->c);
    case OP_BMI:
        return branch_if(cpu, i, cpu->n >> 31);
    case OP_BPL:
        return branch_if(cpu, i, !(cpu->n >> 31));
    case OP_BVS:
        return branch_if(cpu, i, cpu->v >> 31);
    case OP_BVC:
        return branch_if(cpu, i, !(cpu->v >> 31));
    case OP_BHI:
        return branch_if(cpu, i, cpu->c && cpu->z != 0);
    case OP_BLS:
        return branch_if(cpu, i, !cpu->c || cpu->z == 0);
    case OP_BGE:
        return branch_if(cpu, i, !((cpu->n ^ cpu->v) >> 31));
    case OP_BLT:
        return branch_if(cpu, i, (cpu->n ^ cpu->v) >> 31);
    case OP_BGT:
        return branch_if(cpu, i, cpu->z != 0 && !((cpu->n ^ cpu->v) >> 31));
    case OP_BLE:
        return branch_if(cpu, i, cpu->z == 0 || (cpu->n ^ cpu->v) >> 31);
    case OP_SVC:
        return svc(cpu);
    case OP_B:
        return branch(cpu, r[PC] + 2 + 2 * sign_extend(bits(i, 0, 11), 11));
    case OP_WIDE:
        return wide(cpu, i);
    case OP_UNDEFINED:
        return fault(cpu);
    }
    __builtin_unreachable(); // every operation has its case
}

void armv6m_execute(struct armv6m *cpu)
{
    uint64_t cycles = cpu->cycles;
    uint32_t pc = cpu->r[PC];
    unsigned extra = 0;
    while (cycles < cpu->attention) {
        const int32_t instruction = fetch(cpu, pc);
        if (instruction < 0)
            break;
        pc += 2;
        cpu->r[PC] = pc;
        cpu->cycles = cycles + 1;
        extra = execute(cpu, (uint16_t)instruction);
        cycles += 1 + extra;
        if (extra >= 2) // it may have been a branch
            pc = cpu->r[PC];
    }
    cpu->cycles += extra; // not `cycles`: an exception may have added its own
}
