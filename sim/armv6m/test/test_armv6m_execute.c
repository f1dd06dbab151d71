// SPDX-License-Identifier: MIT
//
// Arithmetic and branches against the rules of the architecture manual (ARM A6.7), worked out by
// hand.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "armv6m_private.h"
#include "test_machine.h"

static struct machine machine;

static void set_flags(const char *flags)
{
    uint32_t psr = armv6m_xpsr(&machine.cpu) & 0x0FFFFFFF;
    for (unsigned i = 0; i < 4; i++)
        psr |= (uint32_t)(flags[i] == "NZCV"[i]) << (31 - i);
    armv6m_set_flags(&machine.cpu, psr);
}

// ---- data processing: r0, r1, r2 and the flags before and after ----

struct arithmetic {
    const char *what;
    uint16_t code;
    uint32_t before[3];
    const char *flags_before;
    uint32_t after[3];
    const char *flags_after;
};

static const struct arithmetic arithmetic[] = {
    {"movs r0, r1 keeps C and V", 0x0008, {9, 0, 0}, "N-CV", {0, 0, 0}, "-ZCV"},
    {"lsls r0, r1, #1", 0x0048, {0, 0x80000001, 0}, "---V", {2, 0x80000001, 0}, "--CV"},
    {"lsls r0, r1, #1, no carry",
     0x0048,
     {0, 0x40000000, 0},
     "--C-",
     {1u << 31, 1u << 30, 0},
     "N---"},
    {"lsls r0, r1, #31", 0x07C8, {0, 3, 0}, "----", {1u << 31, 3, 0}, "N-C-"},
    {"lsrs r0, r1, #1", 0x0848, {0, 3, 0}, "N---", {1, 3, 0}, "--C-"},
    {"lsrs r0, r1, #32", 0x0808, {5, 0x80000000, 0}, "----", {0, 0x80000000, 0}, "-ZC-"},
    {"lsrs r0, r1, #32, no carry", 0x0808, {5, 0x7FFFFFFF, 0}, "--C-", {0, 0x7FFFFFFF, 0}, "-Z--"},
    {"asrs r0, r1, #1", 0x1048, {0, 0x80000002, 0}, "--C-", {0xC0000001, 0x80000002, 0}, "N---"},
    {"asrs r0, r1, #32, negative",
     0x1008,
     {0, 1u << 31, 0},
     "----",
     {0xFFFFFFFF, 1u << 31, 0},
     "N-C-"},
    {"asrs r0, r1, #32, positive", 0x1008, {7, 0x7FFFFFFF, 0}, "--C-", {0, 0x7FFFFFFF, 0}, "-Z--"},

    {"adds r0, r1, r2", 0x1888, {0, 2, 3}, "NZCV", {5, 2, 3}, "----"},
    {"adds r0, r1, r2, carry", 0x1888, {0, 0xFFFFFFFF, 1}, "----", {0, 0xFFFFFFFF, 1}, "-ZC-"},
    {"adds r0, r1, r2, overflow up",
     0x1888,
     {0, 0x7FFFFFFF, 1},
     "----",
     {1u << 31, 0x7FFFFFFF, 1},
     "N--V"},
    {"adds r0, r1, r2, overflow down",
     0x1888,
     {9, 1u << 31, 1u << 31},
     "----",
     {0, 1u << 31, 1u << 31},
     "-ZCV"},
    {"subs r0, r1, r2", 0x1A88, {0, 5, 3}, "----", {2, 5, 3}, "--C-"},
    {"subs r0, r1, r2, equal", 0x1A88, {9, 5, 5}, "----", {0, 5, 5}, "-ZC-"},
    {"subs r0, r1, r2, borrow", 0x1A88, {0, 3, 5}, "--C-", {0xFFFFFFFE, 3, 5}, "N---"},
    {"subs r0, r1, r2, overflow",
     0x1A88,
     {0, 1u << 31, 1},
     "----",
     {0x7FFFFFFF, 1u << 31, 1},
     "--CV"},
    {"subs r0, r1, r2, overflow up",
     0x1A88,
     {0, 0, 1u << 31},
     "----",
     {1u << 31, 0, 1u << 31},
     "N--V"},
    {"adds r0, r1, #7", 0x1DC8, {0, 0xFFFFFFFA, 0}, "----", {1, 0xFFFFFFFA, 0}, "--C-"},
    {"subs r0, r1, #7", 0x1FC8, {0, 7, 0}, "N---", {0, 7, 0}, "-ZC-"},
    {"movs r0, #255 keeps C and V", 0x20FF, {0, 0, 0}, "NZCV", {255, 0, 0}, "--CV"},
    {"movs r0, #0", 0x2000, {1, 0, 0}, "N---", {0, 0, 0}, "-Z--"},
    {"cmp r0, #255, equal", 0x28FF, {255, 0, 0}, "----", {255, 0, 0}, "-ZC-"},
    {"cmp r0, #255, less", 0x28FF, {254, 0, 0}, "--C-", {254, 0, 0}, "N---"},
    {"adds r0, #255", 0x30FF, {0x7FFFFF01, 0, 0}, "----", {1u << 31, 0, 0}, "N--V"},
    {"subs r0, #255", 0x38FF, {255, 0, 0}, "----", {0, 0, 0}, "-ZC-"},

    {"ands r0, r1 keeps C and V", 0x4008, {0xF0, 0x0F, 0}, "N-CV", {0, 0x0F, 0}, "-ZCV"},
    {"eors r0, r1", 0x4048, {0x80000001, 1, 0}, "----", {1u << 31, 1, 0}, "N---"},
    {"lsls r0, r1 by 0 keeps C", 0x4088, {1u << 31, 0, 0}, "--C-", {1u << 31, 0, 0}, "N-C-"},
    {"lsls r0, r1 by 1", 0x4088, {0x80000001, 1, 0}, "----", {2, 1, 0}, "--C-"},
    {"lsls r0, r1 by 32", 0x4088, {3, 32, 0}, "----", {0, 32, 0}, "-ZC-"},
    {"lsls r0, r1 by 33", 0x4088, {3, 33, 0}, "--C-", {0, 33, 0}, "-Z--"},
    {"lsls r0, r1 by 256 is by 0", 0x4088, {3, 256, 0}, "--C-", {3, 256, 0}, "--C-"},
    {"lsls r0, r1 by 255", 0x4088, {3, 255, 0}, "--C-", {0, 255, 0}, "-Z--"},
    {"lsrs r0, r1 by 0 keeps C", 0x40C8, {1, 0, 0}, "--C-", {1, 0, 0}, "--C-"},
    {"lsrs r0, r1 by 31", 0x40C8, {0xC0000000, 31, 0}, "----", {1, 31, 0}, "--C-"},
    {"lsrs r0, r1 by 32", 0x40C8, {1u << 31, 32, 0}, "----", {0, 32, 0}, "-ZC-"},
    {"lsrs r0, r1 by 33", 0x40C8, {1u << 31, 33, 0}, "--C-", {0, 33, 0}, "-Z--"},
    {"asrs r0, r1 by 0 keeps C", 0x4108, {1u << 31, 0, 0}, "--C-", {1u << 31, 0, 0}, "N-C-"},
    {"asrs r0, r1 by 31", 0x4108, {0x40000000, 31, 0}, "----", {0, 31, 0}, "-ZC-"},
    {"asrs r0, r1 by 32", 0x4108, {1u << 31, 32, 0}, "----", {0xFFFFFFFF, 32, 0}, "N-C-"},
    {"asrs r0, r1 by 200, positive", 0x4108, {0x7FFFFFFF, 200, 0}, "--C-", {0, 200, 0}, "-Z--"},
    {"asrs r0, r1 by 200, negative",
     0x4108,
     {1u << 31, 200, 0},
     "----",
     {0xFFFFFFFF, 200, 0},
     "N-C-"},
    {"adcs r0, r1, carry clear", 0x4148, {1, 2, 0}, "----", {3, 2, 0}, "----"},
    {"adcs r0, r1, carry set", 0x4148, {0xFFFFFFFF, 0, 0}, "--C-", {0, 0, 0}, "-ZC-"},
    {"adcs r0, r1, overflow by carry",
     0x4148,
     {0x7FFFFFFF, 0, 0},
     "--C-",
     {1u << 31, 0, 0},
     "N--V"},
    {"adcs r0, r1, all ones and carry", 0x4148, {~0u, ~0u, 0}, "--C-", {~0u, ~0u, 0}, "N-C-"},
    {"sbcs r0, r1, no borrow", 0x4188, {5, 3, 0}, "--C-", {2, 3, 0}, "--C-"},
    {"sbcs r0, r1, borrow", 0x4188, {5, 5, 0}, "----", {~0u, 5, 0}, "N---"},
    {"sbcs r0, r1, overflow", 0x4188, {1u << 31, 0, 0}, "----", {0x7FFFFFFF, 0, 0}, "--CV"},
    {"rors r0, r1 by 0 keeps C", 0x41C8, {1, 0, 0}, "--C-", {1, 0, 0}, "--C-"},
    {"rors r0, r1 by 1", 0x41C8, {1, 1, 0}, "----", {1u << 31, 1, 0}, "N-C-"},
    {"rors r0, r1 by 32", 0x41C8, {1u << 31, 32, 0}, "----", {1u << 31, 32, 0}, "N-C-"},
    {"rors r0, r1 by 36", 0x41C8, {0xF, 36, 0}, "----", {0xF0000000, 36, 0}, "N-C-"},
    {"rors r0, r1 by 8, no carry", 0x41C8, {0x1200, 8, 0}, "--C-", {0x12, 8, 0}, "----"},
    {"tst r0, r1 keeps C and V", 0x4208, {1, 2, 0}, "N-CV", {1, 2, 0}, "-ZCV"},
    {"rsbs r0, r1, #0", 0x4248, {0, 1, 0}, "--C-", {~0u, 1, 0}, "N---"},
    {"rsbs r0, r1, #0 of zero", 0x4248, {9, 0, 0}, "----", {0, 0, 0}, "-ZC-"},
    {"rsbs r0, r1, #0, overflow",
     0x4248,
     {0, 1u << 31, 0},
     "----",
     {1u << 31, 1u << 31, 0},
     "N--V"},
    {"cmp r0, r1", 0x4288, {3, 5, 0}, "--C-", {3, 5, 0}, "N---"},
    {"cmn r0, r1", 0x42C8, {~0u, 1, 0}, "----", {~0u, 1, 0}, "-ZC-"},
    {"orrs r0, r1", 0x4308, {1, 1u << 31, 0}, "-ZCV", {0x80000001, 1u << 31, 0}, "N-CV"},
    {"muls r0, r1, r0 keeps C and V",
     0x4348,
     {0x10001, 0x10000, 0},
     "N-CV",
     {0x10000, 0x10000, 0},
     "--CV"},
    {"muls r0, r1, r0 of zero", 0x4348, {0x10000, 0x10000, 0}, "----", {0, 0x10000, 0}, "-Z--"},
    {"bics r0, r1", 0x4388, {0xFF, 0x0F, 0}, "N-CV", {0xF0, 0x0F, 0}, "--CV"},
    {"mvns r0, r1", 0x43C8, {0, 0, 0}, "-Z-V", {~0u, 0, 0}, "N--V"},

    {"mov r1, r0 (high) keeps the flags", 0x4601, {0, 7, 0}, "N-CV", {0, 0, 0}, "N-CV"},
    {"add r1, r0 (high) keeps the flags", 0x4401, {~0u, 1, 0}, "N--V", {~0u, 0, 0}, "N--V"},

    {"sxth r0, r1", 0xB208, {0, 0x12348000, 0}, "NZCV", {0xFFFF8000, 0x12348000, 0}, "NZCV"},
    {"sxtb r0, r1", 0xB248, {0, 0x1234567F, 0}, "----", {0x7F, 0x1234567F, 0}, "----"},
    {"sxtb r0, r1, negative", 0xB248, {0, 0x80, 0}, "----", {0xFFFFFF80, 0x80, 0}, "----"},
    {"uxth r0, r1", 0xB288, {0, 0x12348000, 0}, "----", {0x8000, 0x12348000, 0}, "----"},
    {"uxtb r0, r1", 0xB2C8, {0, 0x123456FF, 0}, "----", {0xFF, 0x123456FF, 0}, "----"},
    {"rev r0, r1", 0xBA08, {0, 0x12345678, 0}, "----", {0x78563412, 0x12345678, 0}, "----"},
    {"rev16 r0, r1", 0xBA48, {0, 0x12345678, 0}, "----", {0x34127856, 0x12345678, 0}, "----"},
    {"revsh r0, r1", 0xBAC8, {0, 0x123456F8, 0}, "----", {0xFFFFF856, 0x123456F8, 0}, "----"},
    {"revsh r0, r1, positive", 0xBAC8, {0, 0x1234F856, 0}, "----", {0x56F8, 0x1234F856, 0}, "----"},
};

