// SPDX-License-Identifier: MIT
//
// armv6m_private.h - what the parts of the processor share.
//
//   armv6m.c             memory map, reset, the run loop, sleep
//   armv6m_debug.c       what a debugger may do from outside
//   armv6m_decode.c      which encoding is which operation
//   armv6m_execute.c     the inner loop; how it goes on: armv6m_op.h, armv6m_entries.c
//   armv6m_data.c        operations on registers
//   armv6m_memory.c      loads and stores
//   armv6m_flow.c        branches
//   armv6m_spin.c        loops that only wait are skipped
//   armv6m_slow.c        operations that fault, reach the bus or leave exceptions
//   armv6m_system.c      those of the system
//   armv6m_exceptions.c  priorities, entry, return, lockup
//   armv6m_scs.c         the registers of the System Control Space: SysTick, NVIC, SCB
//   armv6m_disasm.c      instructions as text
//   armv6m_report.c      registers and the way that led here, as text
//   armv6m_bytes.h       words of memory

#ifndef ARMV6M_PRIVATE_H
#define ARMV6M_PRIVATE_H

#include <armv6m/armv6m_debug.h>

#include "armv6m_bytes.h"

// Operations: a group of encodings that is executed by the same code. The top 10 bits of an
// instruction decide (ARM A5.2).
enum armv6m_op {
    OP_UNDEFINED,
    OP_LSL_IMM,
    OP_LSR_IMM,
    OP_ASR_IMM,
    OP_ADD_REG,
    OP_SUB_REG,
    OP_ADD_IMM3,
    OP_SUB_IMM3,
    OP_MOV_IMM,
    OP_CMP_IMM,
    OP_ADD_IMM8,
    OP_SUB_IMM8,
    OP_AND,
    OP_EOR,
    OP_LSL_REG,
    OP_LSR_REG,
    OP_ASR_REG,
    OP_ADC,
    OP_SBC,
    OP_ROR,
    OP_TST,
    OP_RSB,
    OP_CMP_REG,
    OP_CMN,
    OP_ORR,
    OP_MUL,
    OP_BIC,
    OP_MVN,
    OP_ADD_HIGH,
    OP_CMP_HIGH,
    OP_MOV_HIGH,
    OP_BX,
    OP_BLX,
    OP_LDR_LITERAL,
    OP_STR_REG,
    OP_STRH_REG,
    OP_STRB_REG,
    OP_LDRSB_REG,
    OP_LDR_REG,
    OP_LDRH_REG,
    OP_LDRB_REG,
    OP_LDRSH_REG,
    OP_STR_IMM,
    OP_LDR_IMM,
    OP_STRB_IMM,
    OP_LDRB_IMM,
    OP_STRH_IMM,
    OP_LDRH_IMM,
    OP_STR_SP,
    OP_LDR_SP,
    OP_ADR,
    OP_ADD_RD_SP,
    OP_ADD_SP,
    OP_SUB_SP,
    OP_SXTH,
    OP_SXTB,
    OP_UXTH,
    OP_UXTB,
    OP_PUSH,
    OP_POP,
    OP_CPS,
    OP_REV,
    OP_REV16,
    OP_REVSH,
    OP_BKPT,
    OP_HINT,
    OP_STM,
    OP_LDM,
    OP_BEQ,
    OP_BNE,
    OP_BCS,
    OP_BCC,
    OP_BMI,
    OP_BPL,
    OP_BVS,
    OP_BVC,
    OP_BHI,
    OP_BLS,
    OP_BGE,
    OP_BLT,
    OP_BGT,
    OP_BLE,
    OP_SVC,
    OP_B,
    OP_WIDE, // 32 bits: see enum armv6m_wide
    ARMV6M_OPS,
};

// Operations of 32 bits (ARM A5.3).
enum armv6m_wide {
    WIDE_UNDEFINED,
    WIDE_BL,
    WIDE_MSR,
    WIDE_MRS,
    WIDE_BARRIER, // DSB, DMB, ISB
};

