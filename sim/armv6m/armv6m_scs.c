// SPDX-License-Identifier: MIT
//
// The System Control Space, 0xE000E000 (ARM B3.2 to B3.4): SysTick, NVIC and the system control
// block. Registers that are reserved, or for a debugger only, read as zero and ignore writes.
//
// SysTick takes no work while it counts: its value is computed from the cycle counter when it is
// read. `value` was right at cycle `since`; armv6m_systick_settle() moves both up to now.

#include "armv6m_private.h"

enum {
    SYST_CSR = 0x010,
    SYST_RVR = 0x014,
    SYST_CVR = 0x018,
    SYST_CALIB = 0x01C,
    NVIC_ISER = ARMV6M_NVIC_ISER & 0xFFF,
    NVIC_ICER = ARMV6M_NVIC_ICER & 0xFFF,
    NVIC_ISPR = 0x200,
    NVIC_ICPR = 0x280,
    NVIC_IPR0 = 0x400,
    NVIC_IPR7 = 0x41C,
    CPUID = 0xD00,
    ICSR = 0xD04,
    AIRCR = 0xD0C,
    SCR = 0xD10,
    CCR = 0xD14,
    SHPR2 = 0xD1C,
    SHPR3 = 0xD20,
};

static const uint32_t cpuid_cortex_m0 = 0x410CC200; // r0p0
static const uint32_t ccr_fixed = 0x208;            // STKALIGN, UNALIGN_TRP (ARM B3.2.8)

// ---- SysTick (ARM B3.3) ----

// A tick is a power of two of cycles. RM0091: the external clock is HCLK / 8.
static unsigned tick_shift(const struct armv6m *cpu)
{
    return cpu->systick.core_clock ? 0 : 3;
}

static void count_to_zero(struct armv6m *cpu)
{
    cpu->systick.value = 0;
    cpu->systick.countflag = true;
    if (cpu->systick.tickint)
        armv6m_pend(cpu, ARMV6M_SYSTICK);
}

// From zero the next tick reloads, so a period is reload + 1 ticks; a reload of zero stops it.
static void count(struct armv6m *cpu, uint64_t ticks)
{
    if (cpu->systick.value > 0) {
        if (ticks < cpu->systick.value) {
            cpu->systick.value -= (uint32_t)ticks;
            return;
        }
        ticks -= cpu->systick.value;
        count_to_zero(cpu);
    }
    if (cpu->systick.reload == 0)
        return;
    const uint32_t period = cpu->systick.reload + 1;
    if (ticks >= period)
        count_to_zero(cpu);
    ticks %= period;
    cpu->systick.value = ticks == 0 ? 0 : period - (uint32_t)ticks;
}

void armv6m_systick_settle(struct armv6m *cpu)
{
    if (!cpu->systick.enable) {
        cpu->systick.since = cpu->cycles;
        return;
    }
    const uint64_t ticks = (cpu->cycles - cpu->systick.since) >> tick_shift(cpu);
    if (ticks > 0) {
        cpu->systick.since += ticks << tick_shift(cpu);
        count(cpu, ticks);
    }
}

uint64_t armv6m_systick_zero(const struct armv6m *cpu)
{
    if (!cpu->systick.enable)
        return UINT64_MAX;
    uint64_t ticks = cpu->systick.value;
    if (ticks == 0 && cpu->systick.reload == 0)
        return UINT64_MAX;
    if (ticks == 0)
        ticks = UINT64_C(1) + cpu->systick.reload;
    const uint64_t due = cpu->systick.since + (ticks << tick_shift(cpu));
    return due > cpu->cycles ? due - cpu->cycles : 0;
}

uint64_t armv6m_systick_cycles(const struct armv6m *cpu)
{
    return cpu->systick.tickint ? armv6m_systick_zero(cpu) : UINT64_MAX;
}

// A flag that is clear stays so until the counter is at zero.
static uint32_t read_syst_csr(struct armv6m *cpu)
{
    const uint32_t value = (uint32_t)cpu->systick.enable | (uint32_t)cpu->systick.tickint << 1 |
                           (uint32_t)cpu->systick.core_clock << 2 |
                           (uint32_t)cpu->systick.countflag << 16;
    if (!cpu->systick.countflag)
        armv6m_stays(cpu);
    cpu->systick.countflag = false;
    return value;
}

static void write_syst_csr(struct armv6m *cpu, uint32_t value)
{
    cpu->systick.enable = bits(value, 0, 1);
    cpu->systick.tickint = bits(value, 1, 1);
    cpu->systick.core_clock = bits(value, 2, 1);
}

// ---- NVIC (ARM B3.4) ----

static uint64_t irqs(uint32_t lines)
{
    return (uint64_t)lines << ARMV6M_IRQ0;
}

static uint32_t lines(uint64_t exceptions)
{
    return (uint32_t)(exceptions >> ARMV6M_IRQ0);
}

// An interrupt whose line is high stays pending, unless it is being handled.
static void unpend_lines(struct armv6m *cpu, uint32_t mask)
{
    const uint32_t held = cpu->lines & ~lines(cpu->active);
    cpu->pending &= ~irqs(mask & ~held);
}

// Priorities are the top 2 bits of a byte each, first exception lowest.
static uint32_t read_priorities(const struct armv6m *cpu, unsigned first)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)cpu->priority[first + i] << (8 * i + 6);
    return value;
}

static void write_priorities(struct armv6m *cpu, unsigned first, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        cpu->priority[first + i] = (int8_t)bits(value, 8 * i + 6, 2);
    armv6m_update_priority(cpu);
}

