// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim/image.h>

enum { BASE = 0x08000000, FLASH_SIZE = 0x8000, SRAM = 0x20000000, SRAM_SIZE = 0x1800 };
enum { OFFSET = 0x2000, CODE_SIZE = 16, MAX_FILE = 2048 };

struct fixture {
    uint8_t file[MAX_FILE];
    size_t size;
    uint8_t flash[FLASH_SIZE];
    struct image image;
    char error[300];
};

static void store_le16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static void store_le32(uint8_t *bytes, uint32_t value)
{
    store_le16(bytes, value & 0xFFFF);
    store_le16(bytes + 2, value >> 16);
}

// A vector table for this address and a little behind it.
static void make_code(uint8_t code[CODE_SIZE], uint32_t address)
{
    store_le32(code, SRAM + SRAM_SIZE);
    store_le32(code + 4, (address + 8) | 1);
    memcpy(code + 8, "\xFE\xE7rest of", CODE_SIZE - 8);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    memset(f->flash, 0x55, sizeof f->flash);
    f->image = (struct image){"STM32F042", BASE, FLASH_SIZE, SRAM, SRAM_SIZE, BASE, f->flash, 0, 0};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

// From a copy of just this size, so that a sanitizer sees an overrun.
static bool load(struct fixture *f, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    bool good;

    memcpy(copy, f->file, size);
    good = image_load(&f->image, "x", copy, size, f->error, sizeof f->error);
    free(copy);
    return good;
}

static void assert_loads_at(struct fixture *f, uint32_t address)
{
    uint8_t code[CODE_SIZE];

    make_code(code, address);
    if (!load(f, f->size))
        fail_msg("%s", f->error);
    assert_memory_equal(f->flash + (address - BASE), code, CODE_SIZE);
    assert_int_equal(f->flash[address - BASE + CODE_SIZE], 0xFF);
    assert_int_equal(f->flash[FLASH_SIZE - 1], 0xFF);
    assert_int_equal(f->image.first, address);
    assert_int_equal(f->image.end, address + CODE_SIZE);
}

static void assert_refused(struct fixture *f, const char *error)
{
    assert_false(load(f, f->size));
    if (strncmp(f->error, "x: ", 3) != 0 || !strstr(f->error, error))
        fail_msg("expected 'x: ... %s ...', got '%s'", error, f->error);
    assert_null(strchr(f->error, '\n'));
    for (size_t i = 0; i < FLASH_SIZE; i++)
        assert_int_equal(f->flash[i], 0x55);
}

// ---- Raw binaries ----

static void make_binary(struct fixture *f, uint32_t address)
{
    make_code(f->file, address);
    f->size = CODE_SIZE;
}

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
        store_le16(f->file + FIRST + FUNCTION_SIZE * i, 0x2000 + i); // movs r0, #i
        store_le16(f->file + FIRST + FUNCTION_SIZE * i + 2, 0x4770); // bx lr
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
    assert_refused(f, "nothing at 08000000h");
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

// ---- .dfu ----

// CRC of DFU 1.1 appendix B, a bit at a time from the polynomial as written there.
static uint32_t crc_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    uint32_t reflected = 0;

    for (size_t i = 0; i < 8 * size; i++) {
        uint32_t bit = bytes[i / 8] >> i % 8 & 1;
        uint32_t top = crc >> 31;
        crc = crc << 1 ^ (bit ^ top ? UINT32_C(0x04C11DB7) : 0);
    }
    for (int i = 0; i < 32; i++)
        reflected |= (crc >> i & 1) << (31 - i);
    return reflected;
}

static void put_suffix(struct fixture *f, uint16_t bcdDFU, uint8_t bLength)
{
    uint8_t *suffix = f->file + f->size;

    memcpy(suffix, "\x00\x01\x01\x00\x09\x12\x00\x00UFD", 11);
    store_le16(suffix + 6, bcdDFU);
    suffix[11] = bLength;
    f->size += 16;
    store_le32(f->file + f->size - 4, crc_of(f->file, f->size - 4));
}

static void dfu__loses_its_suffix(void **state)
{
    make_binary(*state, BASE);
    put_suffix(*state, 0x0100, 16);
    assert_loads_at(*state, BASE);
}

