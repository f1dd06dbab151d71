// SPDX-License-Identifier: MIT
//
// The calendar is not stepped: it is stored for one moment, and what it is later follows from the
// clock. TR and DR are made of it when they are read. The next alarm is looked for when something
// is written that it follows from.

#include <stm32f072/rtc.h>

#include <string.h>

// Indices of registers: offset / 4 (RM0091 25.7).
enum {
    TR = 0,
    DR = 1,
    CR = 2,
    ISR = 3,
    PRER = 4,
    WUTR = 5,
    ALRMAR = 7,
    WPR = 9,
    SSR = 10,
    TAFCR = 16,
    ALRMASSR = 17,
    BKP0R = 20,
};

enum {
    CR_WUCKSEL = 7,
    CR_FMT = 1 << 6,
    CR_ALRAE = 1 << 8,
    CR_WUTE = 1 << 10,
    CR_ALRAIE = 1 << 12, // 4 above the flag, as WUTIE is

    ISR_ALRAWF = 1 << 0,
    ISR_WUTWF = 1 << 2,
    ISR_INITS = 1 << 4,
    ISR_RSF = 1 << 5,
    ISR_INITF = 1 << 6,
    ISR_INIT = 1 << 7,
    ISR_FLAGS = 0xFF00,

    PM = 1 << 22,
};

enum { NS_PER_S = 1000000000, DAY = 86400, UNLOCKED = 2 };

// ---- Spans of time, in two parts so that no product overflows ----

static uint64_t clocks_in(const struct f072_rtc *rtc, uint64_t ns)
{
    return ns / NS_PER_S * rtc->clock_hz + ns % NS_PER_S * rtc->clock_hz / NS_PER_S;
}

static uint64_t span_of(const struct f072_rtc *rtc, uint64_t clocks)
{
    uint64_t rest = clocks % rtc->clock_hz * NS_PER_S;

    return clocks / rtc->clock_hz * NS_PER_S + (rest + rtc->clock_hz - 1) / rtc->clock_hz;
}

// Clocks of a tick (PREDIV_A), and ticks of a second (PREDIV_S).
static uint32_t tick_clocks(const struct f072_rtc *rtc)
{
    return (rtc->reg[PRER] >> 16 & 0x7F) + 1;
}

static uint32_t second_ticks(const struct f072_rtc *rtc)
{
    return (rtc->reg[PRER] & 0x7FFF) + 1;
}

// ---- The calendar ----

static bool counts(const struct f072_rtc *rtc)
{
    return rtc->clock_hz != 0 && !(rtc->reg[ISR] & ISR_INIT);
}

static void settle(struct f072_rtc *rtc, uint64_t now_ns)
{
    if (!counts(rtc)) {
        rtc->since_ns = now_ns;
        return;
    }
    uint64_t ticks = clocks_in(rtc, now_ns - rtc->since_ns) / tick_clocks(rtc);
    rtc->since_ns += span_of(rtc, ticks * tick_clocks(rtc));
    ticks += rtc->tick;
    rtc->tick = (uint32_t)(ticks % second_ticks(rtc));
    uint64_t seconds = ticks / second_ticks(rtc) + rtc->second;
    rtc->second = (uint32_t)(seconds % DAY);
    rtc->days += (uint32_t)(seconds / DAY);
    rtc->weekday = (uint32_t)((rtc->weekday + seconds / DAY) % 7);
}

static uint32_t to_bcd(uint32_t value)
{
    return value / 10 << 4 | value % 10;
}

static uint32_t from_bcd(uint32_t bcd, uint32_t tens)
{
    return (bcd >> 4 & tens) * 10 + (bcd & 0xF);
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 1 && year % 4 == 0 ? 29 : days[month];
}

