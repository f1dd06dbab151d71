// SPDX-License-Identifier: MIT
//
// Stop and Standby mode, and the RTC, which goes on in both.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/wire.h>

#include "chip_fixture.h"
#include <usb/bytes.h>

enum {
    PWR_CR = 0x40007000,
    PWR_CSR = 0x40007004,
    EXTI = 0x40010400,
    RTC = 0x40002800,
    RTC_CR = RTC + 0x08,
    RTC_ISR = RTC + 0x0C,
    RTC_PRER = RTC + 0x10,
    RTC_WUTR = RTC + 0x14,
    RTC_ALRMAR = RTC + 0x1C,
    RTC_WPR = RTC + 0x24,
    RTC_SSR = RTC + 0x28,
    RTC_ALRMASSR = RTC + 0x44,
};

enum { TURNS = 0x20000800 };
enum {
    SLEEPDEEP = 1 << 2,
    PDDS = 1 << 1,
    DBP = 1 << 8,
    USB_IRQ = 31,
    EXTI0_1_IRQ = 5,
    RTC_IRQ = 2
};

static void run_to_ms(struct fixture *f, uint64_t ms)
{
    assert_int_equal(f072_chip_run(&f->chip, ms * SIM_MS), F072_RUNNING);
}

// Has the main program woken?
static bool has_woken(const struct fixture *f)
{
    return usbdev_load_le16(f->chip.sram + (TURNS - F072_SRAM_BASE)) > 0;
}

// Sleeps and counts; the instruction that sleeps is WFI or WFE. Every handler masks interrupts, so
// that the main program goes on behind it.
static void boot(struct fixture *f, uint16_t sleep)
{
    const uint16_t code[] = {
        0x4804, // ldr r0, =TURNS
        0x2100, // movs r1, #0
        sleep,
        0x3101, // adds r1, #1
        0x6001, // str r1, [r0]
        0xE7FB, // b the sleep
    };
    const uint16_t handler[] = {
        0xB672, // cpsid i
        0x4770, // bx lr
    };

    put_code(f, CODE, code, sizeof code / 2);
    store_le32(f->flash + (CODE - F072_FLASH_BASE) + 0x14, TURNS);
    put_code(f, HANDLER, handler, sizeof handler / 2);
    chip_fixture_power_on(f);
    write_word(f, RCC_APB1ENR, 1 << 28 | 1 << 23 | 1); // PWR, USB, TIM2
    write_word(f, RCC_APB2ENR, 1);                     // SYSCFG
    write_word(f, PWR_CR, DBP);
    store_le32(f->chip.sram + (TURNS - F072_SRAM_BASE), 0);
    run_to_ms(f, 1);
}

static int set_up(void **state)
{
    struct fixture *f = chip_fixture_open();

    boot(f, 0xBF30); // WFI
    *state = f;
    return 0;
}

static void enable_irq(struct fixture *f, unsigned irq)
{
    f->chip.cpu.enabled |= UINT64_C(1) << (ARMV6M_IRQ0 + irq);
}

// It sleeps already: as if SCR had been written before.
static void sleep_deep(struct fixture *f, uint64_t until_ms)
{
    f->chip.cpu.scr = SLEEPDEEP;
    run_to_ms(f, until_ms);
    assert_false(has_woken(f));
}

static void let_pin_wake(struct fixture *f, uint32_t mask_register)
{
    write_word(f, EXTI + mask_register, 0x7F840000 | 1);
    write_word(f, EXTI + 0x08, 1); // RTSR
}

static void raise_pin(struct fixture *f)
{
    f072_chip_wire(&f->chip, 0, 1, 0);
    f072_chip_wire(&f->chip, 0, 1, 1);
}

// ---- Stop mode (RM0091 5.3.5) ----

