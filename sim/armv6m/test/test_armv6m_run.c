// SPDX-License-Identifier: MIT
//
// Instructions that fault, code that changes or moves, and how a run begins and ends.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_machine.h"

static struct machine machine;

// ---- faults: each is a HardFault that returns to the instruction, registers as they were ----

static void assert_faults(const char *what, uint16_t first, uint16_t second)
{
    machine_start(&machine);
    PUT(&machine, CODE, first, second);
    for (uint32_t n = 0; n < 13; n++)
        machine.cpu.r[n] = NOWHERE + n;
    machine_step(&machine);

    if (machine.cpu.exception != ARMV6M_HARDFAULT || machine.cpu.r[15] != HANDLER(3))
        fail_msg("%s (%04x %04x) does not fault", what, first, second);
    assert_int_equal(machine.cpu.r[13], STACK_TOP - 0x20);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE);
    for (uint32_t n = 0; n < 13; n++)
        assert_int_equal(machine.cpu.r[n], NOWHERE + n);
}

// What ARM A5.2 and A5.3 leave undefined or unpredictable, of 16 bits.
static bool is_undefined(uint16_t i)
{
    return (i & 0xFF00) == 0xDE00 || // permanently undefined
           (i & 0xF800) == 0xE800 || (i & 0xF800) == 0xF800 ||
           (i & 0xF500) == 0xB100 || // CBZ and CBNZ of ARMv7-M
           ((i & 0xFF00) == 0xB600 && (i & 0xFFEF) != 0xB662) || (i & 0xFF00) == 0xB700 ||
           (i & 0xFF00) == 0xB800 || (i & 0xFFC0) == 0xBA80 ||
           ((i & 0xFF00) == 0xBF00 && (i & 0xF) != 0) || // IT of ARMv7-M
           i == 0xB400 || i == 0xBC00 || (i & 0xF0FF) == 0xC000;
}

static void undefined_instructions__fault(void **state)
{
    (void)state;

    for (uint32_t i = 0; i <= 0xFFFF; i++)
        if (is_undefined((uint16_t)i))
            assert_faults("undefined", (uint16_t)i, 0);
}

struct fault {
    const char *what;
    uint16_t first, second;
};

static const struct fault faults[] = {
    {"cmp r0, r1 as a high register form", 0x4508, 0},
    {"cmp r15, r0", 0x4587, 0},
    {"cmp r0, r15", 0x4578, 0},
    {"add pc, pc", 0x44FF, 0},
    {"bx with a low bit set", 0x4701, 0},
    {"blx pc", 0x47F8, 0},
    {"ldr from nowhere", 0x6808, 0},
    {"str to nowhere", 0x6008, 0},
    {"ldrh from nowhere", 0x8812, 0},
    {"ldr unaligned", 0x6848, 0},
    {"stm to nowhere", 0xC001, 0},
    {"ldm from nowhere", 0xC803, 0},
    {"bl of ARMv7-M's B.W encoding", 0xF000, 0x9000},
    {"blx of ARMv5T", 0xF000, 0xC000},
    {"udf.w", 0xF7F0, 0xA000},
    {"msr basepri, r0", 0xF380, 0x8811},
    {"mrs r0, basepri", 0xF3EF, 0x8011},
    {"mrs sp, msp", 0xF3EF, 0x8D08},
    {"msr msp, sp", 0xF38D, 0x8808},
    {"mrs pc, apsr", 0xF3EF, 0x8F00},
    {"mrs with a should-be-one bit clear", 0xF3EE, 0x8000},
    {"msr apsr, pc", 0xF38F, 0x8800},
    {"msr with SYSm 4", 0xF380, 0x8804},
    {"msr with another mask", 0xF380, 0x8900},
    {"a barrier that is not allocated", 0xF3BF, 0x8F7F},
    {"clrex of ARMv7-M", 0xF3BF, 0x8F2F},
    {"and.w of ARMv7-M", 0xEA00, 0x0000},
    {"ldr.w of ARMv7-M", 0xF8D0, 0x0000},
};

static void faults__return_to_the_instruction(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        assert_faults(faults[i].what, faults[i].first, faults[i].second);
}

