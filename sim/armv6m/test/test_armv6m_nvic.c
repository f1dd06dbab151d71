// SPDX-License-Identifier: MIT
//
// Which exception is taken when (ARM B1.5.4, B3.4): priorities, interrupt lines, and the exceptions
// that software raises.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_interrupts.h"

// ---- priorities ----

static void more_urgent__preempts(void **state)
{
    (void)state;
    set_priority(3, 1);
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 5, true);

    machine_step(&machine);
    assert_in(IRQ5);
    assert_int_equal(machine.cpu.r[14], 0xFFFFFFF1);
    armv6m_set_irq(&machine.cpu, 5, false);
    machine_step(&machine);

    assert_in(IRQ3);
}

static void same_priority__waits(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ5), 0xE7FE); // b .
    armv6m_set_irq(&machine.cpu, 5, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_steps(&machine, 3);

    assert_in(IRQ5);
}

static void of_equals__the_lowest_number_goes_first(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 5, true);
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_step(&machine);

    assert_in(IRQ3);
}

static void of_two_pending__the_more_urgent_goes_first(void **state)
{
    (void)state;
    set_priority(3, 3);
    set_priority(5, 2);
    armv6m_set_irq(&machine.cpu, 3, true);
    armv6m_set_irq(&machine.cpu, 5, true);

    machine_step(&machine);

    assert_in(IRQ5);
}

static void primask__holds_interrupts_back_until_it_is_cleared(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xB672, 0xBF00, 0xB662, 0xBF00); // cpsid i; nop; cpsie i; nop
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_steps(&machine, 2);
    assert_int_equal(machine.cpu.r[15], CODE + 6);
    machine_step(&machine);

    assert_in(IRQ3);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE + 6);
}

static void primask__does_not_hold_back_nmi_and_hardfault(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xB672, 0xDE00); // cpsid i; udf
    machine_steps(&machine, 2);
    assert_in(ARMV6M_HARDFAULT);

    armv6m_set_nmi(&machine.cpu);
    machine_step(&machine);

    assert_in(ARMV6M_NMI);
    assert_int_equal(machine.cpu.r[14], 0xFFFFFFF1);
}

static void pended_by_an_mmio_write__is_taken_before_the_next_instruction(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0x6008, 0xBF00); // str r0, [r1]; nop
    machine.cpu.r[0] = 1u << 5;
    machine.cpu.r[1] = ISPR;

    armv6m_run(&machine.cpu, 3);

    assert_in(IRQ5);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE + 2);
}

static void raise_irq3(struct machine *m)
{
    armv6m_set_irq(&m->cpu, 3, true);
}

static void raised_by_the_bus__is_taken_before_the_next_instruction(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0x6008, 0xBF00); // str r0, [r1]; nop
    machine.cpu.r[1] = MMIO;
    machine.on_write = raise_irq3;

    armv6m_run(&machine.cpu, 3);

    assert_in(IRQ3);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE + 2);
}

static void changed_priority__lets_a_pending_interrupt_in(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ3), 0xE7FE); // b .
    armv6m_set_irq(&machine.cpu, 3, true);
    armv6m_set_irq(&machine.cpu, 5, true);
    machine_steps(&machine, 2);
    assert_in(IRQ3);

    set_priority(3, 1);
    machine_step(&machine);

    assert_in(IRQ5);
}

static void tail_chain__keeps_the_frame_and_the_registers(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ3), 0x2007, 0x4770); // movs r0, #7; bx lr
    machine.cpu.r[0] = 1;
    armv6m_set_irq(&machine.cpu, 3, true);
    armv6m_set_irq(&machine.cpu, 5, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);

    machine_steps(&machine, 2);
    assert_in(IRQ5);
    assert_int_equal(machine.cpu.r[13], STACK_TOP - 32);
    assert_int_equal(machine.cpu.r[14], 0xFFFFFFF9);
    assert_int_equal(machine.cpu.r[0], 7);
    armv6m_set_irq(&machine.cpu, 5, false);
    machine_step(&machine);

    assert_int_equal(machine.cpu.r[0], 1);
    assert_int_equal(machine.cpu.r[15], CODE);
}

// ---- interrupt lines ----

static void line__that_stays_high_interrupts_again(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_step(&machine);
    assert_int_equal(peek(ISPR), 0);
    machine_step(&machine); // bx lr, and the next entry

    assert_in(IRQ3);
}

static void line__that_falls_in_the_handler_is_done(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);

    machine_steps(&machine, 2);

    assert_int_equal(machine.cpu.exception, 0);
    assert_int_equal(machine.cpu.r[15], CODE);
}

static void line__that_falls_before_the_handler_stays_pending(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    armv6m_set_irq(&machine.cpu, 3, false);

    machine_step(&machine);

    assert_in(IRQ3);
}

static void line__that_rises_again_in_the_handler_interrupts_again(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);
    armv6m_set_irq(&machine.cpu, 3, true);
    armv6m_set_irq(&machine.cpu, 3, false);

    machine_step(&machine);

    assert_in(IRQ3);
}

static void line__that_is_set_high_again_does_not_rise(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);

    armv6m_set_irq(&machine.cpu, 3, true);

    assert_int_equal(peek(ISPR), 0);
}

static void icpr__in_the_handler_clears_a_line_that_is_high(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    poke(ISPR, 1u << 3);

    poke(ICPR, 1u << 3);

    assert_int_equal(peek(ISPR), 0);
}

