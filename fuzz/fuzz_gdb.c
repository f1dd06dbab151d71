// SPDX-License-Identifier: MIT
//
// A debugger's connection with arbitrary bytes, in chunks of any size, to a target of a few bytes
// of memory: replies are packets, and no access is outside the target's bounds.

#include <assert.h>
#include <stdlib.h>

#include <gdb/stub.h>

#include "script.h"

enum { MEMORY = 256, BASE = 0x20000000, MAX_POINTS = 4 };

struct bench {
    struct gdb_stub stub;
    uint32_t registers[GDB_REGISTERS];
    uint8_t memory[MEMORY];
    unsigned points;
    bool attached;
};

static uint32_t read_register(void *context, unsigned number)
{
    assert(number < GDB_REGISTERS);
    return ((struct bench *)context)->registers[number];
}

static bool write_register(void *context, unsigned number, uint32_t value)
{
    assert(number < GDB_REGISTERS);
    ((struct bench *)context)->registers[number] = value;
    return number != GDB_XPSR;
}

// How many of size bytes there are at an address.
static size_t there(uint32_t address, size_t size)
{
    uint32_t offset = address - BASE;

    if (offset >= MEMORY)
        return 0;
    return size < MEMORY - offset ? size : MEMORY - offset;
}

static size_t read_memory(void *context, uint32_t address, uint8_t *bytes, size_t size)
{
    const struct bench *bench = context;

    memset(bytes, 0, size); // ASan sees whether there is room for them
    size = there(address, size);
    if (size > 0)
        memcpy(bytes, bench->memory + (address - BASE), size);
    return size;
}

static size_t write_memory(void *context, uint32_t address, const uint8_t *bytes, size_t size)
{
    struct bench *bench = context;

    size = there(address, size);
    if (size > 0)
        memcpy(bench->memory + (address - BASE), bytes, size);
    return size;
}

static bool erase_flash(void *context, uint32_t address, uint32_t size)
{
    struct bench *bench = context;

    if (there(address, size) != size)
        return false;
    memset(bench->memory + (address - BASE), 0xFF, size);
    return true;
}

static bool program_flash(void *context, uint32_t address, const uint8_t *bytes, size_t size)
{
    return there(address, size) == size && write_memory(context, address, bytes, size) == size;
}

static bool insert(void *context, enum gdb_point point, uint32_t address, uint32_t size)
{
    struct bench *bench = context;

    (void)address;
    (void)size;
    assert(point <= GDB_WATCH_ACCESS);
    if (bench->points == MAX_POINTS)
        return false;
    bench->points++;
    return true;
}

static bool take_out(void *context, enum gdb_point point, uint32_t address, uint32_t size)
{
    struct bench *bench = context;

    (void)address;
    (void)size;
    assert(point <= GDB_WATCH_ACCESS);
    if (bench->points == 0)
        return false;
    bench->points--;
    return true;
}

static void resume(void *context, enum gdb_resume how)
{
    assert(((struct bench *)context)->stub.running && how <= GDB_REVERSE_STEP);
}

static void interrupt(void *context)
{
    assert(((struct bench *)context)->stub.running);
}

static void attach(void *context)
{
    ((struct bench *)context)->attached = true;
}

static void release(void *context)
{
    ((struct bench *)context)->attached = false;
}

static bool monitor(void *context, const char *command, char *text, size_t size)
{
    (void)context;
    memset(text, 'x', size); // an answer that fills it
    text[size - 1] = '\0';
    return command[0] != '?';
}

static const char *memory_map(void *context)
{
    (void)context;
    return "<memory-map><memory type=\"ram\" start=\"0x20000000\" length=\"0x100\"/></memory-map>";
}

static const struct gdb_target target = {
    read_register, write_register, read_memory, write_memory, erase_flash,
    program_flash, insert,         take_out,    resume,       interrupt,
    attach,        release,        monitor,     memory_map,
};

// All that is to be sent, each packet with its checksum.
static void check_output(struct gdb_stub *stub)
{
    size_t length;
    const char *said = gdb_stub_output(stub, &length);

    for (size_t at = 0; at < length;) {
        if (said[at] == '+' || said[at] == '-') {
            at++;
            continue;
        }
        assert(said[at] == '$');
        uint8_t sum = 0;
        char digits[3] = "";
        for (at++; at < length && said[at] != '#'; at++)
            sum = (uint8_t)(sum + (uint8_t)said[at]);
        assert(at + 2 < length);
        memcpy(digits, said + at + 1, 2);
        assert(strtoul(digits, NULL, 16) == sum);
        at += 3;
    }
    gdb_stub_sent(stub, length);
}

// One chunk: as it is, or framed, so that a fuzzer need not find checksums.
static void say(struct bench *bench, struct script *script)
{
    const uint8_t shape = script_u8(script);
    char bytes[2 * 128 + 8] = "$";
    size_t length = 1 + script_bytes(script, bytes + 1, shape & 0x7F);
    uint8_t sum = 0;

    for (size_t i = 1; i < length; i++)
        sum = (uint8_t)(sum + (uint8_t)bytes[i]);
    const char *from = shape & 0x80 ? bytes + 1 : bytes;
    if (shape & 0x80) {
        length--;
    } else {
        static const char hex[] = "0123456789abcdef";
        bytes[length++] = '#';
        bytes[length++] = hex[sum >> 4];
        bytes[length++] = hex[sum & 15];
    }
    size_t taken = gdb_stub_receive(&bench->stub, (const uint8_t *)from, length);
    assert(taken <= length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct bench bench;
    static const struct gdb_stop stops[] = {
        {GDB_SIGTRAP, GDB_STOPPED, GDB_BREAK_SOFT, 0},
        {GDB_SIGTRAP, GDB_AT_BREAKPOINT, GDB_BREAK_SOFT, 0},
        {GDB_SIGTRAP, GDB_AT_WATCHPOINT, GDB_WATCH_WRITE, BASE},
        {GDB_SIGSEGV, GDB_HISTORY_EXHAUSTED, GDB_BREAK_SOFT, 0},
    };
    struct script script = {bytes, length};

    memset(&bench, 0, sizeof bench);
    gdb_stub_init(&bench.stub, &target, &bench, &stops[0]);
    while (script.length > 0 && !bench.stub.detached) {
        const uint8_t step = script_u8(&script);

        say(&bench, &script);
        if ((step & 1) && bench.stub.running)
            gdb_stub_stopped(&bench.stub, &stops[step >> 1 & 3], step & 8 ? "a line" : NULL);
        if (step & 16) // a peer that reads
            check_output(&bench.stub);
    }
    check_output(&bench.stub);
    return 0;
}
