// SPDX-License-Identifier: MIT
//
// Raw binaries, vector tables, Intel HEX, and files that are none.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image_fixture.h"
#include <usb/bytes.h>

// ---- Raw binaries ----

static void binary__goes_to_the_start_of_flash(void **state)
{
    make_binary(*state, BASE);
    assert_loads_at(*state, BASE);
}

static void binary__goes_to_where_a_boot_loader_would_jump(void **state)
{
    struct fixture *f = *state;

    make_binary(f, BASE + OFFSET);
    f->image.start = BASE + OFFSET;
    assert_loads_at(f, BASE + OFFSET);
    assert_int_equal(f->flash[0], 0xFF);
}

static void binary__may_be_linked_for_address_0(void **state)
{
    struct fixture *f = *state;

    make_binary(f, 0);
    assert_true(load(f, f->size));
}

// Functions of two instructions, a table of their addresses, and data behind it that looks like
// nothing.
static void make_linked_binary(struct fixture *f, uint32_t address)
{
    enum { FUNCTIONS = 12, FIRST = 8 + 4 * FUNCTIONS, FUNCTION_SIZE = 4 };

    memset(f->file, 0xA5, sizeof f->file);
    store_le32(f->file, SRAM + SRAM_SIZE);
    store_le32(f->file + 4, (address + FIRST) | 1);
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        store_le32(f->file + 8 + 4 * i, (address + FIRST + FUNCTION_SIZE * i) | 1);
        usbdev_store_le16(f->file + FIRST + FUNCTION_SIZE * i,
                          (uint16_t)(0x2000 + i));                          // movs r0, #i
        usbdev_store_le16(f->file + FIRST + FUNCTION_SIZE * i + 2, 0x4770); // bx lr
    }
    f->size = sizeof f->file;
}

static void binary__for_another_place_is_told_where_it_belongs(void **state)
{
    struct fixture *f = *state;

    make_linked_binary(f, BASE + 0x400);
    assert_refused(f, "a binary for 08000400h, behind a boot loader: the addresses in it, those of "
                      "its vector table among them, begin there; give that address: --boot "
                      "0x08000400, or boot=0x08000400 in a target");
    make_linked_binary(f, BASE + OFFSET);
    assert_refused(f, "a binary for 08002000h, behind a boot loader: the addresses in it, those of "
                      "its vector table among them, begin there; give that address: --boot "
                      "0x08002000, or boot=0x08002000 in a target");
    f->image.start = BASE + OFFSET;
    assert_true(load(f, f->size));
}

static void binary__for_the_start_of_flash_is_taken(void **state)
{
    struct fixture *f = *state;

    make_linked_binary(f, BASE);
    assert_true(load(f, f->size));
    make_linked_binary(f, 0);
    assert_true(load(f, f->size));
}

static void binary__must_fit_and_not_be_empty(void **state)
{
    struct fixture *f = *state;
    uint8_t *big = calloc(1, FLASH_SIZE + 1);

    assert_refused(f, "the file is empty");
    make_code(big, BASE);
    assert_false(image_load(&f->image, "x", big, FLASH_SIZE + 1, f->error, sizeof f->error));
    assert_string_equal(f->error, "x: a binary of 32769 bytes at 08000000h lies outside of the "
                                  "STM32F042's flash, 08000000h..08007FFFh");
    assert_true(image_load(&f->image, "x", big, FLASH_SIZE, f->error, sizeof f->error));

    free(big);
}

// ---- The vector table ----

static void vectors__a_text_file_has_none(void **state)
{
    struct fixture *f = *state;

    f->size = (size_t)sprintf((char *)f->file, "root:x:0:0:root:/root:/bin/bash\n");
    assert_refused(
        f, "no firmware image for the STM32F042: the word at 08000000h, 746F6F72h, is not a "
           "stack pointer into its SRAM, 20000000h..20001800h");
}

static void vectors__fewer_than_two_words_are_none(void **state)
{
    struct fixture *f = *state;

    make_binary(f, BASE);
    f->size = 7;
    assert_refused(f, "the vector table at 08000000h has 7 bytes of 8");
}

static void vectors__a_stack_pointer_beyond_the_sram_is_of_another_chip(void **state)
{
    struct fixture *f = *state;

    make_binary(f, BASE);
    store_le32(f->file, SRAM + SRAM_SIZE + 4);
    assert_refused(f, "20001804h, is not a stack pointer");
    store_le32(f->file, SRAM);
    assert_refused(f, "20000000h, is not a stack pointer");
}

static void vectors__a_reset_vector_outside_of_the_image_is_refused(void **state)
{
    static const uint32_t vectors[] = {BASE + 8, BASE + CODE_SIZE + 1, 0x1FFFC401, UINT32_MAX};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        make_binary(f, BASE);
        store_le32(f->file + 4, vectors[i]);
        assert_refused(f, "is not a Thumb address in the image, 08000000h..0800000Fh");
    }
}

static void binary__damage_is_survived(void **state)
{
    assert_survives_damage(*state, make_binary);
}

// ---- Intel HEX ----