static void unaligned_accesses__fault(void **state)
{
    (void)state;
    static const uint16_t codes[] = {0x6808, 0x6008, 0x8808, 0x8008, 0x5E88, 0xC901, 0xC101};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        machine_start(&machine);
        PUT(&machine, CODE, codes[i]);
        memcpy(machine.cpu.r, (const uint32_t[]){0, SRAM + 1, 0}, 12);

        machine_step(&machine);

        assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT);
        assert_int_equal(machine.cpu.r[1], SRAM + 1);
    }
}

static void write_to_flash__goes_to_the_bus(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0x6008); // str r0, [r1]
    machine.cpu.r[1] = FLASH + 0x20;
    const uint32_t before = machine_word(&machine, FLASH + 0x20);

    machine_step(&machine);

    assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT); // this bus refuses
    assert_int_equal(machine_word(&machine, FLASH + 0x20), before);
}

static void ldm__that_faults_half_way_changes_no_register(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xC90D); // ldm r1!, {r0, r2, r3}
    memcpy(machine.cpu.r, (const uint32_t[]){1, STACK_TOP - 4, 2, 3}, 16);

    machine_step(&machine);

    assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT);
    assert_int_equal(machine.cpu.r[0], 1);
    assert_int_equal(machine.cpu.r[1], STACK_TOP - 4);
}

static void fetch_outside_memory__faults_there(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0x4700); // bx r0
    machine.cpu.r[0] = MMIO | 1;

    machine_steps(&machine, 2);

    assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), MMIO);
}

static void fetch_of_half_an_instruction__faults_at_its_start(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, STACK_TOP - 2, 0xF000); // bl, second half missing
    machine.cpu.r[13] = SRAM + 0x800;
    machine.cpu.r[15] = STACK_TOP - 2;

    machine_step(&machine);

    assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, SRAM + 0x800 - 8), STACK_TOP - 2);
}

static void delay_loop_half_before_memory__is_none(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, FLASH + MEMORY_SIZE - 2, 0x3801);   // subs r0, #1: what the host has before it
    PUT(&machine, SRAM, 0xD1FD);                      // bne .-2
    PUT(&machine, HANDLER(ARMV6M_HARDFAULT), 0xE7FE); // b .
    machine.cpu.r[0] = 5;
    machine.cpu.r[15] = SRAM;

    armv6m_run(&machine.cpu, 300);

    assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), SRAM - 2);
    assert_int_equal(machine.cpu.r[0], 5);
}

static void code_at_the_end_of_memory__is_executed_to_its_last_instruction(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, STACK_TOP - 0x406, 0xE1FE);             // b .+0x400
    PUT(&machine, STACK_TOP - 6, 0x3001, 0x3001, 0x3001); // adds r0, #1, three times
    machine.mmio[0] = 0x30013001;                         // what the host has behind them
    machine.cpu.r[13] = SRAM + 0x800;
    machine.cpu.r[15] = STACK_TOP - 0x406;
    PUT(&machine, HANDLER(ARMV6M_HARDFAULT), 0xE7FE); // b .

    armv6m_run(&machine.cpu, 300);

    assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, SRAM + 0x800 - 8), STACK_TOP);
    assert_int_equal(machine.cpu.r[0], 3);
}

static void arm_state__faults_at_the_target(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0x4700); // bx r0
    machine.cpu.r[0] = CODE + 0x20;

    machine_steps(&machine, 2);

    assert_int_equal(machine.cpu.exception, ARMV6M_HARDFAULT);
    assert_int_equal(machine_word(&machine, STACK_TOP - 8), CODE + 0x20);
    assert_int_equal(machine_word(&machine, STACK_TOP - 4) & 1u << 24, 0);
}

// ---- memory and runs ----

static void code_in_sram__may_change_itself(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, SRAM + 0x100,
        0x8008,                // strh r0, [r1]   ; the instruction after the next
        0x2201,                // movs r2, #1
        0x2202);               // movs r2, #2, until it is overwritten
    machine.cpu.r[0] = 0x2203; // movs r2, #3
    machine.cpu.r[1] = SRAM + 0x104;
    machine.cpu.r[15] = SRAM + 0x100;

    machine_steps(&machine, 3);

    assert_int_equal(machine.cpu.r[2], 3);
}

