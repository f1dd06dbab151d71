// SPDX-License-Identifier: MIT
//
// The run loop, in two levels. The inner one, armv6m_execute(), only executes instructions until
// the cycle `attention`. The outer one, here, deals with all that is rare: it lets SysTick fire,
// enters exceptions, skips time while the processor sleeps or only waits, and says why a run ends.
// Whatever changes any of that sets `attention` to 0, so that the outer loop looks before the next
// instruction; the inner loop has nothing else to check.

#include "armv6m_op.h"

#include <assert.h>
#include <string.h>

static const uint32_t reset_lr = 0xFFFFFFFF;

void armv6m_init(struct armv6m *cpu, const struct armv6m_bus *bus)
{
    *cpu = (struct armv6m){.bus = *bus};
    armv6m_fill_entries();
}

static uint32_t last_of(const struct armv6m_region *region)
{
    return region->base + (region->size - 1);
}

void armv6m_map(struct armv6m *cpu, unsigned slot, const struct armv6m_region *region)
{
    assert(slot < ARMV6M_REGIONS);
    cpu->regions[slot] = region ? *region : (struct armv6m_region){0};
    assert(cpu->regions[slot].base % 4 == 0 && cpu->regions[slot].size % 4 == 0);
    cpu->last_mapped = 0;
    for (unsigned i = 0; i < ARMV6M_REGIONS; i++)
        if (cpu->regions[i].size != 0 && last_of(&cpu->regions[i]) > cpu->last_mapped)
            cpu->last_mapped = last_of(&cpu->regions[i]);
    cpu->code.size = 0;
}

bool armv6m_read_slow(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t *ret_value)
{
    if (address >> 12 != SCS_PAGE)
        return cpu->bus.read(cpu->bus.ctx, address, size, ret_value);
    if (size != 4) // ARM B3.1.1: only words
        return false;
    *ret_value = armv6m_scs_read(cpu, address);
    return true;
}

bool armv6m_write_slow(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t value)
{
    if (address >> 12 != SCS_PAGE)
        return cpu->bus.write(cpu->bus.ctx, address, size, value);
    if (size != 4)
        return false;
    armv6m_scs_write(cpu, address, value);
    return true;
}

bool armv6m_peek16(const struct armv6m *cpu, uint32_t address, uint16_t *ret_value)
{
    const struct armv6m_region *region = armv6m_find(cpu, address);
    if (!region || address % 2 != 0)
        return false;
    *ret_value = (uint16_t)get_half(region->bytes + (address - region->base));
    return true;
}

static void reset_exceptions(struct armv6m *cpu)
{
    cpu->pending = 0;
    cpu->active = 0;
    cpu->enabled = armv6m_bit(ARMV6M_NMI) | armv6m_bit(ARMV6M_HARDFAULT) |
                   armv6m_bit(ARMV6M_SVCALL) | armv6m_bit(ARMV6M_PENDSV) |
                   armv6m_bit(ARMV6M_SYSTICK);
    memset(cpu->priority, 0, sizeof(cpu->priority));
    cpu->priority[ARMV6M_NMI] = -2;
    cpu->priority[ARMV6M_HARDFAULT] = -1;
    cpu->exception = 0;
    cpu->primask = false;
    armv6m_update_priority(cpu);
    armv6m_pend_lines(cpu, cpu->lines);
}

// ARM B1.5.5 TakeReset(). A vector table that cannot be read is a lockup (ARM B1.5, unrecoverable
// exception cases).
void armv6m_reset(struct armv6m *cpu)
{
    memset(cpu->r, 0, sizeof(cpu->r));
    cpu->r[14] = reset_lr;
    armv6m_set_flags(cpu, 0);
    cpu->spsel = false;
    cpu->banked_sp = 0;
    cpu->event = false;
    cpu->sleep = ARMV6M_AWAKE;
    cpu->thread_left = cpu->cycles;
    cpu->taken = cpu->cycles;
    cpu->locked_up = false;
    cpu->reported_bkpt = 0;
    cpu->halted = false;
    cpu->scr = 0;
    memset(&cpu->systick, 0, sizeof(cpu->systick));
    reset_exceptions(cpu);
    memset(cpu->branches, 0, sizeof(cpu->branches));
    armv6m_spin_reset(cpu);

    uint32_t sp, vector;
    cpu->code.size = 0;
    if (armv6m_read(cpu, 0, 4, &sp) && armv6m_read(cpu, 4, 4, &vector)) {
        cpu->r[13] = sp & ~3u;
        armv6m_set_thumb(cpu, vector & 1);
        armv6m_branch(cpu, 0, vector & ~1u, ARMV6M_RESET_VECTOR);
    } else {
        armv6m_lock_up(cpu);
    }
}

void armv6m_halt(struct armv6m *cpu, enum armv6m_stop why)
{
    cpu->halted = true;
    cpu->why = why;
    armv6m_look(cpu);
}

void armv6m_stop_run(struct armv6m *cpu)
{
    armv6m_halt(cpu, ARMV6M_STOPPED);
}

void armv6m_set_trace(struct armv6m *cpu,
                      void (*trace)(void *ctx, const struct armv6m *cpu),
                      void *ctx)
{
    cpu->trace = trace;
    cpu->trace_ctx = ctx;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// The cycle that is `cycles` away; forever stays forever.
static uint64_t after(const struct armv6m *cpu, uint64_t cycles)
{
    return cycles > UINT64_MAX - cpu->cycles ? UINT64_MAX : cpu->cycles + cycles;
}

static void execute_one(struct armv6m *cpu)
{
    cpu->attention = cpu->cycles + 1;
    armv6m_execute(cpu);
}

// Up to a cycle, or until something is to be looked at. A watched processor executes instructions
// alone, and while none of them changes what the run loop looks at, one after the other.
static void execute_until(struct armv6m *cpu, uint64_t end)
{
    while (armv6m_spin_watch(cpu, end)) {
        execute_one(cpu);
        if (cpu->attention == 0 || cpu->cycles >= end)
            return;
        armv6m_systick_settle(cpu);
    }
    cpu->attention = armv6m_spin_next_look(cpu, end);
    armv6m_execute(cpu);
}

enum armv6m_stop armv6m_run(struct armv6m *cpu, uint64_t cycles)
{
    const uint64_t end = after(cpu, cycles);
    cpu->halted = false;
    armv6m_spin_new_run(cpu);
    for (;;) {
        armv6m_systick_settle(cpu);
        armv6m_wake(cpu);
        if (cpu->halted)
            return cpu->why;
        if (cpu->sleep != ARMV6M_AWAKE && cpu->scr & SCR_SLEEPDEEP)
            return ARMV6M_DEEP;
        if (cpu->cycles >= end)
            return cpu->sleep == ARMV6M_AWAKE ? ARMV6M_BUDGET : ARMV6M_ASLEEP;
        armv6m_enter_pending(cpu);
        if (cpu->locked_up)
            return ARMV6M_LOCKUP;

        if (cpu->cycles >= end) // the entry took the rest
            continue;

        const uint64_t next = earlier(end, after(cpu, armv6m_systick_cycles(cpu)));
        if (cpu->sleep != ARMV6M_AWAKE) {
            cpu->cycles = next;
        } else if (cpu->hold && cpu->hold(cpu->hold_ctx, cpu)) {
            return ARMV6M_HELD;
        } else if (cpu->trace || cpu->hold) {
            if (cpu->trace)
                cpu->trace(cpu->trace_ctx, cpu);
            execute_one(cpu);
        } else {
            execute_until(cpu, next);
        }
    }
}
