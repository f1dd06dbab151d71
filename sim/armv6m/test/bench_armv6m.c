// SPDX-License-Identifier: MIT
//
// How many instructions a second the processor executes on a firmware's busy loop, and, where
// Unicorn is there to be compared with, how many that executes of the same loop on this machine.
// The machine may be doing something else as well, so the best of many short rounds counts.

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
    ROUNDS = 50,
    ROUND_CYCLES = 960000, // 20 ms at 48 MHz
    ROUND_US = 10000,      // the same for Unicorn, which counts no cycles
};

// What a main loop does while it waits: counts in memory, calls a function that looks at a flag,
// spins a little.
static const uint16_t program[] = {
    0x2420, // 00 movs r4, #0x20
    0x0624, // 02 lsls r4, r4, #24    ; SRAM
    0x6820, // 04 ldr  r0, [r4]
    0x3001, // 06 adds r0, #1
    0x6020, // 08 str  r0, [r4]
    0xF000, // 0a bl   0x18
    0xF805,
    0x2104, // 0e movs r1, #4
    0x3901, // 10 subs r1, #1
    0xD1FD, // 12 bne  0x10
    0xE7F6, // 14 b    0x04
    0xBF00, // 16 nop
    0xB510, // 18 push {r4, lr}
    0x79E3, // 1a ldrb r3, [r4, #7]
    0x2B01, // 1c cmp  r3, #1
    0xD001, // 1e beq  0x24
    0x43DA, // 20 mvns r2, r3
    0xB2D0, // 22 uxtb r0, r2
    0xBD10, // 24 pop  {r4, pc}
};

// Of one turn, from 0x04 to 0x04.
static const double instructions_per_turn = 21;

static uint8_t flash[FLASH_SIZE];
static uint8_t sram[SRAM_SIZE];

static void load_program(void)
{
    static const uint8_t vectors[] = {0x00, 0x40, 0x00, 0x20, 0x01, 0x01, 0x00, 0x08};
    memset(sram, 0, sizeof(sram));
    memcpy(flash, vectors, sizeof(vectors));
    for (unsigned i = 0; i < sizeof(program) / sizeof(program[0]); i++) {
        flash[START - FLASH + 2 * i] = (uint8_t)program[i];
        flash[START - FLASH + 2 * i + 1] = (uint8_t)(program[i] >> 8);
    }
}

// The program counts its turns in the first word of SRAM.
static double instructions(void)
{
    const double turns =
        sram[0] + 0x100 * sram[1] + 0x10000 * sram[2] + 0x1000000 * (double)sram[3];
    return turns * instructions_per_turn;
}

// Calls a round again and again and prints the best speed, in instructions a second.
static bool measure(bool (*run)(void *ctx), void *ctx, double *ret_best)
{
    double best = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const double before = instructions(), start = bench_now_s(CLOCK_MONOTONIC);
        if (!run(ctx))
            return false;
        const double speed = (instructions() - before) / (bench_now_s(CLOCK_MONOTONIC) - start);
        best = speed > best ? speed : best;
    }
    *ret_best = best;
    return true;
}

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

static bool run_armv6m(void *ctx)
{
    return armv6m_run(ctx, ROUND_CYCLES) == ARMV6M_BUDGET;
}

static bool measure_armv6m(double *ret_best)
{
    static struct armv6m cpu;
    load_program();
    armv6m_init(&cpu, &(struct armv6m_bus){.read = no_read, .write = no_write});
    armv6m_map(&cpu, 0, &(struct armv6m_region){SRAM, sram, SRAM_SIZE, .writable = true});
    armv6m_map(&cpu, 1, &(struct armv6m_region){FLASH, flash, FLASH_SIZE});
    armv6m_map(&cpu, 2, &(struct armv6m_region){0, flash, FLASH_SIZE});
    armv6m_reset(&cpu);
    return measure(run_armv6m, &cpu, ret_best);
}

#if HAVE_UNICORN
static bool run_unicorn(void *ctx)
{
    return uc_emu_start(ctx, START | 1, 0, ROUND_US, 0) == UC_ERR_OK;
}

static bool measure_unicorn(double *ret_best)
{
    const uint32_t sp = SRAM + SRAM_SIZE;
    uc_engine *uc;
    load_program();
    if (uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &uc) != UC_ERR_OK)
        return false;
    uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_M0);
    uc_mem_map_ptr(uc, SRAM, SRAM_SIZE, UC_PROT_ALL, sram);
    uc_mem_map_ptr(uc, FLASH, FLASH_SIZE, UC_PROT_READ | UC_PROT_EXEC, flash);
    uc_reg_write(uc, UC_ARM_REG_SP, &sp);
    const bool ok = measure(run_unicorn, uc, ret_best);
    uc_close(uc);
    return ok;
}
#endif

int main(void)
{
    struct bench_row row = {"interpreter, a busy loop", .unit = "M instructions/s"};
    double ours = 0, theirs = 0;
    bool ok = measure_armv6m(&ours);

    row.value = ours / 1e6;
#if HAVE_UNICORN
    ok = ok && measure_unicorn(&theirs);
    row.rival = "Unicorn";
#endif
    row.rival_value = theirs / 1e6;
    bench_print(&row);
    return ok ? 0 : 1;
}
