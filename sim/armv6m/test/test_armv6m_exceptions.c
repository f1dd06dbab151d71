// SPDX-License-Identifier: MIT
//
// Entry into exceptions and return from them (ARM B1.5), and what goes wrong there.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "armv6m_private.h"
#include "test_interrupts.h"

// ---- entry and return ----

static void reset__starts_at_the_vector_table(void **state)
{
    (void)state;

    assert_int_equal(machine.cpu.r[13], STACK_TOP);
    assert_int_equal(machine.cpu.r[15], CODE);
    assert_int_equal(machine.cpu.r[14], 0xFFFFFFFF);
    assert_int_equal(machine.cpu.exception, 0);
    assert_false(machine.cpu.primask);
}

static void reset__forgets_everything_but_the_lines_and_the_time(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_steps(&machine, 3);
    assert_in(IRQ3);
    const uint64_t cycles = machine.cpu.cycles;

    armv6m_reset(&machine.cpu);
    machine_step(&machine);
    assert_int_equal(machine.cpu.r[15], CODE);
    assert_int_equal(machine.cpu.cycles, cycles + 3);
    poke(ISER, 1u << 3);
    machine_step(&machine);

    assert_in(IRQ3);
}

static void entry__stacks_eight_words(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 13; n++)
        machine.cpu.r[n] = 100 + n;
    machine.cpu.r[14] = 114;
    machine.cpu.c = 1;
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_step(&machine);

    assert_in(IRQ3);
    assert_int_equal(machine.cpu.r[13], STACK_TOP - 32);
    static const uint32_t frame[] = {100, 101, 102, 103, 112, 114, CODE, 0x21000000};
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(machine_word(&machine, STACK_TOP - 32 + 4 * i), frame[i]);
    assert_int_equal(machine.cpu.r[14], 0xFFFFFFF9);
    assert_int_equal(machine.cpu.cycles, 16);
}

static void entry__aligns_the_stack_to_eight_and_return_undoes_it(void **state)
{
    (void)state;
    machine.cpu.r[13] = STACK_TOP - 4;
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_step(&machine);
    assert_int_equal(machine.cpu.r[13], STACK_TOP - 40);
    assert_int_equal(machine_word(&machine, STACK_TOP - 12), 0x01000200);
    armv6m_set_irq(&machine.cpu, 3, false);
    machine_step(&machine);

    assert_int_equal(machine.cpu.r[13], STACK_TOP - 4);
    assert_int_equal(machine.cpu.r[15], CODE);
    assert_int_equal(armv6m_xpsr(&machine.cpu), 0x01000000);
}

static void entry__from_the_process_stack_uses_it_and_return_goes_back(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xF380, 0x8814, 0xE7FE); // msr control, r0; b .
    machine.cpu.r[0] = 2;
    machine.cpu.banked_sp = SRAM + 0x400;
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_step(&machine);
    assert_in(IRQ3);
    assert_int_equal(machine.cpu.r[14], 0xFFFFFFFD);
    assert_int_equal(machine.cpu.r[13], STACK_TOP);
    assert_int_equal(armv6m_psp(&machine.cpu), SRAM + 0x400 - 32);
    armv6m_set_irq(&machine.cpu, 3, false);
    machine_step(&machine);

    assert_int_equal(machine.cpu.r[13], SRAM + 0x400);
    assert_int_equal(armv6m_msp(&machine.cpu), STACK_TOP);
    assert_int_equal(machine.cpu.r[15], CODE + 4);
}

static void handler_mode__cannot_select_the_process_stack(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ3), 0xF380, 0x8814); // msr control, r0
    machine.cpu.r[0] = 2;
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_steps(&machine, 2);

    assert_false(machine.cpu.spsel);
    assert_int_equal(machine.cpu.r[13], STACK_TOP - 32);
}

static void pop_pc__returns_from_a_handler(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(IRQ3), 0xB510, 0xBD10); // push {r4, lr}; pop {r4, pc}
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);

    machine_steps(&machine, 2);

    assert_int_equal(machine.cpu.exception, 0);
    assert_int_equal(machine.cpu.r[15], CODE);
    assert_int_equal(machine.cpu.r[13], STACK_TOP);
}

static void return__restores_the_flags(void **state)
{
    (void)state;
    char flags[5];
    armv6m_set_flags(&machine.cpu, 0xA0000000);
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);
    armv6m_set_flags(&machine.cpu, 0x50000000);

    machine_step(&machine);

    assert_string_equal(machine_flags(&machine, flags), "N-C-");
}

