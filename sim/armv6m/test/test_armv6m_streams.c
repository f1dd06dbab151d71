// SPDX-License-Identifier: MIT
//
// Random programs, with loads and stores, stack, branches, calls and delay loops, while SysTick
// interrupts: executed at once, in pieces cut anywhere, one instruction at a time, and where memory
// ends behind them, they must end in the same state at the same cycle. Where Unicorn is there,
// registers and memory must be what they are there, too.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#if HAVE_UNICORN
#include <unicorn/unicorn.h>
#endif

#include "armv6m_private.h"
#include "test_machine.h"

enum {
    PROGRAMS = 300,
    PIECES = 60,          // of a program
    LENGTH = 0x700,       // bytes that a program may have
    DATA = SRAM + 0x200,  // r4, and
    DATA2 = SRAM + 0x400, // r5: what loads and stores reach
    TICKS = SRAM + 0x600, // counted by the handler of SysTick
    RUN_CYCLES = 200000,  // the end of every program is reached by then
    PROGRAM_END = 0xE7FE, // b .
};

// The registers of SysTick (ARM B3.3).
static const uint32_t syst_csr = 0xE000E010, syst_rvr = 0xE000E014;

static uint32_t random_state;

// xorshift32
static uint32_t random32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static unsigned below(unsigned limit)
{
    return random32() % limit;
}

// ---- programs ----

struct program {
    uint16_t code[LENGTH / 2];
    unsigned length; // in halfwords
    uint32_t reload; // of SysTick
    uint32_t registers[8];
};

static void emit(struct program *program, unsigned code)
{
    program->code[program->length++] = (uint16_t)code;
}

// r0 to r3 and r7: the others hold addresses and the counter of a delay loop.
static bool is_free(unsigned n)
{
    return n < 4 || n == 7;
}

static void emit_data(struct program *program)
{
    for (;;) {
        const uint16_t code = (uint16_t)random32();
        const enum armv6m_op op = armv6m_decode(code);
        const bool has_r8 = op >= OP_MOV_IMM && op <= OP_SUB_IMM8;
        const bool is_data = (op >= OP_LSL_IMM && op <= OP_MVN) || (op >= OP_SXTH && op <= OP_UXTB);
        if (is_data && is_free(has_r8 ? code >> 8 & 7 : code & 7)) {
            emit(program, code);
            return;
        }
    }
}

static void emit_access(struct program *program)
{
    static const uint16_t forms[] = {0x6000, 0x6800, 0x7000, 0x7800, 0x8000, 0x8800};
    emit(program, forms[below(6)] | below(32) << 6 | (4 + below(2)) << 3 | below(4));
}

static void emit_stack(struct program *program)
{
    const unsigned list = 1 + below(15);
    emit(program, 0xB400 | list);
    emit_data(program);
    emit(program, 0xBC00 | list);
}

// Some of r0 to r3, so that the base is not among them.
static void emit_list(struct program *program)
{
    emit(program, (below(2) ? 0xC000 : 0xC800) | 5u << 8 | (1 + below(15)));
    emit(program, 0x1C25); // adds r5, r4, #0
    emit(program, 0x35FF); // adds r5, #255
    emit(program, 0x35FF); // adds r5, #255
    emit(program, 0x3502); // adds r5, #2: DATA2 again
}

static void emit_branch(struct program *program)
{
    const unsigned skipped = 1 + below(3);
    emit(program, 0xD000 | below(14) << 8 | (skipped - 1));
    for (unsigned i = 0; i < skipped; i++)
        emit_data(program);
}

// bl to the next instruction
static void emit_call(struct program *program)
{
    emit(program, 0xF000);
    emit(program, 0xF800);
}

static void emit_delay(struct program *program)
{
    const unsigned step = 1 + below(7);
    emit(program, 0x2600 | step * (1 + below(36))); // movs r6, #n * step
    emit(program, below(2) ? 0x3E00 | step : 0x1E00 | step << 6 | 6u << 3 | 6); // subs r6, #step
    emit(program, 0xD1FD);                                                      // bne to the subs
}

