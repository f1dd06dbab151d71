// SPDX-License-Identifier: MIT
//
// Backwards. To find the last point before an instruction, the board runs again from the last
// snapshot before it, and each point that it passes replaces the one before; if it passes none, it
// runs from the snapshot before, and so on to the beginning of history. Then it runs again up to
// the point that was found.
//
// GDB expects of a watchpoint on an Arm processor that the instruction at PC has not accessed
// memory yet, and steps over it to compare. Backwards it does the same: the processor stops after
// the instruction, and GDB steps back over it.

#include <stdio.h>

#include <armv6m/armv6m_debug.h>

#include "f072_debug_private.h"

static bool
matches(const struct f072_debug *debug, const struct armv6m *cpu, struct gdb_stop *ret_stop)
{
    if (debug->how == GDB_REVERSE_CONTINUE)
        return f072_debug_at_point(debug, cpu, ret_stop);
    *ret_stop = (struct gdb_stop){.signal = GDB_SIGTRAP, .reason = GDB_STOPPED};
    return true;
}

bool f072_debug_hold_in_past(struct f072_debug *debug, const struct armv6m *cpu)
{
    struct f072_debug_found *found = &debug->found;

    if (found->after_this)
        found->cycles = cpu->cycles;
    found->after_this = false;
    if (cpu->cycles >= debug->limit)
        return true;
    if (debug->mode == F072_DEBUG_SEARCH && matches(debug, cpu, &found->stop)) {
        found->any = true;
        found->cycles = cpu->cycles;
        // A frame that is stacked was written before the handler's first instruction.
        found->after_this = found->stop.reason == GDB_AT_WATCHPOINT && !armv6m_at_handler(cpu);
    }
    return false;
}

// The last point before the present PC. Returns false where history has none.
static bool search(struct f072_debug *debug)
{
    uint64_t begin;
    bool held;

    debug->mode = F072_DEBUG_SEARCH;
    debug->found = (struct f072_debug_found){.any = false};
    debug->limit = debug->board->chip.cpu.cycles;
    while (f072_history_replay(debug->history, debug->limit, &begin, &held)) {
        if (debug->found.after_this)
            debug->found.cycles = debug->limit;
        debug->found.after_this = false;
        if (debug->found.any)
            return true;
        debug->limit = begin;
    }
    return false;
}

static void tell_beginning(struct f072_debug *debug)
{
    uint64_t begin_ns = f072_history_begin_ns(debug->history);

    debug->stop = (struct gdb_stop){.signal = GDB_SIGTRAP, .reason = GDB_HISTORY_EXHAUSTED};
    if (begin_ns == UINT64_MAX)
        snprintf(debug->console, sizeof debug->console, "no history is recorded");
    else
        snprintf(debug->console, sizeof debug->console,
                 "history begins here, %.6f ms after power-on: it holds the last %d s since the "
                 "debugger attached or wrote something",
                 (double)begin_ns / 1e6, F072_MAX_SNAPSHOTS * F072_SNAPSHOT_MS / 1000);
}

void f072_debug_reverse(struct f072_debug *debug)
{
    bool found = search(debug);

    debug->console[0] = '\0';
    debug->mode = F072_DEBUG_SEEK;
    debug->limit = found ? debug->found.cycles : 0;
    if (!f072_history_seek(debug->history, debug->limit, &debug->at_instruction))
        debug->at_instruction = false;
    debug->mode = F072_DEBUG_RUN;
    if (found)
        debug->stop = debug->found.stop;
    else
        tell_beginning(debug);
    debug->was_locked_up = debug->board->locked_up;
    debug->standing = true;
}
