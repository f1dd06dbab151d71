// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_machine.h"

// Encodings as GNU as makes them, with the text that was assembled; at 0x08000102.
static const struct {
    const char *text;
    uint16_t first, second;
} instructions[] = {
    {"lsls r0, r1, #0", 0x0008},
    {"lsls r0, r1, #31", 0x07C8},
    {"lsrs r0, r1, #32", 0x0808},
    {"asrs r0, r1, #1", 0x1048},
    {"adds r0, r1, r2", 0x1888},
    {"subs r0, r1, r2", 0x1A88},
    {"adds r0, r1, #7", 0x1DC8},
    {"subs r0, r1, #7", 0x1FC8},
    {"movs r7, #255", 0x27FF},
    {"cmp r0, #255", 0x28FF},
    {"adds r0, #255", 0x30FF},
    {"subs r0, #255", 0x38FF},
    {"ands r0, r1", 0x4008},
    {"eors r0, r1", 0x4048},
    {"lsls r0, r1", 0x4088},
    {"lsrs r0, r1", 0x40C8},
    {"asrs r0, r1", 0x4108},
    {"adcs r0, r1", 0x4148},
    {"sbcs r0, r1", 0x4188},
    {"rors r0, r1", 0x41C8},
    {"tst r0, r1", 0x4208},
    {"rsbs r0, r1, #0", 0x4248},
    {"cmp r0, r1", 0x4288},
    {"cmn r0, r1", 0x42C8},
    {"orrs r0, r1", 0x4308},
    {"muls r0, r1, r0", 0x4348},
    {"bics r0, r1", 0x4388},
    {"mvns r0, r1", 0x43C8},
    {"add r8, r0", 0x4480},
    {"mov r0, r8", 0x4640},
    {"cmp r8, r0", 0x4580},
    {"mov sp, r0", 0x4685},
    {"add pc, r0", 0x4487},
    {"bx lr", 0x4770},
    {"blx r0", 0x4780},
    {"ldr r0, [pc, #8] ; 0x0800010c", 0x4802},
    {"str r0, [r1, r2]", 0x5088},
    {"strh r0, [r1, r2]", 0x5288},
    {"strb r0, [r1, r2]", 0x5488},
    {"ldrsb r0, [r1, r2]", 0x5688},
    {"ldr r0, [r1, r2]", 0x5888},
    {"ldrh r0, [r1, r2]", 0x5A88},
    {"ldrb r0, [r1, r2]", 0x5C88},
    {"ldrsh r0, [r1, r2]", 0x5E88},
    {"str r0, [r1, #4]", 0x6048},
    {"ldr r0, [r1, #124]", 0x6FC8},
    {"strb r0, [r1, #31]", 0x77C8},
    {"ldrb r0, [r1, #1]", 0x7848},
    {"strh r0, [r1, #62]", 0x87C8},
    {"ldrh r0, [r1, #2]", 0x8848},
    {"str r0, [sp, #1020]", 0x90FF},
    {"ldr r0, [sp, #4]", 0x9801},
    {"adr r0, 0x08000108", 0xA001},
    {"add r0, sp, #1020", 0xA8FF},
    {"add sp, #508", 0xB07F},
    {"sub sp, #508", 0xB0FF},
    {"sxth r0, r1", 0xB208},
    {"sxtb r0, r1", 0xB248},
    {"uxth r0, r1", 0xB288},
    {"uxtb r0, r1", 0xB2C8},
    {"push {r0, r7, lr}", 0xB581},
    {"pop {r0, r1}", 0xBC03},
    {"pop {r0, pc}", 0xBD01},
    {"cpsid i", 0xB672},
    {"cpsie i", 0xB662},
    {"rev r0, r1", 0xBA08},
    {"rev16 r0, r1", 0xBA48},
    {"revsh r0, r1", 0xBAC8},
    {"bkpt #171", 0xBEAB},
    {"nop", 0xBF00},
    {"yield", 0xBF10},
    {"wfe", 0xBF20},
    {"wfi", 0xBF30},
    {"sev", 0xBF40},
    {"hint #15", 0xBFF0},
    {"stm r1!, {r0, r2}", 0xC105},
    {"ldm r1!, {r0, r2}", 0xC905},
    {"ldm r1, {r0, r1}", 0xC903},
    {"beq 0x08000106", 0xD000},
    {"bne 0x08000006", 0xD180},
    {"bcs 0x08000106", 0xD200},
    {"bcc 0x08000106", 0xD300},
    {"bmi 0x08000106", 0xD400},
    {"bpl 0x08000106", 0xD500},
    {"bvs 0x08000106", 0xD600},
    {"bvc 0x08000106", 0xD700},
    {"bhi 0x08000106", 0xD800},
    {"bls 0x08000106", 0xD900},
    {"bge 0x08000106", 0xDA00},
    {"blt 0x08000106", 0xDB00},
    {"bgt 0x08000106", 0xDC00},
    {"ble 0x08000106", 0xDD00},
    {"svc #5", 0xDF05},
    {"b 0x08000102", 0xE7FE},
    {"bl 0x08000106", 0xF000, 0xF800},
    {"bl 0x08400104", 0xF3FF, 0xFFFF},
    {"msr primask, r0", 0xF380, 0x8810},
    {"msr control, r0", 0xF380, 0x8814},
    {"mrs r0, apsr", 0xF3EF, 0x8000},
    {"mrs r12, msp", 0xF3EF, 0x8C08},
    {"dsb", 0xF3BF, 0x8F4F},
    {"dmb", 0xF3BF, 0x8F5F},
    {"isb", 0xF3BF, 0x8F6F},
    {"udf", 0xDE00},
    {"udf", 0xBF01},
    {"udf", 0xB673},
    {"udf.w", 0xF7F0, 0xA000},
};

