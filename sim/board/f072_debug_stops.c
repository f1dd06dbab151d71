// SPDX-License-Identifier: MIT
//
// Why a board under a debugger stops: points, the end of a step, Ctrl-C, and trouble, each with its
// line.

#include <stdio.h>

#include <armv6m/armv6m_debug.h>

#include "f072_debug_private.h"

// Is the processor executing instructions, or asleep in between? Not without power, in a lock-up,
// or while the boot loader in ROM has the chip.
static bool executes(const struct f072_board *board)
{
    return board->who == F072_BOARD_FIRMWARE && !board->locked_up;
}

static void stop_at(struct f072_debug *debug, enum gdb_signal signal)
{
    debug->stop = (struct gdb_stop){.signal = signal, .reason = GDB_STOPPED};
}

static bool at_hardfault(struct f072_debug *debug, const struct armv6m *cpu)
{
    char fault[F072_FAULT_SIZE];

    if (cpu->exception != ARMV6M_HARDFAULT || !armv6m_at_handler(cpu))
        return false;
    f072_board_describe_fault(debug->board, fault);
    snprintf(debug->console, sizeof debug->console, "HardFault, taken%s", fault);
    stop_at(debug, GDB_SIGSEGV);
    return true;
}

static bool at_bkpt(struct f072_debug *debug, const struct armv6m *cpu)
{
    enum { BKPT = 0xBE };
    uint16_t instruction;

    if (!armv6m_peek16(cpu, cpu->r[15], &instruction) || instruction >> 8 != BKPT)
        return false;
    snprintf(debug->console, sizeof debug->console,
             "BKPT %u: without a debugger it is a HardFault, which is taken when the processor "
             "continues; set $pc += 2 skips it",
             instruction & 0xFFu);
    stop_at(debug, GDB_SIGTRAP);
    return true;
}

bool f072_debug_stops_at(struct f072_debug *debug, const struct armv6m *cpu)
{
    if (f072_debug_at_point(debug, cpu, &debug->stop) || at_hardfault(debug, cpu) ||
        at_bkpt(debug, cpu))
        return true;
    if (debug->stop_wanted == 0 && debug->how != GDB_STEP)
        return false;
    stop_at(debug, debug->stop_wanted != 0 ? debug->stop_wanted : GDB_SIGTRAP);
    return true;
}

// The board's own report keeps the first trouble since power-on, which may have been another one. A
// jump into ROM that the boot loader cannot work with stops the processor, too.
static void describe_lock_up(struct f072_debug *debug)
{
    const struct f072_chip *chip = &debug->board->chip;
    char fault[F072_FAULT_SIZE];

    f072_board_describe_fault(debug->board, fault);
    if (chip->cpu.locked_up)
        snprintf(debug->console, sizeof debug->console,
                 "the processor locked up at %08Xh: a fault within the HardFault that was taken%s",
                 chip->cpu.lockup_pc, fault);
    else
        snprintf(debug->console, sizeof debug->console, "%s", chip->report.trouble);
}

bool f072_debug_stops_between(struct f072_debug *debug)
{
    struct f072_board *board = debug->board;
    bool locks_up = board->locked_up && !debug->was_locked_up;

    debug->console[0] = '\0';
    debug->was_locked_up = board->locked_up;
    if (locks_up) {
        describe_lock_up(debug);
        stop_at(debug, GDB_SIGSEGV);
    } else if (debug->stop_wanted != 0) {
        stop_at(debug, debug->stop_wanted);
    } else if (debug->how == GDB_STEP && !executes(board)) {
        snprintf(debug->console, sizeof debug->console, "no instruction is executed: %s",
                 board->who == F072_BOARD_ROM      ? "the model of the boot loader in ROM runs"
                 : board->who == F072_BOARD_NOBODY ? "the board has no power"
                                                   : "the processor is locked up");
        stop_at(debug, GDB_SIGTRAP);
    } else {
        return false;
    }
    return true;
}