static void check_arithmetic(const struct arithmetic *row)
{
    char flags[5];
    machine_start(&machine);
    PUT(&machine, CODE, row->code);
    memcpy(machine.cpu.r, row->before, sizeof(row->before));
    set_flags(row->flags_before);

    const enum armv6m_stop why = machine_step(&machine);

    machine_flags(&machine, flags);
    if (why != ARMV6M_BUDGET || memcmp(machine.cpu.r, row->after, sizeof(row->after)) ||
        strcmp(flags, row->flags_after) || machine.cpu.r[15] != CODE + 2 || machine.cpu.cycles != 1)
        fail_msg("%s: r0 %#x r1 %#x r2 %#x %s, expected %#x %#x %#x %s", row->what,
                 machine.cpu.r[0], machine.cpu.r[1], machine.cpu.r[2], flags, row->after[0],
                 row->after[1], row->after[2], row->flags_after);
}

static void arithmetic__follows_the_manual(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(arithmetic) / sizeof(arithmetic[0]); i++)
        check_arithmetic(&arithmetic[i]);
}

// ---- conditional branches: all conditions with all flags (ARM A6.3) ----

static bool condition_holds(unsigned condition, bool n, bool z, bool c, bool v)
{
    const bool holds[14] = {
        z, !z, c, !c, n, !n, v, !v, c && !z, !c || z, n == v, n != v, !z && n == v, z || n != v,
    };
    return holds[condition];
}