// Days since 1 January of year 0, of 100 years; month and day count from 0.
static void date_of(uint32_t days, uint32_t *ret_year, uint32_t *ret_month, uint32_t *ret_day)
{
    enum { CENTURY = 36525 };
    uint32_t month = 0;

    days %= CENTURY;
    while (days >= days_of_month(month / 12, month % 12)) {
        days -= days_of_month(month / 12, month % 12);
        month++;
    }
    *ret_year = month / 12;
    *ret_month = month % 12;
    *ret_day = days;
}

static uint32_t read_tr(const struct f072_rtc *rtc)
{
    uint32_t hour = rtc->second / 3600;
    uint32_t rest = to_bcd(rtc->second / 60 % 60) << 8 | to_bcd(rtc->second % 60);

    if (!(rtc->reg[CR] & CR_FMT))
        return to_bcd(hour) << 16 | rest;
    return to_bcd(hour % 12 == 0 ? 12 : hour % 12) << 16 | rest | (hour >= 12 ? PM : 0);
}

static uint32_t read_dr(const struct f072_rtc *rtc)
{
    uint32_t year;
    uint32_t month;
    uint32_t day;

    date_of(rtc->days, &year, &month, &day);
    return to_bcd(year) << 16 | (rtc->weekday + 1) << 13 | to_bcd(month + 1) << 8 | to_bcd(day + 1);
}

// Hours of TR and of ALRMAR, from 0 to 23.
static uint32_t hour_of(const struct f072_rtc *rtc, uint32_t value)
{
    uint32_t hour = from_bcd(value >> 16, 3);

    return rtc->reg[CR] & CR_FMT ? hour % 12 + (value & PM ? 12 : 0) : hour;
}

static void write_tr(struct f072_rtc *rtc, uint32_t value)
{
    rtc->second =
        (hour_of(rtc, value) * 3600 + from_bcd(value >> 8, 7) * 60 + from_bcd(value, 7)) % DAY;
}

static void write_dr(struct f072_rtc *rtc, uint32_t value)
{
    uint32_t year = from_bcd(value >> 16, 0xF) % 100;
    uint32_t month = (from_bcd(value >> 8, 1) + 11) % 12;

    rtc->days = (from_bcd(value, 3) + 30) % 31;
    for (uint32_t i = 0; i < 12 * year + month; i++)
        rtc->days += days_of_month(i / 12, i % 12);
    rtc->weekday = ((value >> 13 & 7) + 6) % 7;
}

// ---- Alarm A (RM0091 25.7.7 and 25.7.17): a field counts unless its MSK bit is set ----

enum { MSK1 = 1 << 7, MSK2 = 1 << 15, MSK3 = 1 << 23, WDSEL = 1 << 30 };
#define MSK4 (UINT32_C(1) << 31)

static bool day_matches(const struct f072_rtc *rtc, uint32_t ahead)
{
    uint32_t alarm = rtc->reg[ALRMAR];
    uint32_t year;
    uint32_t month;
    uint32_t day;

    if (alarm & MSK4)
        return true;
    if (alarm & WDSEL)
        return (rtc->weekday + ahead) % 7 + 1 == (alarm >> 24 & 0xF);
    date_of(rtc->days + ahead, &year, &month, &day);
    return day + 1 == from_bcd(alarm >> 24, 3);
}

static bool second_matches(const struct f072_rtc *rtc, uint32_t second)
{
    uint32_t alarm = rtc->reg[ALRMAR];

    return ((alarm & MSK3) || second / 3600 == hour_of(rtc, alarm)) &&
           ((alarm & MSK2) || second / 60 % 60 == from_bcd(alarm >> 8, 7)) &&
           ((alarm & MSK1) || second % 60 == from_bcd(alarm, 7));
}

// The tick of a second at which MASKSS low bits of SSR are those of SS; UINT32_MAX: never.
static uint32_t alarm_tick(const struct f072_rtc *rtc)
{
    uint32_t bits = rtc->reg[ALRMASSR] >> 24 & 0xF;
    uint32_t mask = (UINT32_C(1) << bits) - 1;

    for (uint32_t tick = 0; tick < second_ticks(rtc); tick++)
        if (((second_ticks(rtc) - 1 - tick) & mask) == (rtc->reg[ALRMASSR] & mask))
            return tick;
    return UINT32_MAX;
}

