// SPDX-License-Identifier: MIT
//
// Timers and watchdogs: what they count, and what they do at the end of it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/wire.h>

#include <stm32f072/timer.h>
#include <stm32f072/watchdog.h>

// ---- Timers ----

enum {
    T_CR1 = 0x00,
    T_DIER = 0x0C,
    T_SR = 0x10,
    T_EGR = 0x14,
    T_CNT = 0x24,
    T_PSC = 0x28,
    T_ARR = 0x2C,
    T_CCMR1 = 0x18,
    T_CCR1 = 0x34,
};

static struct f072_timer running_timer(uint32_t psc, uint32_t arr)
{
    struct f072_timer timer = {.clock_hz = 48000000};

    f072_timer_reset(&timer, 0xFFFF, 4);
    f072_timer_write(&timer, T_PSC, psc, 0);
    f072_timer_write(&timer, T_ARR, arr, 0);
    f072_timer_write(&timer, T_EGR, 1, 0);
    f072_timer_write(&timer, T_SR, 0, 0);
    f072_timer_write(&timer, T_CR1, 1, 0);
    return timer;
}

static void timer__counts_microseconds_by_its_prescaler(void **state)
{
    (void)state;
    struct f072_timer timer = running_timer(47, 0xFFFF);

    for (uint32_t us = 1; us < 1000; us++)
        assert_int_equal(f072_timer_read(&timer, T_CNT, us * 1000 + 10), us);
    assert_int_equal(f072_timer_read(&timer, T_CNT, 65536000 + 5000), 5);
    assert_true(f072_timer_read(&timer, T_SR, 65536000 + 5000) & F072_TIMER_UPDATE);
}

// RM0091 18.4.3: encoder, gated and external clock modes, of which nothing comes here.
static void timer__as_a_slave_stands_still_and_says_so(void **state)
{
    enum { T_SMCR = 0x08, DIR = 1 << 4, ECE = 1 << 14 };
    static const uint32_t slave[] = {1, 2, 3, 5, 7, ECE};
    (void)state;
    struct f072_timer timer = running_timer(0, 0xFFFF);

    assert_null(f072_timer_unmodelled(&timer));
    for (size_t i = 0; i < sizeof slave / sizeof slave[0]; i++) {
        f072_timer_write(&timer, T_SMCR, slave[i], 0);
        assert_int_equal(f072_timer_read(&timer, T_CNT, SIM_MS), 0);
        assert_int_equal(f072_timer_next_event(&timer) == UINT64_MAX, true);
        assert_non_null(strstr(f072_timer_unmodelled(&timer), "SMCR"));
    }
    f072_timer_write(&timer, T_SMCR, 4, SIM_MS); // reset mode: its clock is its own
    assert_int_equal(f072_timer_read(&timer, T_CNT, SIM_MS + 1000), 48);
    f072_timer_write(&timer, T_CR1, 1 | DIR, SIM_MS);
    assert_non_null(strstr(f072_timer_unmodelled(&timer), "DIR"));
}

static void timer__interrupts_at_each_update(void **state)
{
    (void)state;
    struct f072_timer timer = running_timer(47, 999);

    assert_int_equal(f072_timer_next_event(&timer), SIM_MS); // the flag can be polled
    f072_timer_write(&timer, T_DIER, 1, 0);
    assert_int_equal(f072_timer_next_event(&timer), SIM_MS);
    f072_timer_advance(&timer, SIM_MS - 1);
    assert_false(f072_timer_interrupt(&timer, F072_TIMER_UPDATE));
    f072_timer_advance(&timer, SIM_MS);
    assert_true(f072_timer_interrupt(&timer, F072_TIMER_UPDATE));

    f072_timer_write(&timer, T_SR, 0, SIM_MS);
    assert_false(f072_timer_interrupt(&timer, F072_TIMER_UPDATE));
    assert_int_equal(f072_timer_next_event(&timer), 2 * SIM_MS);
}