static void dfu__a_damaged_file_is_refused(void **state)
{
    struct fixture *f = *state;

    make_binary(f, BASE);
    put_suffix(f, 0x0100, 16);
    f->file[9] ^= 1;
    assert_refused(f, "its DFU suffix has the CRC ");
}

static void dfu__a_suffix_longer_than_the_file_is_refused(void **state)
{
    struct fixture *f = *state;

    put_suffix(f, 0x0100, 17);
    assert_refused(f, "its DFU suffix says that it is 17 bytes long, in a file of 16");
    f->size = 0;
    put_suffix(f, 0x0100, 15);
    assert_refused(f, "its DFU suffix says that it is 15 bytes long");
}

static void put_element(struct fixture *f, uint32_t address, const uint8_t *data, size_t size)
{
    store_le32(f->file + f->size, address);
    store_le32(f->file + f->size + 4, (uint32_t)size);
    memcpy(f->file + f->size + 8, data, size);
    f->size += 8 + size;
}

// Two elements of one image.
static void make_dfuse(struct fixture *f, uint32_t address)
{
    uint8_t code[CODE_SIZE];

    make_code(code, address);
    memcpy(f->file, "DfuSe\x01....\x01Target", 17);
    memset(f->file + 17, 0, 274 - 6);
    store_le32(f->file + 11 + 270, 2);
    f->size = 11 + 274;
    put_element(f, address, code, 8);
    put_element(f, address + 8, code + 8, CODE_SIZE - 8);
    put_suffix(f, 0x011A, 16);
}

static void dfuse__goes_where_its_elements_say(void **state)
{
    make_dfuse(*state, BASE);
    assert_loads_at(*state, BASE);
}

static void dfuse__every_truncation_is_refused(void **state)
{
    struct fixture *f = *state;

    make_dfuse(f, BASE);
    for (size_t size = 5; size < f->size; size++)
        assert_false(load(f, size));
    f->size -= 16 + 4; // cut off, and given a suffix again
    put_suffix(f, 0x011A, 16);
    assert_refused(f, "truncated: a DfuSe file");
}

static void dfuse__wrong_fields_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *error;
    } rows[] = {
        {5, 2, "a DfuSe file of version 2"},
        {11, 't', "image 0 does not begin with \"Target\""},
        {10, 2, "truncated"},                      // bTargets
        {11 + 270, 3, "truncated"},                // dwNbElements
        {11 + 274 + 3, 0x20, "outside of the"},    // dwElementAddress
        {11 + 274 + 7, 0xFF, "truncated: a DfuSe"} // dwElementSize
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_dfuse(f, BASE);
        f->size -= 16;
        f->file[rows[i].at] = rows[i].value;
        put_suffix(f, 0x011A, 16);
        assert_refused(f, rows[i].error);
    }
}

// ---- ELF: a header, a program header, the payload (TIS ELF 1.2) ----

#if HAVE_LIBELF
enum { HEADER = 52, PROGRAM_HEADER = 32, ELF_SIZE = HEADER + PROGRAM_HEADER + CODE_SIZE };
enum { EM_ARM_NUMBER = 40, EM_386_NUMBER = 3 };

static void make_elf(struct fixture *f, unsigned machine, uint32_t address)
{
    uint8_t *segment = f->file + HEADER;

    memset(f->file, 0, ELF_SIZE);
    memcpy(f->file,
           "\x7F"
           "ELF\1\1\1",
           7);
    store_le16(f->file + 16, 2); // e_type: ET_EXEC
    store_le16(f->file + 18, machine);
    store_le32(f->file + 20, 1);      // e_version
    store_le32(f->file + 28, HEADER); // e_phoff
    store_le16(f->file + 40, HEADER); // e_ehsize
    store_le16(f->file + 42, PROGRAM_HEADER);
    store_le16(f->file + 44, 1); // e_phnum
    store_le32(segment, 1);      // PT_LOAD
    store_le32(segment + 4, HEADER + PROGRAM_HEADER);
    store_le32(segment + 8, SRAM); // p_vaddr: where it runs does not matter
    store_le32(segment + 12, address);
    store_le32(segment + 16, CODE_SIZE);
    store_le32(segment + 20, CODE_SIZE);
    make_code(segment + PROGRAM_HEADER, address);
    f->size = ELF_SIZE;
}

