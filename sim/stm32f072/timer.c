// SPDX-License-Identifier: MIT
//
// The counter is not stepped. Its value is stored for one time, and its value at any later time
// follows from the clock. An event is needed only for an update or a compare match that interrupts.

#include <stm32f072/timer.h>

#include <string.h>

// Indices of registers: offset / 4 (RM0091 18.4.21).
enum {
    CR1 = 0,
    SMCR = 2,
    DIER = 3,
    SR = 4,
    EGR = 5,
    CCMR1 = 6,
    CNT = 9,
    PSC = 10,
    ARR = 11,
    CCR1 = 13,
};

enum { CR1_CEN = 1, CR1_UDIS = 2, CR1_URS = 4, CR1_OPM = 8, UPDATE = F072_TIMER_UPDATE };
enum { CR1_DOWN = 7 << 4 }; // DIR, and CMS: up and down
enum { SMCR_SMS = 7, SMCR_ECE = 1 << 14 };

enum { NS_PER_S = 1000000000 };

void f072_timer_reset(struct f072_timer *timer, uint32_t width_mask, unsigned channels)
{
    uint32_t clock_hz = timer->clock_hz;

    memset(timer, 0, sizeof *timer);
    timer->clock_hz = clock_hz;
    timer->width_mask = width_mask;
    timer->channels = channels;
    timer->reg[ARR] = width_mask;
}

// Slave modes in which a pin or another timer clocks the counter or opens its gate (RM0091 18.4.3):
// encoder modes 1 to 3, gated mode 5, external clock modes. TIM6, 7, 14, 16 and 17 have no SMCR.
static bool is_slave(const struct f072_timer *timer)
{
    enum { BY_OTHERS = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 7 };

    return timer->channels >= 2 &&
           (BY_OTHERS >> (timer->reg[SMCR] & SMCR_SMS) & 1 || (timer->reg[SMCR] & SMCR_ECE));
}

static bool counts(const struct f072_timer *timer)
{
    return (timer->reg[CR1] & CR1_CEN) && timer->reg[ARR] != 0 && timer->clock_hz != 0 &&
           !is_slave(timer);
}

const char *f072_timer_unmodelled(const struct f072_timer *timer)
{
    if (!(timer->reg[CR1] & CR1_CEN))
        return NULL;
    if (is_slave(timer))
        return "count what a pin or another timer gives it (SMCR): not modelled, it stands still";
    if (timer->channels == 4 && (timer->reg[CR1] & CR1_DOWN))
        return "count down (CR1.DIR, CMS): not modelled, it counts up";
    return NULL;
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

// ---- Compare (RM0091 18.3.5: a channel is an output unless CCxS makes it an input) ----

static bool compares(const struct f072_timer *timer, unsigned channel)
{
    return (timer->reg[CCMR1 + channel / 2] >> 8 * (channel % 2) & 3) == 0;
}

static uint32_t compare_flag(unsigned channel)
{
    return UINT32_C(2) << channel;
}

// The counter has gone from `from` to `to`, without passing its end.
static void match(struct f072_timer *timer, uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < timer->channels; i++)
        if (compares(timer, i) && timer->reg[CCR1 + i] > from && timer->reg[CCR1 + i] <= to)
            timer->reg[SR] |= compare_flag(i);
}

// It has started again from 0, and before that gone through whole periods.
static void match_reload(struct f072_timer *timer, bool whole_periods)
{
    for (unsigned i = 0; i < timer->channels; i++)
        if (compares(timer, i) && (timer->reg[CCR1 + i] == 0 ||
                                   (whole_periods && timer->reg[CCR1 + i] <= timer->reg[ARR])))
            timer->reg[SR] |= compare_flag(i);
}

// Counts until the next match of a channel, UINT64_MAX for none.
static uint64_t counts_to_match(const struct f072_timer *timer, unsigned channel)
{
    uint64_t value = timer->reg[CCR1 + channel];

    if (!compares(timer, channel))
        return UINT64_MAX;
    if (value > timer->reg[CNT] + timer->compared &&
        value - timer->reg[CNT] < counts_to_update(timer))
        return value - timer->reg[CNT];
    if (value > timer->reg[ARR] || (timer->reg[CR1] & CR1_OPM))
        return UINT64_MAX;
    return counts_to_update(timer) + value;
}

// ---- Update ----

static void update(struct f072_timer *timer)
{
    if (timer->reg[CR1] & CR1_UDIS)
        return;
    timer->prescaler = timer->reg[PSC];
    timer->reg[SR] |= UPDATE;
}