static void conditional_branch__is_taken_for_its_flags_only(void **state)
{
    (void)state;
    machine_start(&machine);

    for (unsigned i = 0; i < 14 * 16; i++) {
        const unsigned condition = i / 16;
        const bool n = i & 1, z = i & 2, c = i & 4, v = i & 8;
        PUT(&machine, CODE, (uint16_t)(0xD000 | condition << 8 | 0x10)); // b<c> .+36
        set_flags((const char[]){n ? 'N' : '-', z ? 'Z' : '-', c ? 'C' : '-', v ? 'V' : '-', 0});
        machine.cpu.r[15] = CODE;
        const uint64_t before = machine.cpu.cycles;

        machine_step(&machine);

        const bool taken = condition_holds(condition, n, z, c, v);
        assert_int_equal(machine.cpu.r[15], taken ? CODE + 36 : CODE + 2);
        assert_int_equal(machine.cpu.cycles - before, taken ? 3 : 1);
    }
}

// ---- branches ----

struct jump {
    const char *what;
    uint16_t code[2];
    uint32_t r0;
    uint32_t pc; // after it
    uint32_t lr; // after it; 0 before
    unsigned cycles;
};

static const struct jump jumps[] = {
    {"b .+2046+4", {0xE3FF}, 0, CODE + 4 + 2046, 0, 3},
    {"b .-2048+4", {0xE400}, 0, CODE + 4 - 2048, 0, 3},
    {"beq is not taken", {0xD0FE}, 0, CODE + 2, 0, 1},
    {"bne .-256+4", {0xD180}, 0, CODE + 4 - 256, 0, 3},
    {"bl .+4", {0xF000, 0xF800}, 0, CODE + 4, (CODE + 4) | 1, 4},
    {"bl .-4+4", {0xF7FF, 0xFFFE}, 0, CODE, (CODE + 4) | 1, 4},
    {"bl .+4194302+4 (I1, I2 clear)", {0xF3FF, 0xFFFF}, 0, CODE + 4 + 0x3FFFFE, (CODE + 4) | 1, 4},
    {"bl .+16777214+4", {0xF3FF, 0xD7FF}, 0, CODE + 4 + 0xFFFFFE, (CODE + 4) | 1, 4},
    {"bl .-16777216+4", {0xF400, 0xD000}, 0, CODE + 4 - 0x1000000, (CODE + 4) | 1, 4},
    {"bl .+8388608+4 (I1 alone)", {0xF000, 0xD800}, 0, CODE + 4 + 0x800000, (CODE + 4) | 1, 4},
    {"bx r0", {0x4700}, SRAM + 0x101, SRAM + 0x100, 0, 3},
    {"blx r0", {0x4780}, SRAM + 0x101, SRAM + 0x100, (CODE + 2) | 1, 3},
    {"mov pc, r0 ignores bit 0", {0x4687}, SRAM + 0x101, SRAM + 0x100, 0, 3},
    {"mov pc, r0 stays in Thumb state", {0x4687}, SRAM + 0x100, SRAM + 0x100, 0, 3},
    {"add pc, r0", {0x4487}, 0x20, CODE + 4 + 0x20, 0, 3},
};