static void elf__goes_where_its_load_address_says(void **state)
{
    make_elf(*state, EM_ARM_NUMBER, BASE);
    assert_loads_at(*state, BASE);
}

static void elf__of_another_machine_is_refused(void **state)
{
    make_elf(*state, EM_386_NUMBER, BASE);
    assert_refused(*state, "not a 32-bit little-endian ARM executable");
}

static void elf__headers_of_another_size_are_refused(void **state)
{
    enum { E_PHENTSIZE = 42, E_SHENTSIZE = 46, E_SHNUM = 48, SECTION_HEADER = 40 };
    static const unsigned wrong[] = {0, PROGRAM_HEADER - 1, PROGRAM_HEADER + 8, 0xFFFF};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        make_elf(f, EM_ARM_NUMBER, BASE);
        store_le16(f->file + E_PHENTSIZE, wrong[i]);
        assert_refused(f, "malformed: e_phentsize is ");
    }
    make_elf(f, EM_ARM_NUMBER, BASE);
    store_le16(f->file + E_SHENTSIZE, SECTION_HEADER + 24);
    store_le16(f->file + E_SHNUM, 1);
    assert_refused(f, "malformed: e_shentsize is ");
    store_le16(f->file + E_SHNUM, 0);
    assert_loads_at(f, BASE);
}

static void elf__every_truncation_is_refused(void **state)
{
    struct fixture *f = *state;

    make_elf(f, EM_ARM_NUMBER, BASE);
    for (size_t size = 1; size < ELF_SIZE; size++)
        assert_false(load(f, size));
}

static void elf__a_segment_outside_of_the_flash_is_refused(void **state)
{
    static const uint32_t addresses[] = {SRAM, BASE - 1, BASE + FLASH_SIZE - CODE_SIZE + 1, 0};

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        make_elf(*state, EM_ARM_NUMBER, addresses[i]);
        assert_refused(*state, "a segment of 16 bytes at ");
    }
}

// The payload twice, as two segments; of the second one the caller says where it goes.
static void make_elf_of_two(struct fixture *f, uint32_t second)
{
    uint8_t *segments = f->file + HEADER;

    make_elf(f, EM_ARM_NUMBER, BASE);
    memmove(segments + 2 * PROGRAM_HEADER, segments + PROGRAM_HEADER, CODE_SIZE);
    memcpy(segments + PROGRAM_HEADER, segments, PROGRAM_HEADER);
    store_le16(f->file + 44, 2); // e_phnum
    for (int i = 0; i < 2; i++)
        store_le32(segments + i * PROGRAM_HEADER + 4, HEADER + 2 * PROGRAM_HEADER);
    store_le32(segments + PROGRAM_HEADER + 12, second);
    f->size = ELF_SIZE + PROGRAM_HEADER;
}

static void elf__the_same_segment_twice_is_no_contradiction(void **state)
{
    make_elf_of_two(*state, BASE);
    assert_loads_at(*state, BASE);
}

static void elf__segments_that_contradict_each_other_are_refused(void **state)
{
    make_elf_of_two(*state, BASE + 1);
    assert_refused(*state, "a segment of 16 bytes at 08000001h overlaps");
}

static void elf__without_anything_to_load_is_refused(void **state)
{
    struct fixture *f = *state;

    make_elf(f, EM_ARM_NUMBER, BASE);
    store_le32(f->file + HEADER + 16, 0); // p_filesz
    assert_refused(f, "the file has no bytes for the flash");
}