static void make_program(struct program *program)
{
    static void (*const pieces[])(struct program *) = {
        emit_data, emit_data,  emit_data, emit_access, emit_access,
        emit_list, emit_stack, emit_call, emit_branch, emit_delay,
    };
    program->length = 0;
    for (unsigned i = 0; i < PIECES; i++)
        pieces[below(10)](program);
    emit(program, PROGRAM_END);
    program->reload = 40 + below(300);
    for (unsigned n = 0; n < 8; n++)
        program->registers[n] = random32();
    program->registers[4] = DATA;
    program->registers[5] = DATA2;
}

// ---- executing one ----

static const uint16_t tick_handler[] = {
    0x4802, // ldr  r0, =TICKS
    0x6801, // ldr  r1, [r0]
    0x3101, // adds r1, #1
    0x6001, // str  r1, [r0]
    0x4770, // bx   lr
    0xBF00, TICKS & 0xFFFF, TICKS >> 16,
};

static void load(struct machine *machine, const struct program *program, bool ticks)
{
    machine_start(machine);
    machine_put(machine, CODE, program->code, program->length);
    memcpy(machine->cpu.r, program->registers, sizeof(program->registers));
    machine_put(machine, HANDLER(ARMV6M_SYSTICK), tick_handler, sizeof(tick_handler) / 2);
    if (ticks) {
        armv6m_store(&machine->cpu, syst_rvr, 4, program->reload);
        armv6m_store(&machine->cpu, syst_csr, 4, 7);
    }
}

static void no_trace(void *ctx, const struct armv6m *cpu)
{
    (void)ctx, (void)cpu;
}

enum way { AT_ONCE, IN_PIECES, ONE_BY_ONE, AT_END_OF_MEMORY };

// As if there were no flash behind the program.
static void end_flash(struct machine *machine, const struct program *program)
{
    const uint32_t size = (CODE - FLASH + 2 * program->length + 3) & ~3u;
    armv6m_map(&machine->cpu, 1, &(struct armv6m_region){FLASH, machine->flash, size});
}

static void run(struct machine *machine, const struct program *program, enum way way)
{
    load(machine, program, true);
    if (way == AT_END_OF_MEMORY)
        end_flash(machine, program);
    if (way == ONE_BY_ONE)
        armv6m_set_trace(&machine->cpu, no_trace, NULL);
    while (machine->cpu.cycles < RUN_CYCLES) {
        const uint64_t rest = RUN_CYCLES - machine->cpu.cycles;
        const uint64_t piece = way == IN_PIECES ? 1 + below(1 + below(2000)) : rest;
        assert_int_equal(armv6m_run(&machine->cpu, piece < rest ? piece : rest), ARMV6M_BUDGET);
    }
}

static uint32_t last_jumps(const struct armv6m *cpu)
{
    uint32_t sum = 0;
    for (unsigned i = 1; i <= ARMV6M_BRANCHES; i++) {
        const struct armv6m_branch *jump = &cpu->branches[(cpu->last_branch + i) % ARMV6M_BRANCHES];
        sum = 31 * sum + jump->from + 7 * jump->to + 13 * jump->count + jump->exception;
    }
    return sum;
}

static void assert_same(const struct machine *a, const struct machine *b, unsigned number)
{
    for (unsigned n = 0; n < 16; n++)
        if (a->cpu.r[n] != b->cpu.r[n])
            fail_msg("program %u: r%u is %08x and %08x", number, n, a->cpu.r[n], b->cpu.r[n]);
    assert_int_equal(armv6m_xpsr(&a->cpu), armv6m_xpsr(&b->cpu));
    assert_true(a->cpu.cycles == b->cpu.cycles);
    assert_memory_equal(a->sram, b->sram, sizeof(a->sram));
    assert_int_equal(last_jumps(&a->cpu), last_jumps(&b->cpu));
}

