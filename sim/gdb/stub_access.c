// SPDX-License-Identifier: MIT
//
// Registers, memory, break- and watchpoints: packets that move data (GDB manual, E.2). Registers
// are little-endian, as the processor is.

#include "stub_private.h"

// ---- Text ----

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool gdb_take_hex(const char **at, uint32_t *ret_value)
{
    uint32_t value = 0;
    unsigned digits = 0;

    for (; digit(**at) >= 0; digits++)
        value = value << 4 | (uint32_t)digit(*(*at)++);
    if (digits == 0 || digits > 8)
        return false;
    *ret_value = value;
    return true;
}

bool gdb_take(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    ++*at;
    return true;
}

bool gdb_take_bytes(const char **at, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int high = digit((*at)[0]);
        int low = high < 0 ? -1 : digit((*at)[1]);

        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
        *at += 2;
    }
    return true;
}

char *gdb_put_bytes(char *at, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *at++ = "0123456789abcdef"[bytes[i] >> 4];
        *at++ = "0123456789abcdef"[bytes[i] & 0xF];
    }
    return at;
}

static char *put_register(struct gdb_stub *stub, char *at, unsigned number)
{
    uint32_t value = stub->target->read_register(stub->context, number);
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 24)};

    return gdb_put_bytes(at, bytes, sizeof bytes);
}

static bool take_register(const char **at, uint32_t *ret_value)
{
    uint8_t bytes[4];

    if (!gdb_take_bytes(at, bytes, sizeof bytes))
        return false;
    *ret_value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                 (uint32_t)bytes[3] << 24;
    return true;
}

// ---- Registers ----

void gdb_read_registers(struct gdb_stub *stub, const char *arguments)
{
    char text[8 * GDB_REGISTERS];
    char *at = text;

    (void)arguments;
    for (unsigned i = 0; i < GDB_REGISTERS; i++)
        at = put_register(stub, at, i);
    rsp_send(&stub->rsp, text, (size_t)(at - text));
}

// All or nothing: G sets what it brings, once it is known to be whole.
void gdb_write_registers(struct gdb_stub *stub, const char *arguments)
{
    uint32_t values[GDB_REGISTERS];
    unsigned count = 0;
    bool well = true;

    while (*arguments && count < GDB_REGISTERS && well)
        well = take_register(&arguments, &values[count++]);
    well = well && *arguments == '\0' && count > 0;
    for (unsigned i = 0; well && i < count; i++)
        well = stub->target->write_register(stub->context, i, values[i]);
    gdb_reply_ok_or_error(stub, well);
}

void gdb_read_register(struct gdb_stub *stub, const char *arguments)
{
    char text[8];
    uint32_t number;

    if (!gdb_take_hex(&arguments, &number) || *arguments || number >= GDB_REGISTERS) {
        gdb_reply(stub, "E01");
        return;
    }
    put_register(stub, text, number);
    rsp_send(&stub->rsp, text, sizeof text);
}

void gdb_write_register(struct gdb_stub *stub, const char *arguments)
{
    uint32_t number, value;

    gdb_reply_ok_or_error(stub, gdb_take_hex(&arguments, &number) && gdb_take(&arguments, '=') &&
                                    take_register(&arguments, &value) && *arguments == '\0' &&
                                    number < GDB_REGISTERS &&
                                    stub->target->write_register(stub->context, number, value));
}

// ---- Memory ----

// "ADDRESS,LENGTH"
static bool take_range(const char **at, uint32_t *ret_address, uint32_t *ret_length)
{
    return gdb_take_hex(at, ret_address) && gdb_take(at, ',') && gdb_take_hex(at, ret_length);
}

// What does not fit into a reply, or cannot be read, is left out: the peer asks again from there.
void gdb_read_memory(struct gdb_stub *stub, const char *arguments)
{
    uint8_t bytes[RSP_MAX_PACKET / 2];
    char text[RSP_MAX_PACKET];
    uint32_t address, length;

    if (!take_range(&arguments, &address, &length) || *arguments) {
        gdb_reply(stub, "E01");
        return;
    }
    if (length > sizeof bytes)
        length = sizeof bytes;
    size_t count = stub->target->read_memory(stub->context, address, bytes, length);
    if (count == 0 && length > 0)
        gdb_reply(stub, "E0e");
    else
        rsp_send(&stub->rsp, text, (size_t)(gdb_put_bytes(text, bytes, count) - text));
}

static void write_memory(struct gdb_stub *stub, uint32_t address, const void *bytes, size_t length)
{
    gdb_reply_ok_or_error(stub, stub->target->write_memory(stub->context, address, bytes, length) ==
                                    length);
}

void gdb_write_memory(struct gdb_stub *stub, const char *arguments)
{
    uint8_t bytes[RSP_MAX_PACKET / 2];
    uint32_t address, length;

    if (take_range(&arguments, &address, &length) && gdb_take(&arguments, ':') &&
        length <= sizeof bytes && gdb_take_bytes(&arguments, bytes, length) && *arguments == '\0')
        write_memory(stub, address, bytes, length);
    else
        gdb_reply(stub, "E01");
}

void gdb_write_binary(struct gdb_stub *stub, const char *arguments)
{
    uint32_t address, length;

    if (take_range(&arguments, &address, &length) && gdb_take(&arguments, ':') &&
        length == stub->rsp.length - (size_t)(arguments - stub->rsp.packet))
        write_memory(stub, address, arguments, length);
    else
        gdb_reply(stub, "E01");
}

// ---- Points ----

// "KIND,ADDRESS,SIZE", perhaps with conditions behind it, which are evaluated by the peer. For a
// breakpoint SIZE is that of the instruction.
static bool
take_point(const char *at, enum gdb_point *ret_point, uint32_t *ret_address, uint32_t *ret_size)
{
    uint32_t kind;

    if (!gdb_take_hex(&at, &kind) || kind > GDB_WATCH_ACCESS || !gdb_take(&at, ',') ||
        !take_range(&at, ret_address, ret_size))
        return false;
    *ret_point = (enum gdb_point)kind;
    return true;
}

void gdb_insert_point(struct gdb_stub *stub, const char *arguments)
{
    enum gdb_point point;
    uint32_t address, size;

    gdb_reply_ok_or_error(stub, take_point(arguments, &point, &address, &size) &&
                                    stub->target->insert(stub->context, point, address, size));
}

void gdb_remove_point(struct gdb_stub *stub, const char *arguments)
{
    enum gdb_point point;
    uint32_t address, size;

    gdb_reply_ok_or_error(stub, take_point(arguments, &point, &address, &size) &&
                                    stub->target->remove(stub->context, point, address, size));
}