static void stop__only_an_exti_line_ends_it(void **state)
{
    struct fixture *f = *state;

    write_word(f, TIM2 + 0x2C, 7999); // ARR: 1 ms
    write_word(f, TIM2 + 0x0C, 1);    // DIER.UIE
    write_word(f, TIM2, 1);           // CEN
    enable_irq(f, 15);
    enable_irq(f, EXTI0_1_IRQ);
    let_pin_wake(f, 0x00);
    sleep_deep(f, 50);
    assert_int_equal(f->chip.low_power, F072_STOP);
    raise_pin(f);
    f->chip.cpu.scr = 0;
    run_to_ms(f, 51);
    assert_true(has_woken(f));
    assert_in_range(read_word(f, TIM2 + 0x24), 7000, 7999); // it has stood still for 49 ms
}

static void stop__the_hsi_is_the_clock_behind_it(void **state)
{
    struct fixture *f = *state;

    write_word(f, FLASH_ACR, 1);
    write_word(f, RCC_CR, 1 << 16 | 1); // HSEON
    run_to_ms(f, 10);
    write_word(f, RCC_CFGR, 2 << 15 | 4 << 18); // PLL, 6 times the HSE
    write_word(f, RCC_CR, 1 << 24 | 1 << 16 | 1);
    run_to_ms(f, 11);
    write_word(f, RCC_CFGR, 2 << 15 | 4 << 18 | 2);
    assert_int_equal(f->chip.hclk, 48000000);
    enable_irq(f, EXTI0_1_IRQ);
    let_pin_wake(f, 0x00);
    sleep_deep(f, 20);
    raise_pin(f);
    run_to_ms(f, 21);
    assert_int_equal(f->chip.hclk, 8000000);
    assert_int_equal(read_word(f, RCC_CR) & (0x3000000 | 0x30000 | 3), 3); // HSI alone
    assert_int_equal(read_word(f, RCC_CFGR) & 0xF, 0);
}

static void stop__usb_ends_it_by_line_18(void **state)
{
    for (unsigned masked = 0; masked < 2; masked++) {
        struct fixture *f = *state;

        boot(f, 0xBF30);
        write_word(f, RCC_CR2, 1 << 16); // HSI48ON
        run_to_ms(f, 2);
        f->chip.usb.vbus = true;
        f->chip.usb.cntr = F072_USB_WKUP | F072_CNTR_FSUSP;
        write_word(f, EXTI, masked ? 0x7F800000 : 0x7F840000);
        enable_irq(f, USB_IRQ);
        sleep_deep(f, 10);
        assert_false(f->chip.usb.clocked);
        f072_usbfs_resume(&f->chip.usb, 10 * SIM_MS);
        f072_chip_update(&f->chip);
        run_to_ms(f, 11);
        assert_int_equal(has_woken(f), !masked);
    }
}

static void stop__an_event_ends_a_wfe(void **state)
{
    struct fixture *f = *state;

    boot(f, 0xBF20);       // WFE
    let_pin_wake(f, 0x04); // EMR
    sleep_deep(f, 10);
    raise_pin(f);
    run_to_ms(f, 11);
    assert_true(has_woken(f));
}

static void stop__the_watchdog_goes_on(void **state)
{
    struct fixture *f = *state;

    write_word(f, IWDG, 0x5555);
    write_word(f, IWDG + 8, 99); // 10 ms
    write_word(f, IWDG, 0xCCCC);
    sleep_deep(f, 10);
    run_to_ms(f, 12);
    assert_int_equal(read_word(f, RCC_CSR) & F072_RESET_IWDG, F072_RESET_IWDG);
    assert_int_equal(f->chip.low_power, F072_RUN);
}

// ---- Standby mode (RM0091 5.3.6) ----