static void disassembler__writes_what_was_assembled(void **state)
{
    (void)state;
    char text[ARMV6M_DISASM_SIZE];

    for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
        const unsigned length =
            armv6m_disasm(0x08000102, instructions[i].first, instructions[i].second, text);

        assert_string_equal(text, instructions[i].text);
        assert_int_equal(length, instructions[i].first >= 0xF000 ? 4 : 2);
    }
}

static void disassembler__keeps_within_its_buffer_for_all_of_16_bits(void **state)
{
    (void)state;
    char text[ARMV6M_DISASM_SIZE + 1];

    for (uint32_t i = 0; i <= 0xFFFF; i++) {
        memset(text, '#', sizeof(text));
        armv6m_disasm(0xFFFFFFFE, (uint16_t)i, 0xFFFF, text);

        assert_int_equal(text[ARMV6M_DISASM_SIZE], '#');
        assert_in_range(strlen(text), 1, ARMV6M_DISASM_SIZE - 1);
        assert_null(strchr(text, '%'));
    }
}

static struct machine machine;

static char *report(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    armv6m_report(&machine.cpu, out);
    fclose(out);
    return text;
}

static void report__shows_the_registers_and_the_way_to_a_lockup(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE,
        0x2003, // 00 movs r0, #3
        0x3801, // 02 subs r0, #1
        0xD1FD, // 04 bne 02
        0xF000, // 06 bl 0c
        0xF801,
        0xBF00,  // 0a nop
        0xDE00); // 0c udf
    PUT(&machine, HANDLER(ARMV6M_HARDFAULT), 0xDE00);

    armv6m_run(&machine.cpu, 1000);
    char *text = report();

    static const char expected[] = "in HardFault, locked up\n"
                                   "  r0 00000000  r1 00000000  r2 00000000  r3 00000000\n"
                                   "  r4 00000000  r5 00000000  r6 00000000  r7 00000000\n"
                                   "  r8 00000000  r9 00000000 r10 00000000 r11 00000000\n"
                                   " r12 00000000  lr fffffff9  pc fffffffe\n"
                                   " msp 20000fe0 psp 00000000 xpsr 61000003, cycle 33\n"
                                   "last instructions, and next:\n"
                                   "  > reset\n"
                                   "  08000800  movs r0, #3\n"
                                   "  08000802  subs r0, #1\n"
                                   "  08000804  bne 0x08000802\n"
                                   "  (2 times in a row)\n"
                                   "  08000802  subs r0, #1\n"
                                   "  08000804  bne 0x08000802\n"
                                   "  08000806  bl 0x0800080c\n"
                                   "  > HardFault at 0800080c\n"
                                   "  > lockup at 08000160\n"
                                   "  fffffffe  (no memory here)\n";
    assert_string_equal(text, expected);
    free(text);
}

static void report__shows_the_last_of_a_long_piece(void **state)
{
    (void)state;
    machine_start(&machine);
    for (uint32_t i = 0; i < 100; i++)
        PUT(&machine, CODE + 2 * i, 0xBF00); // nop

    armv6m_run(&machine.cpu, 100);
    char *text = report();

    assert_non_null(strstr(text, "  ... 92 instructions\n  080008b8  nop\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disassembler__writes_what_was_assembled),
        cmocka_unit_test(disassembler__keeps_within_its_buffer_for_all_of_16_bits),
        cmocka_unit_test(report__shows_the_registers_and_the_way_to_a_lockup),
        cmocka_unit_test(report__shows_the_last_of_a_long_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
