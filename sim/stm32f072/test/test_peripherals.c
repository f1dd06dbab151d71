// SPDX-License-Identifier: MIT
//
// RCC, flash controller, timers, watchdogs, ports: what software relies on, register by register.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/wire.h>

#include "register_names.h"
#include <stm32f072/fpec.h>
#include <stm32f072/gpio.h>
#include <stm32f072/rcc.h>
#include <stm32f072/small.h>
#include <stm32f072/timer.h>
#include <stm32f072/watchdog.h>

// ---- RCC (RM0091 6.4) ----

enum { CR = 0x00, CFGR = 0x04, CSR = 0x24, CFGR2 = 0x2C, CFGR3 = 0x30, CR2 = 0x34 };
enum { HSI48ON = 1 << 16, HSI48RDY = 1 << 17, PLLON = 1 << 24, RMVF = 1 << 24 };

static struct f072_rcc powered_rcc(void)
{
    struct f072_rcc rcc = {.has_hsi48 = true};

    f072_rcc_reset(&rcc, F072_RESET_POWER_ON);
    return rcc;
}

static void rcc__runs_at_8_mhz_after_reset(void **state)
{
    (void)state;
    struct f072_rcc rcc = powered_rcc();

    assert_int_equal(f072_rcc_hclk(&rcc), 8000000);
    assert_int_equal(f072_rcc_read(&rcc, CR, 0) & 0xFF, 0x83);
    assert_int_equal(f072_rcc_usb_clock(&rcc, SIM_MS), 0);
}

static void rcc__an_oscillator_is_ready_only_after_its_start_up(void **state)
{
    (void)state;
    struct f072_rcc rcc = powered_rcc();

    f072_rcc_write(&rcc, CR2, HSI48ON, 0);
    assert_false(f072_rcc_read(&rcc, CR2, 1000) & HSI48RDY);
    assert_true(f072_rcc_read(&rcc, CR2, 10000) & HSI48RDY);

    f072_rcc_write(&rcc, CR2, 0, 20000);
    assert_false(f072_rcc_read(&rcc, CR2, 20000) & HSI48RDY);
}

// RM0091 6.2.3
static void rcc__usb_forces_its_hsi48_on(void **state)
{
    (void)state;
    enum { APB1ENR = 0x1C, USBEN = 1 << 23, USBSW = 1 << 7 };
    struct f072_rcc rcc = powered_rcc();

    f072_rcc_write(&rcc, APB1ENR, USBEN, 0);
    assert_true(f072_rcc_read(&rcc, CR2, 0) & HSI48ON);
    assert_int_equal(f072_rcc_usb_clock(&rcc, 1000), 0);
    assert_int_equal(f072_rcc_usb_clock(&rcc, 10000), 48000000);
    f072_rcc_write(&rcc, CR2, 0, 20000);
    assert_int_equal(f072_rcc_usb_clock(&rcc, 20000), 48000000);

    f072_rcc_write(&rcc, CFGR3, USBSW, 30000);
    f072_rcc_write(&rcc, CR2, 0, 40000);
    assert_false(f072_rcc_read(&rcc, CR2, 40000) & HSI48ON);
    f072_rcc_write(&rcc, CFGR3, 0, 50000);
    assert_true(f072_rcc_read(&rcc, CR2, 50000) & HSI48ON);
    f072_rcc_write(&rcc, APB1ENR, 0, 60000);
    f072_rcc_write(&rcc, CR2, 0, 60000);
    assert_false(f072_rcc_read(&rcc, CR2, 60000) & HSI48ON);
}

static void rcc__has_no_hsi48_where_the_chip_has_none(void **state)
{
    (void)state;
    struct f072_rcc rcc = {.has_hsi48 = false};

    f072_rcc_reset(&rcc, F072_RESET_POWER_ON);
    f072_rcc_write(&rcc, CR2, HSI48ON, 0);
    assert_false(f072_rcc_read(&rcc, CR2, SIM_MS) & (HSI48ON | HSI48RDY));

    f072_rcc_as_left_by_rom(&rcc, SIM_MS);
    assert_int_equal(f072_rcc_hclk(&rcc), 48000000);
    assert_int_equal(f072_rcc_usb_clock(&rcc, SIM_MS), 48000000);
}

