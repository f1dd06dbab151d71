// SPDX-License-Identifier: MIT
//
// What counts as a whole image of a native board.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/firmware.h>

enum { LENGTH = 4096 };

static uint8_t image[LENGTH + 100];

static int make(void **state)
{
    (void)state;
    memset(image, 0xFF, sizeof image);
    firmware_make(image, LENGTH, 1);
    return 0;
}

static void image__is_whole_whatever_follows_it(void **state)
{
    (void)state;

    assert_true(firmware_is_whole(image, LENGTH));
    assert_true(firmware_is_whole(image, sizeof image));
}

static void image__is_another_one_for_another_number(void **state)
{
    (void)state;
    uint8_t other[LENGTH];

    firmware_make(other, LENGTH, 2);

    assert_true(firmware_is_whole(other, LENGTH));
    assert_memory_not_equal(other, image, LENGTH);
}

static void image__cut_off_anywhere_is_not_whole(void **state)
{
    (void)state;

    for (size_t length = 0; length < LENGTH; length++)
        assert_false(firmware_is_whole(image, length));
    for (size_t from = 20; from < LENGTH; from += 64) {
        make(NULL);
        memset(image + from, 0xFF, LENGTH - from);
        assert_false(firmware_is_whole(image, LENGTH));
    }
}

static void image__with_any_byte_changed_behind_its_magic_is_not_whole(void **state)
{
    (void)state;

    for (size_t at = 12; at < LENGTH; at++) {
        image[at] ^= 0x80;
        assert_false(firmware_is_whole(image, LENGTH));
        image[at] ^= 0x80;
    }
}

static void image__of_another_maker_is_taken_for_whole_unless_it_is_blank(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    uint8_t blank[64], vectors[64] = {0x00, 0x40, 0x00, 0x20, 0x01, 0x01, 0x00, 0x08};
    memset(blank, 0xFF, sizeof blank);

    assert_true(firmware_is_whole(vectors, sizeof vectors));
    assert_false(firmware_is_whole(blank, sizeof blank));
    assert_false(firmware_is_whole(zeros, sizeof zeros));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(image__is_whole_whatever_follows_it, make),
        cmocka_unit_test_setup(image__is_another_one_for_another_number, make),
        cmocka_unit_test_setup(image__cut_off_anywhere_is_not_whole, make),
        cmocka_unit_test_setup(image__with_any_byte_changed_behind_its_magic_is_not_whole, make),
        cmocka_unit_test(image__of_another_maker_is_taken_for_whole_unless_it_is_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