static void return__to_a_frame_without_thumb_bit_faults_there(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);
    machine_set_word(&machine, STACK_TOP - 4, 0);

    machine_steps(&machine, 2);

    assert_in(ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE);
}

static void reset__aligns_the_stack_pointer(void **state)
{
    (void)state;
    machine_set_word(&machine, FLASH, STACK_TOP - 1);

    armv6m_reset(&machine.cpu);

    assert_int_equal(machine.cpu.r[13], STACK_TOP - 4);
}

static void mrs__reads_the_parts_of_xpsr_that_it_names(void **state)
{
    static const struct {
        uint16_t sysm;
        uint32_t value;
    } parts[] = {
        {0, 0xA0000000},        // apsr
        {1, 0xA0000000 | IRQ3}, // iapsr
        {2, 0xA0000000},        // eapsr
        {3, 0xA0000000 | IRQ3}, // xpsr
        {5, IRQ3},              // ipsr
        {6, 0},                 // epsr
        {7, IRQ3},              // iepsr
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        start_interrupts(state);
        PUT(&machine, HANDLER(IRQ3), 0xF3EF, 0x8000 | parts[i].sysm); // mrs r0, ...
        armv6m_set_flags(&machine.cpu, 0xA0000000);
        armv6m_set_irq(&machine.cpu, 3, true);

        machine_steps(&machine, 2);

        assert_int_equal(machine.cpu.r[0], parts[i].value);
    }
}

static void msr__to_ipsr_and_epsr_does_nothing(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xF380, 0x8805, 0xF380, 0x8806, 0xF380, 0x8807); // ipsr, epsr, iepsr
    machine.cpu.r[0] = 0xFFFFFFFF;
    const uint32_t before = armv6m_xpsr(&machine.cpu);

    machine_steps(&machine, 3);

    assert_int_equal(armv6m_xpsr(&machine.cpu), before);
    assert_int_equal(machine.cpu.r[15], CODE + 12);
}

static void invalid_exc_returns__fault(void **state)
{
    static const uint32_t values[] = {0xFFFFFFF1, 0xFFFFFFF0, 0xFFFFFFFF, 0xF0000009, 0xFFFFFFE9};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        start_interrupts(state);
        armv6m_set_irq(&machine.cpu, 3, true);
        machine_step(&machine);
        machine.cpu.r[14] = values[i];

        machine_step(&machine);

        assert_in(ARMV6M_HARDFAULT);
        assert_int_equal(machine_word(&machine, machine.cpu.r[13] + 24), HANDLER(IRQ3));
    }
}

static void return_to_thread_mode__from_a_nested_handler_faults(void **state)
{
    (void)state;
    set_priority(3, 1);
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 5, true);
    machine_step(&machine);
    machine.cpu.r[14] = 0xFFFFFFF9;

    machine_step(&machine);

    assert_in(ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, machine.cpu.r[13] + 24), HANDLER(IRQ5));
}

static void exc_return__in_thread_mode_is_an_address(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0x4700); // bx r0
    machine.cpu.r[0] = 0xFFFFFFF9;

    machine_steps(&machine, 2);

    assert_in(ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), 0xFFFFFFF8);
}

static void return__with_a_frame_of_the_wrong_mode_faults(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);
    machine_set_word(&machine, STACK_TOP - 4, 0x01000005); // to Thread mode, but IPSR is not 0

    machine_step(&machine);

    assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT);
}

static void return__to_an_exception_that_is_not_active_faults(void **state)
{
    for (uint32_t exception = 0; exception < 64; exception++) {
        start_interrupts(state);
        set_priority(3, 1);
        armv6m_set_irq(&machine.cpu, 3, true);
        machine_step(&machine);
        armv6m_set_irq(&machine.cpu, 5, true);
        machine_step(&machine);
        armv6m_set_irq(&machine.cpu, 5, false);
        machine_set_word(&machine, machine.cpu.r[13] + 28, 0x01000000 | exception);

        machine_step(&machine);

        assert_int_equal(machine.cpu.exception, exception == IRQ3 ? IRQ3 : ARMV6M_HARDFAULT);
    }
}

// ---- faults in faults ----

static void fault_in_hardfault__locks_up(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xDE00);
    PUT(&machine, HANDLER(ARMV6M_HARDFAULT), 0xDE00);

    const enum armv6m_stop why = armv6m_run(&machine.cpu, 1000);

    assert_int_equal(why, ARMV6M_LOCKUP);
    assert_int_equal(machine.cpu.r[15], 0xFFFFFFFE);
    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_LOCKUP);
}

