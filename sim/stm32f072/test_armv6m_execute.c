// SPDX-License-Identifier: MIT
//
// Every instruction against the rules of the architecture manual (ARM A6.7), worked out by hand.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_machine.h"

static struct machine machine;

static void set_flags(const char *flags)
{
    struct armv6m *cpu = &machine.cpu;
    cpu->n = flags[0] == 'N' ? 1u << 31 : 0;
    cpu->z = flags[1] != 'Z';
    cpu->c = flags[2] == 'C';
    cpu->v = flags[3] == 'V' ? 1u << 31 : 0;
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
        cmocka_unit_test(arithmetic__follows_the_manual),
        cmocka_unit_test(conditional_branch__is_taken_for_its_flags_only),
        cmocka_unit_test(branches__go_where_the_manual_says),
        cmocka_unit_test(blx__reads_lr_before_it_writes_it),
        cmocka_unit_test(high_registers__are_operands_as_the_manual_says),
        cmocka_unit_test(pc_relative__is_aligned_down),
        cmocka_unit_test(cmp_high__sets_the_flags),
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
        cmocka_unit_test(undefined_instructions__fault),
        cmocka_unit_test(faults__return_to_the_instruction),
        cmocka_unit_test(unaligned_accesses__fault),
        cmocka_unit_test(write_to_flash__goes_to_the_bus),
        cmocka_unit_test(ldm__that_faults_half_way_changes_no_register),
        cmocka_unit_test(fetch_outside_memory__faults_there),
        cmocka_unit_test(fetch_of_half_an_instruction__faults_at_its_start),
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