static void
put_record(struct fixture *f, unsigned type, unsigned address, const uint8_t *data, unsigned count)
{
    unsigned sum = count + (address >> 8) + address + type;

    f->size +=
        (size_t)sprintf((char *)f->file + f->size, ":%02X%04X%02X", count, address & 0xFFFF, type);
    for (unsigned i = 0; i < count; i++) {
        f->size += (size_t)sprintf((char *)f->file + f->size, "%02x", data[i]);
        sum += data[i];
    }
    f->size += (size_t)sprintf((char *)f->file + f->size, "%02X\r\n", (256 - sum) & 0xFF);
}

static void make_hex(struct fixture *f, uint32_t address)
{
    const uint8_t high[] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16)};
    const uint8_t entry[] = {0x08, 0, 0, 0x09};
    uint8_t code[CODE_SIZE];

    make_code(code, address);
    f->size = 0;
    put_record(f, 4, 0, high, 2);
    put_record(f, 0, (address + 8) & 0xFFFF, code + 8, CODE_SIZE - 8); // in any order
    put_record(f, 0, address & 0xFFFF, code, 8);
    put_record(f, 5, 0, entry, 4);
    put_record(f, 1, 0, NULL, 0);
}

static void hex__goes_where_its_records_say(void **state)
{
    make_hex(*state, BASE);
    assert_loads_at(*state, BASE);
}

static void hex__takes_segment_records_for_addresses_below_1_mb(void **state)
{
    struct fixture *f = *state;
    const uint8_t segment[] = {0x12, 0x34};

    put_record(f, 2, 0, segment, 2);
    put_record(f, 0, 0x0008, segment, 1);
    put_record(f, 1, 0, NULL, 0);
    assert_refused(f, "a record of 1 bytes at 00012348h lies outside");
}

static void hex__a_wrong_checksum_is_named_with_its_line(void **state)
{
    struct fixture *f = *state;
    char *line;

    make_hex(f, BASE);
    line = strstr((char *)f->file, "\n:") + 1;
    line[9] = line[9] == '0' ? '1' : '0';
    assert_refused(f, "line 2 has the checksum ");
}

static void hex__a_wrong_count_is_named_with_its_line(void **state)
{
    struct fixture *f = *state;

    make_hex(f, BASE);
    f->file[2] = '3';
    assert_refused(f, "line 1 has 7 bytes, and its count makes it 8");
}

static void hex__every_truncation_is_refused(void **state)
{
    struct fixture *f = *state;

    make_hex(f, BASE);
    for (size_t size = 1; size < f->size - 2; size++) // the last line may end without CR LF
        assert_false(load(f, size));
    f->size -= 13; // the end record
    assert_refused(f, "truncated: no end record in 4 lines");
    make_hex(f, BASE);
    assert_true(load(f, f->size - 2));
}

static void hex__other_lines_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        {":", "line 1 has 0 bytes"},
        {":0", "hex digits in pairs"},
        {":zz", "hex digits in pairs"},
        {":00000006FA\n", "line 1 is a record of the unknown type 06h"},
        {":0100000400FB\n", "gives a base address in 1 bytes"},
        {":00000000"
         "00\nS0",
         "line 2 is not a line of Intel HEX: it does not begin with a colon"},
        {":00000001FF\n", "the file has no bytes for the flash"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        f->size = (size_t)sprintf((char *)f->file, "%s", rows[i].text);
        assert_refused(f, rows[i].error);
    }
}

static void hex__damage_is_survived(void **state)
{
    assert_survives_damage(*state, make_hex);
}

// ---- Files ----

static void file__that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;

    assert_false(image_load_file(&f->image, "/no/such/image", f->error, sizeof f->error));
    assert_string_equal(f->error, "firmware /no/such/image: No such file or directory");
}

static void file__that_is_a_directory_is_named(void **state)
{
    struct fixture *f = *state;

    assert_false(image_load_file(&f->image, "/", f->error, sizeof f->error));
    assert_string_equal(f->error, "firmware /: Is a directory");
}

static void file__without_end_is_not_read_to_it(void **state)
{
    struct fixture *f = *state;

    assert_false(image_load_file(&f->image, "/dev/zero", f->error, sizeof f->error));
    assert_string_equal(f->error, "firmware /dev/zero: File too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(binary__goes_to_the_start_of_flash),
        TEST(binary__goes_to_where_a_boot_loader_would_jump),
        TEST(binary__may_be_linked_for_address_0),
        TEST(binary__for_another_place_is_told_where_it_belongs),
        TEST(binary__for_the_start_of_flash_is_taken),
        TEST(binary__must_fit_and_not_be_empty),
        TEST(vectors__a_text_file_has_none),
        TEST(vectors__fewer_than_two_words_are_none),
        TEST(vectors__a_stack_pointer_beyond_the_sram_is_of_another_chip),
        TEST(vectors__a_reset_vector_outside_of_the_image_is_refused),
        TEST(binary__damage_is_survived),
        TEST(hex__goes_where_its_records_say),
        TEST(hex__takes_segment_records_for_addresses_below_1_mb),
        TEST(hex__a_wrong_checksum_is_named_with_its_line),
        TEST(hex__a_wrong_count_is_named_with_its_line),
        TEST(hex__every_truncation_is_refused),
        TEST(hex__other_lines_are_refused),
        TEST(hex__damage_is_survived),
        TEST(file__that_is_not_there_is_named),
        TEST(file__that_is_a_directory_is_named),
        TEST(file__without_end_is_not_read_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
