// SPDX-License-Identifier: MIT
//
// The moments that the chip keeps, in one place: to move them all, and to compare the chip with
// what it was a while ago. A moment is kept in nanoseconds, or in cycles of the processor.

#include <stm32f072/chip.h>

#include <string.h>

enum { TIMER_CR1 = 0, TIMER_CEN = 1, WWDG_WDGA = 1 << 7 };

// ---- Moments of what runs; of what stands still they are of no account ----

void f072_chip_delay(struct f072_chip *chip, uint64_t ns)
{
    for (int i = 0; i < F072_TIMERS; i++)
        if (chip->timer[i].reg[TIMER_CR1] & TIMER_CEN)
            chip->timer[i].since_ns += ns;
    if (chip->wwdg.cr & WWDG_WDGA)
        chip->wwdg.since_ns += ns;
    f072_serials_delay(chip, ns);
    if (chip->adc.end_ns != UINT64_MAX)
        chip->adc.end_ns += ns;
}

// The RTC goes on by the time itself.
static void move_running(struct f072_chip *chip, uint64_t ns)
{
    f072_chip_delay(chip, ns);
    chip->usb.sof_missing_ns += ns;
    if (chip->iwdg.running)
        chip->iwdg.since_ns += ns;
}

void f072_chip_shift(struct f072_chip *chip, uint64_t ns, uint64_t cycles)
{
    move_running(chip, ns);
    chip->base_ns += ns;
    chip->last.since_ns += ns;
    chip->last.cycle += cycles;
    chip->base_cycles += cycles;
    chip->cpu.cycles += cycles;
    chip->cpu.systick.since += cycles;
    chip->cpu.thread_left += cycles;
    chip->cpu.taken += cycles;
}

// ---- Without the time ----

static void forget_standing(struct f072_chip *chip)
{
    for (int i = 0; i < F072_TIMERS; i++)
        if (!(chip->timer[i].reg[TIMER_CR1] & TIMER_CEN))
            chip->timer[i].since_ns = 0;
    if (!chip->iwdg.running)
        chip->iwdg.since_ns = 0;
    if (!(chip->wwdg.cr & WWDG_WDGA))
        chip->wwdg.since_ns = 0;
}

// A moment in the past is as good as any other.
static void forget_past(uint64_t *moment_ns, uint64_t now_ns)
{
    if (*moment_ns <= now_ns)
        *moment_ns = 0;
}

// What the processor remembers for reports and for its own speed.
static void forget_memory(struct armv6m *cpu)
{
    cpu->attention = 0;
    cpu->last_start = 0;
    cpu->last_branch = 0;
    memset(cpu->branches, 0, sizeof cpu->branches);
    memset(&cpu->spin, 0, sizeof cpu->spin);
}

void f072_chip_without_time(struct f072_chip *copy, uint64_t now_ns)
{
    for (int i = 0; i < F072_OSCILLATORS; i++)
        forget_past(&copy->rcc.ready_ns[i], now_ns);
    forget_past(&copy->fpec.busy_until_ns, now_ns);
    forget_standing(copy);
    forget_memory(&copy->cpu);
    if (!copy->cpu.systick.enable)
        copy->cpu.systick.since = copy->cpu.cycles;
    if (copy->cpu.exception == 0) {
        copy->cpu.thread_left = copy->cpu.cycles;
        copy->cpu.taken = copy->cpu.cycles;
    }
    f072_chip_shift(copy, 0 - now_ns, 0 - copy->cpu.cycles);
    copy->base_cycles = 0;
    copy->slice_end_ns = 0;
    copy->last.since_ns = 0;
    copy->last.cycle = 0;
    copy->usb.transaction.end_ns = 0;
    copy->usb.fnr = 0;
}
