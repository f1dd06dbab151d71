// SPDX-License-Identifier: MIT
//
// What a debugger sees and does from outside.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <armv6m/armv6m_debug.h>

#include "test_machine.h"

static struct machine machine;

static int set_up(void **state)
{
    (void)state;
    machine_start(&machine);
    return 0;
}

// ---- Accesses: r1 = SRAM, r2 = 8, sp = SRAM + 400h ----

static const struct {
    const char *what;
    uint16_t code;
    struct armv6m_access access;
} accesses[] = {
    {"str r0, [r1, r2]", 0x5088, {SRAM + 8, 4, true}},
    {"strh r0, [r1, r2]", 0x5288, {SRAM + 8, 2, true}},
    {"strb r0, [r1, r2]", 0x5488, {SRAM + 8, 1, true}},
    {"ldrsb r0, [r1, r2]", 0x5688, {SRAM + 8, 1, false}},
    {"ldr r0, [r1, r2]", 0x5888, {SRAM + 8, 4, false}},
    {"ldrh r0, [r1, r2]", 0x5A88, {SRAM + 8, 2, false}},
    {"ldrb r0, [r1, r2]", 0x5C88, {SRAM + 8, 1, false}},
    {"ldrsh r0, [r1, r2]", 0x5E88, {SRAM + 8, 2, false}},
    {"str r0, [r1, #4]", 0x6048, {SRAM + 4, 4, true}},
    {"ldr r0, [r1, #124]", 0x6FC8, {SRAM + 124, 4, false}},
    {"strb r0, [r1, #31]", 0x77C8, {SRAM + 31, 1, true}},
    {"ldrb r0, [r1, #1]", 0x7848, {SRAM + 1, 1, false}},
    {"strh r0, [r1, #62]", 0x87C8, {SRAM + 62, 2, true}},
    {"ldrh r0, [r1, #2]", 0x8848, {SRAM + 2, 2, false}},
    {"str r0, [sp, #1020]", 0x90FF, {SRAM + 0x400 + 1020, 4, true}},
    {"ldr r0, [sp, #4]", 0x9801, {SRAM + 0x404, 4, false}},
    {"ldr r0, [pc, #8]", 0x4802, {CODE + 4 + 8, 4, false}},
    {"push {r0, r7, lr}", 0xB581, {SRAM + 0x400 - 12, 12, true}},
    {"pop {r0, r7, pc}", 0xBD81, {SRAM + 0x400, 12, false}},
    {"stmia r1!, {r0, r2}", 0xC105, {SRAM, 8, true}},
    {"ldmia r1!, {r0, r2, r3}", 0xC90D, {SRAM, 12, false}},
    {"adds r0, r1, r2", 0x1888, {0, 0, false}},
    {"add r0, sp, #4", 0xA801, {0, 0, false}},
    {"bl, first half", 0xF000, {0, 0, false}},
    {"bkpt", 0xBE00, {0, 0, false}},
};

static void access__is_known_before_the_instruction(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++) {
        machine_start(&machine);
        PUT(&machine, CODE, accesses[i].code);
        machine.cpu.r[1] = SRAM;
        machine.cpu.r[2] = 8;
        machine.cpu.r[13] = SRAM + 0x400;

        struct armv6m_access access = armv6m_next_access(&machine.cpu);

        if (access.address != accesses[i].access.address ||
            access.size != accesses[i].access.size ||
            access.is_write != accesses[i].access.is_write)
            fail_msg("%s: %u bytes at %08X, %s", accesses[i].what, access.size, access.address,
                     access.is_write ? "written" : "read");
    }
}

static void access__is_none_where_there_is_no_memory(void **state)
{
    (void)state;

    machine.cpu.r[15] = NOWHERE;

    assert_int_equal(armv6m_next_access(&machine.cpu).size, 0);
}

// ---- Holding ----

static struct {
    uint32_t address;
    unsigned calls;
    uint64_t cycles;
    bool repeats; // the cycle counter was the same at two instructions
} hold;

static bool holds(void *context, const struct armv6m *cpu)
{
    (void)context;
    hold.repeats |= hold.calls++ > 0 && cpu->cycles <= hold.cycles;
    hold.cycles = cpu->cycles;
    return cpu->r[15] == hold.address;
}

static void hold__stops_before_the_instruction(void **state)
{
    (void)state;

    // movs r0, #1; movs r0, #2; b CODE
    PUT(&machine, CODE, 0x2001, 0x2002, 0xE7FC);
    memset(&hold, 0, sizeof hold);
    hold.address = CODE + 2;
    armv6m_set_hold(&machine.cpu, holds, NULL);

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_HELD);
    assert_int_equal(machine.cpu.r[0], 1);
    assert_int_equal(machine.cpu.r[15], CODE + 2);
    assert_int_equal(hold.calls, 2);

    hold.address = 0;
    assert_int_equal(armv6m_run(&machine.cpu, 1), ARMV6M_BUDGET);
    assert_int_equal(machine.cpu.r[0], 2);
}

