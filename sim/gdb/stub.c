// SPDX-License-Identifier: MIT
//
// A session: a packet comes, its first letter chooses a row of `commands`, the row's function sends
// one reply. The exceptions are the commands that let the processor run: their reply is the next
// stop, whenever that is.

#include <gdb/stub.h>

#include <stdio.h>
#include <string.h>

#include "stub_private.h"

void gdb_reply(struct gdb_stub *stub, const char *text)
{
    rsp_send(&stub->rsp, text, strlen(text));
}

void gdb_reply_ok_or_error(struct gdb_stub *stub, bool well)
{
    gdb_reply(stub, well ? "OK" : "E01");
}

// ---- Stop replies (GDB manual, E.3) ----

static void reply_stop(struct gdb_stub *stub)
{
    static const char *const watch[] = {
        [GDB_WATCH_WRITE] = "watch",
        [GDB_WATCH_READ] = "rwatch",
        [GDB_WATCH_ACCESS] = "awatch",
    };
    const struct gdb_stop *stop = &stub->last;
    char text[64];
    int length = snprintf(text, sizeof text, "T%02x", stop->signal);
    char *at = text + length;
    size_t size = sizeof text - (size_t)length;

    switch (stop->reason) {
    case GDB_STOPPED:
        break;
    case GDB_AT_BREAKPOINT:
        if (stub->says_hwbreak)
            snprintf(at, size, "hwbreak:;");
        break;
    case GDB_AT_WATCHPOINT:
        snprintf(at, size, "%s:%x;", watch[stop->point], stop->address);
        break;
    case GDB_HISTORY_EXHAUSTED:
        snprintf(at, size, "replaylog:begin;");
        break;
    }
    gdb_reply(stub, text);
}

static void send_console(struct gdb_stub *stub, const char *line)
{
    char packet[1 + 2 * 512];
    size_t length = strnlen(line, 510);
    char *at = packet;

    *at++ = 'O';
    at = gdb_put_bytes(at, (const uint8_t *)line, length);
    at = gdb_put_bytes(at, (const uint8_t *)"\n", 1);
    rsp_send(&stub->rsp, packet, (size_t)(at - packet));
}

void gdb_stub_stopped(struct gdb_stub *stub, const struct gdb_stop *stop, const char *console)
{
    stub->last = *stop;
    if (!stub->running)
        return;
    stub->running = false;
    if (console)
        send_console(stub, console);
    reply_stop(stub);
}

void gdb_stub_exited(struct gdb_stub *stub)
{
    if (stub->running)
        gdb_reply(stub, "W00");
    stub->running = false;
}

// ---- Execution ----

static void resume(struct gdb_stub *stub, enum gdb_resume how)
{
    stub->running = true;
    stub->target->resume(stub->context, how);
}

// c, s: with an address to go on from.
static void resume_at(struct gdb_stub *stub, const char *arguments, enum gdb_resume how)
{
    uint32_t address;

    if (gdb_take_hex(&arguments, &address) &&
        !stub->target->write_register(stub->context, GDB_PC, address))
        gdb_reply(stub, "E01");
    else
        resume(stub, how);
}

static void do_continue(struct gdb_stub *stub, const char *arguments)
{
    resume_at(stub, arguments, GDB_CONTINUE);
}

static void do_step(struct gdb_stub *stub, const char *arguments)
{
    resume_at(stub, arguments, GDB_STEP);
}

// C, S: a processor takes no signals.
static void do_continue_signal(struct gdb_stub *stub, const char *arguments)
{
    const char *address = strchr(arguments, ';');

    resume_at(stub, address ? address + 1 : "", GDB_CONTINUE);
}

static void do_step_signal(struct gdb_stub *stub, const char *arguments)
{
    const char *address = strchr(arguments, ';');

    resume_at(stub, address ? address + 1 : "", GDB_STEP);
}

static void do_reverse(struct gdb_stub *stub, const char *arguments)
{
    if (strcmp(arguments, "c") == 0)
        resume(stub, GDB_REVERSE_CONTINUE);
    else if (strcmp(arguments, "s") == 0)
        resume(stub, GDB_REVERSE_STEP);
    else
        gdb_reply(stub, "");
}

