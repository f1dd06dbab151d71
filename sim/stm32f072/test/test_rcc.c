// SPDX-License-Identifier: MIT
//
// RCC, by the registers that start-up code writes and waits for (RM0091 6.4).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sim/wire.h>

#include <stm32f072/rcc.h>

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

// RM0091 6.4.3: a flag is set where its oscillator becomes ready while its interrupt is enabled.
static void rcc__interrupts_when_an_oscillator_becomes_ready(void **state)
{
    enum { CIR = 0x08, HSI48RDYF = 1 << 6, HSI48RDYIE = 1 << 14, HSIRDYIE = 1 << 10 };
    enum { HSI48RDYC = 1 << 22 };
    (void)state;
    struct f072_rcc rcc = powered_rcc();

    f072_rcc_write(&rcc, CIR, HSI48RDYIE | HSIRDYIE, 0); // the HSI has been ready before
    f072_rcc_write(&rcc, CR2, HSI48ON, 0);
    assert_false(f072_rcc_interrupt(&rcc));
    uint64_t ready_ns = f072_rcc_next_event(&rcc);
    assert_in_range(ready_ns, 1, 10000);
    f072_rcc_advance(&rcc, ready_ns);
    assert_true(f072_rcc_interrupt(&rcc));
    assert_int_equal(f072_rcc_read(&rcc, CIR, ready_ns), HSI48RDYIE | HSIRDYIE | HSI48RDYF);
    assert_int_equal(f072_rcc_next_event(&rcc) == UINT64_MAX, true);

    f072_rcc_write(&rcc, CIR, HSI48RDYIE | HSI48RDYC, ready_ns);
    assert_int_equal(f072_rcc_read(&rcc, CIR, ready_ns), HSI48RDYIE);
    f072_rcc_advance(&rcc, 2 * ready_ns); // once
    assert_false(f072_rcc_interrupt(&rcc));
    f072_rcc_write(&rcc, CIR, 0, 2 * ready_ns);
    f072_rcc_write(&rcc, CR2, 0, 2 * ready_ns);
    f072_rcc_write(&rcc, CR2, HSI48ON, 2 * ready_ns);
    f072_rcc_write(&rcc, CIR, HSI48RDYIE, 9 * ready_ns); // too late
    assert_false(f072_rcc_interrupt(&rcc));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rcc__runs_at_8_mhz_after_reset),
        cmocka_unit_test(rcc__an_oscillator_is_ready_only_after_its_start_up),
        cmocka_unit_test(rcc__interrupts_when_an_oscillator_becomes_ready),
        cmocka_unit_test(rcc__usb_forces_its_hsi48_on),
        cmocka_unit_test(rcc__has_no_hsi48_where_the_chip_has_none),
        cmocka_unit_test(rcc__switches_when_the_new_clock_is_ready),
        cmocka_unit_test(rcc__the_pll_multiplies_its_source),
        cmocka_unit_test(rcc__the_pll_cannot_be_changed_while_it_runs),
        cmocka_unit_test(rcc__the_clock_in_use_cannot_be_switched_off),
        cmocka_unit_test(rcc__dividers_slow_the_buses_and_timers_get_twice_the_bus_clock),
        cmocka_unit_test(rcc__reset_flags_add_up_until_rmvf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