static void rcc__switches_when_the_new_clock_is_ready(void **state)
{
    (void)state;
    struct f072_rcc rcc = powered_rcc();

    f072_rcc_write(&rcc, CR2, HSI48ON, 0);
    f072_rcc_write(&rcc, CFGR, 3, 0);
    assert_int_equal(f072_rcc_read(&rcc, CFGR, 0) & 0xF, 0x3);
    assert_int_equal(f072_rcc_hclk(&rcc), 8000000);

    uint64_t ready_ns = f072_rcc_next_event(&rcc);
    assert_int_equal(ready_ns, 6000);
    f072_rcc_advance(&rcc, ready_ns);
    assert_int_equal(f072_rcc_read(&rcc, CFGR, ready_ns) & 0xF, 0xF);
    assert_int_equal(f072_rcc_hclk(&rcc), 48000000);
}

static void rcc__the_pll_multiplies_its_source(void **state)
{
    static const struct {
        uint32_t cfgr;
        uint32_t cfgr2;
        uint32_t hz;
    } rows[] = {
        {10u << 18, 0, 48000000},           // HSI / 2 x 12
        {1u << 15 | 4u << 18, 0, 48000000}, // HSI / 1 x 6
        {3u << 15 | 0u << 18, 1, 48000000}, // HSI48 / 2 x 2
        {15u << 18, 0, 64000000},           // x 16, as 14 is
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct f072_rcc rcc = powered_rcc();
        f072_rcc_write(&rcc, CFGR2, rows[i].cfgr2, 0);
        f072_rcc_write(&rcc, CFGR, rows[i].cfgr, 0);
        f072_rcc_write(&rcc, CR2, HSI48ON, 0);
        f072_rcc_write(&rcc, CR, PLLON | 1, 0);
        f072_rcc_write(&rcc, CFGR3, 1 << 7, 0);
        assert_int_equal(f072_rcc_usb_clock(&rcc, SIM_MS), rows[i].hz);
    }
}

static void rcc__the_pll_cannot_be_changed_while_it_runs(void **state)
{
    (void)state;
    struct f072_rcc rcc = powered_rcc();

    f072_rcc_write(&rcc, CFGR, 10u << 18, 0);
    f072_rcc_write(&rcc, CR, PLLON | 1, 0);
    f072_rcc_write(&rcc, CFGR, 4u << 18, 0);
    assert_int_equal(f072_rcc_read(&rcc, CFGR, 0) >> 18 & 0xF, 10);
}

static void rcc__the_clock_in_use_cannot_be_switched_off(void **state)
{
    (void)state;
    struct f072_rcc rcc = powered_rcc();

    f072_rcc_write(&rcc, CR, 0, 0);
    assert_int_equal(f072_rcc_read(&rcc, CR, SIM_MS) & 3, 3);
}

static void rcc__dividers_slow_the_buses_and_timers_get_twice_the_bus_clock(void **state)
{
    (void)state;
    struct f072_rcc rcc = powered_rcc();

    f072_rcc_write(&rcc, CFGR, 9u << 4 | 5u << 8, 0); // HPRE 4, PPRE 4
    assert_int_equal(f072_rcc_hclk(&rcc), 2000000);
    assert_int_equal(f072_rcc_pclk(&rcc), 500000);
    assert_int_equal(f072_rcc_timer_clock(&rcc), 1000000);
}

static void rcc__reset_flags_add_up_until_rmvf(void **state)
{
    (void)state;
    struct f072_rcc rcc = powered_rcc();

    assert_int_equal(f072_rcc_read(&rcc, CSR, 0), F072_RESET_POWER_ON | F072_RESET_PIN);
    f072_rcc_reset(&rcc, F072_RESET_SOFTWARE);
    assert_int_equal(f072_rcc_read(&rcc, CSR, 0),
                     F072_RESET_POWER_ON | F072_RESET_PIN | F072_RESET_SOFTWARE);

    f072_rcc_write(&rcc, CSR, RMVF, 0);
    assert_int_equal(f072_rcc_read(&rcc, CSR, 0), 0);
    f072_rcc_reset(&rcc, F072_RESET_IWDG);
    assert_int_equal((int)f072_rcc_read(&rcc, CSR, 0), F072_RESET_PIN | F072_RESET_IWDG);
}

// ---- Flash controller (RM0091 3.2.2) ----

struct flash_fixture {
    struct f072_fpec fpec;
    uint8_t bytes[F072_FLASH_SIZE];
    uint8_t options[F072_OPTIONS_SIZE];
};

static int set_up_flash(void **state)
{
    static struct flash_fixture f;

    memset(f.bytes, 0xFF, sizeof f.bytes);
    for (int i = 0; i < F072_OPTIONS_SIZE; i += 2)
        usbdev_store_le16(f.options + i, 0x00FF);
    usbdev_store_le16(f.options, 0x55AA);
    f.fpec = (struct f072_fpec){
        .bytes = f.bytes, .size = sizeof f.bytes, .page_size = 2048, .options = f.options};
    f072_fpec_reset(&f.fpec);
    *state = &f;
    return 0;
}

