// SPDX-License-Identifier: MIT
//
// stub.h - the server's side of a debugging session with GDB (GDB manual, appendix E), without a
// socket: bytes in, bytes out, and a processor behind a struct of functions.
//
// It describes an M-profile Arm processor: r0 to r15 and xPSR, MSP and PSP beside them. Execution
// is the owner's: the stub says what is wanted (resume(), interrupt()), and the owner tells it by
// gdb_stub_stopped() when the processor has stopped.
//
//     taken = gdb_stub_receive(stub, bytes, length);
//     bytes = gdb_stub_output(stub, &length);
//     gdb_stub_sent(stub, send(fd, bytes, length, ...));
//
// A peer may send anything: what is malformed is answered by an error or by an empty packet, as the
// protocol has it, and costs a bounded amount of memory (rsp.h). A peer that does not read its
// replies is not read either: gdb_stub_receive() then takes nothing.

#ifndef GDB_STUB_H
#define GDB_STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gdb/rsp.h>

// Registers, in the order of the target description.
enum {
    GDB_SP = 13,
    GDB_PC = 15,
    GDB_XPSR = 16,
    GDB_MSP = 17,
    GDB_PSP = 18,
    GDB_REGISTERS = 19,
};

// The numbers of the packets Z0 to Z4.
enum gdb_point {
    GDB_BREAK_SOFT,
    GDB_BREAK_HARD,
    GDB_WATCH_WRITE,
    GDB_WATCH_READ,
    GDB_WATCH_ACCESS,
};

enum gdb_resume {
    GDB_CONTINUE,
    GDB_STEP,
    GDB_REVERSE_CONTINUE,
    GDB_REVERSE_STEP,
};

// Numbers of signals, as GDB has them.
enum gdb_signal {
    GDB_SIGINT = 2,
    GDB_SIGTRAP = 5,
    GDB_SIGSEGV = 11,
};

// Why the processor stopped.
enum gdb_reason {
    GDB_STOPPED,          // a step is done, or an interrupt was requested
    GDB_AT_BREAKPOINT,    // PC is at it
    GDB_AT_WATCHPOINT,    // the instruction at PC is about to access stop.address
    GDB_HISTORY_EXHAUSTED // history begins here
};

struct gdb_stop {
    enum gdb_signal signal;
    enum gdb_reason reason;
    enum gdb_point point; // of GDB_AT_WATCHPOINT
    uint32_t address;     // of GDB_AT_WATCHPOINT
};

struct gdb_target {
    uint32_t (*read_register)(void *context, unsigned number);
    // False: refused.
    bool (*write_register)(void *context, unsigned number, uint32_t value);

    // Memory as the processor sees it. They return how many bytes were moved before one that
    // cannot be.
    size_t (*read_memory)(void *context, uint32_t address, uint8_t *bytes, size_t size);
    size_t (*write_memory)(void *context, uint32_t address, const uint8_t *bytes, size_t size);

    // Flash, which the memory map names: whole pages are erased, and programmed afterwards. False:
    // that is no flash, or it is refused.
    bool (*erase_flash)(void *context, uint32_t address, uint32_t size);
    bool (*program_flash)(void *context, uint32_t address, const uint8_t *bytes, size_t size);

    // False: there is no room for more, or there is no such point.
    bool (*insert)(void *context, enum gdb_point point, uint32_t address, uint32_t size);
    bool (*remove)(void *context, enum gdb_point point, uint32_t address, uint32_t size);

    void (*resume)(void *context, enum gdb_resume how);
    void (*interrupt)(void *context); // while it runs: stop

    // A debugger has attached: stop. It has detached: continue without points.
    void (*attach)(void *context);
    void (*release)(void *context);

    // `monitor COMMAND`. Writes the answer, lines for a person, into text; true if there was such a
    // command.
    bool (*monitor)(void *context, const char *command, char *text, size_t size);

    // For qXfer:memory-map:read, XML.
    const char *(*memory_map)(void *context);
};

struct gdb_stub {
    struct rsp rsp;
    const struct gdb_target *target;
    void *context;
    bool running;         // since resume() and until gdb_stub_stopped()
    bool says_hwbreak;    // the peer understands it
    bool detached;        // by D or k: the connection can be closed
    struct gdb_stop last; // what ? answers
};

// A session with a peer that has just connected. stop says why the processor stands still.
void gdb_stub_init(struct gdb_stub *stub,
                   const struct gdb_target *target,
                   void *context,
                   const struct gdb_stop *stop);

// What came from the peer. Returns how much of it was taken; the rest is to be offered again after
// output has been sent.
size_t gdb_stub_receive(struct gdb_stub *stub, const uint8_t *bytes, size_t length);

// What is to be sent to the peer, *ret_length bytes; and so much of it has been sent.
const char *gdb_stub_output(const struct gdb_stub *stub, size_t *ret_length);
void gdb_stub_sent(struct gdb_stub *stub, size_t length);

// The processor has stopped after a resume(), from inside of it or later. console is a line that
// GDB shows, or NULL.
void gdb_stub_stopped(struct gdb_stub *stub, const struct gdb_stop *stop, const char *console);

// The program has ended: a peer that waits for a stop is told.
void gdb_stub_exited(struct gdb_stub *stub);

#endif