enum armv6m_op armv6m_decode(uint16_t instruction);
enum armv6m_wide armv6m_decode_wide(uint16_t first, uint16_t second);

static inline uint32_t bits(uint32_t value, unsigned low, unsigned count)
{
    return value >> low & ((1u << count) - 1);
}

static inline uint32_t sign_extend(uint32_t value, unsigned width)
{
    const uint32_t sign = 1u << (width - 1);
    return ((value & (2 * sign - 1)) ^ sign) - sign;
}

// Of two halfwords, the first of which is an OP_WIDE, the second.
static inline bool armv6m_is_bl(uint16_t second)
{
    return (second & 0xD000) == 0xD000;
}

// Distance of a BL's target from the address after it (ARM A6.7.13).
static inline int32_t armv6m_bl_offset(uint16_t first, uint16_t second)
{
    const uint32_t s = bits(first, 10, 1);
    const uint32_t i1 = bits(second, 13, 1) == s;
    const uint32_t i2 = bits(second, 11, 1) == s;
    const uint32_t offset =
        s << 24 | i1 << 23 | i2 << 22 | bits(first, 0, 10) << 12 | bits(second, 0, 11) << 1;
    return (int32_t)sign_extend(offset, 25);
}

static inline unsigned armv6m_count_bits(uint32_t mask)
{
    return (unsigned)__builtin_popcount(mask);
}

// ---- memory ----

static inline const struct armv6m_region *armv6m_find(const struct armv6m *cpu, uint32_t address)
{
    if (address > cpu->last_mapped)
        return NULL;
    for (unsigned i = 0; i < ARMV6M_REGIONS; i++)
        if (address - cpu->regions[i].base < cpu->regions[i].size)
            return &cpu->regions[i];
    return NULL;
}

// What no region holds: the System Control Space and the bus.
bool armv6m_read_slow(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t *ret_value);
bool armv6m_write_slow(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t value);

// One access of 1, 2 or 4 bytes. False is a fault: unaligned, or refused by the bus.
static inline bool
armv6m_read(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t *ret_value)
{
    if (address & (size - 1))
        return false;
    const struct armv6m_region *region = armv6m_find(cpu, address);
    if (!region)
        return armv6m_read_slow(cpu, address, size, ret_value);
    const uint8_t *bytes = region->bytes + (address - region->base);
    *ret_value = size == 4 ? get_word(bytes) : size == 2 ? get_half(bytes) : *bytes;
    return true;
}

static inline bool armv6m_write(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t value)
{
    if (address & (size - 1))
        return false;
    const struct armv6m_region *region = armv6m_find(cpu, address);
    if (!region || !region->writable)
        return armv6m_write_slow(cpu, address, size, value);
    uint8_t *bytes = region->bytes + (address - region->base);
    if (size == 4)
        put_word(bytes, value);
    else if (size == 2)
        put_half(bytes, value);
    else
        *bytes = (uint8_t)value;
    return true;
}

// ---- flags ----

static inline bool armv6m_n(const struct armv6m *cpu)
{
    return cpu->nz >> 31;
}

static inline bool armv6m_z(const struct armv6m *cpu)
{
    return (uint32_t)cpu->nz == 0;
}

// ---- control flow ----

// Remembers a jump for reports, or so many of them in a row.
static inline void armv6m_remember(
    struct armv6m *cpu, uint32_t from, uint32_t target, uint32_t exception, uint32_t count)
{
    struct armv6m_branch *last = &cpu->branches[cpu->last_branch];
    if (last->from == from && last->to == target) {
        last->count += count;
    } else {
        cpu->last_branch = (cpu->last_branch + 1) % ARMV6M_BRANCHES;
        cpu->branches[cpu->last_branch] = (struct armv6m_branch){from, target, count, exception};
    }
}

static inline void
armv6m_branch(struct armv6m *cpu, uint32_t from, uint32_t target, uint32_t exception)
{
    armv6m_remember(cpu, from, target, exception, 1);
    cpu->r[15] = target;
}