static void standby__ends_as_a_reset_by_a_wkup_pin(void **state)
{
    struct fixture *f = *state;
    uint8_t before[256];

    write_word(f, PWR_CR, DBP | PDDS);
    write_word(f, PWR_CSR, 1 << 8); // EWUP1
    write_word(f, RCC_CSR, 1 << 24);
    f->chip.usb.vbus = true;
    f->chip.usb.bcdr = F072_BCDR_DPPU;
    f->chip.usb.cntr = 0;
    memcpy(before, f->chip.sram, sizeof before);
    sleep_deep(f, 10);
    assert_int_equal(f->chip.low_power, F072_STANDBY);
    assert_false(f072_usbfs_connected(&f->chip.usb));
    raise_pin(f);
    run_to_ms(f, 11);
    assert_int_equal(f->chip.low_power, F072_RUN);
    assert_memory_not_equal(f->chip.sram, before, sizeof before);
    assert_int_equal(read_word(f, RCC_CSR) & 0xFF800000, F072_RESET_STANDBY);
    write_word(f, RCC_APB1ENR, 1 << 28);
    assert_int_equal(read_word(f, PWR_CSR) & 3, 3); // SBF, WUF
    write_word(f, PWR_CR, 3 << 2);                  // CSBF, CWUF
    assert_int_equal(read_word(f, PWR_CSR) & 3, 0);
}

// The watchdog's LSI goes on (RM0091 5.3.6). SBF outlives the reset, and the ones behind it
// (5.4.2).
static void standby__the_watchdog_ends_it(void **state)
{
    struct fixture *f = *state;

    write_word(f, IWDG, 0x5555);
    write_word(f, IWDG + 8, 99); // 10 ms
    write_word(f, IWDG, 0xCCCC);
    write_word(f, PWR_CR, PDDS);
    sleep_deep(f, 10);
    assert_int_equal(f->chip.low_power, F072_STANDBY);
    run_to_ms(f, 12);
    assert_int_equal(f->chip.low_power, F072_RUN);
    assert_int_equal(read_word(f, RCC_CSR) & F072_RESET_IWDG, F072_RESET_IWDG);
    f072_chip_reset(&f->chip, F072_RESET_SOFTWARE);
    write_word(f, RCC_APB1ENR, 1 << 28);
    assert_int_equal(read_word(f, PWR_CSR) & 3, 2); // SBF without WUF
    f072_chip_power_on(&f->chip, 1, 20 * SIM_MS);
    write_word(f, RCC_APB1ENR, 1 << 28);
    assert_int_equal(read_word(f, PWR_CSR) & 3, 0);
}

// ---- RTC, with the LSI: 40 kHz / 100 / 400 ----

static void unlock_rtc(struct fixture *f)
{
    write_word(f, RTC_WPR, 0xCA);
    write_word(f, RTC_WPR, 0x53);
}

static void start_rtc(struct fixture *f, uint32_t time, uint32_t date)
{
    write_word(f, RCC_CSR, 1);
    write_word(f, RCC_BDCR, 1 << 15 | 2 << 8); // RTCEN, LSI
    unlock_rtc(f);
    write_word(f, RTC_ISR, 1 << 7);
    assert_int_equal(read_word(f, RTC_ISR) & 1 << 6, 1 << 6); // INITF
    write_word(f, RTC_PRER, 399);
    write_word(f, RTC_PRER, 99 << 16 | 399);
    write_word(f, RTC, time);
    write_word(f, RTC + 4, date);
    write_word(f, RTC_ISR, 0);
}

