// SPDX-License-Identifier: MIT
//
// f072_debug.h - a virtual board with a debugger's socket: a device that forwards to the board.

#ifndef F072_DEBUG_H
#define F072_DEBUG_H

#include <stddef.h>

#include <sim/wire.h>

// Listen for GDB on a port of 127.0.0.1, "0" takes a free one, and say so on stderr. The board
// waits before its first instruction until a debugger continues it. While the processor is stopped
// advance() does not return, so virtual time does not advance for the host either.
//
// Takes the board over, on failure too. Returns NULL, and one line in error, if the port cannot be
// had.
struct sim_device *
f072_debug_open(struct sim_device *board, const char *port, char *error, size_t error_size);

#endif