// Sets EPSR.T. Without it there is no code to execute: the next fetch faults.
static inline void armv6m_set_thumb(struct armv6m *cpu, bool thumb)
{
    cpu->thumb = thumb;
    if (!thumb)
        cpu->code.size = 0;
}

// Has the run loop look at exceptions, sleep and stops before the next instruction: 0 is no cycle
// that a run could go to.
static inline void armv6m_look(struct armv6m *cpu)
{
    cpu->attention = 0;
}

// Ends the run after this instruction.
void armv6m_halt(struct armv6m *cpu, enum armv6m_stop why);

// Executes instructions until cpu->attention.
void armv6m_execute(struct armv6m *cpu);

// The code at an address, whose region cpu->code then is. NULL: r[15] has faulted, or the run
// stops.
const uint8_t *armv6m_find_code(struct armv6m *cpu, uint32_t address);

// What the instruction i at an address loads or stores.
struct armv6m_access armv6m_access_at(const struct armv6m *cpu, uint32_t address, uint16_t i);

// ---- loops that only wait ----

// Called before an instruction. True: that one is to be executed alone, and then this is called
// again. It may move the cycle counter, up to `end`, where the run loop has something to do, or the
// zero of SysTick.
bool armv6m_spin_watch(struct armv6m *cpu, uint64_t end);

// The cycle at which it should be called, at most `end`.
uint64_t armv6m_spin_next_look(const struct armv6m *cpu, uint64_t end);

void armv6m_spin_reset(struct armv6m *cpu);

// What the bus reads may be different from now on.
void armv6m_spin_new_run(struct armv6m *cpu);

// ---- exceptions ----

// A mask of exception numbers.
static inline uint64_t armv6m_bit(unsigned exception)
{
    return UINT64_C(1) << exception;
}

void armv6m_pend(struct armv6m *cpu, unsigned exception);
void armv6m_pend_lines(struct armv6m *cpu, uint32_t mask);
void armv6m_update_priority(struct armv6m *cpu);

// The most urgent exception that is pending and enabled; 0: none.
unsigned armv6m_most_urgent(const struct armv6m *cpu);

// Enters the most urgent exception if it preempts what runs now.
void armv6m_enter_pending(struct armv6m *cpu);

// Ends the sleep if there is a reason to.
void armv6m_wake(struct armv6m *cpu);

// A fault where none can be taken (ARM B1.5, unrecoverable exception cases); PC then stands at an
// address without memory.
#define LOCKUP_ADDRESS 0xFFFFFFFEu
void armv6m_lock_up(struct armv6m *cpu);

// Synchronous exceptions; r[15] is the return address. SVCall must preempt what runs now.
void armv6m_hardfault(struct armv6m *cpu);
void armv6m_svcall(struct armv6m *cpu);

// A branch to EXC_RETURN in Handler mode, from the instruction at `from`.
void armv6m_exception_return(struct armv6m *cpu, uint32_t from, uint32_t exc_return);

// Selects the stack pointer that r[13] is: CONTROL.SPSEL.
void armv6m_select_stack(struct armv6m *cpu, bool process);

// N, Z, C, V from the top 4 bits, as in APSR and xPSR.
void armv6m_set_flags(struct armv6m *cpu, uint32_t psr);

// ---- System Control Space ----

enum { SCS_PAGE = 0xE000E000u >> 12 };

#define ARMV6M_NVIC_ISER 0xE000E100u
#define ARMV6M_NVIC_ICER 0xE000E180u

// SCR (ARM B3.2.7)
enum {
    SCR_SLEEPONEXIT = 1 << 1,
    SCR_SLEEPDEEP = 1 << 2,
    SCR_SEVONPEND = 1 << 4,
};

uint32_t armv6m_scs_read(struct armv6m *cpu, uint32_t address);
void armv6m_scs_write(struct armv6m *cpu, uint32_t address, uint32_t value);

// Brings SysTick up to the current cycle.
void armv6m_systick_settle(struct armv6m *cpu);

// Cycles until its counter is at zero, with an exception or without; UINT64_MAX: never.
uint64_t armv6m_systick_zero(const struct armv6m *cpu);

#endif
