// SPDX-License-Identifier: MIT
//
// WFI, WFE and sleep-on-exit (ARM B1.5): what wakes the processor, and what does not.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_interrupts.h"

static void wfi__sleeps_to_the_end_of_the_budget(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF30, 0xE7FE); // wfi; b .

    const enum armv6m_stop why = armv6m_run(&machine.cpu, UINT64_C(1) << 60);

    assert_int_equal(why, ARMV6M_ASLEEP);
    assert_true(machine.cpu.cycles == UINT64_C(1) << 60);
    assert_int_equal(machine.cpu.r[15], CODE + 2);
}

static void wfi__is_woken_by_an_interrupt(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF30, 0xE7FE);
    armv6m_run(&machine.cpu, 100);
    armv6m_set_irq(&machine.cpu, 3, true);

    assert_int_equal(machine_step(&machine), ARMV6M_BUDGET);

    assert_in(IRQ3);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE + 2);
}

static void wfi__with_primask_wakes_without_the_handler(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xB672, 0xBF30, 0x2001); // cpsid i; wfi; movs r0, #1
    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_step(&machine);

    assert_int_equal(machine.cpu.exception, 0);
    assert_int_equal(machine.cpu.r[0], 1);
}

static void wfi__does_not_sleep_with_an_interrupt_pending(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xB672, 0xBF30, 0x2001); // cpsid i; wfi; movs r0, #1
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_steps(&machine, 2);

    assert_int_equal(machine.cpu.r[0], 1);
}

static void wfi__is_not_woken_by_a_disabled_interrupt(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF30, 0xE7FE);
    armv6m_run(&machine.cpu, 100);

    armv6m_set_irq(&machine.cpu, 6, true);

    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);
}

static void wfi__in_a_handler_is_not_woken_by_the_same_priority(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ3), 0xBF30);
    armv6m_set_irq(&machine.cpu, 3, true);
    armv6m_run(&machine.cpu, 100);

    armv6m_set_irq(&machine.cpu, 5, true);

    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);
}

static void wfe__takes_an_event_instead_of_sleeping(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF40, 0xBF20, 0x2001, 0xBF20); // sev; wfe; movs r0, #1; wfe

    const enum armv6m_stop why = armv6m_run(&machine.cpu, 100);

    assert_int_equal(why, ARMV6M_ASLEEP);
    assert_int_equal(machine.cpu.r[0], 1);
    assert_int_equal(machine.cpu.r[15], CODE + 8);
}

static void wfe__is_woken_by_an_exception_which_leaves_an_event(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF20, 0xBF20, 0x2001, 0xBF20); // wfe; wfe; movs r0, #1; wfe
    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);

    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);

    assert_int_equal(machine.cpu.r[15], CODE + 8);
}

static void wfe__finds_the_event_of_the_entry_that_woke_it(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF20);                  // wfe
    PUT(&machine, HANDLER(IRQ3), 0xBF20, 0xE7FE); // wfe; b .
    armv6m_run(&machine.cpu, 100);
    armv6m_set_irq(&machine.cpu, 3, true);

    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_BUDGET);

    assert_int_equal(machine.cpu.r[15], HANDLER(IRQ3) + 2);
}

static void wfe__with_primask_is_not_woken_by_an_interrupt(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xB672, 0xBF20); // cpsid i; wfe
    armv6m_run(&machine.cpu, 100);

    armv6m_set_irq(&machine.cpu, 3, true);

    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);
}

static void sevonpend__wakes_wfe_by_a_disabled_interrupt(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF20, 0x2001, 0xBF20); // wfe; movs r0, #1; wfe
    poke(SCR_ADDRESS, 1u << 4);
    armv6m_run(&machine.cpu, 100);

    armv6m_set_irq(&machine.cpu, 6, true);
    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);

    assert_int_equal(machine.cpu.r[0], 1);
    assert_int_equal(machine.cpu.r[15], CODE + 6);
}

static void sevonpend__is_no_event_for_what_is_pending_already(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF20); // wfe
    armv6m_set_irq(&machine.cpu, 6, true);
    poke(SCR_ADDRESS, 1u << 4);

    poke(ISPR, 1u << 6);

    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);
}

static void sleeponexit__does_not_sleep_in_a_handler(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ3), 0xE7FE); // b .
    poke(SCR_ADDRESS, 1u << 1);
    set_priority(3, 1);
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 5, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 5, false);

    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_BUDGET);
    assert_in(IRQ3);
}

static void sleeponexit__sleeps_when_the_last_handler_returns(void **state)
{
    (void)state;
    poke(SCR_ADDRESS, 1u << 1);
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);

    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);
    assert_int_equal(machine.cpu.exception, 0);
    armv6m_set_irq(&machine.cpu, 5, true);
    machine_step(&machine);

    assert_in(IRQ5);
}

#define TEST(name) cmocka_unit_test_setup(name, start_interrupts)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wfi__sleeps_to_the_end_of_the_budget),
        TEST(wfi__is_woken_by_an_interrupt),
        TEST(wfi__with_primask_wakes_without_the_handler),
        TEST(wfi__does_not_sleep_with_an_interrupt_pending),
        TEST(wfi__is_not_woken_by_a_disabled_interrupt),
        TEST(wfi__in_a_handler_is_not_woken_by_the_same_priority),
        TEST(wfe__takes_an_event_instead_of_sleeping),
        TEST(wfe__is_woken_by_an_exception_which_leaves_an_event),
        TEST(wfe__finds_the_event_of_the_entry_that_woke_it),
        TEST(wfe__with_primask_is_not_woken_by_an_interrupt),
        TEST(sevonpend__wakes_wfe_by_a_disabled_interrupt),
        TEST(sevonpend__is_no_event_for_what_is_pending_already),
        TEST(sleeponexit__does_not_sleep_in_a_handler),
        TEST(sleeponexit__sleeps_when_the_last_handler_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
