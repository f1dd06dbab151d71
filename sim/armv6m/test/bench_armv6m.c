// SPDX-License-Identifier: MIT
//
// How many instructions a second the processor executes on a firmware's busy loop, and, where
// Unicorn is there to be compared with, how many that executes of the same loop on this machine.
// The machine may be doing something else as well: the two run in turns, in rounds so short that
// some of them are not interrupted, and the best round of each counts.

#include <armv6m/armv6m.h>

#include <string.h>

#include <bench/bench.h>

#if HAVE_UNICORN
#include <unicorn/unicorn.h>
#endif

enum {
    SRAM = 0x20000000,
    SRAM_SIZE = 0x4000,
    FLASH = 0x08000000,
    FLASH_SIZE = 0x1000,
    START = FLASH + 0x100,
    END = START + 0x18,
    ROUNDS = 150,
    TURNS = 10000,       // of the loop in a round
    INSTRUCTIONS = 22,   // of a turn, from 0x04 to 0x04
    CYCLES_AT_MOST = 50, // of a turn
};

// What a main loop does while it waits: counts in memory, calls a function that looks at a flag,
// spins a little. r5 is how often.
static const uint16_t program[] = {
    0x2420, // 00 movs r4, #0x20
    0x0624, // 02 lsls r4, r4, #24    ; SRAM
    0x6820, // 04 ldr  r0, [r4]
    0x3001, // 06 adds r0, #1
    0x6020, // 08 str  r0, [r4]
    0xF000, // 0a bl   0x1a
    0xF806,
    0x2104, // 0e movs r1, #4
    0x3901, // 10 subs r1, #1
    0xD1FD, // 12 bne  0x10
    0x3D01, // 14 subs r5, #1
    0xD1F5, // 16 bne  0x04
    0xE7FE, // 18 b    .              ; END
    0xB510, // 1a push {r4, lr}
    0x79E3, // 1c ldrb r3, [r4, #7]
    0x2B01, // 1e cmp  r3, #1
    0xD001, // 20 beq  0x26
    0x43DA, // 22 mvns r2, r3
    0xB2D0, // 24 uxtb r0, r2
    0xBD10, // 26 pop  {r4, pc}
};

// One of the two: its memory, and a function that runs it for a round.
struct runner {
    bool (*run)(struct runner *runner);
    double best; // instructions a second
    struct armv6m cpu;
#if HAVE_UNICORN
    uc_engine *uc;
#endif
    _Alignas(0x1000) uint8_t flash[FLASH_SIZE];
    _Alignas(0x1000) uint8_t sram[SRAM_SIZE];
};

static void load_program(struct runner *runner)
{
    static const uint8_t vectors[] = {0x00, 0x40, 0x00, 0x20, 0x01, 0x01, 0x00, 0x08};
    memcpy(runner->flash, vectors, sizeof(vectors));
    for (unsigned i = 0; i < sizeof(program) / sizeof(program[0]); i++) {
        runner->flash[START - FLASH + 2 * i] = (uint8_t)program[i];
        runner->flash[START - FLASH + 2 * i + 1] = (uint8_t)(program[i] >> 8);
    }
}

static bool measure(struct runner *runner)
{
    const double begin_s = bench_now_s(CLOCK_MONOTONIC);
    const bool ok = runner->run(runner);
    const double speed = TURNS * INSTRUCTIONS / (bench_now_s(CLOCK_MONOTONIC) - begin_s);
    runner->best = speed > runner->best ? speed : runner->best;
    return ok;
}

// ---- this processor ----

static bool no_read(void *ctx, uint32_t address, unsigned size, uint32_t *ret_value)
{
    (void)ctx, (void)address, (void)size, (void)ret_value;
    return false;
}

static bool no_write(void *ctx, uint32_t address, unsigned size, uint32_t value)
{
    (void)ctx, (void)address, (void)size, (void)value;
    return false;
}

static bool run_armv6m(struct runner *runner)
{
    struct armv6m *cpu = &runner->cpu;
    cpu->r[5] = TURNS;
    cpu->r[15] = START;
    return armv6m_run(cpu, TURNS * CYCLES_AT_MOST) == ARMV6M_BUDGET && cpu->r[15] == END;
}

static bool start_armv6m(struct runner *runner)
{
    struct armv6m *cpu = &runner->cpu;
    load_program(runner);
    armv6m_init(cpu, &(struct armv6m_bus){.read = no_read, .write = no_write});
    armv6m_map(cpu, 0, &(struct armv6m_region){SRAM, runner->sram, SRAM_SIZE, .writable = true});
    armv6m_map(cpu, 1, &(struct armv6m_region){FLASH, runner->flash, FLASH_SIZE});
    armv6m_map(cpu, 2, &(struct armv6m_region){0, runner->flash, FLASH_SIZE});
    armv6m_reset(cpu);
    runner->run = run_armv6m;
    return true;
}

// ---- Unicorn ----

#if HAVE_UNICORN
static bool run_unicorn(struct runner *runner)
{
    const uint32_t turns = TURNS;
    uc_reg_write(runner->uc, UC_ARM_REG_R5, &turns);
    return uc_emu_start(runner->uc, START | 1, END, 0, 0) == UC_ERR_OK;
}

static bool start_unicorn(struct runner *runner)
{
    const uint32_t sp = SRAM + SRAM_SIZE;
    load_program(runner);
    if (uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &runner->uc) != UC_ERR_OK)
        return false;
    uc_ctl_set_cpu_model(runner->uc, UC_CPU_ARM_CORTEX_M0);
    uc_mem_map_ptr(runner->uc, SRAM, SRAM_SIZE, UC_PROT_READ | UC_PROT_WRITE, runner->sram);
    uc_mem_map_ptr(runner->uc, FLASH, FLASH_SIZE, UC_PROT_READ | UC_PROT_EXEC, runner->flash);
    uc_reg_write(runner->uc, UC_ARM_REG_SP, &sp);
    runner->run = run_unicorn;
    return true;
}
#else
static bool start_unicorn(struct runner *runner)
{
    (void)runner;
    return true;
}
#endif

int main(void)
{
    static struct runner ours, theirs;
    bool ok = start_armv6m(&ours) && start_unicorn(&theirs);

    for (unsigned i = 0; i < ROUNDS && ok; i++)
        ok = measure(&ours) && (!theirs.run || measure(&theirs));
    bench_print(&(struct bench_row){"interpreter, a busy loop", ours.best / 1e6, "M instructions/s",
                                    theirs.run ? "Unicorn" : NULL, theirs.best / 1e6,
                                    theirs.run ? "ratio >= 7" : NULL});
    return ok ? 0 : 1;
}
