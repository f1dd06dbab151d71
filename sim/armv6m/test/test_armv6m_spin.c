// SPDX-License-Identifier: MIT
//
// Loops that only wait: where turns of them are skipped, registers, memory, cycles and the last
// jumps must be those of a processor that executes every instruction, whatever happens meanwhile.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "armv6m_private.h"
#include "test_machine.h"

enum { ROUNDS = 40, TURNS_AT_LEAST = 1000 };

static const uint32_t syst_csr = 0xE000E010, syst_rvr = 0xE000E014;

static unsigned reads; // of the bus
static uint32_t polled;
static bool is_steady;

static bool read_polled(void *ctx, uint32_t address, unsigned size, uint32_t *ret_value)
{
    struct machine *machine = ctx;
    (void)address, (void)size;
    reads++;
    *ret_value = polled;
    if (is_steady)
        armv6m_stays(&machine->cpu);
    return true;
}

// Whoever is asked for the time gives another answer each time.
static bool read_clock(void *ctx, uint32_t address, unsigned size, uint32_t *ret_value)
{
    const struct machine *machine = ctx;
    (void)address, (void)size;
    reads++;
    *ret_value = (uint32_t)machine->cpu.cycles;
    return true;
}

// r0 points to the peripheral, r4 into SRAM, r7 to the NVIC; r2 is a mask.
struct loop {
    const char *what;
    const uint16_t code[24];
    bool is_skipped;
};

static const struct loop loops[] = {
    {"polls a bit until it is set, then until it is clear, and counts",
     {
         0x6801, // 00 ldr  r1, [r0]
         0x4211, // 02 tst  r1, r2
         0xD0FC, // 04 beq  00
         0x6801, // 06 ldr  r1, [r0]
         0x4211, // 08 tst  r1, r2
         0xD1FC, // 0a bne  06
         0x6823, // 0c ldr  r3, [r4]
         0x3301, // 0e adds r3, #1
         0x6023, // 10 str  r3, [r4]
         0xE7F5, // 12 b    00
     },
     true},
    {"calls a function, which uses the stack",
     {
         0xF000, // 00 bl   0a
         0xF803,
         0x2900, // 04 cmp  r1, #0
         0xD0FB, // 06 beq  00
         0xE7FA, // 08 b    00
         0xB530, // 0a push {r4, r5, lr}
         0x6801, // 0c ldr  r1, [r0]
         0x4011, // 0e ands r1, r2
         0xBD30, // 10 pop  {r4, r5, pc}
     },
     true},
    {"stores one value, then another, then the first",
     {
         0x2501, // 00 movs r5, #1
         0x6025, // 02 str  r5, [r4]
         0x6801, // 04 ldr  r1, [r0]
         0x2500, // 06 movs r5, #0
         0x6025, // 08 str  r5, [r4]
         0xE7F9, // 0a b    00
     },
     true},
    {"masks an interrupt, then all, while it looks into memory",
     {
         0x2108, // 00 movs r1, #8
         0x6039, // 02 str  r1, [r7]      ; NVIC_ISER
         0x19BD, // 04 adds r5, r7, r6
         0x6029, // 06 str  r1, [r5]      ; NVIC_ICER
         0xB672, // 08 cpsid i
         0x6823, // 0a ldr  r3, [r4]
         0xB662, // 0c cpsie i
         0xE7F7, // 0e b    00
     },
     true},
    {"waits a little between two looks",
     {
         0x2307, // 00 movs r3, #7
         0x3B01, // 02 subs r3, #1
         0xD1FD, // 04 bne  02
         0x6801, // 06 ldr  r1, [r0]
         0xE7FA, // 08 b    00
     },
     true},
    {"counts",
     {
         0x6823, // 00 ldr  r3, [r4]
         0x3301, // 02 adds r3, #1
         0x6023, // 04 str  r3, [r4]
         0x6801, // 06 ldr  r1, [r0]
         0xE7FA, // 08 b    00
     },
     false},
    {"counts in a register",
     {
         0x3301, // 00 adds r3, #1
         0x6801, // 02 ldr  r1, [r0]
         0xE7FC, // 04 b    00
     },
     false},
    {"writes to the bus",
     {
         0x6801, // 00 ldr  r1, [r0]
         0x6001, // 02 str  r1, [r0]
         0xE7FC, // 04 b    00
     },
     false},
};

static const uint16_t tick_handler[] = {
    0x6A20, // ldr  r0, [r4, #32]
    0x3001, // adds r0, #1
    0x6220, // str  r0, [r4, #32]
    0x4770, // bx   lr
};

static void start(struct machine *machine, const struct loop *loop)
{
    machine_start(machine);
    machine->cpu.bus.read = read_polled;
    machine_put(machine, CODE, loop->code, sizeof(loop->code) / 2);
    machine_put(machine, HANDLER(ARMV6M_SYSTICK), tick_handler, sizeof(tick_handler) / 2);
    machine->cpu.r[0] = MMIO;
    machine->cpu.r[2] = 1;
    machine->cpu.r[4] = SRAM + 0x100;
    machine->cpu.r[6] = 0x80;
    machine->cpu.r[7] = ARMV6M_NVIC_ISER;
    armv6m_store(&machine->cpu, syst_rvr, 4, 39999);
    armv6m_store(&machine->cpu, syst_csr, 4, 7);
}

static void no_trace(void *ctx, const struct armv6m *cpu)
{
    (void)ctx, (void)cpu;
}