static void timer__one_pulse_stops_at_its_end(void **state)
{
    (void)state;
    struct f072_timer timer = running_timer(47, 99);

    f072_timer_write(&timer, T_CR1, 1 | 1 << 3, 0);
    f072_timer_advance(&timer, SIM_MS);
    assert_int_equal(f072_timer_read(&timer, T_CR1, SIM_MS), 1 << 3);
    assert_int_equal(f072_timer_read(&timer, T_CNT, 2 * SIM_MS), 0);
}

static void timer__follows_the_clock_when_it_changes(void **state)
{
    (void)state;
    struct f072_timer timer = running_timer(7, 0xFFFF);

    f072_timer_set_clock(&timer, 8000000, 1000); // 6 counts at 48 MHz / 8
    assert_int_equal(f072_timer_read(&timer, T_CNT, 1000), 6);
    assert_int_equal(f072_timer_read(&timer, T_CNT, 11000), 16);
}

static void timer__keeps_its_phase_over_writes(void **state)
{
    (void)state;
    struct f072_timer timer = running_timer(47, 0xFFFF);

    for (uint64_t us = 0; us < 1000; us++)
        f072_timer_write(&timer, T_CCR1, 0, us * 1000 + 500);
    assert_int_equal(f072_timer_read(&timer, T_CNT, SIM_MS), 1000);
}

static void timer__compare_interrupts_where_the_counter_matches(void **state)
{
    (void)state;
    struct f072_timer timer = running_timer(47, 999);

    f072_timer_write(&timer, T_CCR1, 250, 0);
    f072_timer_write(&timer, T_CCR1 + 4, 1000, 0);
    f072_timer_write(&timer, T_CCR1 + 8, 0, 0); // channel 3
    f072_timer_write(&timer, T_CCR1 + 12, 1000, 0);
    assert_false(f072_timer_interrupt(&timer, F072_TIMER_COMPARE));
    f072_timer_write(&timer, T_DIER, 2, 0);
    assert_int_equal(f072_timer_next_event(&timer), 250000);
    f072_timer_advance(&timer, 249999);
    assert_false(f072_timer_interrupt(&timer, F072_TIMER_COMPARE));
    f072_timer_advance(&timer, 250000);
    assert_true(f072_timer_interrupt(&timer, F072_TIMER_COMPARE));
    assert_false(f072_timer_interrupt(&timer, F072_TIMER_UPDATE));
    assert_int_equal(f072_timer_read(&timer, T_SR, 250000), 2);

    f072_timer_write(&timer, T_SR, ~UINT32_C(2), 250000); // again in the next period
    assert_int_equal(f072_timer_read(&timer, T_SR, 999000), 0);
    assert_int_equal(f072_timer_next_event(&timer), SIM_MS);
    assert_int_equal(f072_timer_read(&timer, T_SR, SIM_MS), 1 | 1 << 3); // CCR3 is 0
    assert_int_equal(f072_timer_next_event(&timer), SIM_MS + 250000);
    assert_int_equal(f072_timer_read(&timer, T_SR, SIM_MS + 250000), 1 | 1 << 1 | 1 << 3);
}

// A channel that is an input does not compare; a value beyond the period is never reached; what was
// skipped over in whole periods was.
static void timer__compare_matches_what_the_counter_reaches(void **state)
{
    (void)state;
    struct f072_timer timer = running_timer(47, 999);

    f072_timer_write(&timer, T_CCMR1, 1, 0); // CC1S: input
    f072_timer_write(&timer, T_CCR1, 10, 0);
    f072_timer_write(&timer, T_CCR1 + 4, 1000, 0);
    f072_timer_write(&timer, T_CCR1 + 8, 999, 0);
    f072_timer_write(&timer, T_CCR1 + 12, 500, 0);
    f072_timer_write(&timer, T_DIER, 3 << 1, 0);
    assert_int_equal(f072_timer_next_event(&timer), 500000);
    assert_int_equal(f072_timer_read(&timer, T_SR, 10 * SIM_MS + 1), 1 | 1 << 3 | 1 << 4);
    assert_true(f072_timer_next_event(&timer) == UINT64_MAX); // the others are never reached
    f072_timer_write(&timer, T_EGR, 1 << 2, 10 * SIM_MS + 1); // CC2G
    assert_int_equal(f072_timer_read(&timer, T_SR, 10 * SIM_MS + 1), 1 | 7 << 2);
}