// Of the system handlers only SVCall, PendSV and SysTick have a priority that can be set (ARM
// B3.2.10): the others read as zero.
enum { SHPR2_FIRST = 8, SHPR3_FIRST = 12 };
static const uint32_t shpr2_mask = 0xC0000000;
static const uint32_t shpr3_mask = 0xC0C00000;

// ---- system control block (ARM B3.2) ----

enum {
    ICSR_NMIPENDSET = 31,
    ICSR_PENDSVSET = 28,
    ICSR_PENDSVCLR = 27,
    ICSR_PENDSTSET = 26,
    ICSR_PENDSTCLR = 25,
    ICSR_ISRPENDING = 22,
    ICSR_VECTPENDING = 12,
};

static uint32_t is_pending(const struct armv6m *cpu, unsigned exception)
{
    return (uint32_t)(cpu->pending >> exception & 1);
}

static uint32_t read_icsr(const struct armv6m *cpu)
{
    return is_pending(cpu, ARMV6M_NMI) << ICSR_NMIPENDSET |
           is_pending(cpu, ARMV6M_PENDSV) << ICSR_PENDSVSET |
           is_pending(cpu, ARMV6M_SYSTICK) << ICSR_PENDSTSET |
           (uint32_t)(lines(cpu->pending) != 0) << ICSR_ISRPENDING |
           armv6m_most_urgent(cpu) << ICSR_VECTPENDING | cpu->exception;
}

static void write_icsr(struct armv6m *cpu, uint32_t value)
{
    if (bits(value, ICSR_NMIPENDSET, 1))
        armv6m_pend(cpu, ARMV6M_NMI);
    if (bits(value, ICSR_PENDSVSET, 1))
        armv6m_pend(cpu, ARMV6M_PENDSV);
    if (bits(value, ICSR_PENDSVCLR, 1))
        cpu->pending &= ~armv6m_bit(ARMV6M_PENDSV);
    if (bits(value, ICSR_PENDSTSET, 1))
        armv6m_pend(cpu, ARMV6M_SYSTICK);
    if (bits(value, ICSR_PENDSTCLR, 1))
        cpu->pending &= ~armv6m_bit(ARMV6M_SYSTICK);
}

static void write_aircr(struct armv6m *cpu, uint32_t value)
{
    const uint32_t key = 0x05FA;
    if (value >> 16 == key && bits(value, 2, 1))
        armv6m_halt(cpu, ARMV6M_RESET);
}

// ---- access ----

uint32_t armv6m_scs_read(struct armv6m *cpu, uint32_t address)
{
    const unsigned offset = address & 0xFFF;
    armv6m_systick_settle(cpu);
    if (offset >= NVIC_ISER) // all but SysTick
        armv6m_stays(cpu);
    if (offset >= NVIC_IPR0 && offset <= NVIC_IPR7)
        return read_priorities(cpu, ARMV6M_IRQ0 + (offset - NVIC_IPR0));
    switch (offset) {
    case SYST_CSR:
        return read_syst_csr(cpu);
    case SYST_RVR:
        return cpu->systick.reload;
    case SYST_CVR:
        return cpu->systick.value;
    case SYST_CALIB:
        return cpu->bus.systick_calib;
    case NVIC_ISER:
    case NVIC_ICER:
        return lines(cpu->enabled);
    case NVIC_ISPR:
    case NVIC_ICPR:
        return lines(cpu->pending);
    case CPUID:
        return cpuid_cortex_m0;
    case ICSR:
        return read_icsr(cpu);
    case AIRCR:
        return 0xFA05u << 16; // VECTKEYSTAT, little endian
    case SCR:
        return cpu->scr;
    case CCR:
        return ccr_fixed;
    case SHPR2:
        return read_priorities(cpu, SHPR2_FIRST);
    case SHPR3:
        return read_priorities(cpu, SHPR3_FIRST);
    default:
        return 0;
    }
}

void armv6m_scs_write(struct armv6m *cpu, uint32_t address, uint32_t value)
{
    const unsigned offset = address & 0xFFF;
    armv6m_systick_settle(cpu);
    armv6m_look(cpu);
    if (offset >= NVIC_IPR0 && offset <= NVIC_IPR7) {
        write_priorities(cpu, ARMV6M_IRQ0 + (offset - NVIC_IPR0), value);
        return;
    }
    switch (offset) {
    case SYST_CSR:
        write_syst_csr(cpu, value);
        break;
    case SYST_RVR:
        cpu->systick.reload = bits(value, 0, 24);
        break;
    case SYST_CVR: // any value clears it and COUNTFLAG
        cpu->systick.value = 0;
        cpu->systick.countflag = false;
        cpu->systick.since = cpu->cycles;
        break;
    case NVIC_ISER:
        cpu->enabled |= irqs(value);
        break;
    case NVIC_ICER:
        cpu->enabled &= ~irqs(value);
        break;
    case NVIC_ISPR:
        armv6m_pend_lines(cpu, value);
        break;
    case NVIC_ICPR:
        unpend_lines(cpu, value);
        break;
    case ICSR:
        write_icsr(cpu, value);
        break;
    case AIRCR:
        write_aircr(cpu, value);
        break;
    case SCR:
        cpu->scr = value & (SCR_SLEEPONEXIT | SCR_SLEEPDEEP | SCR_SEVONPEND);
        break;
    case SHPR2:
        write_priorities(cpu, SHPR2_FIRST, value & shpr2_mask);
        break;
    case SHPR3:
        write_priorities(cpu, SHPR3_FIRST, value & shpr3_mask);
        break;
    default:
        break;
    }
}
