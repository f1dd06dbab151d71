// SPDX-License-Identifier: MIT
//
// SysTick and the other registers of the System Control Space (ARM B3.2, B3.3).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "armv6m_private.h"
#include "test_machine.h"

#define CSR 0xE000E010u
#define RVR 0xE000E014u
#define CVR 0xE000E018u
#define CALIB 0xE000E01Cu

enum { ENABLE = 1, TICKINT = 2, CORE = 4, COUNTFLAG = 0x10000 };

static struct machine machine;

static void write(uint32_t address, uint32_t value)
{
    assert_true(armv6m_write(&machine.cpu, address, 4, value));
}

static uint32_t read(uint32_t address)
{
    uint32_t value = 0;
    assert_true(armv6m_read(&machine.cpu, address, 4, &value));
    return value;
}

// A machine in a row of nops, so that a cycle is an instruction.
static int start(void **state)
{
    (void)state;
    machine_start(&machine);
    for (uint32_t i = 0; i < 512; i++)
        PUT(&machine, CODE + 2 * i, 0xBF00);
    return 0;
}

static void start_systick(uint32_t reload, uint32_t control)
{
    write(RVR, reload);
    write(CVR, 0);
    write(CSR, control);
}

static void systick__counts_down_from_reload_to_zero_and_again(void **state)
{
    (void)state;
    static const uint32_t values[] = {3, 2, 1, 0, 3, 2, 1, 0, 3};
    start_systick(3, ENABLE | CORE);

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        armv6m_run(&machine.cpu, 1);
        assert_int_equal(read(CVR), values[i]);
    }
}

static void systick__sets_countflag_at_zero_and_reading_clears_it(void **state)
{
    (void)state;
    start_systick(3, ENABLE | CORE);

    armv6m_run(&machine.cpu, 3);
    assert_int_equal(read(CSR), ENABLE | CORE);
    armv6m_run(&machine.cpu, 1);
    assert_int_equal(read(CSR), ENABLE | CORE | COUNTFLAG);

    assert_int_equal(read(CSR), ENABLE | CORE);
}

static void systick__many_periods_later_has_the_right_value(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF30); // wfi
    start_systick(999, ENABLE | CORE);

    armv6m_run(&machine.cpu, 1000 * UINT64_C(1000000000) + 1);

    assert_int_equal(read(CVR), 999);
    assert_int_equal(read(CSR), ENABLE | CORE | COUNTFLAG);
}

static void systick__interrupts_each_period_to_the_cycle(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF30, 0xE7FD);                    // wfi; b .-2
    PUT(&machine, HANDLER(ARMV6M_SYSTICK), 0x3401, 0x4770); // adds r4, #1; bx lr
    start_systick(999, ENABLE | TICKINT | CORE);

    armv6m_run(&machine.cpu, 999);
    assert_int_equal(machine.cpu.exception, 0);
    armv6m_run(&machine.cpu, 1);
    assert_int_equal(machine.cpu.cycles, 1000);
    armv6m_run(&machine.cpu, 1);
    assert_int_equal(machine.cpu.exception, ARMV6M_SYSTICK);
    armv6m_run(&machine.cpu, 999100);

    assert_int_equal(machine.cpu.r[4], 1000);
}

static void systick__without_tickint_does_not_interrupt(void **state)
{
    (void)state;
    start_systick(9, ENABLE | CORE);

    armv6m_run(&machine.cpu, 100);

    assert_int_equal(machine.cpu.exception, 0);
    assert_true(armv6m_systick_cycles(&machine.cpu) == UINT64_MAX);
}

static void systick__counts_an_eighth_of_the_clock_from_the_external_source(void **state)
{
    (void)state;
    start_systick(9, ENABLE | TICKINT);

    assert_int_equal(armv6m_systick_cycles(&machine.cpu), 80);
    armv6m_run(&machine.cpu, 8);
    assert_int_equal(read(CVR), 9);
    armv6m_run(&machine.cpu, 7);
    assert_int_equal(read(CVR), 9);
    armv6m_run(&machine.cpu, 1);

    assert_int_equal(read(CVR), 8);
    assert_int_equal(armv6m_systick_cycles(&machine.cpu), 64);
}

static void systick__write_to_cvr_clears_it_and_countflag(void **state)
{
    (void)state;
    start_systick(9, ENABLE | CORE);
    armv6m_run(&machine.cpu, 14);

    write(CVR, 5);

    assert_int_equal(read(CVR), 0);
    assert_int_equal(read(CSR), ENABLE | CORE);
    armv6m_run(&machine.cpu, 1);
    assert_int_equal(read(CVR), 9);
}

