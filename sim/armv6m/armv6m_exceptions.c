// SPDX-License-Identifier: MIT
//
// Exceptions: priorities, entry, return and lockup (ARM B1.5).
//
// Interrupts are taken between instructions only. Late arrival cannot be told from an exception
// that was pending from the start, as nothing else happens during the stacking. Tail-chaining can:
// the second handler finds the registers as the first one left them, and so it does here.

#include "armv6m_private.h"

// Cycles beyond those of the instruction. Entry is the interrupt latency of the
// Cortex-M0, from the TRM; for the other two the TRM gives no figure, these are near what the stack
// accesses take.
enum {
    ENTRY_CYCLES = 16,
    RETURN_CYCLES = 10,
    TAIL_CHAIN_CYCLES = 6,
};

enum { FRAME_SIZE = 0x20 };

static const int8_t thread_priority = 4; // below every exception
static const uint32_t exc_return_mask = 0xFFFFFFF0;

// ---- priorities ----

// The lowest exception number of a mask that is not empty.
static unsigned first_of(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask);
}

static int8_t active_priority(const struct armv6m *cpu)
{
    int8_t lowest = thread_priority;
    for (uint64_t left = cpu->active; left; left &= left - 1)
        if (cpu->priority[first_of(left)] < lowest)
            lowest = cpu->priority[first_of(left)];
    return lowest;
}

// ARM B1.5.4 ExecutionPriority()
void armv6m_update_priority(struct armv6m *cpu)
{
    const int8_t priority = active_priority(cpu);
    cpu->current_priority = cpu->primask && priority > 0 ? 0 : priority;
    armv6m_look(cpu);
}

unsigned armv6m_most_urgent(const struct armv6m *cpu)
{
    unsigned best = 0;
    for (uint64_t left = cpu->pending & cpu->enabled; left; left &= left - 1)
        if (!best || cpu->priority[first_of(left)] < cpu->priority[best])
            best = first_of(left);
    return best;
}

// A newly pending exception is an event for WFE if SEVONPEND says so (ARM B1.5, Wait For Event).
void armv6m_pend(struct armv6m *cpu, unsigned exception)
{
    const uint64_t bit = armv6m_bit(exception);
    if (!(cpu->pending & bit) && cpu->scr & SCR_SEVONPEND)
        cpu->event = true;
    cpu->pending |= bit;
    armv6m_look(cpu);
}

void armv6m_pend_lines(struct armv6m *cpu, uint32_t mask)
{
    for (unsigned line = 0; line < ARMV6M_IRQS; line++)
        if (bits(mask, line, 1))
            armv6m_pend(cpu, ARMV6M_IRQ0 + line);
}

// A line that rises pends its interrupt, which then stays pending when the line falls.
void armv6m_set_irq(struct armv6m *cpu, unsigned line, bool level)
{
    const uint32_t bit = UINT32_C(1) << line;
    const bool rises = level && !(cpu->lines & bit);
    cpu->lines = level ? cpu->lines | bit : cpu->lines & ~bit;
    if (rises)
        armv6m_pend(cpu, ARMV6M_IRQ0 + line);
}

void armv6m_set_nmi(struct armv6m *cpu)
{
    armv6m_pend(cpu, ARMV6M_NMI);
}

// ---- registers that depend on the mode ----

void armv6m_select_stack(struct armv6m *cpu, bool process)
{
    if (cpu->spsel == process)
        return;
    const uint32_t sp = cpu->r[13];
    cpu->r[13] = cpu->banked_sp;
    cpu->banked_sp = sp;
    cpu->spsel = process;
}

uint32_t armv6m_msp(const struct armv6m *cpu)
{
    return cpu->spsel ? cpu->banked_sp : cpu->r[13];
}

uint32_t armv6m_psp(const struct armv6m *cpu)
{
    return cpu->spsel ? cpu->r[13] : cpu->banked_sp;
}

uint32_t armv6m_xpsr(const struct armv6m *cpu)
{
    return (uint32_t)armv6m_n(cpu) << 31 | (uint32_t)armv6m_z(cpu) << 30 | (uint32_t)cpu->c << 29 |
           (uint32_t)cpu->v << 28 | (uint32_t)cpu->thumb << 24 | cpu->exception;
}

void armv6m_set_flags(struct armv6m *cpu, uint32_t psr)
{
    cpu->nz = (uint64_t)bits(psr, 31, 1) << 32 | !bits(psr, 30, 1);
    cpu->c = (uint8_t)bits(psr, 29, 1);
    cpu->v = (uint8_t)bits(psr, 28, 1);
}

// ---- lockup ----