static void fault_in_hardfault__with_primask_locks_up_all_the_same(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xB672, 0xDE00); // cpsid i; udf
    PUT(&machine, HANDLER(ARMV6M_HARDFAULT), 0xDE00);

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_LOCKUP);
}

static void lockup__is_left_for_an_nmi_and_comes_back_after_it(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xDE00);
    PUT(&machine, HANDLER(ARMV6M_HARDFAULT), 0xDE00);
    armv6m_run(&machine.cpu, 1000);

    armv6m_set_nmi(&machine.cpu);
    assert_int_equal(machine_step(&machine), ARMV6M_BUDGET);
    assert_in(ARMV6M_NMI);

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_LOCKUP);
}

static void fault_in_nmi__locks_up(void **state)
{
    (void)state;
    PUT(&machine, HANDLER(ARMV6M_NMI), 0xDE00);
    armv6m_set_nmi(&machine.cpu);

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_LOCKUP);
}

static void reset__without_a_vector_table_locks_up(void **state)
{
    (void)state;
    armv6m_map(&machine.cpu, 2, NULL);

    armv6m_reset(&machine.cpu);

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_LOCKUP);
}

static void interrupt__without_a_stack_is_a_hardfault_and_stays_pending(void **state)
{
    (void)state;
    machine.cpu.r[13] = NOWHERE;
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_step(&machine);

    assert_in(ARMV6M_HARDFAULT);
    assert_int_equal(machine.cpu.r[13], NOWHERE - 32);
    assert_int_equal(peek(ISPR), 1u << 3);
}

static void nmi__without_a_stack_locks_up(void **state)
{
    (void)state;
    machine.cpu.r[13] = NOWHERE;
    armv6m_set_nmi(&machine.cpu);

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_LOCKUP);
    assert_int_equal(machine.cpu.exception, 0);
}

static void hardfault__without_a_stack_locks_up(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xDE00);
    machine.cpu.r[13] = NOWHERE;

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_LOCKUP);
}

static void return__without_a_stack_is_a_hardfault(void **state)
{
    (void)state;
    armv6m_set_irq(&machine.cpu, 3, true);
    machine_step(&machine);
    armv6m_set_irq(&machine.cpu, 3, false);
    machine.cpu.r[13] = NOWHERE;

    machine_step(&machine);

    assert_in(ARMV6M_HARDFAULT);
    assert_int_equal(machine.cpu.r[14], 0xFFFFFFF9);
}

static void return_from_hardfault__without_a_stack_locks_up(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xDE00);
    machine_step(&machine);
    machine.cpu.r[13] = NOWHERE;

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_LOCKUP);
}

static void vector__without_thumb_bit_faults_in_the_handler(void **state)
{
    (void)state;
    machine_set_word(&machine, FLASH + 4 * IRQ3, HANDLER(IRQ3));
    armv6m_set_irq(&machine.cpu, 3, true);

    machine_steps(&machine, 2);

    assert_in(ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, machine.cpu.r[13] + 24), HANDLER(IRQ3));
}

static void bkpt__stops_the_run_and_then_faults(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF00, 0xBEAB); // nop; bkpt

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_BKPT);
    assert_int_equal(machine.cpu.r[15], CODE + 2);
    assert_int_equal(machine.cpu.cycles, 1);
    machine_step(&machine);

    assert_in(ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE + 2);
}

// ---- reset request ----

static void aircr__requests_a_reset_with_its_key_only(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0x6008, 0x600A, 0xE7FE); // str r0, [r1]; str r2, [r1]; b .
    machine.cpu.r[0] = 0x04FA0004;
    machine.cpu.r[1] = AIRCR;
    machine.cpu.r[2] = 0x05FA0004;

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_RESET);

    assert_int_equal(machine.cpu.r[15], CODE + 4);
    assert_int_equal(peek(AIRCR), 0xFA050000);
}

// ---- whatever the firmware ----