static void assert_same(const struct loop *loop, const struct armv6m *a, const struct armv6m *b)
{
    for (unsigned n = 0; n < 16; n++)
        if (a->r[n] != b->r[n])
            fail_msg("%s: r%u is %08x, must be %08x", loop->what, n, a->r[n], b->r[n]);
    if (a->cycles != b->cycles)
        fail_msg("%s: cycle %llu, must be %llu", loop->what, (unsigned long long)a->cycles,
                 (unsigned long long)b->cycles);
    assert_int_equal(armv6m_xpsr(a), armv6m_xpsr(b));
    for (unsigned n = 0; n < ARMV6M_BRANCHES; n++) {
        const struct armv6m_branch *x = &a->branches[(a->last_branch - n) % ARMV6M_BRANCHES];
        const struct armv6m_branch *y = &b->branches[(b->last_branch - n) % ARMV6M_BRANCHES];
        if (x->from != y->from || x->to != y->to || x->count != y->count)
            fail_msg("%s: jump %u before the end is %08x to %08x, %u times; must be %08x to %08x, "
                     "%u times",
                     loop->what, n, x->from, x->to, x->count, y->from, y->to, y->count);
    }
}

static unsigned run(struct machine *machine, uint64_t cycles)
{
    reads = 0;
    armv6m_run(&machine->cpu, cycles);
    return reads;
}

static void skipped_turns__leave_the_state_of_executed_ones(void **state)
{
    (void)state;
    static struct machine skipping, executing;

    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        unsigned skipping_reads = 0, executing_reads = 0;
        is_steady = true;
        start(&skipping, &loops[i]);
        start(&executing, &loops[i]);
        armv6m_set_trace(&executing.cpu, no_trace, NULL);

        for (unsigned round = 0; round < ROUNDS; round++) {
            polled = round % 3 == 1;
            skipping_reads += run(&skipping, 9001 * (1 + round % 7));
            executing_reads += run(&executing, 9001 * (1 + round % 7));
            assert_same(&loops[i], &skipping.cpu, &executing.cpu);
            assert_memory_equal(skipping.sram, executing.sram, sizeof(skipping.sram));
        }

        if (!strstr(loops[i].what, "masks") && loops[i].is_skipped)
            assert_true(skipping_reads < executing_reads / 4);
        if (!loops[i].is_skipped)
            assert_int_equal(skipping_reads, executing_reads);
    }
}

static void what_does_not_stay__is_read_each_time(void **state)
{
    (void)state;
    static struct machine skipping, executing;
    is_steady = false;
    start(&skipping, &loops[0]);
    start(&executing, &loops[0]);
    armv6m_set_trace(&executing.cpu, no_trace, NULL);

    const unsigned skipping_reads = run(&skipping, 100000);
    const unsigned executing_reads = run(&executing, 100000);

    assert_int_equal(skipping_reads, executing_reads);
    assert_true(skipping_reads > TURNS_AT_LEAST);
}

static void wait_for_a_clock__ends_at_its_cycle(void **state)
{
    (void)state;
    static struct machine skipping, executing;
    static const struct loop until_bit_16 = {"waits for bit 16 of a clock",
                                             {
                                                 0x6801, // 00 ldr r1, [r0]
                                                 0x4211, // 02 tst r1, r2
                                                 0xD0FC, // 04 beq 00
                                                 0xE7FE, // 06 b   06
                                             },
                                             false};
    start(&skipping, &until_bit_16);
    start(&executing, &until_bit_16);
    skipping.cpu.bus.read = executing.cpu.bus.read = read_clock;
    skipping.cpu.r[2] = executing.cpu.r[2] = 1 << 16;
    armv6m_set_trace(&executing.cpu, no_trace, NULL);

    run(&skipping, 100000);
    run(&executing, 100000);

    assert_same(&until_bit_16, &skipping.cpu, &executing.cpu);
    assert_int_equal(skipping.cpu.r[15], CODE + 6);
}

// SysTick counts to zero in the middle of a run, without an exception.
static void wait_for_countflag__ends_at_zero(void **state)
{
    (void)state;
    static struct machine skipping, executing;
    static const struct loop until_countflag = {"waits for COUNTFLAG and counts",
                                                {
                                                    0x6801, // 00 ldr  r1, [r0]
                                                    0x03C9, // 02 lsls r1, r1, #15
                                                    0xD5FC, // 04 bpl  00
                                                    0x3301, // 06 adds r3, #1
                                                    0xE7FA, // 08 b    00
                                                },
                                                true};
    start(&skipping, &until_countflag);
    start(&executing, &until_countflag);
    armv6m_set_trace(&executing.cpu, no_trace, NULL);
    skipping.cpu.r[0] = executing.cpu.r[0] = syst_csr;
    armv6m_store(&skipping.cpu, syst_csr, 4, 5);
    armv6m_store(&executing.cpu, syst_csr, 4, 5);

    run(&skipping, 1000000);
    run(&executing, 1000000);

    assert_same(&until_countflag, &skipping.cpu, &executing.cpu);
    assert_int_equal(skipping.cpu.r[3], 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skipped_turns__leave_the_state_of_executed_ones),
        cmocka_unit_test(what_does_not_stay__is_read_each_time),
        cmocka_unit_test(wait_for_a_clock__ends_at_its_cycle),
        cmocka_unit_test(wait_for_countflag__ends_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