// A segment that begins with the ELF's headers, the code behind them in a section of its own; the
// section headers lie at the end of the file, at any offset.
static void elf__headers_in_a_segment_are_not_programmed(void **state)
{
    enum { SECTION = 40, CODE_AT = HEADER + PROGRAM_HEADER };
    struct fixture *f = *state;
    uint8_t *segment = f->file + HEADER;

    for (uint32_t at = ELF_SIZE; at < ELF_SIZE + 4; at++) {
        uint8_t *section = f->file + at + SECTION; // behind the empty one

        make_elf(f, EM_ARM_NUMBER, BASE);
        memset(f->file + at, 0, 2 * SECTION);
        f->size = at + 2 * SECTION;
        store_le32(f->file + 32, at); // e_shoff
        store_le16(f->file + 46, SECTION);
        store_le16(f->file + 48, 2);              // e_shnum
        store_le32(segment + 4, 0);               // p_offset
        store_le32(segment + 12, BASE - CODE_AT); // p_paddr
        store_le32(segment + 16, CODE_AT + CODE_SIZE);
        store_le32(section + 4, 1); // SHT_PROGBITS
        store_le32(section + 8, 2); // SHF_ALLOC
        store_le32(section + 12, BASE);
        store_le32(section + 16, CODE_AT);
        store_le32(section + 20, CODE_SIZE);
        assert_loads_at(f, BASE);
    }
}

// What a boot loader starts is refused with its addresses, and loads when its start is given.
static void elf__that_does_not_start_where_the_chip_starts_is_refused(void **state)
{
    struct fixture *f = *state;

    make_elf(f, EM_ARM_NUMBER, BASE + OFFSET);
    assert_refused(f, "nothing at 08000000h, where the STM32F042 starts: the image is at "
                      "08002000h..0800200Fh; if a boot loader starts it, give the address of its "
                      "vector table: --boot 0x08002000, or boot=0x08002000 in a target");
    f->image.start = BASE + OFFSET + 0x100;
    assert_refused(f, "no vector table at 08002100h, the address to boot from: the image is at "
                      "08002000h..0800200Fh");
    f->image.start = BASE + OFFSET;
    assert_loads_at(f, BASE + OFFSET);
}
#endif

// ---- Damage of any kind ----

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void damage__of_any_kind_is_survived(void **state)
{
    static void (*const makes[])(struct fixture *, uint32_t) = {make_binary, make_hex, make_dfuse};
    struct fixture *f = *state;
    uint32_t x = 2463534242;
    unsigned refused = 0;

    for (unsigned round = 0; round < 30000; round++) {
#if HAVE_LIBELF
        if (round % 4 == 3)
            make_elf(f, EM_ARM_NUMBER, BASE);
        else
#endif
            makes[round % 3](f, BASE);
        for (unsigned n = next_random(&x) % 4 + 1; n > 0; n--)
            f->file[next_random(&x) % f->size] = (uint8_t)next_random(&x);
        f->error[0] = '\0';
        bool good = load(f, next_random(&x) % 4 == 0 ? next_random(&x) % f->size : f->size);
        assert_true(good == (f->error[0] == '\0'));
        refused += !good;
    }
    assert_in_range(refused, 1, 29999);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
        TEST(hex__goes_where_its_records_say),
        TEST(hex__takes_segment_records_for_addresses_below_1_mb),
        TEST(hex__a_wrong_checksum_is_named_with_its_line),
        TEST(hex__a_wrong_count_is_named_with_its_line),
        TEST(hex__every_truncation_is_refused),
        TEST(hex__other_lines_are_refused),
        TEST(dfu__loses_its_suffix),
        TEST(dfu__a_damaged_file_is_refused),
        TEST(dfu__a_suffix_longer_than_the_file_is_refused),
        TEST(dfuse__goes_where_its_elements_say),
        TEST(dfuse__every_truncation_is_refused),
        TEST(dfuse__wrong_fields_are_refused),
#if HAVE_LIBELF
        TEST(elf__goes_where_its_load_address_says),
        TEST(elf__of_another_machine_is_refused),
        TEST(elf__headers_of_another_size_are_refused),
        TEST(elf__every_truncation_is_refused),
        TEST(elf__a_segment_outside_of_the_flash_is_refused),
        TEST(elf__the_same_segment_twice_is_no_contradiction),
        TEST(elf__segments_that_contradict_each_other_are_refused),
        TEST(elf__without_anything_to_load_is_refused),
        TEST(elf__headers_in_a_segment_are_not_programmed),
        TEST(elf__that_does_not_start_where_the_chip_starts_is_refused),
#endif
        TEST(damage__of_any_kind_is_survived),
        TEST(file__that_is_not_there_is_named),
        TEST(file__that_is_a_directory_is_named),
        TEST(file__without_end_is_not_read_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
