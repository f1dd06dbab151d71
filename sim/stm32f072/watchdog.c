// SPDX-License-Identifier: MIT
//
// Neither counter is counted down: its value, and the time at which it expires, are computed from
// the time of the last refresh. The expiry is an event of the chip; after it the chip is reset.

#include <stm32f072/watchdog.h>

#include <string.h>

// ---- Independent watchdog ----

enum { IWDG_KR = 0x00, IWDG_PR = 0x04, IWDG_RLR = 0x08, IWDG_SR = 0x0C, IWDG_WINR = 0x10 };
enum { KEY_UNLOCK = 0x5555, KEY_REFRESH = 0xAAAA, KEY_START = 0xCCCC };
enum { COUNTER_MASK = 0xFFF, LSI_NS = 25000 };

void f072_iwdg_reset(struct f072_iwdg *iwdg)
{
    memset(iwdg, 0, sizeof *iwdg);
    iwdg->reload = COUNTER_MASK;
    iwdg->window = COUNTER_MASK;
}

uint32_t f072_iwdg_read(const struct f072_iwdg *iwdg, uint32_t offset)
{
    switch (offset) {
    case IWDG_PR:
        return iwdg->prescaler;
    case IWDG_RLR:
        return iwdg->reload;
    case IWDG_WINR:
        return iwdg->window;
    default: // KR reads as 0; SR: updates are done at once
        return 0;
    }
}

static uint64_t count_ns(const struct f072_iwdg *iwdg)
{
    unsigned shift = iwdg->prescaler > 6 ? 6 : iwdg->prescaler;

    return (UINT64_C(4) << shift) * LSI_NS;
}

uint64_t f072_iwdg_expiry(const struct f072_iwdg *iwdg)
{
    if (!iwdg->running)
        return UINT64_MAX;
    if (iwdg->expired)
        return 0;
    return iwdg->since_ns + (iwdg->reload + 1) * count_ns(iwdg);
}

static void refresh(struct f072_iwdg *iwdg, uint64_t now_ns)
{
    uint64_t passed = (now_ns - iwdg->since_ns) / count_ns(iwdg);

    if (iwdg->running && passed + iwdg->window < iwdg->reload)
        iwdg->expired = true;
    iwdg->since_ns = now_ns;
}

static void write_key(struct f072_iwdg *iwdg, uint32_t key, uint64_t now_ns)
{
    iwdg->unlocked = key == KEY_UNLOCK;
    if (key == KEY_REFRESH)
        refresh(iwdg, now_ns);
    if (key == KEY_START && !iwdg->running) {
        iwdg->running = true;
        iwdg->since_ns = now_ns;
    }
}

void f072_iwdg_write(struct f072_iwdg *iwdg, uint32_t offset, uint32_t value, uint64_t now_ns)
{
    if (offset == IWDG_KR)
        write_key(iwdg, value & 0xFFFF, now_ns);
    if (!iwdg->unlocked)
        return;
    if (offset == IWDG_PR)
        iwdg->prescaler = value & 7;
    if (offset == IWDG_RLR)
        iwdg->reload = value & COUNTER_MASK;
    if (offset == IWDG_WINR) { // also refreshes (RM0091 23.3.2)
        iwdg->window = value & COUNTER_MASK;
        iwdg->since_ns = now_ns;
    }
}

// ---- Window watchdog ----

enum { WWDG_CR = 0x00, WWDG_CFR = 0x04, WWDG_SR = 0x08 };
enum { CR_WDGA = 0x80, CR_T = 0x7F, T_LAST = 0x40, CFR_W = 0x7F, CFR_EWI = 0x200 };

void f072_wwdg_reset(struct f072_wwdg *wwdg)
{
    uint32_t clock_hz = wwdg->clock_hz;

    memset(wwdg, 0, sizeof *wwdg);
    wwdg->clock_hz = clock_hz;
    wwdg->cr = CR_T;
    wwdg->cfr = CFR_W;
}

