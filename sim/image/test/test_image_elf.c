// SPDX-License-Identifier: MIT
//
// ELF files.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image_fixture.h"
#include <usb/bytes.h>

// A header, a program header, the payload (TIS ELF 1.2).
enum { HEADER = 52, PROGRAM_HEADER = 32, ELF_SIZE = HEADER + PROGRAM_HEADER + CODE_SIZE };
enum { EM_ARM_NUMBER = 40, EM_386_NUMBER = 3 };

static void make_elf(struct fixture *f, uint16_t machine, uint32_t address)
{
    uint8_t *segment = f->file + HEADER;

    memset(f->file, 0, ELF_SIZE);
    memcpy(f->file,
           "\x7F"
           "ELF\1\1\1",
           7);
    usbdev_store_le16(f->file + 16, 2); // e_type: ET_EXEC
    usbdev_store_le16(f->file + 18, machine);
    store_le32(f->file + 20, 1);             // e_version
    store_le32(f->file + 28, HEADER);        // e_phoff
    usbdev_store_le16(f->file + 40, HEADER); // e_ehsize
    usbdev_store_le16(f->file + 42, PROGRAM_HEADER);
    usbdev_store_le16(f->file + 44, 1); // e_phnum
    store_le32(segment, 1);             // PT_LOAD
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
    static const uint16_t wrong[] = {0, PROGRAM_HEADER - 1, PROGRAM_HEADER + 8, 0xFFFF};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        make_elf(f, EM_ARM_NUMBER, BASE);
        usbdev_store_le16(f->file + E_PHENTSIZE, wrong[i]);
        assert_refused(f, "malformed: e_phentsize is ");
    }
    make_elf(f, EM_ARM_NUMBER, BASE);
    usbdev_store_le16(f->file + E_SHENTSIZE, SECTION_HEADER + 24);
    usbdev_store_le16(f->file + E_SHNUM, 1);
    assert_refused(f, "malformed: e_shentsize is ");
    usbdev_store_le16(f->file + E_SHNUM, 0);
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
    usbdev_store_le16(f->file + 44, 2); // e_phnum
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
        usbdev_store_le16(f->file + 46, SECTION);
        usbdev_store_le16(f->file + 48, 2);       // e_shnum
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

static void make_arm(struct fixture *f, uint32_t address)
{
    make_elf(f, EM_ARM_NUMBER, address);
}

static void elf__damage_is_survived(void **state)
{
    assert_survives_damage(*state, make_arm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        TEST(elf__damage_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