void armv6m_lock_up(struct armv6m *cpu)
{
    cpu->locked_up = true;
    cpu->lockup_pc = cpu->r[15];
    armv6m_branch(cpu, cpu->r[15], LOCKUP_ADDRESS, ARMV6M_HARDFAULT);
    armv6m_look(cpu);
}

// ---- entry ----

// ARM B1.5.6 PushStack(). Bit 9 of the stacked xPSR says that the stack was aligned for it.
static bool push_frame(struct armv6m *cpu)
{
    const uint32_t realigned = bits(cpu->r[13], 2, 1);
    const uint32_t frame[] = {
        cpu->r[0],  cpu->r[1],  cpu->r[2],  cpu->r[3],
        cpu->r[12], cpu->r[14], cpu->r[15], armv6m_xpsr(cpu) | realigned << 9,
    };
    cpu->r[13] = (cpu->r[13] - FRAME_SIZE) & ~4u;
    for (uint32_t i = 0; i < 8; i++)
        if (!armv6m_write(cpu, cpu->r[13] + 4 * i, 4, frame[i]))
            return false;
    return true;
}

// ARM B1.5.6 ExceptionTaken(). A vector that cannot be read is a HardFault in its place.
static void take(struct armv6m *cpu, unsigned exception, uint32_t exc_return)
{
    uint32_t vector;
    if (!armv6m_read(cpu, 4 * exception, 4, &vector)) {
        exception = ARMV6M_HARDFAULT;
        if (cpu->current_priority <= cpu->priority[ARMV6M_HARDFAULT] ||
            !armv6m_read(cpu, 4 * exception, 4, &vector)) {
            armv6m_lock_up(cpu);
            return;
        }
    }
    cpu->r[14] = exc_return;
    cpu->exception = (uint8_t)exception;
    cpu->taken = cpu->cycles;
    armv6m_select_stack(cpu, false);
    cpu->active |= armv6m_bit(exception);
    cpu->pending &= ~armv6m_bit(exception);
    cpu->event = true;
    cpu->locked_up = false;
    armv6m_set_thumb(cpu, vector & 1);
    armv6m_branch(cpu, cpu->r[15], vector & ~1u, exception);
    armv6m_update_priority(cpu);
}

// ARM B1.5.6 ExceptionEntry(). When the stack cannot be written, HardFault takes the exception's
// place and an interrupt stays pending.
static void enter(struct armv6m *cpu, unsigned exception)
{
    const uint32_t exc_return = cpu->exception ? 0xFFFFFFF1 : cpu->spsel ? 0xFFFFFFFD : 0xFFFFFFF9;
    if (!cpu->exception)
        cpu->thread_left = cpu->cycles;
    cpu->cycles += ENTRY_CYCLES;
    if (push_frame(cpu))
        take(cpu, exception, exc_return);
    else if (cpu->priority[exception] > cpu->priority[ARMV6M_HARDFAULT])
        take(cpu, ARMV6M_HARDFAULT, exc_return);
    else
        armv6m_lock_up(cpu);
}

static bool preempts(const struct armv6m *cpu, unsigned exception, int8_t priority)
{
    return exception && cpu->priority[exception] < priority;
}

void armv6m_enter_pending(struct armv6m *cpu)
{
    const unsigned exception = armv6m_most_urgent(cpu);
    if (preempts(cpu, exception, cpu->current_priority))
        enter(cpu, exception);
}

// PRIMASK keeps an interrupt from being taken, but not from ending a WFI (ARM B1.5, Wait For
// Interrupt).
bool armv6m_would_wake(const struct armv6m *cpu)
{
    const unsigned exception = armv6m_most_urgent(cpu);
    switch (cpu->sleep) {
    case ARMV6M_AWAKE:
        return true;
    case ARMV6M_WFI:
    case ARMV6M_ON_EXIT:
        return preempts(cpu, exception, active_priority(cpu));
    case ARMV6M_WFE:
        return cpu->event || preempts(cpu, exception, cpu->current_priority);
    }
    return false;
}

void armv6m_wake(struct armv6m *cpu)
{
    const bool wakes = armv6m_would_wake(cpu);
    if (cpu->sleep == ARMV6M_WFE)
        cpu->event = false;
    if (wakes)
        cpu->sleep = ARMV6M_AWAKE;
}

void armv6m_set_event(struct armv6m *cpu)
{
    cpu->event = true;
    armv6m_look(cpu);
}

// ARM A3.2.1: every access is aligned, those of LDM, STM, PUSH and POP to words.
static void note_unaligned(struct armv6m *cpu)
{
    const struct armv6m_access access = armv6m_next_access(cpu);
    const uint32_t mask = access.size > 2 ? 3 : access.size == 2;
    cpu->unaligned = access.address & mask ? access.address : 0;
    cpu->unaligned_write = access.is_write;
}