// One count is 4096 clocks, times the prescaler.
static uint64_t wwdg_span(const struct f072_wwdg *wwdg, uint32_t counts)
{
    uint64_t clocks = (uint64_t)counts * 4096 << (wwdg->cfr >> 7 & 3);

    return clocks * 1000000000 / wwdg->clock_hz;
}

static uint32_t counter(const struct f072_wwdg *wwdg, uint64_t now_ns)
{
    uint32_t t = wwdg->cr & CR_T;

    if (!(wwdg->cr & CR_WDGA))
        return t;
    uint64_t passed = (now_ns - wwdg->since_ns) / wwdg_span(wwdg, 1);
    return passed < t ? t - (uint32_t)passed : 0;
}

// The moment at which the counter becomes this value.
static uint64_t reaches(const struct f072_wwdg *wwdg, uint32_t value)
{
    uint32_t t = wwdg->cr & CR_T;

    return wwdg->since_ns + wwdg_span(wwdg, t > value ? t - value : 0);
}

void f072_wwdg_set_clock(struct f072_wwdg *wwdg, uint32_t clock_hz, uint64_t now_ns)
{
    if (wwdg->cr & CR_WDGA) {
        wwdg->cr = CR_WDGA | counter(wwdg, now_ns);
        wwdg->since_ns = now_ns;
    }
    wwdg->clock_hz = clock_hz;
}

uint32_t f072_wwdg_read(const struct f072_wwdg *wwdg, uint32_t offset, uint64_t now_ns)
{
    switch (offset) {
    case WWDG_CR:
        return (wwdg->cr & CR_WDGA) | counter(wwdg, now_ns);
    case WWDG_CFR:
        return wwdg->cfr;
    case WWDG_SR:
        return wwdg->early;
    default:
        return 0;
    }
}

static void write_cr(struct f072_wwdg *wwdg, uint32_t value, uint64_t now_ns)
{
    bool running = wwdg->cr & CR_WDGA;

    if (running && counter(wwdg, now_ns) > (wwdg->cfr & CFR_W))
        wwdg->expired = true;
    wwdg->cr = (wwdg->cr & CR_WDGA) | (value & (CR_WDGA | CR_T));
    if ((wwdg->cr & CR_WDGA) && (wwdg->cr & CR_T) < T_LAST) // T6 clear: reset at once
        wwdg->expired = true;
    wwdg->since_ns = now_ns;
    wwdg->early_done = false;
}

void f072_wwdg_write(struct f072_wwdg *wwdg, uint32_t offset, uint32_t value, uint64_t now_ns)
{
    switch (offset) {
    case WWDG_CR:
        write_cr(wwdg, value, now_ns);
        break;
    case WWDG_CFR:
        f072_wwdg_set_clock(wwdg, wwdg->clock_hz, now_ns);
        wwdg->cfr = (wwdg->cfr & CFR_EWI) | (value & 0x3FF); // EWI is only cleared by a reset
        break;
    case WWDG_SR: // rc_w0
        wwdg->early = wwdg->early && (value & 1);
        break;
    default:
        break;
    }
}

uint64_t f072_wwdg_expiry(const struct f072_wwdg *wwdg)
{
    if (!(wwdg->cr & CR_WDGA))
        return UINT64_MAX;
    return wwdg->expired ? 0 : reaches(wwdg, T_LAST - 1);
}

uint64_t f072_wwdg_next_event(const struct f072_wwdg *wwdg)
{
    bool warns = (wwdg->cr & CR_WDGA) && !wwdg->expired && !wwdg->early_done;

    return warns ? reaches(wwdg, T_LAST) : f072_wwdg_expiry(wwdg);
}

void f072_wwdg_advance(struct f072_wwdg *wwdg, uint64_t now_ns)
{
    if (!(wwdg->cr & CR_WDGA))
        return;
    if (!wwdg->early_done && reaches(wwdg, T_LAST) <= now_ns) {
        wwdg->early = true;
        wwdg->early_done = true;
    }
    if (reaches(wwdg, T_LAST - 1) <= now_ns)
        wwdg->expired = true;
}

bool f072_wwdg_interrupt(const struct f072_wwdg *wwdg)
{
    return wwdg->early && (wwdg->cfr & CFR_EWI);
}