// ---- Watchdogs ----

static void iwdg__expires_unless_refreshed(void **state)
{
    (void)state;
    struct f072_iwdg iwdg;

    f072_iwdg_reset(&iwdg);
    f072_iwdg_write(&iwdg, 0x08, 399, 0); // locked: no effect
    assert_int_equal(f072_iwdg_read(&iwdg, 0x08), 0xFFF);
    f072_iwdg_write(&iwdg, 0x00, 0xCCCC, 0);
    f072_iwdg_write(&iwdg, 0x00, 0x5555, 0);
    f072_iwdg_write(&iwdg, 0x08, 399, 0);
    f072_iwdg_write(&iwdg, 0x00, 0xAAAA, 0);
    assert_int_equal(f072_iwdg_expiry(&iwdg), 40 * SIM_MS); // 400 counts of 4 / 40 kHz

    f072_iwdg_write(&iwdg, 0x00, 0xAAAA, 30 * SIM_MS);
    assert_int_equal(f072_iwdg_expiry(&iwdg), 70 * SIM_MS);
}

static void iwdg__too_early_a_refresh_expires_too(void **state)
{
    (void)state;
    struct f072_iwdg iwdg;

    f072_iwdg_reset(&iwdg);
    f072_iwdg_write(&iwdg, 0x00, 0xCCCC, 0);
    f072_iwdg_write(&iwdg, 0x00, 0x5555, 0);
    f072_iwdg_write(&iwdg, 0x10, 0x800, 0);
    f072_iwdg_write(&iwdg, 0x00, 0xAAAA, SIM_MS);
    assert_int_equal(f072_iwdg_expiry(&iwdg), 0);
}

static void wwdg__warns_at_40h_and_resets_below(void **state)
{
    (void)state;
    struct f072_wwdg wwdg = {.clock_hz = 4096000}; // a count each millisecond

    f072_wwdg_reset(&wwdg);
    f072_wwdg_write(&wwdg, 0x04, 0x27F, 0); // EWI, no window
    f072_wwdg_write(&wwdg, 0x00, 0x80 | 0x42, 0);
    assert_int_equal(f072_wwdg_next_event(&wwdg), 2 * SIM_MS);
    f072_wwdg_advance(&wwdg, 2 * SIM_MS);
    assert_true(f072_wwdg_interrupt(&wwdg));
    assert_false(wwdg.expired);

    assert_int_equal(f072_wwdg_next_event(&wwdg), 3 * SIM_MS);
    f072_wwdg_advance(&wwdg, 3 * SIM_MS);
    assert_true(wwdg.expired);
}

static void wwdg__a_refresh_above_the_window_resets(void **state)
{
    (void)state;
    struct f072_wwdg wwdg = {.clock_hz = 4096000};

    f072_wwdg_reset(&wwdg);
    f072_wwdg_write(&wwdg, 0x04, 0x50, 0);
    f072_wwdg_write(&wwdg, 0x00, 0x80 | 0x60, 0);
    f072_wwdg_write(&wwdg, 0x00, 0x80 | 0x60, 20 * SIM_MS);
    assert_false(wwdg.expired);
    f072_wwdg_write(&wwdg, 0x00, 0x80 | 0x60, 25 * SIM_MS);
    assert_true(wwdg.expired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timer__counts_microseconds_by_its_prescaler),
        cmocka_unit_test(timer__as_a_slave_stands_still_and_says_so),
        cmocka_unit_test(timer__interrupts_at_each_update),
        cmocka_unit_test(timer__one_pulse_stops_at_its_end),
        cmocka_unit_test(timer__follows_the_clock_when_it_changes),
        cmocka_unit_test(timer__keeps_its_phase_over_writes),
        cmocka_unit_test(timer__compare_interrupts_where_the_counter_matches),
        cmocka_unit_test(timer__compare_matches_what_the_counter_reaches),
        cmocka_unit_test(iwdg__expires_unless_refreshed),
        cmocka_unit_test(iwdg__too_early_a_refresh_expires_too),
        cmocka_unit_test(wwdg__warns_at_40h_and_resets_below),
        cmocka_unit_test(wwdg__a_refresh_above_the_window_resets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