static void systick__stopped_keeps_its_value(void **state)
{
    (void)state;
    start_systick(9, ENABLE | CORE);
    armv6m_run(&machine.cpu, 3);
    write(CSR, CORE);

    armv6m_run(&machine.cpu, 50);
    assert_int_equal(read(CVR), 7);
    write(CSR, ENABLE | CORE);
    armv6m_run(&machine.cpu, 1);

    assert_int_equal(read(CVR), 6);
}

static void systick__with_reload_zero_stays_at_zero(void **state)
{
    (void)state;
    start_systick(0, ENABLE | TICKINT | CORE);

    armv6m_run(&machine.cpu, 100);

    assert_int_equal(read(CVR), 0);
    assert_int_equal(machine.cpu.exception, 0);
    assert_true(armv6m_systick_cycles(&machine.cpu) == UINT64_MAX);
}

static void systick__with_reload_zero_counts_to_zero_once(void **state)
{
    (void)state;
    start_systick(9, ENABLE | CORE);
    armv6m_run(&machine.cpu, 1);
    write(RVR, 0);

    armv6m_run(&machine.cpu, 20);
    assert_int_equal(read(CVR), 0);
    assert_int_equal(read(CSR), ENABLE | CORE | COUNTFLAG);
    armv6m_run(&machine.cpu, 20);

    assert_int_equal(read(CSR), ENABLE | CORE);
}

static void systick__slept_through_for_exactly_a_period_has_reached_zero(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF30); // wfi
    armv6m_run(&machine.cpu, 5);
    start_systick(9, ENABLE | CORE);

    armv6m_run(&machine.cpu, 10);

    assert_int_equal(read(CVR), 0);
    assert_int_equal(read(CSR), ENABLE | CORE | COUNTFLAG);
}

static void systick__reload_has_24_bits_and_waits_for_the_next_period(void **state)
{
    (void)state;
    start_systick(9, ENABLE | CORE);
    armv6m_run(&machine.cpu, 2);

    write(RVR, 0xFF000005);

    assert_int_equal(read(RVR), 5);
    assert_int_equal(read(CVR), 8);
    armv6m_run(&machine.cpu, 9);
    assert_int_equal(read(CVR), 5);
}

static void identification__is_a_cortex_m0(void **state)
{
    (void)state;

    assert_int_equal(read(0xE000ED00), 0x410CC200);
    assert_int_equal(read(0xE000ED14), 0x208); // CCR
    assert_int_equal(read(CALIB), 6000);
}

static void vtor__does_not_exist(void **state)
{
    (void)state;

    write(0xE000ED08, SRAM);

    assert_int_equal(read(0xE000ED08), 0);
}

static void scr__keeps_its_three_bits(void **state)
{
    (void)state;

    write(0xE000ED10, 0xFFFFFFFF);

    assert_int_equal(read(0xE000ED10), 0x16);
}

static void reserved__reads_zero_and_ignores_writes(void **state)
{
    (void)state;

    write(0xE000EDF0, 0xA05F0001); // DHCSR, for a debugger only

    assert_int_equal(read(0xE000EDF0), 0);
    assert_int_equal(read(0xE000E008), 0);
}

static void bytes_and_halfwords__fault(void **state)
{
    (void)state;
    uint32_t value;

    assert_false(armv6m_read(&machine.cpu, 0xE000ED00, 1, &value));
    assert_false(armv6m_read(&machine.cpu, 0xE000ED00, 2, &value));
    assert_false(armv6m_write(&machine.cpu, 0xE000E400, 1, 0x40));
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(systick__counts_down_from_reload_to_zero_and_again),
        TEST(systick__sets_countflag_at_zero_and_reading_clears_it),
        TEST(systick__many_periods_later_has_the_right_value),
        TEST(systick__interrupts_each_period_to_the_cycle),
        TEST(systick__without_tickint_does_not_interrupt),
        TEST(systick__counts_an_eighth_of_the_clock_from_the_external_source),
        TEST(systick__write_to_cvr_clears_it_and_countflag),
        TEST(systick__stopped_keeps_its_value),
        TEST(systick__with_reload_zero_stays_at_zero),
        TEST(systick__with_reload_zero_counts_to_zero_once),
        TEST(systick__slept_through_for_exactly_a_period_has_reached_zero),
        TEST(systick__reload_has_24_bits_and_waits_for_the_next_period),
        TEST(identification__is_a_cortex_m0),
        TEST(vtor__does_not_exist),
        TEST(scr__keeps_its_three_bits),
        TEST(reserved__reads_zero_and_ignores_writes),
        TEST(bytes_and_halfwords__fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
