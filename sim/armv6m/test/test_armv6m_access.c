// SPDX-License-Identifier: MIT
//
// Loads, stores and special registers against the rules of the architecture manual (ARM A6.7,
// B4.2).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_machine.h"

static struct machine machine;

// ---- loads and stores: r0 and [address], with r1 = SRAM and r2 = 8 ----

struct memory_access {
    const char *what;
    uint16_t code;
    uint32_t address;  // of the word below
    uint32_t r0, word; // before
    uint32_t r0_after, word_after;
};

static const struct memory_access accesses[] = {
    {"str r0, [r1, r2]", 0x5088, SRAM + 8, 0x11223344, 0, 0x11223344, 0x11223344},
    {"strh r0, [r1, r2]", 0x5288, SRAM + 8, 0x11223344, ~0u, 0x11223344, 0xFFFF3344},
    {"strb r0, [r1, r2]", 0x5488, SRAM + 8, 0x11223344, ~0u, 0x11223344, 0xFFFFFF44},
    {"ldrsb r0, [r1, r2]", 0x5688, SRAM + 8, 0, 0x80, 0xFFFFFF80, 0x80},
    {"ldrsb r0, [r1, r2], positive", 0x5688, SRAM + 8, 0, 0xFF7F, 0x7F, 0xFF7F},
    {"ldr r0, [r1, r2]", 0x5888, SRAM + 8, 0, 0x89ABCDEF, 0x89ABCDEF, 0x89ABCDEF},
    {"ldrh r0, [r1, r2]", 0x5A88, SRAM + 8, ~0u, 0x89ABCDEF, 0xCDEF, 0x89ABCDEF},
    {"ldrb r0, [r1, r2]", 0x5C88, SRAM + 8, ~0u, 0x89ABCDEF, 0xEF, 0x89ABCDEF},
    {"ldrsh r0, [r1, r2]", 0x5E88, SRAM + 8, 0, 0x1238000, 0xFFFF8000, 0x1238000},
    {"str r0, [r1, #4]", 0x6048, SRAM + 4, 7, 0, 7, 7},
    {"ldr r0, [r1, #124]", 0x6FC8, SRAM + 124, 0, 7, 7, 7},
    {"strb r0, [r1, #31]", 0x77C8, SRAM + 28, 0x3AA, ~0u, 0x3AA, 0xAAFFFFFF},
    {"ldrb r0, [r1, #1]", 0x7848, SRAM + 0, ~0u, 0x1234, 0x12, 0x1234},
    {"strh r0, [r1, #62]", 0x87C8, SRAM + 60, 0x3AAAA, ~0u, 0x3AAAA, 0xAAAAFFFF},
    {"ldrh r0, [r1, #2]", 0x8848, SRAM + 0, 0, 0x87654321, 0x8765, 0x87654321},
    {"str r0, [sp, #1020]", 0x90FF, SRAM + 0x400 + 1020, 9, 0, 9, 9},
    {"ldr r0, [sp, #4]", 0x9801, SRAM + 0x404, 0, 9, 9, 9},
};

static void loads_and_stores__move_what_the_manual_says(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
        const struct memory_access *row = &accesses[i];
        machine_start(&machine);
        PUT(&machine, CODE, row->code);
        machine_set_word(&machine, row->address, row->word);
        memcpy(machine.cpu.r, (const uint32_t[]){row->r0, SRAM, 8}, 12);
        machine.cpu.r[13] = SRAM + 0x400;

        machine_step(&machine);

        const uint32_t word = machine_word(&machine, row->address);
        if (machine.cpu.r[0] != row->r0_after || word != row->word_after || machine.cpu.cycles != 2)
            fail_msg("%s: r0 %#x word %#x", row->what, machine.cpu.r[0], word);
    }
}

static void peripherals__are_reached_over_the_bus_in_every_size(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0x6008, 0x6848, 0x888A, 0x7A8B); // str, ldr #4, ldrh #4, ldrb #10
    memcpy(machine.cpu.r, (const uint32_t[]){0x12345678, MMIO}, 8);
    machine.mmio[1] = 0x89ABCDEF;
    machine.mmio[2] = 0x00FE0000;

    machine_steps(&machine, 4);

    assert_int_equal(machine.mmio[0], 0x12345678);
    assert_int_equal(machine.cpu.r[0], 0x89ABCDEF);
    assert_int_equal(machine.cpu.r[2], 0xCDEF);
    assert_int_equal(machine.cpu.r[3], 0xFE);
    assert_int_equal(machine.accessed_at, 7); // the first cycle of the fourth
}

static void stm_and_ldm__move_lists_and_write_back(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xC105, 0xC90C); // stm r1!, {r0, r2}; ldm r1!, {r2, r3}
    memcpy(machine.cpu.r, (const uint32_t[]){10, SRAM, 12}, 12);
    machine_set_word(&machine, SRAM + 8, 20);
    machine_set_word(&machine, SRAM + 12, 21);

    machine_step(&machine);
    assert_int_equal(machine_word(&machine, SRAM), 10);
    assert_int_equal(machine_word(&machine, SRAM + 4), 12);
    assert_int_equal(machine.cpu.r[1], SRAM + 8);
    assert_int_equal(machine.cpu.cycles, 3);
    machine_step(&machine);

    assert_int_equal(machine.cpu.r[2], 20);
    assert_int_equal(machine.cpu.r[3], 21);
    assert_int_equal(machine.cpu.r[1], SRAM + 16);
    assert_int_equal(machine.cpu.cycles, 6);
}

