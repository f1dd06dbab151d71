// SPDX-License-Identifier: MIT
//
// Scripted conversations with a processor that is a few arrays; and bytes that mean nothing.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <gdb/stub.h>

enum { MEMORY_BASE = 0x20000000, MEMORY_SIZE = 4096 };

static struct {
    uint32_t registers[GDB_REGISTERS];
    uint8_t memory[MEMORY_SIZE];
    int resumed; // enum gdb_resume, -1: not
    int interrupts;
    char points[64]; // the last of insert and remove
    bool full;
} cpu;

static struct gdb_stub stub;

// ---- The processor ----

static uint32_t read_register(void *context, unsigned number)
{
    (void)context;
    assert_in_range(number, 0, GDB_REGISTERS - 1);
    return cpu.registers[number];
}

static bool write_register(void *context, unsigned number, uint32_t value)
{
    (void)context;
    assert_in_range(number, 0, GDB_REGISTERS - 1);
    cpu.registers[number] = value;
    return true;
}

// How much of a range is in memory.
static size_t within(uint32_t address, size_t size)
{
    uint32_t offset = address - MEMORY_BASE;
    size_t room = offset < MEMORY_SIZE ? MEMORY_SIZE - offset : 0;

    return size < room ? size : room;
}

static size_t read_memory(void *context, uint32_t address, uint8_t *bytes, size_t size)
{
    (void)context;
    if (within(address, size) > 0)
        memcpy(bytes, cpu.memory + (address - MEMORY_BASE), within(address, size));
    return within(address, size);
}

static size_t write_memory(void *context, uint32_t address, const uint8_t *bytes, size_t size)
{
    (void)context;
    if (within(address, size) > 0)
        memcpy(cpu.memory + (address - MEMORY_BASE), bytes, within(address, size));
    return within(address, size);
}

static bool erase_flash(void *context, uint32_t address, uint32_t size)
{
    (void)context;
    if (within(address, size) != size)
        return false;
    memset(cpu.memory + (address - MEMORY_BASE), 0xFF, size);
    return true;
}

static bool program_flash(void *context, uint32_t address, const uint8_t *bytes, size_t size)
{
    return within(address, size) == size && write_memory(context, address, bytes, size) == size;
}

static bool insert(void *context, enum gdb_point point, uint32_t address, uint32_t size)
{
    (void)context;
    snprintf(cpu.points, sizeof cpu.points, "+%d %X %u", point, address, size);
    return !cpu.full;
}

static bool remove_point(void *context, enum gdb_point point, uint32_t address, uint32_t size)
{
    (void)context;
    snprintf(cpu.points, sizeof cpu.points, "-%d %X %u", point, address, size);
    return true;
}

static void resume(void *context, enum gdb_resume how)
{
    (void)context;
    cpu.resumed = (int)how;
}

static void interrupt(void *context)
{
    (void)context;
    cpu.interrupts++;
}

static void nothing(void *context)
{
    (void)context;
}

static bool monitor(void *context, const char *command, char *text, size_t size)
{
    (void)context;
    if (strcmp(command, "hello") != 0)
        return false;
    snprintf(text, size, "hi\n");
    return true;
}

static const char *memory_map(void *context)
{
    (void)context;
    return "<memory-map/>";
}

static const struct gdb_target target = {
    .read_register = read_register,
    .write_register = write_register,
    .read_memory = read_memory,
    .write_memory = write_memory,
    .erase_flash = erase_flash,
    .program_flash = program_flash,
    .insert = insert,
    .remove = remove_point,
    .resume = resume,
    .interrupt = interrupt,
    .attach = nothing,
    .release = nothing,
    .monitor = monitor,
    .memory_map = memory_map,
};

static int set_up(void **state)
{
    const struct gdb_stop at_reset = {.signal = GDB_SIGTRAP};
    (void)state;

    memset(&cpu, 0, sizeof cpu);
    cpu.resumed = -1;
    gdb_stub_init(&stub, &target, NULL, &at_reset);
    stub.rsp.no_ack = true;
    return 0;
}

// ---- The conversation ----