// Year, weekday and month, day of DR.
#define DATE(year, weekday, month, day)                                                            \
    (0x##year << 16 | (weekday) << 13 | 0x##month << 8 | 0x##day)

static void rtc__the_calendar_counts(void **state)
{
    const struct {
        uint32_t time;
        uint32_t date;
        uint32_t next_time;
        uint32_t next_date;
    } rows[] = {
        {0x000000, DATE(26, 4, 11, 26), 0x000001, DATE(26, 4, 11, 26)},
        {0x095959, DATE(26, 4, 11, 26), 0x100000, DATE(26, 4, 11, 26)},
        {0x235959, DATE(26, 4, 11, 26), 0x000000, DATE(26, 5, 11, 27)},
        {0x235959, DATE(26, 7, 04, 30), 0x000000, DATE(26, 1, 05, 01)},
        {0x235959, DATE(26, 4, 12, 31), 0x000000, DATE(27, 5, 01, 01)},
        {0x235959, DATE(27, 7, 02, 28), 0x000000, DATE(27, 1, 03, 01)},
        {0x235959, DATE(28, 1, 02, 28), 0x000000, DATE(28, 2, 02, 29)},
        {0x235959, DATE(28, 2, 02, 29), 0x000000, DATE(28, 3, 03, 01)},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        boot(f, 0xBF30);
        start_rtc(f, rows[i].time, rows[i].date);
        run_to_ms(f, 1000);
        assert_int_equal(read_word(f, RTC), rows[i].time);
        assert_int_equal(read_word(f, RTC + 4), rows[i].date);
        run_to_ms(f, 1002);
        assert_int_equal(read_word(f, RTC), rows[i].next_time);
        assert_int_equal(read_word(f, RTC + 4), rows[i].next_date);
    }
}

static void rtc__sub_seconds_count_down(void **state)
{
    struct fixture *f = *state;

    start_rtc(f, 0, DATE(26, 4, 11, 26));
    assert_int_equal(read_word(f, RTC_SSR), 399);
    run_to_ms(f, 252); // 251 ms of 2.5 ms each
    assert_int_equal(read_word(f, RTC_SSR), 399 - 100);
}

static void rtc__twelve_hours_have_noon_and_midnight(void **state)
{
    struct fixture *f = *state;

    start_rtc(f, 0x003000, DATE(26, 4, 11, 26));
    write_word(f, RTC_CR, 1 << 6); // FMT
    assert_int_equal(read_word(f, RTC), 0x123000);
    write_word(f, RTC_ISR, 1 << 7);
    write_word(f, RTC, 1 << 22 | 0x115959); // PM
    write_word(f, RTC_ISR, 0);
    run_to_ms(f, 1100);
    assert_int_equal(read_word(f, RTC), 0x120000);
    write_word(f, RTC_CR, 0);
    assert_int_equal(read_word(f, RTC), 0);
}

static void rtc__is_protected(void **state)
{
    struct fixture *f = *state;

    write_word(f, PWR_CR, 0);
    write_word(f, RCC_BDCR, 1 << 15 | 2 << 8);
    assert_int_equal(read_word(f, RCC_BDCR), 0);
    unlock_rtc(f);
    write_word(f, PWR_CR, DBP);
    write_word(f, RTC_CR, 1 << 6);
    assert_int_equal(read_word(f, RTC_CR), 0); // the keys came too early
    write_word(f, RTC_WPR, 0xCA);
    write_word(f, RTC_WPR, 0x54);
    write_word(f, RTC_CR, 1 << 6);
    assert_int_equal(read_word(f, RTC_CR), 0);
    unlock_rtc(f);
    write_word(f, RTC_CR, 1 << 6);
    assert_int_equal(read_word(f, RTC_CR), 1 << 6);
    write_word(f, RTC_ISR, 1 << 7);
    assert_int_equal(read_word(f, RTC_ISR) & (3 << 6 | 1 << 5),
                     1 << 7); // without a clock: no INITF
}

static void rtc__an_alarm_ends_stop_mode_when_it_is_due(void **state)
{
    struct fixture *f = *state;

    start_rtc(f, 0x235958, DATE(26, 4, 11, 26));
    write_word(f, RTC_ALRMAR, UINT32_C(0x27) << 24 | 0x000001); // on the 27th, at 00:00:01
    write_word(f, RTC_CR, 1 << 12 | 1 << 8);                    // ALRAIE, ALRAE
    write_word(f, EXTI, 0x7F840000 | 1 << 17);
    write_word(f, EXTI + 0x08, 1 << 17);
    enable_irq(f, RTC_IRQ);
    sleep_deep(f, 3000);
    run_to_ms(f, 3002);
    assert_true(has_woken(f));
    assert_int_equal(read_word(f, RTC_ISR) & F072_RTC_ALARM, F072_RTC_ALARM);
    assert_int_equal(read_word(f, RTC), 1);
    write_word(f, RTC_ISR, ~(uint32_t)F072_RTC_ALARM & ~(1u << 7));
    assert_int_equal(read_word(f, RTC_ISR) & F072_RTC_ALARM, 0);
    assert_int_equal(f072_rtc_next_event(&f->chip.rtc) / (1000 * SIM_MS), 30 * 86400 + 3);
}

static void rtc__an_alarm_leaves_out_what_is_masked(void **state)
{
    const struct {
        uint32_t alarm;
        uint32_t sub_seconds;
        uint64_t due_ms; // from 10:00:00 on
    } rows[] = {
        {0x80808080, 0, 1000},                       // each second
        {0x80808005, 0, 5000},                       // second 5
        {0x80800200, 0, 120000},                     // minute 2
        {0x80110000, 0, 3600000},                    // 11 o'clock
        {0x80100000, 0, 86400000},                   // 10 o'clock: tomorrow
        {0x45100000, 0, 86400000},                   // on weekday 5
        {UINT32_C(0x80808080), 9 << 24 | 199, 500},  // SSR 199: half a second
        {UINT32_C(0x80808002), 9 << 24 | 199, 2500}, // of second 2
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        boot(f, 0xBF30);
        start_rtc(f, 0x100000, DATE(26, 4, 11, 26));
        uint64_t start_ns = f072_chip_now(&f->chip);
        write_word(f, RTC_ALRMAR, rows[i].alarm);
        write_word(f, RTC_ALRMASSR, rows[i].sub_seconds);
        write_word(f, RTC_CR, 1 << 8); // ALRAE
        assert_int_equal((f072_rtc_next_event(&f->chip.rtc) - start_ns) / SIM_MS, rows[i].due_ms);
    }
}

static void rtc__the_wake_up_timer_comes_again_and_again(void **state)
{
    const struct {
        uint32_t select;
        uint32_t reload;
        uint64_t period_us;
    } rows[] = {
        {0, 99, 40000},      // RTC / 16
        {3, 99, 5000},       // RTC / 2
        {4, 1, 2000000},     // seconds
        {6, 1, 65538000000}, // and 65536 more
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        boot(f, 0xBF30);
        start_rtc(f, 0, DATE(26, 4, 11, 26));
        uint64_t start_ns = f072_chip_now(&f->chip);
        write_word(f, RTC_WUTR, rows[i].reload);
        write_word(f, RTC_CR, 1 << 14 | 1 << 10 | rows[i].select); // WUTIE, WUTE
        for (unsigned n = 1; n <= 3; n++) {
            uint64_t due_ns = f072_rtc_next_event(&f->chip.rtc);
            assert_int_equal((due_ns - start_ns) / 1000, n * rows[i].period_us);
            assert_int_equal(f072_rtc_advance(&f->chip.rtc, due_ns), n == 1 ? F072_RTC_WAKE_UP : 0);
        }
    }
}

static void rtc__the_wake_up_timer_ends_standby_mode(void **state)
{
    struct fixture *f = *state;

    start_rtc(f, 0x120000, DATE(26, 4, 11, 26));
    write_word(f, RTC_WUTR, 1);
    write_word(f, RTC_CR, 1 << 14 | 1 << 10 | 4); // 2 s
    write_word(f, PWR_CR, DBP | PDDS);
    sleep_deep(f, 2000);
    assert_int_equal(f->chip.low_power, F072_STANDBY);
    run_to_ms(f, 2002);
    assert_int_equal(f->chip.low_power, F072_RUN);
    assert_int_equal(read_word(f, RTC), 0x120002);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, chip_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stop__only_an_exti_line_ends_it),
        TEST(stop__the_hsi_is_the_clock_behind_it),
        TEST(stop__usb_ends_it_by_line_18),
        TEST(stop__an_event_ends_a_wfe),
        TEST(stop__the_watchdog_goes_on),
        TEST(standby__ends_as_a_reset_by_a_wkup_pin),
        TEST(standby__the_watchdog_ends_it),
        TEST(rtc__the_calendar_counts),
        TEST(rtc__sub_seconds_count_down),
        TEST(rtc__twelve_hours_have_noon_and_midnight),
        TEST(rtc__is_protected),
        TEST(rtc__an_alarm_ends_stop_mode_when_it_is_due),
        TEST(rtc__an_alarm_leaves_out_what_is_masked),
        TEST(rtc__the_wake_up_timer_comes_again_and_again),
        TEST(rtc__the_wake_up_timer_ends_standby_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
