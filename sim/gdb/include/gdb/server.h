// SPDX-License-Identifier: MIT
//
// server.h - the socket of a debugger's connection: listens on 127.0.0.1, serves one peer at a time
// by stub.h, and waits while the processor is stopped.
//
// It has no thread and no loop of its own: its owner calls gdb_server_serve() at intervals while
// the processor runs, and continuously while it is stopped. The protocol has no passwords, so it
// listens on 127.0.0.1 only; a second peer is refused while one is connected.

#ifndef GDB_SERVER_H
#define GDB_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <gdb/stub.h>

struct gdb_server;

// Listen on a port of 127.0.0.1, "0" takes a free one. NULL, with one line in error, where that
// cannot be. target is as in stub.h; release() is called too when the connection is lost.
struct gdb_server *gdb_server_open(const char *port,
                                   const struct gdb_target *target,
                                   void *context,
                                   char *error,
                                   size_t error_size);

// A peer that waits for the processor to stop is told that the program has exited.
void gdb_server_close(struct gdb_server *server);

// The TCP port that it listens on.
unsigned gdb_server_port(const struct gdb_server *server);

enum gdb_serve {
    GDB_SERVED,
    GDB_SIGNALLED, // a signal has come for this process: see below
};

// Accept, receive, reply. Returns at once, or with wait once there is something to look at: a
// packet, a peer that has come or gone, or a signal. That is one whose handler has run, or SIGINT,
// SIGTERM or SIGHUP, where the process keeps these blocked and waits for them elsewhere; they stay
// pending.
enum gdb_serve gdb_server_serve(struct gdb_server *server, bool wait);

// The processor has stopped: as gdb_stub_stopped(), and what a peer that comes later will be told.
void gdb_server_stopped(struct gdb_server *server,
                        const struct gdb_stop *stop,
                        const char *console);

#endif