static void look_for_alarm(struct f072_rtc *rtc)
{
    enum { MOST_DAYS = 5 * 366 }; // 29 February
    uint32_t tick = alarm_tick(rtc);

    rtc->alarm_ns = UINT64_MAX;
    if (!(rtc->reg[CR] & CR_ALRAE) || !counts(rtc) || tick == UINT32_MAX)
        return;
    for (uint32_t ahead = 0; ahead < MOST_DAYS; ahead++) {
        uint32_t first = ahead > 0 ? 0 : tick > rtc->tick ? rtc->second : rtc->second + 1;
        for (uint32_t s = first; s < DAY && day_matches(rtc, ahead); s++) {
            if (!second_matches(rtc, s))
                continue;
            uint64_t seconds = (uint64_t)ahead * DAY + s - rtc->second;
            uint64_t ticks = seconds * second_ticks(rtc) + tick - rtc->tick;
            rtc->alarm_ns = rtc->since_ns + span_of(rtc, ticks * tick_clocks(rtc));
            return;
        }
    }
}

// ---- The wake-up timer (RM0091 25.4.6) ----

static uint64_t wake_up_span(const struct f072_rtc *rtc)
{
    uint32_t select = rtc->reg[CR] & CR_WUCKSEL;
    uint64_t count = (rtc->reg[WUTR] & 0xFFFF) + UINT64_C(1);

    if (select < 4)
        return span_of(rtc, count * (16 >> select));
    if (select >= 6)
        count += 0x10000;
    return span_of(rtc, count * tick_clocks(rtc) * second_ticks(rtc));
}

// ---- Events ----

static void look_ahead(struct f072_rtc *rtc, uint64_t now_ns)
{
    bool wakes = (rtc->reg[CR] & CR_WUTE) && rtc->clock_hz != 0;

    look_for_alarm(rtc);
    if (!wakes)
        rtc->wake_up_ns = UINT64_MAX;
    else if (rtc->wake_up_ns == UINT64_MAX)
        rtc->wake_up_ns = now_ns + wake_up_span(rtc);
}

uint64_t f072_rtc_next_event(const struct f072_rtc *rtc)
{
    return rtc->alarm_ns < rtc->wake_up_ns ? rtc->alarm_ns : rtc->wake_up_ns;
}

// Returns the flag if it has risen and interrupts.
static uint32_t raise(struct f072_rtc *rtc, uint32_t flag)
{
    uint32_t risen = flag & ~rtc->reg[ISR] & rtc->reg[CR] >> 4;

    rtc->reg[ISR] |= flag;
    return risen;
}

uint32_t f072_rtc_advance(struct f072_rtc *rtc, uint64_t now_ns)
{
    uint32_t risen = 0;

    while (f072_rtc_next_event(rtc) <= now_ns) {
        if (rtc->alarm_ns <= now_ns) {
            risen |= raise(rtc, F072_RTC_ALARM);
            settle(rtc, rtc->alarm_ns);
            look_for_alarm(rtc);
        }
        if (rtc->wake_up_ns <= now_ns) {
            risen |= raise(rtc, F072_RTC_WAKE_UP);
            rtc->wake_up_ns += wake_up_span(rtc);
        }
    }
    return risen;
}

// ---- Registers ----

void f072_rtc_reset(struct f072_rtc *rtc)
{
    uint32_t clock_hz = rtc->clock_hz;

    memset(rtc, 0, sizeof *rtc);
    rtc->clock_hz = clock_hz;
    rtc->reg[PRER] = 0x007F00FF;
    rtc->reg[WUTR] = 0xFFFF;
    rtc->alarm_ns = UINT64_MAX;
    rtc->wake_up_ns = UINT64_MAX;
}