static void icpr__cannot_clear_a_line_that_is_high(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 6, true);
    poke(ISPR, 1u << 7);

    poke(ICPR, 1u << 6 | 1u << 7);

    assert_int_equal(peek(ISPR), 1u << 6);
    armv6m_set_irq(&machine.cpu, 6, false);
    poke(ICPR, 1u << 6);
    assert_int_equal(peek(ICPR), 0);
}

static void disabled__stays_pending_until_enabled(void **state)
{
    (void)state;
    poke(ICER, 1u << 3);
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    assert_int_equal(machine.cpu.exception, 0);
    assert_int_equal(peek(ISER), 1u << 5);

    poke(ISER, 1u << 3);
    machine_step(&machine);

    assert_in(IRQ3);
}

// ---- SVC, PendSV, SysTick, NMI by software ----

static void svc__enters_svcall_and_returns_behind_it(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xDF05, 0xE7FE); // svc #5; b .

    machine_step(&machine);
    assert_in(ARMV6M_SVCALL);
    assert_int_equal(machine.cpu.cycles, 17);
    machine_step(&machine);

    assert_int_equal(machine.cpu.r[15], CODE + 2);
}

static void svc__that_cannot_be_taken_is_a_hardfault_that_returns_behind_it(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xB672, 0xDF05, 0xE7FE); // cpsid i; svc #5; b .

    machine_steps(&machine, 2);

    assert_in(ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE + 4);
    machine_step(&machine);
    assert_int_equal(machine.cpu.r[15], CODE + 4);
}

static void svc__in_a_handler_of_its_own_priority_is_a_hardfault(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ3), 0xDF05);
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_steps(&machine, 2);

    assert_in(ARMV6M_HARDFAULT);
}

static void icsr__pends_and_unpends_the_system_exceptions(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF00, 0xE7FE); // nop; b .
    poke(ICSR, 1u << 28 | 1u << 26);
    assert_int_equal(peek(ICSR), 1u << 28 | 1u << 26 | ARMV6M_PENDSV << 12);
    poke(ICSR, 1u << 27 | 1u << 25);
    assert_int_equal(peek(ICSR), 0);
    machine_step(&machine);
    assert_int_equal(machine.cpu.exception, 0);

    poke(ICSR, 1u << 28 | 1u << 26 | 1u << 31);
    machine_step(&machine);
    assert_in(ARMV6M_NMI);
    machine_step(&machine);
    assert_in(ARMV6M_PENDSV);
    machine_step(&machine);

    assert_in(ARMV6M_SYSTICK);
}

static void icsr__tells_what_is_pending_and_active(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ3), 0xE7FE); // b .
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);

    armv6m_set_irq(&machine.cpu, 5, true);

    assert_int_equal(peek(ICSR), 1u << 22 | (uint32_t)IRQ5 << 12 | IRQ3);
}

static void shpr__sets_priorities_of_the_system_exceptions(void **state)
{
    (void)state;

    poke(SHPR2, 0xFFFFFFFF);
    poke(SHPR3, 0x80FFFFFF);

    assert_int_equal(peek(SHPR2), 0xC0000000);
    assert_int_equal(peek(SHPR3), 0x80C00000);
    poke(ICSR, 1u << 28 | 1u << 26);
    machine_step(&machine);
    assert_in(ARMV6M_SYSTICK); // 2 goes before 3
}

static void ipr__keeps_two_bits_of_each_priority(void **state)
{
    (void)state;

    for (uint32_t offset = 0; offset < 32; offset += 4) {
        poke(IPR0 + offset, 0xFFFFFFFF - offset * 0x02020202);
        assert_int_equal(peek(IPR0 + offset), (0xFFFFFFFF - offset * 0x02020202) & 0xC0C0C0C0);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, start_interrupts)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(more_urgent__preempts),
        TEST(same_priority__waits),
        TEST(of_equals__the_lowest_number_goes_first),
        TEST(of_two_pending__the_more_urgent_goes_first),
        TEST(primask__holds_interrupts_back_until_it_is_cleared),
        TEST(primask__does_not_hold_back_nmi_and_hardfault),
        TEST(pended_by_an_mmio_write__is_taken_before_the_next_instruction),
        TEST(raised_by_the_bus__is_taken_before_the_next_instruction),
        TEST(changed_priority__lets_a_pending_interrupt_in),
        TEST(tail_chain__keeps_the_frame_and_the_registers),
        TEST(line__that_stays_high_interrupts_again),
        TEST(line__that_falls_in_the_handler_is_done),
        TEST(line__that_falls_before_the_handler_stays_pending),
        TEST(line__that_rises_again_in_the_handler_interrupts_again),
        TEST(line__that_is_set_high_again_does_not_rise),
        TEST(icpr__in_the_handler_clears_a_line_that_is_high),
        TEST(icpr__cannot_clear_a_line_that_is_high),
        TEST(disabled__stays_pending_until_enabled),
        TEST(svc__enters_svcall_and_returns_behind_it),
        TEST(svc__that_cannot_be_taken_is_a_hardfault_that_returns_behind_it),
        TEST(svc__in_a_handler_of_its_own_priority_is_a_hardfault),
        TEST(icsr__pends_and_unpends_the_system_exceptions),
        TEST(icsr__tells_what_is_pending_and_active),
        TEST(shpr__sets_priorities_of_the_system_exceptions),
        TEST(ipr__keeps_two_bits_of_each_priority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