static void remap_on_address_0(struct machine *m)
{
    armv6m_map(&m->cpu, 2, &(struct armv6m_region){0, m->sram, MEMORY_SIZE});
}

static void map__changes_the_code_under_the_processor(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0x6008, 0x2201);                  // str r0, [r1]; movs r2, #1
    PUT(&machine, SRAM + (CODE - FLASH), 0x2205, 0x2202); // movs r2, #2 in its place
    machine.cpu.r[1] = MMIO;
    machine.cpu.r[15] = CODE - FLASH;
    machine.on_write = remap_on_address_0;

    machine_steps(&machine, 2);

    assert_int_equal(machine.cpu.r[2], 2);
}

static void run__ends_when_the_budget_is_used_up(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xE7FE); // b .

    const enum armv6m_stop why = armv6m_run(&machine.cpu, 300);

    assert_int_equal(why, ARMV6M_BUDGET);
    assert_int_equal(machine.cpu.cycles, 300);
}

static void stop(struct machine *m)
{
    armv6m_stop_run(&m->cpu);
}

static void stop_run__ends_the_run_after_the_instruction(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0x6008, 0xE7FE); // str r0, [r1]; b .
    machine.cpu.r[1] = MMIO;
    machine.on_write = stop;

    const enum armv6m_stop why = armv6m_run(&machine.cpu, 300);

    assert_int_equal(why, ARMV6M_STOPPED);
    assert_int_equal(machine.cpu.r[15], CODE + 2);
    assert_int_equal(armv6m_run(&machine.cpu, 300), ARMV6M_BUDGET);
}

static void foreign_region__can_be_read_but_stops_the_run(void **state)
{
    (void)state;
    uint8_t rom[16] = {0x34, 0x12};
    machine_start(&machine);
    armv6m_map(&machine.cpu, 3,
               &(struct armv6m_region){0x1FFFC800, rom, sizeof(rom), .foreign = true});
    PUT(&machine, CODE, 0x8802, 0x4708); // ldrh r2, [r0]; bx r1
    machine.cpu.r[0] = 0x1FFFC800;
    machine.cpu.r[1] = 0x1FFFC805;

    const enum armv6m_stop why = armv6m_run(&machine.cpu, 300);

    assert_int_equal(why, ARMV6M_FOREIGN);
    assert_int_equal(machine.cpu.r[2], 0x1234);
    assert_int_equal(machine.cpu.r[15], 0x1FFFC804);
    assert_int_equal(machine.cpu.cycles, 5);
}

static void note_pc(void *ctx, const struct armv6m *cpu)
{
    *(uint32_t *)ctx = *(uint32_t *)ctx * 16 + (cpu->r[15] - CODE);
}

static void trace__sees_each_instruction_before_it_is_executed(void **state)
{
    (void)state;
    uint32_t seen = 0;
    machine_start(&machine);
    PUT(&machine, CODE, 0xBF00, 0xE000, 0xBF00, 0xBF00, 0xE7FE); // nop; b .+4; nop; nop; b .
    armv6m_set_trace(&machine.cpu, note_pc, &seen);

    armv6m_run(&machine.cpu, 6);

    assert_int_equal(seen, 0x0268);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undefined_instructions__fault),
        cmocka_unit_test(faults__return_to_the_instruction),
        cmocka_unit_test(unaligned_accesses__fault),
        cmocka_unit_test(write_to_flash__goes_to_the_bus),
        cmocka_unit_test(ldm__that_faults_half_way_changes_no_register),
        cmocka_unit_test(fetch_outside_memory__faults_there),
        cmocka_unit_test(fetch_of_half_an_instruction__faults_at_its_start),
        cmocka_unit_test(delay_loop_half_before_memory__is_none),
        cmocka_unit_test(code_at_the_end_of_memory__is_executed_to_its_last_instruction),
        cmocka_unit_test(arm_state__faults_at_the_target),
        cmocka_unit_test(code_in_sram__may_change_itself),
        cmocka_unit_test(map__changes_the_code_under_the_processor),
        cmocka_unit_test(run__ends_when_the_budget_is_used_up),
        cmocka_unit_test(stop_run__ends_the_run_after_the_instruction),
        cmocka_unit_test(foreign_region__can_be_read_but_stops_the_run),
        cmocka_unit_test(trace__sees_each_instruction_before_it_is_executed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
