// SPDX-License-Identifier: MIT
//
// A report of a processor in trouble: the registers, and the instructions before it. They follow
// from the last branches: between the target of one and the origin of the next the code ran without
// a branch.

#include "armv6m_private.h"

#include <inttypes.h>

enum {
    MOST_INSTRUCTIONS = 8,  // shown of one straight piece
    LONGEST_PIECE = 0x1000, // in bytes; a longer one means that a debugger has set PC
};

static const char *const fixed_names[16] = {
    [0] = "lockup",
    [ARMV6M_NMI] = "NMI",
    [ARMV6M_HARDFAULT] = "HardFault",
    [ARMV6M_SVCALL] = "SVCall",
    [ARMV6M_PENDSV] = "PendSV",
    [ARMV6M_SYSTICK] = "SysTick",
};

static void print_exception(unsigned exception, FILE *out)
{
    if (exception >= ARMV6M_IRQ0)
        fprintf(out, "interrupt %u", exception - ARMV6M_IRQ0);
    else
        fputs(fixed_names[exception] ? fixed_names[exception] : "exception", out);
}

static void print_mode(const struct armv6m *cpu, FILE *out)
{
    if (cpu->exception) {
        fputs("in ", out);
        print_exception(cpu->exception, out);
    } else {
        fputs("in Thread mode", out);
    }
    if (cpu->locked_up)
        fputs(", locked up", out);
    if (cpu->sleep != ARMV6M_AWAKE)
        fputs(", asleep", out);
    if (cpu->primask)
        fputs(", PRIMASK set", out);
    fputc('\n', out);
}

static void print_registers(const struct armv6m *cpu, FILE *out)
{
    for (unsigned n = 0; n < 13; n++)
        fprintf(out, " %sr%u %08" PRIx32 "%s", n < 10 ? " " : "", n, cpu->r[n],
                n % 4 == 3 ? "\n" : "");
    fprintf(out, "  lr %08" PRIx32 "  pc %08" PRIx32 "\n", cpu->r[14], cpu->r[15]);
    fprintf(out, " msp %08" PRIx32 " psp %08" PRIx32 " xpsr %08" PRIx32 ", cycle %" PRIu64 "\n",
            armv6m_msp(cpu), armv6m_psp(cpu), armv6m_xpsr(cpu), cpu->cycles);
}

// ---- the way here ----

static unsigned length_at(const struct armv6m *cpu, uint32_t address)
{
    uint16_t first;
    return armv6m_peek16(cpu, address, &first) && armv6m_decode(first) == OP_WIDE ? 4 : 2;
}

static void print_instruction(const struct armv6m *cpu, uint32_t address, FILE *out)
{
    char text[ARMV6M_DISASM_SIZE] = "(no memory here)";
    uint16_t first, second = 0;
    armv6m_peek16(cpu, address + 2, &second);
    if (armv6m_peek16(cpu, address, &first))
        armv6m_disasm(address, first, second, text);
    fprintf(out, "  %08" PRIx32 "  %s\n", address, text);
}

// The instructions from `start` to before `end`; of many the last.
static void print_piece(const struct armv6m *cpu, uint32_t start, uint32_t end, FILE *out)
{
    if (end - start > LONGEST_PIECE)
        return;
    unsigned count = 0;
    for (uint32_t at = start; at < end; at += length_at(cpu, at))
        count++;
    if (count > MOST_INSTRUCTIONS)
        fprintf(out, "  ... %u instructions\n", count - MOST_INSTRUCTIONS);
    for (uint32_t at = start; at < end; at += length_at(cpu, at))
        if (count-- <= MOST_INSTRUCTIONS)
            print_instruction(cpu, at, out);
}

// A branch was executed, the origin of an exception was not.
static void print_jump(const struct armv6m *cpu, const struct armv6m_branch *jump, FILE *out)
{
    if (jump->exception == 0) {
        print_instruction(cpu, jump->from, out);
    } else if (jump->exception == ARMV6M_RESET_VECTOR) {
        fputs("  > reset\n", out);
    } else {
        fputs("  > ", out);
        print_exception(jump->to == LOCKUP_ADDRESS ? 0 : jump->exception, out);
        fprintf(out, " at %08" PRIx32 "\n", jump->from);
    }
    if (jump->count > 1)
        fprintf(out, "  (%" PRIu32 " times in a row)\n", jump->count);
}

static void print_way(const struct armv6m *cpu, FILE *out)
{
    const struct armv6m_branch *before = NULL;
    for (unsigned i = 1; i <= ARMV6M_BRANCHES; i++) {
        const struct armv6m_branch *jump = &cpu->branches[(cpu->last_branch + i) % ARMV6M_BRANCHES];
        if (jump->count == 0)
            continue;
        if (before)
            print_piece(cpu, before->to, jump->from, out);
        print_jump(cpu, jump, out);
        before = jump;
    }
    if (before)
        print_piece(cpu, before->to, cpu->r[15], out);
}

void armv6m_report(const struct armv6m *cpu, FILE *out)
{
    print_mode(cpu, out);
    print_registers(cpu, out);
    fputs("last instructions, and next:\n", out);
    print_way(cpu, out);
    print_instruction(cpu, cpu->r[15], out);
}