void f072_rtc_set_clock(struct f072_rtc *rtc, uint32_t clock_hz, uint64_t now_ns)
{
    if (clock_hz == rtc->clock_hz)
        return;
    settle(rtc, now_ns);
    rtc->since_ns = now_ns;
    rtc->clock_hz = clock_hz;
    rtc->wake_up_ns = UINT64_MAX;
    look_ahead(rtc, now_ns);
}

bool f072_rtc_moves(uint32_t offset)
{
    return offset == 4 * TR || offset == 4 * DR || offset == 4 * SSR;
}

// INITF and RSF need a clock.
static uint32_t read_isr(const struct f072_rtc *rtc)
{
    uint32_t isr = rtc->reg[ISR];

    isr |= rtc->reg[CR] & CR_ALRAE ? 0 : ISR_ALRAWF;
    isr |= rtc->reg[CR] & CR_WUTE ? 0 : ISR_WUTWF;
    isr |= rtc->days >= 366 ? ISR_INITS : 0;
    if (rtc->clock_hz != 0)
        isr |= ISR_RSF | (isr & ISR_INIT ? ISR_INITF : 0);
    return isr;
}

uint32_t f072_rtc_read(const struct f072_rtc *rtc, uint32_t offset, uint64_t now_ns)
{
    struct f072_rtc now = *rtc;

    settle(&now, now_ns);
    switch (offset / 4) {
    case TR:
        return read_tr(&now);
    case DR:
        return read_dr(&now);
    case SSR:
        return second_ticks(&now) - 1 - now.tick;
    case ISR:
        return read_isr(&now);
    case WPR: // write-only
        return 0;
    default:
        return offset / 4 < F072_RTC_REGISTERS ? rtc->reg[offset / 4] : 0;
    }
}

// Two keys in a row unlock, anything else locks (RM0091 25.4.7).
static void write_wpr(struct f072_rtc *rtc, uint32_t value)
{
    enum { KEY1 = 0xCA, KEY2 = 0x53 };

    if (rtc->keys == 1 && (value & 0xFF) == KEY2)
        rtc->keys = UNLOCKED;
    else
        rtc->keys = (value & 0xFF) == KEY1;
}

// Flags are rc_w0 and never protected.
static bool write_isr(struct f072_rtc *rtc, uint32_t value)
{
    bool unlocked = rtc->keys == UNLOCKED;
    uint32_t init = unlocked ? value & ISR_INIT : rtc->reg[ISR] & ISR_INIT;
    bool refused = !unlocked && (value & ISR_INIT) != (rtc->reg[ISR] & ISR_INIT);

    rtc->reg[ISR] = (rtc->reg[ISR] & value & ISR_FLAGS) | init;
    return !refused;
}

static bool is_protected(const struct f072_rtc *rtc, uint32_t index)
{
    return rtc->keys != UNLOCKED && index != TAFCR && index < BKP0R;
}

static bool write_register(struct f072_rtc *rtc, uint32_t index, uint32_t value)
{
    if (index == WPR)
        write_wpr(rtc, value);
    else if (index == ISR)
        return write_isr(rtc, value);
    else if (is_protected(rtc, index))
        return false;
    else if (index == TR && (rtc->reg[ISR] & ISR_INIT))
        write_tr(rtc, value);
    else if (index == DR && (rtc->reg[ISR] & ISR_INIT))
        write_dr(rtc, value);
    else if (index != SSR && index < F072_RTC_REGISTERS)
        rtc->reg[index] = value;
    if (index == TR || index == PRER)
        rtc->tick = 0;
    return true;
}

bool f072_rtc_write(struct f072_rtc *rtc, uint32_t offset, uint32_t value, uint64_t now_ns)
{
    settle(rtc, now_ns);
    bool fine = write_register(rtc, offset / 4, value);
    settle(rtc, now_ns);
    look_ahead(rtc, now_ns);
    return fine;
}
