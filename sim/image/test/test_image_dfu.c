// SPDX-License-Identifier: MIT
//
// .dfu files, plain (DFU 1.1 appendix B) and with DfuSe's elements (UM0391).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image_fixture.h"
#include <usb/bytes.h>

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
    usbdev_store_le16(suffix + 6, bcdDFU);
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

static void dfuse__damage_is_survived(void **state)
{
    assert_survives_damage(*state, make_dfuse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dfu__loses_its_suffix),
        TEST(dfu__a_damaged_file_is_refused),
        TEST(dfu__a_suffix_longer_than_the_file_is_refused),
        TEST(dfuse__goes_where_its_elements_say),
        TEST(dfuse__every_truncation_is_refused),
        TEST(dfuse__wrong_fields_are_refused),
        TEST(dfuse__damage_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