static void unlock(struct f072_fpec *fpec)
{
    assert_true(f072_fpec_write(fpec, F072_FLASH_KEYR, F072_FLASH_KEY1, 0));
    assert_true(f072_fpec_write(fpec, F072_FLASH_KEYR, F072_FLASH_KEY2, 0));
}

static uint32_t status(struct f072_fpec *fpec, uint64_t now_ns)
{
    return f072_fpec_read(fpec, F072_FLASH_SR, now_ns);
}

static void fpec__keys_unlock_and_a_wrong_one_locks_until_reset(void **state)
{
    struct f072_fpec *fpec = &((struct flash_fixture *)*state)->fpec;

    f072_fpec_write(fpec, F072_FLASH_CR, F072_FLASH_CR_PG, 0);
    assert_int_equal(f072_fpec_read(fpec, F072_FLASH_CR, 0), F072_FLASH_CR_LOCK);
    unlock(fpec);
    assert_int_equal(f072_fpec_read(fpec, F072_FLASH_CR, 0), 0);

    assert_false(f072_fpec_write(fpec, F072_FLASH_KEYR, 0x12345678, 0));
    assert_int_equal(f072_fpec_read(fpec, F072_FLASH_CR, 0), F072_FLASH_CR_LOCK);
    assert_false(f072_fpec_write(fpec, F072_FLASH_KEYR, F072_FLASH_KEY1, 0));
    f072_fpec_reset(fpec);
    unlock(fpec);
}

static void fpec__programs_half_words_and_takes_its_time(void **state)
{
    struct flash_fixture *f = *state;

    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PG, 0);
    assert_true(f072_fpec_program(&f->fpec, 0x08000010, 2, 0xBEEF, 0));
    assert_int_equal(status(&f->fpec, 50000), F072_FLASH_SR_BSY);
    assert_int_equal(status(&f->fpec, 54000), F072_FLASH_SR_EOP);

    assert_int_equal(usbdev_load_le16(f->bytes + 0x10), 0xBEEF);
    assert_false(f072_fpec_program(&f->fpec, 0x08000014, 4, 0, 54000));
}

static void fpec__refuses_what_is_not_erased_but_takes_zeros(void **state)
{
    struct flash_fixture *f = *state;

    usbdev_store_le16(f->bytes, 0x1234);
    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PG, 0);
    f072_fpec_program(&f->fpec, 0x08000000, 2, 0x1200, 0);
    assert_int_equal(status(&f->fpec, 0), F072_FLASH_SR_PGERR);
    assert_int_equal(usbdev_load_le16(f->bytes), 0x1234);

    f072_fpec_program(&f->fpec, 0x08000000, 2, 0, 0);
    assert_int_equal(usbdev_load_le16(f->bytes), 0);
}

static void fpec__erases_one_page(void **state)
{
    struct flash_fixture *f = *state;

    memset(f->bytes, 0, sizeof f->bytes);
    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PER, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_AR, 0x08000812, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PER | F072_FLASH_CR_STRT, 0);

    assert_int_equal(status(&f->fpec, 0), F072_FLASH_SR_BSY);
    assert_int_equal(f->bytes[0x7FF], 0);
    assert_int_equal(f->bytes[0x800], 0xFF);
    assert_int_equal(f->bytes[0xFFF], 0xFF);
    assert_int_equal(f->bytes[0x1000], 0);
    assert_int_equal(status(&f->fpec, 40 * SIM_MS), F072_FLASH_SR_EOP);
}

static void fpec__protected_pages_stay(void **state)
{
    struct flash_fixture *f = *state;

    f->options[8] = 0xFD; // WRP0: pages 2 and 3
    f->options[9] = 0x02;
    f072_fpec_reset(&f->fpec);
    memset(f->bytes, 0, sizeof f->bytes);
    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PER, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_AR, 0x08001000, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PER | F072_FLASH_CR_STRT, 0);

    assert_int_equal(status(&f->fpec, 0), F072_FLASH_SR_WRPRTERR);
    assert_int_equal(f->bytes[0x1000], 0);
}

