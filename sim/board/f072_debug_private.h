// SPDX-License-Identifier: MIT
//
// f072_debug_private.h - what the files of the debugger share: f072_debug.c has the device and
// stops and continues it, f072_debug_stops.c has the reasons to stop, f072_debug_target.c what GDB
// reads and writes, f072_debug_reverse.c reverse execution, f072_debug_usb.c `monitor usb`,
// f072_history.c the recorded past.

#ifndef F072_DEBUG_PRIVATE_H
#define F072_DEBUG_PRIVATE_H

#include <gdb/server.h>
#include <sim/forward.h>

#include "f072_board_private.h"
#include "f072_history.h"

enum { F072_MAX_POINTS = 64, F072_CONSOLE_SIZE = 512 };

struct f072_point {
    enum gdb_point kind;
    uint32_t address;
    uint32_t size;
};

// What the function that is called before each instruction looks for.
enum f072_debug_mode {
    F072_DEBUG_RUN,    // a point, trouble, the end of a step: it stands still there
    F072_DEBUG_SEEK,   // the cycle `limit`
    F072_DEBUG_SEARCH, // all points before the cycle `limit`: the last is wanted
};

struct f072_debug {
    struct forward forward; // to the board
    struct f072_board *board;
    struct gdb_server *server;
    struct f072_history *history;
    struct f072_chip *kept; // room for a copy of the chip
    bool active;            // a debugger is attached, or waited for at power-on
    bool released;          // it has gone: no longer active once the board is in its present

    struct f072_point points[F072_MAX_POINTS];
    size_t point_count;

    enum gdb_resume how; // it runs
    bool standing;
    bool at_instruction; // it stands still before an instruction, not in sleep or without one
    enum gdb_signal stop_wanted; // at the next instruction, or where there is none at once; 0: no
    uint64_t passed;             // cycle of an instruction at which it does not stop again
    struct gdb_stop stop;        // why it stands still
    char console[F072_CONSOLE_SIZE];
    bool was_locked_up;
    uint64_t served_ns; // wall clock

    enum f072_debug_mode mode;
    uint64_t limit;
    struct f072_debug_found {
        bool any;
        struct gdb_stop stop;
        uint64_t cycles; // of the instruction to stop before
        bool after_this; // that is the one behind it, not seen yet
    } found;

    // The last SETUP that the host has sent.
    uint8_t setup[USBDEV_SETUP_SIZE];
    int setup_result;
    uint64_t setup_ns;
    bool setup_seen;
};

extern const struct gdb_target f072_debug_target;

// ---- f072_debug_memory.c: of struct gdb_target ----

size_t f072_debug_read_memory(void *context, uint32_t address, uint8_t *bytes, size_t size);
size_t f072_debug_write_memory(void *context, uint32_t address, const uint8_t *bytes, size_t size);
bool f072_debug_erase_flash(void *context, uint32_t address, uint32_t size);
bool f072_debug_program_flash(void *context, uint32_t address, const uint8_t *bytes, size_t size);
const char *f072_debug_memory_map(void *context);

// Around whatever writes. begin: false in the past, where nothing can be written.
bool f072_debug_begin_write(const struct f072_debug *debug);
void f072_debug_end_write(struct f072_debug *debug);

// ---- f072_debug_target.c and others ----

// Is it to stand still before the instruction at PC, or after a slice of time, where no instruction
// says so? Both set stop and console.
bool f072_debug_stops_at(struct f072_debug *debug, const struct armv6m *cpu);
bool f072_debug_stops_between(struct f072_debug *debug);

// Does a point stop the processor before the instruction at PC?
bool f072_debug_at_point(const struct f072_debug *debug,
                         const struct armv6m *cpu,
                         struct gdb_stop *ret_stop);

// Run backwards as debug->how says, from one stop to another: sets stop, console and
// at_instruction.
void f072_debug_reverse(struct f072_debug *debug);

// The modes SEEK and SEARCH of the function that is called before each instruction.
bool f072_debug_hold_in_past(struct f072_debug *debug, const struct armv6m *cpu);

// Write the state of the board's USB as text.
void f072_debug_write_usb(const struct f072_debug *debug, char *text, size_t size);

#endif