static void send_bytes(const char *bytes, size_t length)
{
    unsigned sum = 0;
    char frame[64];

    for (size_t i = 0; i < length; i++)
        sum += (uint8_t)bytes[i];
    snprintf(frame, sizeof frame, "#%02x", sum & 0xFF);
    gdb_stub_receive(&stub, (const uint8_t *)"$", 1);
    gdb_stub_receive(&stub, (const uint8_t *)bytes, length);
    gdb_stub_receive(&stub, (const uint8_t *)frame, 3);
}

static void expect_reply(const char *wanted)
{
    char text[RSP_MAX_OUTPUT + 1];
    size_t length;
    const char *output = gdb_stub_output(&stub, &length);

    memcpy(text, output, length);
    text[length] = '\0';
    gdb_stub_sent(&stub, length);
    for (char *at = text; (at = strchr(at, '#')) != NULL;) // without "$" and sums
        memmove(at, at + 3, strlen(at + 3) + 1);
    for (char *at = text; (at = strchr(at, '$')) != NULL;)
        *at = ' ';
    assert_string_equal(text[0] == ' ' ? text + 1 : text, wanted);
}

static void ask(const char *packet, const char *reply)
{
    send_bytes(packet, strlen(packet));
    expect_reply(reply);
}

// ---- Tests ----

static void session__tells_what_it_can(void **state)
{
    (void)state;

    ask("qSupported:multiprocess+;swbreak+;hwbreak+",
        "PacketSize=1000;QStartNoAckMode+;qXfer:features:read+;qXfer:memory-map:read+;hwbreak+;"
        "vContSupported+;ReverseStep+;ReverseContinue+");
    ask("vCont?", "vCont;c;C;s;S");
    ask("qAttached", "1");
    ask("qXfer:memory-map:read::0,100", "l<memory-map/>");
    ask("qXfer:memory-map:read::1,4", "mmemo");
    ask("qXfer:memory-map:read::d,4", "l");
    ask("qXfer:memory-map:read::e,4", "E00");
    ask("qXfer:features:read:target.xml:0,15", "m<?xml version=\"1.0\"?>");
    ask("!", "");
    ask("vMustReplyEmpty", "");
    ask("", "");
}

static void session__names_the_registers_of_an_m_profile_processor(void **state)
{
    char text[RSP_MAX_OUTPUT + 1];
    size_t length;
    (void)state;

    send_bytes("qXfer:features:read:target.xml:0,1000", 37);
    memcpy(text, gdb_stub_output(&stub, &length), RSP_MAX_OUTPUT);
    text[length] = '\0';

    unsigned registers = 0;
    for (const char *at = text; (at = strstr(at, "<reg ")) != NULL; at++)
        registers++;
    assert_int_equal(registers, GDB_REGISTERS);
    assert_non_null(strstr(text, "org.gnu.gdb.arm.m-profile"));
}

static void registers__are_little_endian(void **state)
{
    (void)state;

    cpu.registers[GDB_PC] = 0x08001234;
    ask("pf", "34120008");
    ask("Pf=78563412", "OK");
    assert_int_equal(cpu.registers[GDB_PC], 0x12345678);
    ask("p13", "E01");
    ask("Pf=785634", "E01");
    ask("P13=00000000", "E01");
    ask("G0100000002000000", "OK");
    assert_int_equal(cpu.registers[1], 2);
    ask("G01000000020000", "E01");
}

static void registers__all_at_once(void **state)
{
    (void)state;

    for (unsigned i = 0; i < GDB_REGISTERS; i++)
        cpu.registers[i] = i;
    ask("g",
        "000000000100000002000000030000000400000005000000060000000700000008000000090000000a0000"
        "000b0000000c0000000d0000000e0000000f000000100000001100000012000000");
}

static void memory__is_read_and_written(void **state)
{
    (void)state;

    ask("M20000000,4:01020304", "OK");
    ask("m20000000,4", "01020304");
    send_bytes("X20000004,2:}\x03}\x5d", 16);
    expect_reply("OK");
    ask("m20000004,2", "237d");
    ask("m20000ffe,4", "0000"); // what there is of it
    ask("m30000000,4", "E0e");
    ask("M20000ffe,4:01020304", "E01");
    ask("m20000000,0", "");
}