// The counter has passed its end, at the latest after so many counts, and starts from 0.
static void reload(struct f072_timer *timer, uint64_t passed, bool whole_periods)
{
    timer->since_ns += span_of(timer, passed);
    timer->reg[CNT] = 0;
    timer->compared = 0;
    match_reload(timer, whole_periods);
    if (timer->reg[CR1] & CR1_OPM)
        timer->reg[CR1] &= ~(uint32_t)CR1_CEN;
    update(timer);
}

void f072_timer_advance(struct f072_timer *timer, uint64_t now_ns)
{
    while (counts(timer)) {
        uint64_t passed = counts_in(timer, now_ns - timer->since_ns);
        uint64_t wanted = counts_to_update(timer);
        uint64_t until = passed < wanted ? passed : wanted - 1;
        match(timer, timer->reg[CNT] + timer->compared, timer->reg[CNT] + until);
        timer->compared = until;
        if (passed < wanted)
            return;
        // Whole periods at once, when nothing changes between them.
        bool steady = timer->prescaler == timer->reg[PSC] && !(timer->reg[CR1] & CR1_OPM);
        uint64_t period = (uint64_t)timer->reg[ARR] + 1;
        uint64_t skipped = steady ? (passed - wanted) / period : 0;
        reload(timer, wanted + skipped * period, skipped > 0);
    }
    timer->since_ns = now_ns;
    timer->compared = 0;
}

static uint32_t count_at(const struct f072_timer *timer, uint64_t now_ns)
{
    uint64_t passed = counts(timer) ? counts_in(timer, now_ns - timer->since_ns) : 0;

    return timer->reg[CNT] + (uint32_t)passed;
}

// Make reg[CNT] right for now, before something changes that it follows from. The elapsed part of
// the next count is kept.
static void settle(struct f072_timer *timer, uint64_t now_ns)
{
    f072_timer_advance(timer, now_ns);
    if (!counts(timer))
        return;
    uint64_t passed = counts_in(timer, now_ns - timer->since_ns);
    timer->reg[CNT] += (uint32_t)passed;
    timer->since_ns += span_of(timer, passed);
    timer->compared = 0;
}

void f072_timer_set_clock(struct f072_timer *timer, uint32_t clock_hz, uint64_t now_ns)
{
    settle(timer, now_ns);
    timer->clock_hz = clock_hz;
}

// Whatever software can see of it but the counter: a flag that is not set yet, and the end of a
// pulse.
uint64_t f072_timer_next_event(const struct f072_timer *timer)
{
    uint32_t wanted = ~timer->reg[SR];
    uint64_t first = UINT64_MAX;

    if (!counts(timer))
        return UINT64_MAX;
    if (((wanted & UPDATE) && !(timer->reg[CR1] & CR1_UDIS)) || (timer->reg[CR1] & CR1_OPM))
        first = counts_to_update(timer);
    for (unsigned i = 0; i < timer->channels; i++) {
        uint64_t count = wanted & compare_flag(i) ? counts_to_match(timer, i) : UINT64_MAX;
        if (count < first)
            first = count;
    }
    return first == UINT64_MAX ? UINT64_MAX : timer->since_ns + span_of(timer, first);
}

bool f072_timer_interrupt(const struct f072_timer *timer, uint32_t flags)
{
    return timer->reg[DIER] & timer->reg[SR] & flags;
}

uint32_t f072_timer_read(struct f072_timer *timer, uint32_t offset, uint64_t now_ns)
{
    f072_timer_advance(timer, now_ns);
    if (offset / 4 == CNT)
        return count_at(timer, now_ns);
    return offset / 4 < F072_TIMER_REGISTERS ? timer->reg[offset / 4] : 0;
}

// CCxG set their flags. UG restarts the counter and loads the prescaler; with URS it leaves the
// flag alone.
static void generate(struct f072_timer *timer, uint32_t value, uint64_t now_ns)
{
    timer->reg[SR] |= value & (compare_flag(timer->channels) - 2);
    uint32_t flags = timer->reg[SR];

    if (!(value & UPDATE))
        return;
    timer->reg[CNT] = 0;
    timer->since_ns = now_ns;
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
        generate(timer, value, now_ns);
        break;
    case PSC:
        timer->reg[PSC] = value & 0xFFFF;
        break;
    case CNT:
    case ARR:
    case CCR1:
    case CCR1 + 1:
    case CCR1 + 2:
    case CCR1 + 3:
        timer->reg[index] = value & timer->width_mask;
        break;
    default:
        if (index < F072_TIMER_REGISTERS)
            timer->reg[index] = value;
        break;
    }
}
