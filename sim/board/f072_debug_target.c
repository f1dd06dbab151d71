// SPDX-License-Identifier: MIT
//
// What GDB reads and writes of the board (gdb/stub.h), but for memory: registers, points, execution
// and `monitor`. What is written makes another history, so it is refused in the past.

#include <stdio.h>
#include <string.h>

#include <armv6m/armv6m_debug.h>

#include "f072_debug_private.h"

static struct armv6m *cpu_of(struct f072_debug *debug)
{
    return &debug->board->chip.cpu;
}

// ---- Registers ----

static uint32_t read_register(void *context, unsigned number)
{
    const struct armv6m *cpu = cpu_of(context);

    switch (number) {
    case GDB_XPSR:
        return armv6m_xpsr(cpu);
    case GDB_MSP:
        return armv6m_msp(cpu);
    case GDB_PSP:
        return armv6m_psp(cpu);
    default:
        return cpu->r[number];
    }
}

static void set_register(struct armv6m *cpu, unsigned number, uint32_t value)
{
    switch (number) {
    case GDB_SP:
        cpu->r[GDB_SP] = value & ~3u;
        break;
    case GDB_PC:
        armv6m_set_pc(cpu, value);
        break;
    case GDB_XPSR:
        armv6m_set_xpsr(cpu, value);
        break;
    case GDB_MSP:
        armv6m_set_msp(cpu, value);
        break;
    case GDB_PSP:
        armv6m_set_psp(cpu, value);
        break;
    default:
        cpu->r[number] = value;
    }
}

static bool write_register(void *context, unsigned number, uint32_t value)
{
    struct f072_debug *debug = context;

    if (!f072_debug_begin_write(debug))
        return false;
    set_register(cpu_of(debug), number, value);
    if (number == GDB_PC) // a point at the new instruction counts
        debug->at_instruction = false;
    f072_debug_end_write(debug);
    return true;
}

// ---- Points ----

static bool overlaps(const struct f072_point *point, const struct armv6m_access *access)
{
    return access->size > 0 && (access->address - point->address < point->size ||
                                point->address - access->address < access->size);
}

static bool watches(const struct f072_point *point, const struct armv6m_access *access)
{
    bool wanted = point->kind == GDB_WATCH_ACCESS ||
                  (point->kind == GDB_WATCH_WRITE && access->is_write) ||
                  (point->kind == GDB_WATCH_READ && !access->is_write);

    return wanted && overlaps(point, access);
}

static bool is_break(const struct f072_point *point)
{
    return point->kind == GDB_BREAK_SOFT || point->kind == GDB_BREAK_HARD;
}

bool f072_debug_at_point(const struct f072_debug *debug,
                         const struct armv6m *cpu,
                         struct gdb_stop *ret_stop)
{
    struct armv6m_access access = {0};
    struct armv6m_access frame = {0};

    if (debug->point_count == 0)
        return false;
    access = armv6m_next_access(cpu);
    if (armv6m_at_handler(cpu))
        frame = armv6m_stacked_frame(cpu);
    for (size_t i = 0; i < debug->point_count; i++) {
        const struct f072_point *point = &debug->points[i];
        bool breaks = is_break(point) && point->address == cpu->r[GDB_PC];

        if (!breaks && !watches(point, &access) && !watches(point, &frame))
            continue;
        *ret_stop = (struct gdb_stop){
            .signal = GDB_SIGTRAP,
            .reason = breaks ? GDB_AT_BREAKPOINT : GDB_AT_WATCHPOINT,
            .point = point->kind,
            .address = point->address,
        };
        return true;
    }
    return false;
}

static bool insert(void *context, enum gdb_point kind, uint32_t address, uint32_t size)
{
    struct f072_debug *debug = context;

    if (debug->point_count == F072_MAX_POINTS)
        return false;
    debug->points[debug->point_count++] = (struct f072_point){kind, address, size};
    return true;
}

// Removing a point that does not exist succeeds (GDB manual, E.2: removing twice is not an error).
static bool remove_point(void *context, enum gdb_point kind, uint32_t address, uint32_t size)
{
    struct f072_debug *debug = context;

    for (size_t i = 0; i < debug->point_count; i++) {
        const struct f072_point *point = &debug->points[i];

        if (point->kind != kind || point->address != address || point->size != size)
            continue;
        debug->points[i] = debug->points[--debug->point_count];
        return true;
    }
    return true;
}

// ---- Running ----

static void resume(void *context, enum gdb_resume how)
{
    struct f072_debug *debug = context;

    debug->how = how;
    debug->standing = false;
    debug->stop_wanted = 0; // what comes after this counts
}

static void interrupt(void *context)
{
    ((struct f072_debug *)context)->stop_wanted = GDB_SIGINT;
}

static void attach(void *context)
{
    struct f072_debug *debug = context;

    debug->released = false;
    if (debug->standing)
        return;
    debug->standing = true;
    debug->at_instruction = false;
    debug->stop = (struct gdb_stop){.signal = GDB_SIGTRAP, .reason = GDB_STOPPED};
    debug->console[0] = '\0';
    gdb_server_stopped(debug->server, &debug->stop, NULL);
}

static void release(void *context)
{
    struct f072_debug *debug = context;

    debug->released = true;
    debug->standing = false;
    debug->point_count = 0;
    debug->how = GDB_CONTINUE;
    debug->stop_wanted = 0;
}

// ---- monitor ----

// As NRST does; the processor stays before its first instruction.
static void reset(struct f072_debug *debug)
{
    struct f072_board *board = debug->board;

    board->who = F072_BOARD_FIRMWARE;
    board->locked_up = false;
    board->leaving = false;
    f072_chip_skip_to(&board->chip, board->now_ns);
    f072_chip_reset(&board->chip, F072_RESET_PIN);
    debug->was_locked_up = false;
    debug->at_instruction = true;
    f072_debug_end_write(debug);
}

static void monitor_reset(struct f072_debug *debug, char *text, size_t size)
{
    if (!f072_debug_begin_write(debug))
        snprintf(text, size, "the board is in its past: continue to the present first\n");
    else if (debug->board->who == F072_BOARD_NOBODY)
        snprintf(text, size, "the board has no power\n");
    else
        reset(debug);
    if (text[0] == '\0')
        snprintf(text, size,
                 "the board is stopped at its reset vector, %08Xh; `maintenance flush "
                 "register-cache` makes GDB read the registers again\n",
                 cpu_of(debug)->r[GDB_PC]);
}

static bool monitor(void *context, const char *command, char *text, size_t size)
{
    struct f072_debug *debug = context;

    if (strcmp(command, "reset") == 0 || strcmp(command, "reset halt") == 0)
        monitor_reset(debug, text, size);
    else if (strcmp(command, "usb") == 0)
        f072_debug_write_usb(debug, text, size);
    else if (strcmp(command, "help") == 0)
        snprintf(text, size,
                 "monitor reset  reset by the pin; the board stops at its reset vector\n"
                 "monitor usb    the state of the USB peripheral\n"
                 "monitor help   these lines\n");
    else
        return false;
    return true;
}

const struct gdb_target f072_debug_target = {
    .read_register = read_register,
    .write_register = write_register,
    .read_memory = f072_debug_read_memory,
    .write_memory = f072_debug_write_memory,
    .erase_flash = f072_debug_erase_flash,
    .program_flash = f072_debug_program_flash,
    .insert = insert,
    .remove = remove_point,
    .resume = resume,
    .interrupt = interrupt,
    .attach = attach,
    .release = release,
    .monitor = monitor,
    .memory_map = f072_debug_memory_map,
};