static void flash__is_erased_and_programmed(void **state)
{
    (void)state;

    ask("vFlashErase:20000000,8", "OK");
    ask("m20000000,8", "ffffffffffffffff");
    send_bytes("vFlashWrite:20000002:a}\x03\0z", 26); // an escape, and a zero byte
    expect_reply("OK");
    ask("m20000000,8", "ffff6123007affff");
    ask("vFlashDone", "OK");
    ask("vFlashErase:30000000,8", "E01");
    ask("vFlashErase:20000000", "E01");
    ask("vFlashWrite:20000002", "E01");
    ask("vFlashWrite:30000000:a", "E01");
    ask("vFlashFly", "");
}

static void memory__lengths_that_lie_are_refused(void **state)
{
    static const char *const bad[] = {
        "m",
        "m20000000",
        "m20000000,",
        "m120000000,4",
        "M20000000,4:0102",
        "M20000000,1:0102",
        "M20000000,1:0x",
        "Mffffffff,ffffffff:",
        "X20000000,4:ab",
        "X20000000,ffffffff:ab",
    };
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ask(bad[i], "E01");
    ask("mffffffff,ffffffff", "E0e");
}

static void points__are_inserted_and_removed(void **state)
{
    (void)state;

    ask("Z1,8000124,2", "OK");
    assert_string_equal(cpu.points, "+1 8000124 2");
    ask("Z2,20000000,4;X1,0", "OK");
    assert_string_equal(cpu.points, "+2 20000000 4");
    ask("z4,20000000,1", "OK");
    assert_string_equal(cpu.points, "-4 20000000 1");
    ask("Z5,0,4", "E01");
    ask("Z1,0", "E01");
    cpu.full = true;
    ask("Z0,0,2", "E01");
}

static void execution__answers_when_it_stops(void **state)
{
    const struct gdb_stop breakpoint = {.signal = GDB_SIGTRAP, .reason = GDB_AT_BREAKPOINT};
    const struct gdb_stop watch = {GDB_SIGTRAP, GDB_AT_WATCHPOINT, GDB_WATCH_ACCESS, 0x20000010};
    const struct gdb_stop begin = {.signal = GDB_SIGTRAP, .reason = GDB_HISTORY_EXHAUSTED};
    (void)state;

    ask("?", "T05");
    ask("c", "");
    assert_int_equal(cpu.resumed, GDB_CONTINUE);
    gdb_stub_stopped(&stub, &breakpoint, NULL);
    expect_reply("T05");
    ask("vCont;s:1;c", "");
    assert_int_equal(cpu.resumed, GDB_STEP);
    gdb_stub_stopped(&stub, &watch, "x");
    expect_reply("O780a T05awatch:20000010;");
    ask("bs", "");
    assert_int_equal(cpu.resumed, GDB_REVERSE_STEP);
    gdb_stub_stopped(&stub, &begin, NULL);
    expect_reply("T05replaylog:begin;");
    ask("bc", "");
    assert_int_equal(cpu.resumed, GDB_REVERSE_CONTINUE);
    gdb_stub_stopped(&stub, &watch, NULL);
    expect_reply("T05awatch:20000010;");
    ask("?", "T05awatch:20000010;");
    ask("b", "");
    ask("s8000100", "");
    assert_int_equal(cpu.registers[GDB_PC], 0x8000100);
}

static void execution__hwbreak_is_said_to_who_knows_it(void **state)
{
    const struct gdb_stop breakpoint = {.signal = GDB_SIGTRAP, .reason = GDB_AT_BREAKPOINT};
    (void)state;

    send_bytes("qSupported:hwbreak+", 19);
    gdb_stub_sent(&stub, stub.rsp.output_length);
    send_bytes("c", 1);
    gdb_stub_stopped(&stub, &breakpoint, NULL);

    expect_reply("T05hwbreak:;");
}

static void execution__only_03h_reaches_a_running_processor(void **state)
{
    (void)state;

    gdb_stub_receive(&stub, (const uint8_t *)"\x03", 1);
    assert_int_equal(cpu.interrupts, 0);
    ask("c", "");
    ask("g", "");
    gdb_stub_receive(&stub, (const uint8_t *)"\x03", 1);

    assert_int_equal(cpu.interrupts, 1);
}