static void fpec__option_bytes_get_their_complement(void **state)
{
    struct flash_fixture *f = *state;

    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_OPTKEYR, F072_FLASH_KEY1, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_OPTKEYR, F072_FLASH_KEY2, 0);
    uint32_t open = F072_FLASH_CR_OPTWRE;
    assert_int_equal(f072_fpec_read(&f->fpec, F072_FLASH_CR, 0), open);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, open | F072_FLASH_CR_OPTER, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, open | F072_FLASH_CR_OPTER | F072_FLASH_CR_STRT, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, open | F072_FLASH_CR_OPTPG, 50 * SIM_MS);
    f072_fpec_program(&f->fpec, F072_OPTIONS_BASE, 2, 0x00AA, 50 * SIM_MS);

    assert_int_equal(usbdev_load_le16(f->options), 0x55AA);
    assert_int_equal(usbdev_load_le16(f->options + 2), 0xFFFF);
}

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

// ---- Ports, CRS, EXTI, stubs ----

static void gpio__bsrr_and_brr_set_and_reset_pins(void **state)
{
    (void)state;
    struct f072_gpio gpio = {0};

    f072_gpio_reset(&gpio, 2);
    f072_gpio_write(&gpio, 0x00, 1u << 18, UINT32_MAX); // pin 9 is an output
    f072_gpio_write(&gpio, 0x18, 1u << 9 | 1u << 3, UINT32_MAX);
    assert_int_equal(f072_gpio_read(&gpio, 0x14), 1u << 9 | 1u << 3);
    assert_int_equal(f072_gpio_driven(&gpio), 1u << 9);
    assert_int_equal(f072_gpio_read(&gpio, 0x10), 1u << 9);

    f072_gpio_write(&gpio, 0x18, 1u << 25 | 1u << 9, UINT32_MAX); // set wins
    assert_int_equal(f072_gpio_driven(&gpio), 1u << 9);
    f072_gpio_write(&gpio, 0x28, 1u << 9, UINT32_MAX);
    assert_int_equal(f072_gpio_driven(&gpio), 0);
}

static void gpio__an_input_reads_its_pull_up(void **state)
{
    (void)state;
    struct f072_gpio gpio = {0};

    f072_gpio_reset(&gpio, 2);
    f072_gpio_write(&gpio, 0x0C, 1u << 26 | 2u << 24, UINT32_MAX); // pin 13 up, pin 12 down
    assert_int_equal(f072_gpio_read(&gpio, 0x10), 1u << 13);
}

static void gpio__an_input_reads_what_is_wired_to_it(void **state)
{
    (void)state;
    struct f072_gpio gpio = {.wired = 1u << 13 | 1u << 5, .levels = 1u << 5};

    f072_gpio_reset(&gpio, 2);
    f072_gpio_write(&gpio, 0x00, 1u << 10, UINT32_MAX); // pin 5 is an output, and low
    f072_gpio_write(&gpio, 0x0C, 1u << 26, UINT32_MAX); // pin 13 is pulled up
    assert_int_equal(f072_gpio_read(&gpio, 0x10), 0);

    f072_gpio_write(&gpio, 0x00, 0, UINT32_MAX);
    assert_int_equal(f072_gpio_read(&gpio, 0x10), 1u << 5);
}

static void gpio__a_byte_write_leaves_the_other_lanes(void **state)
{
    (void)state;
    struct f072_gpio gpio = {0};

    f072_gpio_reset(&gpio, 0);
    f072_gpio_write(&gpio, 0x00, 0x00550000, 0x00FF0000);
    assert_int_equal(f072_gpio_read(&gpio, 0x00), 0x28550000);
}

static void crs__a_sof_synchronises_when_enabled(void **state)
{
    (void)state;
    struct f072_crs crs;

    f072_crs_reset(&crs);
    f072_crs_sof(&crs);
    assert_int_equal(f072_crs_read(&crs, 0x08), 0);
    f072_crs_write(&crs, 0x00, 1 << 6 | 1 << 5 | 1 << 0); // AUTOTRIMEN, CEN, SYNCOKIE
    f072_crs_sof(&crs);
    assert_true(f072_crs_interrupt(&crs));

    f072_crs_write(&crs, 0x0C, 1);
    assert_false(f072_crs_interrupt(&crs));
}

static void exti__software_triggers_a_line(void **state)
{
    (void)state;
    struct f072_exti exti;

    f072_exti_reset(&exti);
    f072_exti_write(&exti, 0x00, 1 << 4);
    f072_exti_write(&exti, 0x10, 1 << 4);
    assert_true(f072_exti_interrupt(&exti, 0xFFF0));
    assert_false(f072_exti_interrupt(&exti, 0x0003));

    f072_exti_write(&exti, 0x14, 1 << 4);
    assert_false(f072_exti_interrupt(&exti, 0xFFF0));
}