static void programs__end_the_same_wherever_they_are_cut(void **state)
{
    (void)state;
    static struct machine at_once, in_pieces, one_by_one, at_end;
    struct program program;
    random_state = 20240301;

    for (unsigned i = 0; i < PROGRAMS; i++) {
        make_program(&program);
        run(&at_once, &program, AT_ONCE);
        run(&in_pieces, &program, IN_PIECES);
        run(&one_by_one, &program, ONE_BY_ONE);
        run(&at_end, &program, AT_END_OF_MEMORY);

        assert_same(&at_once, &one_by_one, i);
        assert_same(&in_pieces, &one_by_one, i);
        assert_same(&at_end, &one_by_one, i);
        assert_true(machine_word(&at_once, TICKS) > 100);
    }
}

#if HAVE_UNICORN
// Unicorn leaks a little of its own; the leak sanitizer asks here.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libunicorn";
}

static const int oracle_registers[15] = {
    UC_ARM_REG_R0,  UC_ARM_REG_R1,  UC_ARM_REG_R2,  UC_ARM_REG_R3, UC_ARM_REG_R4,
    UC_ARM_REG_R5,  UC_ARM_REG_R6,  UC_ARM_REG_R7,  UC_ARM_REG_R8, UC_ARM_REG_R9,
    UC_ARM_REG_R10, UC_ARM_REG_R11, UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR,
};

// The memory of a machine that has not run, executed by Unicorn up to the end of the program.
static uc_engine *run_on_unicorn(struct machine *start, const struct program *program)
{
    const uint32_t end = CODE + 2 * (program->length - 1);
    const uint32_t psr = armv6m_xpsr(&start->cpu);
    uc_engine *oracle;
    assert_int_equal(uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &oracle), UC_ERR_OK);
    uc_ctl_set_cpu_model(oracle, UC_CPU_ARM_CORTEX_M0);
    uc_mem_map_ptr(oracle, SRAM, MEMORY_SIZE, UC_PROT_ALL, start->sram);
    uc_mem_map_ptr(oracle, FLASH, MEMORY_SIZE, UC_PROT_READ | UC_PROT_EXEC, start->flash);
    for (unsigned n = 0; n < 15; n++)
        uc_reg_write(oracle, oracle_registers[n], &start->cpu.r[n]);
    uc_reg_write(oracle, UC_ARM_REG_XPSR, &psr);
    assert_int_equal(uc_emu_start(oracle, CODE | 1, end, 0, 0), UC_ERR_OK);
    return oracle;
}

static void programs__do_the_same_on_unicorn(void **state)
{
    (void)state;
    _Alignas(0x1000) static struct machine theirs;
    static struct machine ours;
    struct program program;
    random_state = 20240302;

    for (unsigned i = 0; i < PROGRAMS; i++) {
        make_program(&program);
        load(&theirs, &program, false);
        load(&ours, &program, false);
        armv6m_run(&ours.cpu, RUN_CYCLES);
        uc_engine *oracle = run_on_unicorn(&theirs, &program);

        for (unsigned n = 0; n < 15; n++) {
            uint32_t value = 0;
            uc_reg_read(oracle, oracle_registers[n], &value);
            if (value != ours.cpu.r[n])
                fail_msg("program %u: r%u is %08x here and %08x on Unicorn", i, n, ours.cpu.r[n],
                         value);
        }
        uint32_t psr = 0;
        uc_reg_read(oracle, UC_ARM_REG_XPSR, &psr);
        assert_int_equal(armv6m_xpsr(&ours.cpu) >> 28, psr >> 28);
        assert_memory_equal(ours.sram, theirs.sram, sizeof(ours.sram));
        uc_close(oracle);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs__end_the_same_wherever_they_are_cut),
#if HAVE_UNICORN
        cmocka_unit_test(programs__do_the_same_on_unicorn),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