static void execution__d_and_k_end_the_session(void **state)
{
    (void)state;

    ask("D", "OK");
    assert_true(stub.detached);
    assert_int_equal(gdb_stub_receive(&stub, (const uint8_t *)"$g#67", 5), 0);
    set_up(NULL);
    ask("k", "");
    assert_true(stub.detached);
}

static void execution__a_peer_that_waits_learns_of_the_end(void **state)
{
    (void)state;

    gdb_stub_exited(&stub);
    expect_reply("");
    ask("c", "");
    gdb_stub_exited(&stub);
    expect_reply("W00");
}

static void monitor__answers_in_text(void **state)
{
    (void)state;

    ask("qRcmd,68656c6c6f", "68690a");
    ask("qRcmd,78", "756e6b6e6f776e20636f6d6d616e643a20783b20736565206d6f6e69746f722068656c700a");
    ask("qRcmd,7", "E01");
    ask("qRcmd,zz", "E01");
}

// A generator of bytes that look like packets often enough to get through, and like nothing else.
static uint32_t noise_state;

static uint32_t noise(uint32_t limit)
{
    noise_state = noise_state * 1664525 + 1013904223;
    return (noise_state >> 8) % limit;
}

static size_t make_packet(char *packet, size_t size)
{
    static const char *const words[] = {
        "g",
        "G",
        "p",
        "P",
        "m",
        "M",
        "X",
        "Z1",
        "z2",
        "c",
        "s",
        "C05",
        "vCont",
        ";c",
        ";s",
        "bs",
        "bc",
        "?",
        "H",
        "T",
        "qRcmd,",
        "qXfer:features:read:target.xml:",
        "qXfer:memory-map:read::",
        "qSupported:",
        "QStartNoAckMode",
        ",",
        ":",
        "=",
        ";",
        "20000000",
        "ffffffff",
        "4",
        "0",
        "}",
        "*",
        "\xff",
    };
    size_t length = 0;

    for (uint32_t i = noise(6); i > 0 || length == 0; i -= i > 0) {
        const char *word = words[noise(sizeof words / sizeof *words)];
        size_t word_length = strlen(word);

        if (length + word_length >= size)
            break;
        memcpy(packet + length, word, word_length);
        length += word_length;
    }
    return length;
}

static void hostile__no_bytes_break_it(void **state)
{
    const struct gdb_stop stop = {.signal = GDB_SIGINT};
    char packet[256];
    (void)state;

    for (noise_state = 1; noise_state < 200000; noise_state++) {
        uint32_t seed = noise_state;

        if (noise(4) == 0) {
            uint8_t byte = (uint8_t)noise(256);

            gdb_stub_receive(&stub, &byte, 1);
        } else {
            send_bytes(packet, make_packet(packet, sizeof packet));
        }
        if (stub.detached)
            set_up(NULL);
        if (noise(3) == 0)
            gdb_stub_stopped(&stub, &stop, "console");
        if (noise(8) == 0)
            gdb_stub_sent(&stub, noise((uint32_t)stub.rsp.output_length + 1));
        assert_true(stub.rsp.output_length <= RSP_MAX_OUTPUT);
        noise_state = seed;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(session__tells_what_it_can, set_up),
        cmocka_unit_test_setup(session__names_the_registers_of_an_m_profile_processor, set_up),
        cmocka_unit_test_setup(registers__are_little_endian, set_up),
        cmocka_unit_test_setup(registers__all_at_once, set_up),
        cmocka_unit_test_setup(memory__is_read_and_written, set_up),
        cmocka_unit_test_setup(flash__is_erased_and_programmed, set_up),
        cmocka_unit_test_setup(memory__lengths_that_lie_are_refused, set_up),
        cmocka_unit_test_setup(points__are_inserted_and_removed, set_up),
        cmocka_unit_test_setup(execution__answers_when_it_stops, set_up),
        cmocka_unit_test_setup(execution__hwbreak_is_said_to_who_knows_it, set_up),
        cmocka_unit_test_setup(execution__only_03h_reaches_a_running_processor, set_up),
        cmocka_unit_test_setup(execution__d_and_k_end_the_session, set_up),
        cmocka_unit_test_setup(execution__a_peer_that_waits_learns_of_the_end, set_up),
        cmocka_unit_test_setup(monitor__answers_in_text, set_up),
        cmocka_unit_test_setup(hostile__no_bytes_break_it, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