static void ldm__of_its_own_base_does_not_write_back(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xC903); // ldm r1, {r0, r1}
    machine.cpu.r[1] = SRAM;
    machine_set_word(&machine, SRAM, 20);
    machine_set_word(&machine, SRAM + 4, 21);

    machine_step(&machine);

    assert_int_equal(machine.cpu.r[0], 20);
    assert_int_equal(machine.cpu.r[1], 21);
}

static void push_and_pop__use_a_full_descending_stack(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xB581, 0xBC0E); // push {r0, r7, lr}; pop {r1, r2, r3}
    machine.cpu.r[0] = 1;
    machine.cpu.r[7] = 2;
    machine.cpu.r[14] = 3;

    machine_step(&machine);
    assert_int_equal(machine.cpu.r[13], STACK_TOP - 12);
    assert_int_equal(machine_word(&machine, STACK_TOP - 12), 1);
    assert_int_equal(machine_word(&machine, STACK_TOP - 4), 3);
    assert_int_equal(machine.cpu.cycles, 4);
    machine_step(&machine);

    assert_int_equal(machine.cpu.r[1], 1);
    assert_int_equal(machine.cpu.r[2], 2);
    assert_int_equal(machine.cpu.r[3], 3);
    assert_int_equal(machine.cpu.r[13], STACK_TOP);
    assert_int_equal(machine.cpu.cycles, 8);
}

static void pop_pc__returns(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xBD01); // pop {r0, pc}
    machine.cpu.r[13] = SRAM;
    machine_set_word(&machine, SRAM, 5);
    machine_set_word(&machine, SRAM + 4, CODE + 0x21);

    machine_step(&machine);

    assert_int_equal(machine.cpu.r[0], 5);
    assert_int_equal(machine.cpu.r[15], CODE + 0x20);
    assert_int_equal(machine.cpu.r[13], SRAM + 8);
    assert_int_equal(machine.cpu.cycles, 6);
}

// ---- special registers ----

static void special_registers__are_read_and_written(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xF380, 0x8800, // msr apsr, r0
        0xF3EF, 0x8103,                 // mrs r1, xpsr
        0xF382, 0x8809,                 // msr psp, r2
        0xF3EF, 0x8309,                 // mrs r3, psp
        0xF384, 0x8808,                 // msr msp, r4
        0xF3EF, 0x8508);                // mrs r5, msp
    machine.cpu.r[0] = 0xA0000000;
    machine.cpu.r[2] = SRAM + 0x203;
    machine.cpu.r[4] = SRAM + 0x302;

    machine_steps(&machine, 6);

    assert_int_equal(machine.cpu.r[1], 0xA0000000); // T reads as zero
    assert_int_equal(machine.cpu.r[3], SRAM + 0x200);
    assert_int_equal(machine.cpu.r[5], SRAM + 0x300);
    assert_int_equal(machine.cpu.r[13], SRAM + 0x300);
    assert_int_equal(machine.cpu.cycles, 24);
}

static void primask__is_set_and_cleared(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE,
        0xB672,          // cpsid i
        0xF3EF, 0x8010,  // mrs r0, primask
        0xB662,          // cpsie i
        0xF3EF, 0x8110,  // mrs r1, primask
        0xF380, 0x8810,  // msr primask, r0
        0xF3EF, 0x8210); // mrs r2, primask

    machine_steps(&machine, 6);

    assert_int_equal(machine.cpu.r[0], 1);
    assert_int_equal(machine.cpu.r[1], 0);
    assert_int_equal(machine.cpu.r[2], 1);
}

static void control__selects_the_stack_of_thread_mode(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xF381, 0x8809, // msr psp, r1
        0xF380, 0x8814,                 // msr control, r0
        0xF3EF, 0x8214,                 // mrs r2, control
        0xF3EF, 0x8308);                // mrs r3, msp
    machine.cpu.r[0] = 3;               // nPRIV does not exist in the Cortex-M0
    machine.cpu.r[1] = SRAM + 0x200;

    machine_steps(&machine, 4);

    assert_int_equal(machine.cpu.r[13], SRAM + 0x200);
    assert_int_equal(machine.cpu.r[2], 2);
    assert_int_equal(machine.cpu.r[3], STACK_TOP);
}

static void hints_and_barriers__do_nothing(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xBF00, 0xBF10, 0xBFF0, 0xF3BF, 0x8F4F, 0xF3BF, 0x8F5F, 0xF3BF, 0x8F6F);
    uint32_t before[15];
    memcpy(before, machine.cpu.r, sizeof(before));

    machine_steps(&machine, 6);

    assert_memory_equal(machine.cpu.r, before, sizeof(before));
    assert_int_equal(machine.cpu.r[15], CODE + 18);
    assert_int_equal(machine.cpu.cycles, 3 + 3 * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_and_stores__move_what_the_manual_says),
        cmocka_unit_test(peripherals__are_reached_over_the_bus_in_every_size),
        cmocka_unit_test(stm_and_ldm__move_lists_and_write_back),
        cmocka_unit_test(ldm__of_its_own_base_does_not_write_back),
        cmocka_unit_test(push_and_pop__use_a_full_descending_stack),
        cmocka_unit_test(pop_pc__returns),
        cmocka_unit_test(special_registers__are_read_and_written),
        cmocka_unit_test(primask__is_set_and_cleared),
        cmocka_unit_test(control__selects_the_stack_of_thread_mode),
        cmocka_unit_test(hints_and_barriers__do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
