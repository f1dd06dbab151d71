// SPDX-License-Identifier: MIT
//
// Instructions of the system (ARM B4.2) and those of 32 bits, which all but BL are of it. They run
// as those of armv6m_slow.c do.

#include "armv6m_op.h"

// CPSIE and CPSID exist for PRIMASK only (ARM B4.2.1).
static unsigned cps(struct armv6m *cpu, uint16_t i)
{
    if ((i & 0xFFEF) != 0xB662)
        return armv6m_fault(cpu);
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
        return armv6m_fault(cpu);
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
        return armv6m_fault(cpu);
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
    return d != SP && d != PC && read_special(cpu, bits(second, 0, 8), &cpu->r[d]);
}

static bool msr(struct armv6m *cpu, uint16_t first, uint16_t second)
{
    const unsigned n = bits(first, 0, 4);
    return n != SP && n != PC && write_special(cpu, bits(second, 0, 8), cpu->r[n]);
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
    if (execute_wide(cpu, first, (uint16_t)get_half(second)))
        return 3;
    cpu->r[PC] = here + 2;
    return armv6m_fault(cpu);
}

// ---- all of them ----

unsigned armv6m_system(struct armv6m *cpu, uint16_t i)
{
    switch (armv6m_ops[i / 64]) {
    case OP_CPS:
        return cps(cpu, i);
    case OP_BKPT:
        return bkpt(cpu);
    case OP_HINT:
        return hint(cpu, i);
    case OP_SVC:
        return svc(cpu);
    default:
        return wide(cpu, i);
    }
}