// There is one thread: the first action is its.
static void do_v(struct gdb_stub *stub, const char *arguments)
{
    if (strcmp(arguments, "Cont?") == 0)
        gdb_reply(stub, "vCont;c;C;s;S");
    else if (strncmp(arguments, "Cont;c", 6) == 0 || strncmp(arguments, "Cont;C", 6) == 0)
        resume(stub, GDB_CONTINUE);
    else if (strncmp(arguments, "Cont;s", 6) == 0 || strncmp(arguments, "Cont;S", 6) == 0)
        resume(stub, GDB_STEP);
    else if (!gdb_flash(stub, arguments))
        gdb_reply(stub, "");
}

static void do_why(struct gdb_stub *stub, const char *arguments)
{
    (void)arguments;
    reply_stop(stub);
}

static void do_detach(struct gdb_stub *stub, const char *arguments)
{
    (void)arguments;
    gdb_reply(stub, "OK");
    stub->detached = true;
}

static void do_kill(struct gdb_stub *stub, const char *arguments)
{
    (void)arguments;
    stub->detached = true;
}

// H, T: there is one thread.
static void do_thread(struct gdb_stub *stub, const char *arguments)
{
    (void)arguments;
    gdb_reply(stub, "OK");
}

// The reply is acknowledged as before; what comes after it no longer is.
static void do_set(struct gdb_stub *stub, const char *arguments)
{
    bool no_ack = strcmp(arguments, "StartNoAckMode") == 0;

    gdb_reply(stub, no_ack ? "OK" : "");
    stub->rsp.no_ack |= no_ack;
}

// ---- Packets ----

static const struct {
    char letter;
    void (*run)(struct gdb_stub *stub, const char *arguments);
} commands[] = {
    {'?', do_why},
    {'g', gdb_read_registers},
    {'G', gdb_write_registers},
    {'p', gdb_read_register},
    {'P', gdb_write_register},
    {'m', gdb_read_memory},
    {'M', gdb_write_memory},
    {'X', gdb_write_binary},
    {'c', do_continue},
    {'C', do_continue_signal},
    {'s', do_step},
    {'S', do_step_signal},
    {'b', do_reverse},
    {'v', do_v},
    {'Z', gdb_insert_point},
    {'z', gdb_remove_point},
    {'H', do_thread},
    {'T', do_thread},
    {'D', do_detach},
    {'k', do_kill},
    {'q', gdb_query},
    {'Q', do_set},
};

static void handle_packet(struct gdb_stub *stub)
{
    const char *packet = stub->rsp.packet;

    if (stub->running) // all-stop: nothing but 03h may come
        return;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (commands[i].letter != packet[0] || packet[0] == '\0')
            continue;
        commands[i].run(stub, packet + 1);
        return;
    }
    gdb_reply(stub, "");
}

size_t gdb_stub_receive(struct gdb_stub *stub, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;

    while (taken < length && !stub->detached && rsp_has_room(&stub->rsp)) {
        switch (rsp_receive(&stub->rsp, bytes[taken++])) {
        case RSP_NOTHING:
            break;
        case RSP_PACKET:
            handle_packet(stub);
            break;
        case RSP_INTERRUPT:
            if (stub->running)
                stub->target->interrupt(stub->context);
            break;
        }
    }
    return taken;
}

const char *gdb_stub_output(const struct gdb_stub *stub, size_t *ret_length)
{
    return rsp_output(&stub->rsp, ret_length);
}

void gdb_stub_sent(struct gdb_stub *stub, size_t length)
{
    rsp_sent(&stub->rsp, length);
}

void gdb_stub_init(struct gdb_stub *stub,
                   const struct gdb_target *target,
                   void *context,
                   const struct gdb_stop *stop)
{
    rsp_init(&stub->rsp);
    stub->target = target;
    stub->context = context;
    stub->running = false;
    stub->says_hwbreak = false;
    stub->detached = false;
    stub->last = *stop;
}