static void hold__cycles_name_the_instructions(void **state)
{
    (void)state;

    PUT(&machine, CODE, 0x2001, 0x2002, 0xE7FC);
    memset(&hold, 0, sizeof hold);
    armv6m_set_hold(&machine.cpu, holds, NULL);
    armv6m_run(&machine.cpu, 1000);

    assert_true(hold.calls > 100);
    assert_false(hold.repeats);
}

// ---- Handlers ----

static void handler__is_known_at_its_first_instruction_only(void **state)
{
    (void)state;

    // A store to nowhere; the handler of HardFault is two times nop, and a loop.
    PUT(&machine, CODE, 0x6008);
    PUT(&machine, HANDLER(ARMV6M_HARDFAULT), 0xBF00, 0xBF00, 0xE7FE);
    machine.cpu.r[1] = NOWHERE;
    uint32_t sp = machine.cpu.r[13];
    assert_false(armv6m_at_handler(&machine.cpu));
    memset(&hold, 0, sizeof hold);
    hold.address = HANDLER(ARMV6M_HARDFAULT);
    armv6m_set_hold(&machine.cpu, holds, NULL);

    assert_int_equal(armv6m_run(&machine.cpu, 1000), ARMV6M_HELD);
    assert_true(armv6m_at_handler(&machine.cpu));
    struct armv6m_access frame = armv6m_stacked_frame(&machine.cpu);
    assert_int_equal(frame.address, sp - 0x20);
    assert_int_equal(frame.size, 0x20);
    assert_true(frame.is_write);

    hold.address += 2;
    armv6m_run(&machine.cpu, 1000);
    assert_false(armv6m_at_handler(&machine.cpu));
}

static void handler__that_loops_on_its_first_instruction_is_entered_once(void **state)
{
    (void)state;

    PUT(&machine, CODE, 0x6008);
    PUT(&machine, HANDLER(ARMV6M_HARDFAULT), 0xE7FE);
    machine.cpu.r[1] = NOWHERE;
    armv6m_run(&machine.cpu, 1000);

    assert_int_equal(machine.cpu.r[15], HANDLER(ARMV6M_HARDFAULT));
    assert_false(armv6m_at_handler(&machine.cpu));
}

// ---- Writing ----

static void writing__keeps_the_bits_that_a_register_has(void **state)
{
    (void)state;

    armv6m_set_pc(&machine.cpu, CODE + 5);
    armv6m_set_msp(&machine.cpu, SRAM + 0x103);
    armv6m_set_psp(&machine.cpu, SRAM + 0x207);
    armv6m_set_xpsr(&machine.cpu, 0xF1000003);

    assert_int_equal(machine.cpu.r[15], CODE + 4);
    assert_int_equal(armv6m_msp(&machine.cpu), SRAM + 0x100);
    assert_int_equal(armv6m_psp(&machine.cpu), SRAM + 0x204);
    assert_int_equal(armv6m_xpsr(&machine.cpu), 0xF1000000); // IPSR stays
}

static void writing__pc_ends_a_sleep(void **state)
{
    (void)state;
    PUT(&machine, CODE, 0xBF30, 0xBE00, 0x2001); // wfi; bkpt; movs r0, #1
    assert_int_equal(armv6m_run(&machine.cpu, 100), ARMV6M_ASLEEP);

    armv6m_set_pc(&machine.cpu, CODE + 4);
    machine_step(&machine);

    assert_int_equal(machine.cpu.r[0], 1);
}

static void writing__reaches_memory_and_the_system_control_space(void **state)
{
    const uint32_t systick_load = 0xE000E014;
    uint32_t value;
    (void)state;

    assert_true(armv6m_store(&machine.cpu, SRAM + 4, 2, 0x1234));
    assert_true(armv6m_load(&machine.cpu, SRAM + 4, 1, &value));
    assert_int_equal(value, 0x34);
    assert_true(armv6m_store(&machine.cpu, systick_load, 4, 77));
    assert_true(armv6m_load(&machine.cpu, systick_load, 4, &value));
    assert_int_equal(value, 77);
    assert_false(armv6m_load(&machine.cpu, NOWHERE, 4, &value));
    assert_false(armv6m_load(&machine.cpu, SRAM + 1, 2, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(access__is_known_before_the_instruction, set_up),
        cmocka_unit_test_setup(access__is_none_where_there_is_no_memory, set_up),
        cmocka_unit_test_setup(hold__stops_before_the_instruction, set_up),
        cmocka_unit_test_setup(hold__cycles_name_the_instructions, set_up),
        cmocka_unit_test_setup(handler__is_known_at_its_first_instruction_only, set_up),
        cmocka_unit_test_setup(handler__that_loops_on_its_first_instruction_is_entered_once,
                               set_up),
        cmocka_unit_test_setup(writing__keeps_the_bits_that_a_register_has, set_up),
        cmocka_unit_test_setup(writing__pc_ends_a_sleep, set_up),
        cmocka_unit_test_setup(writing__reaches_memory_and_the_system_control_space, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