static uint32_t random32(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

// Random code and data; random vectors as well, or good ones.
static void load_image(struct machine *m, uint32_t *random, bool good_vectors)
{
    machine_start(m);
    for (uint32_t i = 0; i < MEMORY_SIZE; i++) {
        m->sram[i] = (uint8_t)random32(random);
        if (i >= (good_vectors ? 4 * ARMV6M_EXCEPTIONS : 0))
            m->flash[i] = (uint8_t)random32(random);
    }
    armv6m_reset(&m->cpu);
}

// What is checked is what a sanitizer sees, that each run ends, and that the processor stays in a
// state that exists.
static void random_images__never_break_the_processor(void **state)
{
    (void)state;
    uint32_t random = 1;

    for (unsigned image = 0; image < 300; image++) {
        load_image(&machine, &random, image % 2);
        for (unsigned run = 0; run < 50; run++) {
            armv6m_set_irq(&machine.cpu, random32(&random) % 32, random32(&random) % 2);
            poke(ISER, random32(&random));
            armv6m_run(&machine.cpu, 100);

            assert_int_equal(machine.cpu.r[15] % 2, 0);
            assert_int_equal(machine.cpu.r[13] % 4, 0);
            assert_true(machine.cpu.exception == 0 || machine.cpu.locked_up ||
                        machine.cpu.active & armv6m_bit(machine.cpu.exception));
        }
    }
}

// A random image with a SysTick interrupt every 50 cycles and a HardFault handler that goes on
// behind the instruction; in runs of so many cycles, until 3000 have passed or it stops.
static void run_in_pieces(struct machine *m, uint32_t seed, uint64_t piece)
{
    load_image(m, &seed, true);
    PUT(m, HANDLER(ARMV6M_SYSTICK), 0x4770); // bx lr
    PUT(m, HANDLER(ARMV6M_HARDFAULT),
        0x9906,  // ldr r1, [sp, #24]
        0x3102,  // adds r1, #2
        0x9106,  // str r1, [sp, #24]
        0x4770); // bx lr
    armv6m_write(&m->cpu, 0xE000E014, 4, 49);
    armv6m_write(&m->cpu, 0xE000E010, 4, 7);
    enum armv6m_stop why = ARMV6M_BUDGET;
    while (m->cpu.cycles < 3000 && (why == ARMV6M_BUDGET || why == ARMV6M_ASLEEP))
        why = armv6m_run(&m->cpu, piece);
}

static void assert_same_state(const struct machine *a, const struct machine *b)
{
    assert_memory_equal(a->cpu.r, b->cpu.r, sizeof(a->cpu.r));
    assert_memory_equal(a->sram, b->sram, MEMORY_SIZE);
    assert_int_equal(armv6m_xpsr(&a->cpu), armv6m_xpsr(&b->cpu));
    assert_true(a->cpu.cycles == b->cpu.cycles);
    assert_true(a->cpu.pending == b->cpu.pending && a->cpu.active == b->cpu.active);
}

static void run__in_pieces_is_the_same_as_in_one(void **state)
{
    (void)state;
    static struct machine whole;

    for (uint32_t seed = 1; seed <= 100; seed++) {
        run_in_pieces(&whole, seed, 3000);
        run_in_pieces(&machine, seed, 1);

        assert_same_state(&machine, &whole);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, start_interrupts)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reset__starts_at_the_vector_table),
        TEST(reset__forgets_everything_but_the_lines_and_the_time),
        TEST(entry__stacks_eight_words),
        TEST(entry__aligns_the_stack_to_eight_and_return_undoes_it),
        TEST(entry__from_the_process_stack_uses_it_and_return_goes_back),
        TEST(handler_mode__cannot_select_the_process_stack),
        TEST(pop_pc__returns_from_a_handler),
        TEST(return__restores_the_flags),
        TEST(return__to_a_frame_without_thumb_bit_faults_there),
        TEST(reset__aligns_the_stack_pointer),
        TEST(mrs__reads_the_parts_of_xpsr_that_it_names),
        TEST(msr__to_ipsr_and_epsr_does_nothing),
        TEST(invalid_exc_returns__fault),
        TEST(return_to_thread_mode__from_a_nested_handler_faults),
        TEST(exc_return__in_thread_mode_is_an_address),
        TEST(return__with_a_frame_of_the_wrong_mode_faults),
        TEST(return__to_an_exception_that_is_not_active_faults),
        TEST(fault_in_hardfault__locks_up),
        TEST(fault_in_hardfault__with_primask_locks_up_all_the_same),
        TEST(lockup__is_left_for_an_nmi_and_comes_back_after_it),
        TEST(fault_in_nmi__locks_up),
        TEST(reset__without_a_vector_table_locks_up),
        TEST(interrupt__without_a_stack_is_a_hardfault_and_stays_pending),
        TEST(nmi__without_a_stack_locks_up),
        TEST(hardfault__without_a_stack_locks_up),
        TEST(return__without_a_stack_is_a_hardfault),
        TEST(return_from_hardfault__without_a_stack_locks_up),
        TEST(vector__without_thumb_bit_faults_in_the_handler),
        TEST(bkpt__stops_the_run_and_then_faults),
        TEST(aircr__requests_a_reset_with_its_key_only),
        TEST(random_images__never_break_the_processor),
        TEST(run__in_pieces_is_the_same_as_in_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