static void branches__go_where_the_manual_says(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        machine_start(&machine);
        PUT(&machine, CODE, jumps[i].code[0], jumps[i].code[1]);
        machine.cpu.r[0] = jumps[i].r0;
        machine.cpu.r[14] = 0;

        machine_step(&machine);

        if (machine.cpu.r[15] != jumps[i].pc || machine.cpu.r[14] != jumps[i].lr ||
            machine.cpu.cycles != jumps[i].cycles || !machine.cpu.thumb)
            fail_msg("%s: pc %#x lr %#x, %u cycles", jumps[i].what, machine.cpu.r[15],
                     machine.cpu.r[14], (unsigned)machine.cpu.cycles);
    }
}

static void blx__reads_lr_before_it_writes_it(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0x47F0); // blx lr
    machine.cpu.r[14] = SRAM + 0x101;

    machine_step(&machine);

    assert_int_equal(machine.cpu.r[15], SRAM + 0x100);
    assert_int_equal(machine.cpu.r[14], (CODE + 2) | 1);
}

// ---- PC, SP and high registers as operands ----

struct high {
    const char *what;
    uint16_t code;
    unsigned from, to; // registers
    uint32_t in, out;
};

static const struct high highs[] = {
    {"mov r0, r8", 0x4640, 8, 0, 0x12345678, 0x12345678},
    {"mov r8, r0", 0x4680, 0, 8, 0x12345678, 0x12345678},
    {"mov r12, lr", 0x46F4, 14, 12, 5, 5},
    {"mov r0, pc reads 4 ahead", 0x4678, 1, 0, 0, CODE + 4},
    {"mov sp, r0 clears two bits", 0x4685, 0, 13, SRAM + 0x107, SRAM + 0x104},
    {"add r0, sp", 0x4468, 0, 0, 4, STACK_TOP + 4},
    {"add sp, r0 clears two bits", 0x4485, 0, 13, 0xFFFFFFF7, STACK_TOP - 12},
    {"add r8, r8", 0x44C0, 8, 8, 1u << 31, 0},
    {"add r0, pc", 0x4478, 0, 0, 1, CODE + 5},
    {"adr r0, .+12", 0xA002, 1, 0, 0, CODE + 12},
    {"add r0, sp, #1020", 0xA8FF, 1, 0, 0, STACK_TOP + 1020},
    {"add sp, #508", 0xB07F, 13, 13, SRAM, SRAM + 508},
    {"sub sp, #508", 0xB0FF, 13, 13, SRAM + 508, SRAM},
};

