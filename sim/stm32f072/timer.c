// SPDX-License-Identifier: MIT
//
// The counter is not stepped. It is known at one moment, and what it is at any later one follows
// from the clock. An event is needed only for an update that interrupts.

#include <stm32f072/timer.h>

#include <string.h>

// Indices of registers: offset / 4 (RM0091 18.4.21).
enum {
    CR1 = 0,
    DIER = 3,
    SR = 4,
    EGR = 5,
    CNT = 9,
    PSC = 10,
    ARR = 11,
};

enum { CR1_CEN = 1, CR1_UDIS = 2, CR1_URS = 4, CR1_OPM = 8, UPDATE = 1 };

enum { NS_PER_S = 1000000000 };

void f072_timer_reset(struct f072_timer *timer, uint32_t width_mask)
{
    uint32_t clock_hz = timer->clock_hz;

    memset(timer, 0, sizeof *timer);
    timer->clock_hz = clock_hz;
    timer->width_mask = width_mask;
    timer->reg[ARR] = width_mask;
}

static bool counts(const struct f072_timer *timer)
{
    return (timer->reg[CR1] & CR1_CEN) && timer->reg[ARR] != 0 && timer->clock_hz != 0;
}

// Counts in a span of time, in two parts so that the product does not overflow.
static uint64_t counts_in(const struct f072_timer *timer, uint64_t ns)
{
    uint64_t clocks = ns / NS_PER_S * timer->clock_hz + ns % NS_PER_S * timer->clock_hz / NS_PER_S;

    return clocks / (timer->prescaler + 1);
}

// The shortest span that holds so many counts.
static uint64_t span_of(const struct f072_timer *timer, uint64_t count)
{
    uint64_t clocks = count * (timer->prescaler + 1);
    uint64_t rest = clocks % timer->clock_hz * NS_PER_S;

    return clocks / timer->clock_hz * NS_PER_S + (rest + timer->clock_hz - 1) / timer->clock_hz;
}

static uint64_t counts_to_update(const struct f072_timer *timer)
{
    uint64_t to_reload = timer->reg[ARR] >= timer->reg[CNT]
                             ? timer->reg[ARR] - timer->reg[CNT]
                             : (uint64_t)timer->width_mask - timer->reg[CNT] + timer->reg[ARR] + 1;
    return to_reload + 1;
}

static void update(struct f072_timer *timer)
{
    if (timer->reg[CR1] & CR1_UDIS)
        return;
    timer->prescaler = timer->reg[PSC];
    timer->reg[SR] |= UPDATE;
}

// The counter has passed its end, at the latest after so many counts, and starts from 0.
static void reload(struct f072_timer *timer, uint64_t passed)
{
    timer->since_ns += span_of(timer, passed);
    timer->reg[CNT] = 0;
    if (timer->reg[CR1] & CR1_OPM)
        timer->reg[CR1] &= ~(uint32_t)CR1_CEN;
    update(timer);
}

void f072_timer_advance(struct f072_timer *timer, uint64_t now_ns)
{
    while (counts(timer)) {
        uint64_t passed = counts_in(timer, now_ns - timer->since_ns);
        uint64_t wanted = counts_to_update(timer);
        if (passed < wanted)
            return;
        // Whole periods at once, when nothing changes between them.
        bool steady = timer->prescaler == timer->reg[PSC] && !(timer->reg[CR1] & CR1_OPM);
        uint64_t period = (uint64_t)timer->reg[ARR] + 1;
        reload(timer, steady ? passed - (passed - wanted) % period : wanted);
    }
    timer->since_ns = now_ns;
}

static uint32_t count_at(const struct f072_timer *timer, uint64_t now_ns)
{
    uint64_t passed = counts(timer) ? counts_in(timer, now_ns - timer->since_ns) : 0;

    return timer->reg[CNT] + (uint32_t)passed;
}

// Make reg[CNT] right for now, before something changes that it follows from.
static void settle(struct f072_timer *timer, uint64_t now_ns)
{
    f072_timer_advance(timer, now_ns);
    timer->reg[CNT] = count_at(timer, now_ns);
    timer->since_ns = now_ns;
}

void f072_timer_set_clock(struct f072_timer *timer, uint32_t clock_hz, uint64_t now_ns)
{
    settle(timer, now_ns);
    timer->clock_hz = clock_hz;
}

uint64_t f072_timer_next_event(const struct f072_timer *timer)
{
    bool wanted = (timer->reg[DIER] & UPDATE) && !(timer->reg[SR] & UPDATE);

    if (!wanted || !counts(timer) || (timer->reg[CR1] & CR1_UDIS))
        return UINT64_MAX;
    return timer->since_ns + span_of(timer, counts_to_update(timer));
}

bool f072_timer_interrupt(const struct f072_timer *timer)
{
    return timer->reg[DIER] & timer->reg[SR] & UPDATE;
}

uint32_t f072_timer_read(struct f072_timer *timer, uint32_t offset, uint64_t now_ns)
{
    f072_timer_advance(timer, now_ns);
    if (offset / 4 == CNT)
        return count_at(timer, now_ns);
    return offset / 4 < F072_TIMER_REGISTERS ? timer->reg[offset / 4] : 0;
}

// UG restarts the counter and loads the prescaler; with URS it leaves the flag alone.
static void generate(struct f072_timer *timer, uint32_t value)
{
    uint32_t flags = timer->reg[SR];

    if (!(value & UPDATE))
        return;
    timer->reg[CNT] = 0;
    update(timer);
    if (timer->reg[CR1] & CR1_URS)
        timer->reg[SR] = flags;
}

void f072_timer_write(struct f072_timer *timer, uint32_t offset, uint32_t value, uint64_t now_ns)
{
    uint32_t index = offset / 4;

    settle(timer, now_ns);
    switch (index) {
    case SR: // rc_w0
        timer->reg[SR] &= value;
        break;
    case EGR:
        generate(timer, value);
        break;
    case PSC:
        timer->reg[PSC] = value & 0xFFFF;
        break;
    case CNT:
    case ARR:
        timer->reg[index] = value & timer->width_mask;
        break;
    default:
        if (index < F072_TIMER_REGISTERS)
            timer->reg[index] = value;
        break;
    }
}
