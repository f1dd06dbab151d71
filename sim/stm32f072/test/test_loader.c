// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dfurt/usb_spec.h>

#include <stm32f072/loader.h>

// An ELF of one segment: header, program header, payload (TIS ELF 1.2).
enum {
    HEADER = 52,
    PROGRAM_HEADER = 32,
    PAYLOAD = 16,
    ELF_SIZE = HEADER + PROGRAM_HEADER + PAYLOAD
};
enum { EM_ARM_NUMBER = 40, EM_386_NUMBER = 3 };

struct fixture {
    uint8_t image[ELF_SIZE];
    uint8_t flash[F072_FLASH_SIZE];
    char error[200];
};

static void store_le32(uint8_t *bytes, uint32_t value)
{
    usbdev_store_le16(bytes, (uint16_t)value);
    usbdev_store_le16(bytes + 2, (uint16_t)(value >> 16));
}

static void make_elf(uint8_t *image, uint16_t machine, uint32_t address)
{
    memset(image, 0, ELF_SIZE);
    memcpy(image,
           "\x7F"
           "ELF\1\1\1",
           7);
    usbdev_store_le16(image + 16, 2); // e_type: ET_EXEC
    usbdev_store_le16(image + 18, machine);
    store_le32(image + 20, 1);             // e_version
    store_le32(image + 28, HEADER);        // e_phoff
    usbdev_store_le16(image + 40, HEADER); // e_ehsize
    usbdev_store_le16(image + 42, PROGRAM_HEADER);
    usbdev_store_le16(image + 44, 1); // e_phnum
    uint8_t *segment = image + HEADER;
    store_le32(segment, 1); // PT_LOAD
    store_le32(segment + 4, HEADER + PROGRAM_HEADER);
    store_le32(segment + 8, 0x20000000); // p_vaddr: where it runs does not matter
    store_le32(segment + 12, address);
    store_le32(segment + 16, PAYLOAD);
    store_le32(segment + 20, PAYLOAD);
    for (int i = 0; i < PAYLOAD; i++)
        segment[PROGRAM_HEADER + i] = (uint8_t)(0xA0 + i);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    make_elf(f->image, EM_ARM_NUMBER, 0x08000100);
    memset(f->flash, 0x55, sizeof f->flash);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static bool load(struct fixture *f, size_t size)
{
    return f072_load_image("x", f->image, size, f->flash, f->error, sizeof f->error);
}

static void assert_refused(struct fixture *f, size_t size, const char *error)
{
    assert_false(load(f, size));
    assert_string_equal(f->error, error);
    assert_int_equal(f->flash[0x100], 0x55);
}

static void binary__is_put_at_the_start_of_an_erased_flash(void **state)
{
    struct fixture *f = *state;

    memcpy(f->image, "abcdefgh", 8);
    assert_true(load(f, 8));

    assert_memory_equal(f->flash, "abcdefgh\xFF", 9);
    assert_int_equal(f->flash[F072_FLASH_SIZE - 1], 0xFF);
}

static void binary__loses_its_dfu_suffix(void **state)
{
    struct fixture *f = *state;

    memcpy(f->image, "abcd", 4);
    memcpy(f->image + 4, "\x01\0\x02\0\x09\x12\x10\x01UFD\x10\1\2\3\4", 16);
    assert_true(load(f, 20));

    assert_memory_equal(f->flash, "abcd\xFF\xFF", 6);
}

static void binary__a_suffix_longer_than_the_file_is_no_suffix(void **state)
{
    struct fixture *f = *state;

    memcpy(f->image, "\x01\0\x02\0\x09\x12\x10\x01UFD\x11\1\2\3\4", 16);
    assert_true(load(f, 16));
    assert_memory_equal(f->flash, f->image, 16);
}

static void binary__must_fit_and_not_be_empty(void **state)
{
    struct fixture *f = *state;
    uint8_t *big = calloc(1, F072_FLASH_SIZE + 1);

    assert_refused(f, 0, "x: the file is empty");
    assert_false(
        f072_load_image("x", big, F072_FLASH_SIZE + 1, f->flash, f->error, sizeof f->error));
    assert_string_equal(f->error, "x: 131073 bytes, but the STM32F072 has 131072 of flash");
    assert_true(f072_load_image("x", big, F072_FLASH_SIZE, f->flash, f->error, sizeof f->error));

    free(big);
}

static void binary__a_dfuse_container_is_refused(void **state)
{
    struct fixture *f = *state;

    memcpy(f->image, "DfuSe\1", 6);
    assert_refused(f, 40, "x: a DfuSe container; give the ELF or the binary");
}

#if HAVE_LIBELF
static void elf__goes_where_its_load_address_says(void **state)
{
    struct fixture *f = *state;

    assert_true(load(f, ELF_SIZE));

    assert_memory_equal(f->flash + 0x100, f->image + HEADER + PROGRAM_HEADER, PAYLOAD);
    assert_int_equal(f->flash[0xFF], 0xFF);
    assert_int_equal(f->flash[0x100 + PAYLOAD], 0xFF);
}

static void elf__of_another_machine_is_refused(void **state)
{
    struct fixture *f = *state;

    make_elf(f->image, EM_386_NUMBER, 0x08000100);
    assert_refused(f, ELF_SIZE, "x: not a 32-bit little-endian ARM executable");
}

static void elf__every_truncation_is_refused(void **state)
{
    struct fixture *f = *state;

    for (size_t size = 4; size < ELF_SIZE; size++) {
        uint8_t *copy = malloc(size); // of this size, so that a sanitizer sees an overrun
        memcpy(copy, f->image, size);
        assert_false(f072_load_image("x", copy, size, f->flash, f->error, sizeof f->error));
        assert_int_equal(f->flash[0x100], 0x55);
        free(copy);
    }
}

static void elf__any_byte_may_be_wrong(void **state)
{
    struct fixture *f = *state;
    unsigned refused = 0;

    for (size_t i = 0; i < HEADER + PROGRAM_HEADER; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *copy = malloc(ELF_SIZE);
            memcpy(copy, f->image, ELF_SIZE);
            copy[i] ^= (uint8_t)(1u << bit);
            refused += !f072_load_image("x", copy, ELF_SIZE, f->flash, f->error, sizeof f->error);
            free(copy);
        }
    assert_true(refused > 0);
}

static void elf__a_segment_outside_of_the_flash_is_refused(void **state)
{
    static const uint32_t addresses[] = {0x20000000, 0x07FFFFFF, 0x0801FFF1, 0x00000000};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        make_elf(f->image, EM_ARM_NUMBER, addresses[i]);
        assert_false(load(f, ELF_SIZE));
        assert_non_null(strstr(f->error, "outside of the flash"));
    }
    make_elf(f->image, EM_ARM_NUMBER, 0x0801FFF0);
    assert_true(load(f, ELF_SIZE));
}

static void elf__without_anything_to_load_is_refused(void **state)
{
    struct fixture *f = *state;

    store_le32(f->image + HEADER + 16, 0); // p_filesz
    assert_refused(f, ELF_SIZE, "x: nothing in it loads into flash");
}
#endif

static void file__that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;

    assert_false(f072_load_file("/no/such/image", f->flash, f->error, sizeof f->error));
    assert_string_equal(f->error, "/no/such/image: No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(binary__is_put_at_the_start_of_an_erased_flash),
        TEST(binary__loses_its_dfu_suffix),
        TEST(binary__a_suffix_longer_than_the_file_is_no_suffix),
        TEST(binary__must_fit_and_not_be_empty),
        TEST(binary__a_dfuse_container_is_refused),
#if HAVE_LIBELF
        TEST(elf__goes_where_its_load_address_says),
        TEST(elf__of_another_machine_is_refused),
        TEST(elf__every_truncation_is_refused),
        TEST(elf__any_byte_may_be_wrong),
        TEST(elf__a_segment_outside_of_the_flash_is_refused),
        TEST(elf__without_anything_to_load_is_refused),
#endif
        TEST(file__that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