static void high_registers__are_operands_as_the_manual_says(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(highs) / sizeof(highs[0]); i++) {
        machine_start(&machine);
        PUT(&machine, CODE, highs[i].code);
        set_flags("NZCV");
        machine.cpu.r[highs[i].from] = highs[i].in;

        machine_step(&machine);

        if (machine.cpu.r[highs[i].to] != highs[i].out || armv6m_xpsr(&machine.cpu) != 0xF1000000)
            fail_msg("%s: %#x", highs[i].what, machine.cpu.r[highs[i].to]);
    }
}

static void pc_relative__is_aligned_down(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xBF00, 0xA001, 0x4801); // nop; adr r0, .+6; ldr r0, [pc, #4]
    machine_set_word(&machine, CODE + 12, 0xCAFEF00D);

    machine_steps(&machine, 2);
    assert_int_equal(machine.cpu.r[0], CODE + 8);
    machine_step(&machine);

    assert_int_equal(machine.cpu.r[0], 0xCAFEF00D);
}

static void cmp_high__sets_the_flags(void **state)
{
    (void)state;
    char flags[5];
    machine_start(&machine);
    PUT(&machine, CODE, 0x4540, 0x45C1); // cmp r0, r8; cmp r9, r8
    machine.cpu.r[0] = 3;
    machine.cpu.r[8] = 5;
    machine.cpu.r[9] = 5;

    machine_step(&machine);
    assert_string_equal(machine_flags(&machine, flags), "N---");
    machine_step(&machine);

    assert_string_equal(machine_flags(&machine, flags), "-ZC-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic__follows_the_manual),
        cmocka_unit_test(conditional_branch__is_taken_for_its_flags_only),
        cmocka_unit_test(branches__go_where_the_manual_says),
        cmocka_unit_test(blx__reads_lr_before_it_writes_it),
        cmocka_unit_test(high_registers__are_operands_as_the_manual_says),
        cmocka_unit_test(pc_relative__is_aligned_down),
        cmocka_unit_test(cmp_high__sets_the_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
