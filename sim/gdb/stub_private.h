// SPDX-License-Identifier: MIT
//
// stub_private.h - what the files of the stub share: stub.c has the session and execution,
// stub_access.c registers, memory and points, stub_flash.c flash, stub_query.c what begins with q.

#ifndef GDB_STUB_PRIVATE_H
#define GDB_STUB_PRIVATE_H

#include <gdb/stub.h>

// ---- Text of packets ----

// A hexadecimal number of up to 8 digits at *at, which moves behind it. False where there is none.
bool gdb_take_hex(const char **at, uint32_t *ret_value);
// This character at *at, which moves behind it.
bool gdb_take(const char **at, char wanted);
// Pairs of hexadecimal digits. False where there are not so many.
bool gdb_take_bytes(const char **at, uint8_t *bytes, size_t count);
// Writes 2 * count digits at `at`; returns what is behind them.
char *gdb_put_bytes(char *at, const uint8_t *bytes, size_t count);

// ---- Replies ----

void gdb_reply(struct gdb_stub *stub, const char *text);
void gdb_reply_ok_or_error(struct gdb_stub *stub, bool well);

// ---- Packets; arguments is what stands behind the letter ----

void gdb_read_registers(struct gdb_stub *stub, const char *arguments);  // g
void gdb_write_registers(struct gdb_stub *stub, const char *arguments); // G
void gdb_read_register(struct gdb_stub *stub, const char *arguments);   // p
void gdb_write_register(struct gdb_stub *stub, const char *arguments);  // P
void gdb_read_memory(struct gdb_stub *stub, const char *arguments);     // m
void gdb_write_memory(struct gdb_stub *stub, const char *arguments);    // M
void gdb_write_binary(struct gdb_stub *stub, const char *arguments);    // X
void gdb_insert_point(struct gdb_stub *stub, const char *arguments);    // Z
void gdb_remove_point(struct gdb_stub *stub, const char *arguments);    // z
bool gdb_flash(struct gdb_stub *stub, const char *arguments);           // vFlash; false: unknown
void gdb_query(struct gdb_stub *stub, const char *arguments);           // q

#endif
