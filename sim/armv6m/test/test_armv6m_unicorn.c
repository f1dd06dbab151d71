// SPDX-License-Identifier: MIT
//
// Random instructions on random registers, one at a time, here and on Unicorn: registers, flags, PC
// and memory must be the same afterwards, and a fault here must be an error there. Unicorn is an
// oracle for this test only.
//
// What is not compared, because Unicorn differs from the architecture there or has no part of it:
//   - undefined encodings: it executes some of ARMv7-M (IT, CBZ); test_armv6m_execute.c has them
//   all
//   - UNPREDICTABLE operands of CMP (high registers), ADD PC and BLX, which it executes
//   - the two low bits of SP, which it keeps
//   - exceptions, sleep and the special registers

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <unicorn/unicorn.h>

#include "armv6m_private.h"

enum {
    FLASH = 0x08000000,
    SRAM = 0x20000000,
    FLASH_SIZE = 0x10000,
    SRAM_SIZE = 0x1000,
    SLOT = 4, // bytes of flash for each instruction
    CASES = FLASH_SIZE / SLOT,
};

static const uint32_t seed = 20240229;

static uint32_t random_state;
static uint8_t flash[FLASH_SIZE], sram[SRAM_SIZE], oracle_sram[SRAM_SIZE];
static struct armv6m cpu;
static uc_engine *oracle;

static const int oracle_registers[16] = {
    UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R4,  UC_ARM_REG_R5,
    UC_ARM_REG_R6,  UC_ARM_REG_R7, UC_ARM_REG_R8, UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11,
    UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR, UC_ARM_REG_PC,
};

// xorshift32
static uint32_t random32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static uint32_t random_value(void)
{
    static const uint32_t edges[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE};
    switch (random32() % 8) {
    case 0:
        return edges[random32() % 6];
    case 1:
        return random32() % 64; // shifts, offsets
    case 2:
        return random32();
    case 3:
        return SRAM + random32() % SRAM_SIZE;
    default:
        return SRAM + 0x200 + random32() % 0x800 / 4 * 4;
    }
}

static bool is_unpredictable(enum armv6m_op op, uint16_t code)
{
    const unsigned n = (code & 7u) | (code >> 4 & 8u), m = code >> 3 & 15;
    return (op == OP_CMP_HIGH && ((n < 8 && m < 8) || n == 15 || m == 15)) ||
           (op == OP_ADD_HIGH && n == 15 && m == 15) || (op == OP_BLX && m == 15);
}

static bool is_compared(uint16_t code)
{
    const enum armv6m_op op = armv6m_decode(code);
    return op != OP_UNDEFINED && op != OP_WIDE && op != OP_SVC && op != OP_BKPT && op != OP_HINT &&
           op != OP_CPS && !is_unpredictable(op, code);
}

// A word of flash: 16 bits and a nop, or a BL.
static uint32_t random_instruction(void)
{
    const uint32_t bl = 0xD000F000;
    if (random32() % 32 == 0)
        return bl | (random32() & 0x2FFF07FF);
    for (;;) {
        const uint16_t code = (uint16_t)random32();
        if (is_compared(code))
            return 0xBF000000 | code;
    }
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

static int set_up(void **state)
{
    (void)state;
    random_state = seed;
    for (uint32_t i = 0; i < FLASH_SIZE; i += SLOT)
        put_word(flash + i, random_instruction());
    for (uint32_t i = 0; i < SRAM_SIZE; i += 4)
        put_word(sram + i, random_value());
    memcpy(oracle_sram, sram, SRAM_SIZE);

    armv6m_init(&cpu, &(struct armv6m_bus){.read = no_read, .write = no_write});
    armv6m_map(&cpu, 0, &(struct armv6m_region){SRAM, sram, SRAM_SIZE, .writable = true});
    armv6m_map(&cpu, 1, &(struct armv6m_region){FLASH, flash, FLASH_SIZE});

    assert_int_equal(uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &oracle), UC_ERR_OK);
    uc_ctl_set_cpu_model(oracle, UC_CPU_ARM_CORTEX_M0);
    assert_int_equal(uc_mem_map_ptr(oracle, SRAM, SRAM_SIZE, UC_PROT_ALL, oracle_sram), UC_ERR_OK);
    assert_int_equal(uc_mem_map_ptr(oracle, FLASH, FLASH_SIZE, UC_PROT_READ | UC_PROT_EXEC, flash),
                     UC_ERR_OK);
    return 0;
}