void armv6m_hardfault(struct armv6m *cpu)
{
    if (cpu->current_priority <= cpu->priority[ARMV6M_HARDFAULT]) {
        armv6m_lock_up(cpu);
        return;
    }
    cpu->fault_pc = cpu->r[15];
    note_unaligned(cpu);
    enter(cpu, ARMV6M_HARDFAULT);
}

// ---- return ----

// ARM B1.5.8 PopStack(), from the stack that is selected.
static bool pop_frame(struct armv6m *cpu, uint32_t from)
{
    uint32_t frame[8];
    for (uint32_t i = 0; i < 8; i++)
        if (!armv6m_read(cpu, cpu->r[13] + 4 * i, 4, &frame[i]))
            return false;
    for (unsigned i = 0; i < 4; i++)
        cpu->r[i] = frame[i];
    cpu->r[12] = frame[4];
    cpu->r[14] = frame[5];
    cpu->r[13] = (cpu->r[13] + FRAME_SIZE) | bits(frame[7], 9, 1) << 2;
    armv6m_set_flags(cpu, frame[7]);
    cpu->exception = (uint8_t)bits(frame[7], 0, 6);
    armv6m_set_thumb(cpu, bits(frame[7], 24, 1));
    armv6m_branch(cpu, from, frame[6] & ~1u, 0);
    return true;
}

static bool only_one_active(const struct armv6m *cpu)
{
    return (cpu->active & (cpu->active - 1)) == 0;
}

// The three ways to return: to Handler mode, to Thread mode on MSP or on PSP; the first is for a
// nested exception only, the others for the last one (ARM B1.5.8).
static bool valid_exc_return(const struct armv6m *cpu, uint32_t exc_return)
{
    if ((exc_return & exc_return_mask) != exc_return_mask)
        return false;
    switch (exc_return & ~exc_return_mask) {
    case 0x1:
        return !only_one_active(cpu);
    case 0x9:
    case 0xD:
        return only_one_active(cpu);
    default:
        return false;
    }
}

// An interrupt whose line is still high is pending again (ARM B3.4).
static void deactivate(struct armv6m *cpu)
{
    const unsigned exception = cpu->exception;
    cpu->active &= ~armv6m_bit(exception);
    armv6m_update_priority(cpu);
    if (exception >= ARMV6M_IRQ0 && bits(cpu->lines, exception - ARMV6M_IRQ0, 1))
        armv6m_pend(cpu, exception);
}

static bool tail_chain(struct armv6m *cpu, uint32_t exc_return)
{
    const unsigned exception = armv6m_most_urgent(cpu);
    if (!preempts(cpu, exception, cpu->current_priority))
        return false;
    cpu->cycles += TAIL_CHAIN_CYCLES;
    take(cpu, exception, exc_return);
    return true;
}

// A frame that cannot be read is a HardFault, as if that had been pending; after a HardFault or NMI
// it is a lockup.
static void unstacking_failed(struct armv6m *cpu, unsigned returning, uint32_t exc_return)
{
    if (cpu->priority[returning] <= cpu->priority[ARMV6M_HARDFAULT] ||
        cpu->current_priority <= cpu->priority[ARMV6M_HARDFAULT])
        armv6m_lock_up(cpu);
    else
        take(cpu, ARMV6M_HARDFAULT, exc_return);
}

// Thread mode has no exception number, Handler mode that of an exception which is active.
static bool valid_exception(const struct armv6m *cpu, bool thread)
{
    return thread ? cpu->exception == 0 : cpu->active & armv6m_bit(cpu->exception);
}

// ARM B1.5.8 ExceptionReturn(). r[15] stands behind the instruction. What is UNPREDICTABLE there
// faults here.
void armv6m_exception_return(struct armv6m *cpu, uint32_t from, uint32_t exc_return)
{
    const unsigned returning = cpu->exception;
    const bool to_thread = (exc_return & 0xF) != 0x1;
    if (!valid_exc_return(cpu, exc_return)) {
        cpu->r[15] = from;
        armv6m_hardfault(cpu);
        return;
    }
    deactivate(cpu);
    cpu->event = true;
    if (tail_chain(cpu, exc_return))
        return;
    cpu->cycles += RETURN_CYCLES;
    armv6m_select_stack(cpu, (exc_return & 0xF) == 0xD);
    if (!pop_frame(cpu, from))
        unstacking_failed(cpu, returning, exc_return);
    else if (!valid_exception(cpu, to_thread))
        armv6m_hardfault(cpu);
    else if (to_thread && cpu->scr & SCR_SLEEPONEXIT)
        cpu->sleep = ARMV6M_ON_EXIT;
}

void armv6m_svcall(struct armv6m *cpu)
{
    enter(cpu, ARMV6M_SVCALL);
}