static void register_names__are_those_of_the_manual(void **state)
{
    static const struct {
        const char *peripheral;
        uint32_t offset;
        const char *name;
    } rows[] = {
        {"USB", 0x1C, "EP7R"},   {"USB", 0x44, "ISTR"},       {"USB", 0x58, "BCDR"},
        {"GPIOF", 0x28, "BRR"},  {"TIM14", 0x2C, "ARR"},      {"RCC", 0x34, "CR2"},
        {"FLASH", 0x20, "WRPR"}, {"SYSCFG", 0x14, "EXTICR4"}, {"USB", 0x20, NULL},
        {"USB", 0x5C, NULL},     {"USB", 0x46, NULL},         {"USB_PMA", 0x00, NULL},
        {"unknown", 0x00, NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = f072_register_name(rows[i].peripheral, rows[i].offset);
        if (!rows[i].name)
            assert_null(name);
        else
            assert_string_equal(name, rows[i].name);
    }
}

static void stubs__say_ready_where_drivers_wait(void **state)
{
    (void)state;
    struct f072_stub stub;

    f072_stub_reset(&stub, F072_STUB_CAN);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x04) & 3, 2); // SLAK
    f072_stub_write(&stub, F072_STUB_CAN, 0x00, 1);                      // INRQ
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x04) & 3, 1); // INAK

    f072_stub_write(&stub, F072_STUB_CAN, 0x00, 1 << 15 | 1); // RESET: as after a reset
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x00), 0x00010002);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x04) & 3, 2);

    f072_stub_reset(&stub, F072_STUB_CAN);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x04), 0x00000C02); // RM0091 29.9.2
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x200), 0x2A1C0E01);

    f072_stub_reset(&stub, F072_STUB_USART);
    f072_stub_write(&stub, F072_STUB_USART, 0x00, 1 << 3 | 1);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_USART, 0x1C), 1 << 21 | 0xC0);
}

static void stubs__name_what_they_do_not_do(void **state)
{
    (void)state;
    struct f072_stub stub;

    f072_stub_reset(&stub, F072_STUB_CAN);
    assert_null(f072_stub_write(&stub, F072_STUB_CAN, 0x180, 0x80));
    assert_string_equal(f072_stub_write(&stub, F072_STUB_CAN, 0x180, 0x81), "a CAN transmission");
}

#define FLASH(name) cmocka_unit_test_setup(name, set_up_flash)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rcc__runs_at_8_mhz_after_reset),
        cmocka_unit_test(rcc__an_oscillator_is_ready_only_after_its_start_up),
        cmocka_unit_test(rcc__usb_forces_its_hsi48_on),
        cmocka_unit_test(rcc__has_no_hsi48_where_the_chip_has_none),
        cmocka_unit_test(rcc__switches_when_the_new_clock_is_ready),
        cmocka_unit_test(rcc__the_pll_multiplies_its_source),
        cmocka_unit_test(rcc__the_pll_cannot_be_changed_while_it_runs),
        cmocka_unit_test(rcc__the_clock_in_use_cannot_be_switched_off),
        cmocka_unit_test(rcc__dividers_slow_the_buses_and_timers_get_twice_the_bus_clock),
        cmocka_unit_test(rcc__reset_flags_add_up_until_rmvf),
        FLASH(fpec__keys_unlock_and_a_wrong_one_locks_until_reset),
        FLASH(fpec__programs_half_words_and_takes_its_time),
        FLASH(fpec__refuses_what_is_not_erased_but_takes_zeros),
        FLASH(fpec__erases_one_page),
        FLASH(fpec__protected_pages_stay),
        FLASH(fpec__option_bytes_get_their_complement),
        cmocka_unit_test(timer__counts_microseconds_by_its_prescaler),
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
        cmocka_unit_test(gpio__bsrr_and_brr_set_and_reset_pins),
        cmocka_unit_test(gpio__an_input_reads_its_pull_up),
        cmocka_unit_test(gpio__an_input_reads_what_is_wired_to_it),
        cmocka_unit_test(gpio__a_byte_write_leaves_the_other_lanes),
        cmocka_unit_test(crs__a_sof_synchronises_when_enabled),
        cmocka_unit_test(exti__software_triggers_a_line),
        cmocka_unit_test(register_names__are_those_of_the_manual),
        cmocka_unit_test(stubs__say_ready_where_drivers_wait),
        cmocka_unit_test(stubs__name_what_they_do_not_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