// Unicorn leaks a little of its own; the leak sanitizer asks here.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libunicorn";
}

static int tear_down(void **state)
{
    (void)state;
    uc_close(oracle);
    return 0;
}

// The same random registers for both, PC at the instruction.
static void randomize(uint32_t pc)
{
    for (unsigned n = 0; n < 15; n++)
        cpu.r[n] = random_value();
    cpu.r[13] &= ~3u;
    cpu.r[15] = pc;
    cpu.exception = 0;
    cpu.active = 0;
    cpu.locked_up = false;
    armv6m_set_thumb(&cpu, true);
    armv6m_set_flags(&cpu, random32());
    armv6m_update_priority(&cpu);

    for (unsigned n = 0; n < 15; n++)
        uc_reg_write(oracle, oracle_registers[n], &cpu.r[n]);
    const uint32_t psr = armv6m_xpsr(&cpu);
    uc_reg_write(oracle, UC_ARM_REG_XPSR, &psr);
}

static uint32_t oracle_register(int number)
{
    uint32_t value = 0;
    uc_reg_read(oracle, number, &value);
    return value;
}

static void assert_same(uint32_t pc, const uint32_t before[16])
{
    char text[ARMV6M_DISASM_SIZE];
    const uint8_t *code = flash + (pc - FLASH);
    armv6m_disasm(pc, (uint16_t)get_half(code), (uint16_t)get_half(code + 2), text);
    for (unsigned n = 0; n < 16; n++) {
        const uint32_t mask = n == 13 ? ~3u : n == 15 ? ~1u : ~0u;
        const uint32_t theirs = oracle_register(oracle_registers[n]) & mask;
        if (cpu.r[n] != theirs)
            fail_msg("%08x %s: r%u was %08x, is %08x here and %08x on Unicorn (seed %u)", pc, text,
                     n, before[n], cpu.r[n], theirs, seed);
    }
    const uint32_t flags = armv6m_xpsr(&cpu) >> 28;
    const uint32_t their_flags = oracle_register(UC_ARM_REG_XPSR) >> 28;
    if (flags != their_flags)
        fail_msg("%08x %s: NZCV are %x here and %x on Unicorn (seed %u)", pc, text, flags,
                 their_flags, seed);
    if (memcmp(sram, oracle_sram, SRAM_SIZE) != 0)
        fail_msg("%08x %s: memory differs (seed %u)", pc, text, seed);
}

// After a branch Unicorn may already stumble over what is at the target. That is no fault of the
// branch: it is one only if PC has not moved.
static bool is_fault(uc_err err, uint32_t pc)
{
    return err != UC_ERR_OK && (oracle_register(UC_ARM_REG_PC) & ~1u) == pc;
}

// Returns whether the instruction faulted. Then only the memory is made the same again.
static bool execute_on_both(uint32_t pc)
{
    armv6m_run(&cpu, 1);
    const bool faulted = cpu.exception == ARMV6M_HARDFAULT || cpu.locked_up;
    const uc_err err = uc_emu_start(oracle, pc | 1, 0xFFFFFFFF, 0, 1);
    if (faulted != is_fault(err, pc))
        fail_msg("%08x: %04x %s here, and on Unicorn: %s (seed %u)", pc,
                 get_half(flash + (pc - FLASH)), faulted ? "faults" : "is well", uc_strerror(err),
                 seed);
    if (faulted)
        memcpy(oracle_sram, sram, SRAM_SIZE);
    return faulted;
}

static void random_instructions__do_the_same_on_unicorn(void **state)
{
    (void)state;
    unsigned well = 0;

    for (uint32_t pc = FLASH; pc < FLASH + FLASH_SIZE; pc += SLOT) {
        uint32_t before[16];
        randomize(pc);
        memcpy(before, cpu.r, sizeof(before));

        if (!execute_on_both(pc)) {
            assert_same(pc, before);
            well++;
        }
    }

    assert_in_range(well, CASES / 2, CASES - CASES / 8); // a good mix of both
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_instructions__do_the_same_on_unicorn, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
