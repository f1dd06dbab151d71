// SPDX-License-Identifier: MIT
//
// A firmware file is judged beside the device (--file): good ones, and each kind of wrong one by
// the requirement that it breaks, and no other.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "opened_target.h"
#include <conformance/runner.h>
#include <usb/bytes.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

enum {
    DATA = 64, // bytes of firmware
    SUFFIX = 16,
    PREFIX = 11,
    TARGET = 274,
    ELEMENT = 8,
    PLAIN_FILE = DATA + SUFFIX,
    DFUSE_FILE = PREFIX + TARGET + ELEMENT + DATA + SUFFIX,
};

struct file {
    uint8_t bytes[DFUSE_FILE];
    size_t length;
};

static void seal(struct file *file)
{
    uint32_t crc = image_file_crc(file->bytes, file->length - 4);
    store_le32(file->bytes + file->length - 4, crc);
}

static void put_suffix(struct file *file, uint16_t idVendor, uint16_t idProduct, uint16_t bcdDFU)
{
    uint8_t *suffix = file->bytes + file->length - SUFFIX;

    usbdev_store_le16(suffix, 0xFFFF);
    usbdev_store_le16(suffix + 2, idProduct);
    usbdev_store_le16(suffix + 4, idVendor);
    usbdev_store_le16(suffix + 6, bcdDFU);
    memcpy(suffix + 8, "UFD\x10", 4);
    seal(file);
}

static void make_plain(struct file *file)
{
    *file = (struct file){.length = PLAIN_FILE};
    memset(file->bytes, 0x5A, DATA);
    put_suffix(file, 0x1209, 0x0002, 0x0100);
}

// UM0391 2: one target, alternate setting 0, one element at the second page.
static void make_dfuse(struct file *file)
{
    uint8_t *target = file->bytes + PREFIX;
    uint8_t *element = target + TARGET;

    *file = (struct file){.length = DFUSE_FILE};
    memcpy(file->bytes, "DfuSe\1", 6);
    store_le32(file->bytes + 6, DFUSE_FILE - SUFFIX);
    file->bytes[10] = 1;
    memcpy(target, "Target", 6);
    store_le32(target + 266, ELEMENT + DATA);
    store_le32(target + 270, 1);
    store_le32(element, 0x08000800);
    store_le32(element + 4, DATA);
    memset(element + ELEMENT, 0x5A, DATA);
    put_suffix(file, 0x0483, 0xDF11, 0x011A);
}

// The ids that fail, with a blank behind each.
static void put_failing(char *failing, size_t size, const char *device, const struct file *file)
{
    struct report report;
    const struct image_file image = {.bytes = (uint8_t *)(uintptr_t)file->bytes,
                                     .length = file->length};
    const struct runner_options options = {.only = "FILE-*", .file = &image};

    struct target *target = open_target(device);
    runner_run(&options, target, device, &report);
    *failing = '\0';
    for (size_t i = 0; i < report.count; i++) {
        size_t used = strlen(failing);
        if (report.results[i].verdict == VERDICT_FAIL)
            snprintf(failing + used, size - used, "%s ", report.results[i].check->id);
    }
    report_finish(&report);
    target->ops->close(target);
}

static void assert_fails(const char *device, const struct file *file, const char *expected)
{
    char failing[400];

    put_failing(failing, sizeof failing, device, file);

    assert_string_equal(failing, expected);
}

// ---- The tests ----

static void a_good_file__breaks_nothing(void **state)
{
    (void)state;
    struct file file;

    make_plain(&file);
    assert_fails("sim:wait-reset", &file, "");
    make_dfuse(&file);
    assert_fails("sim:will-detach", &file, "");
}

static void ids_of_run_time_or_of_any_device__are_right(void **state)
{
    (void)state;
    struct file file;

    make_plain(&file);
    put_suffix(&file, 0x1209, 0x0001, 0x0100);
    assert_fails("sim:wait-reset", &file, "");
    put_suffix(&file, 0xFFFF, 0xFFFF, 0x0100);
    assert_fails("sim:wait-reset", &file, "");
}

static void a_file_without_suffix__breaks_one_requirement(void **state)
{
    (void)state;
    struct file file;

    make_plain(&file);
    file.length = DATA;
    assert_fails("sim:wait-reset", &file, "FILE-SUFFIX-01 ");
    file.length = 3;
    assert_fails("sim:wait-reset", &file, "FILE-SUFFIX-01 ");
    make_plain(&file);
    file.bytes[PLAIN_FILE - 5] = 8; // bLength
    seal(&file);
    assert_fails("sim:wait-reset", &file, "FILE-SUFFIX-01 ");
}

static void a_damaged_byte__breaks_the_crc(void **state)
{
    (void)state;
    struct file file;

    make_plain(&file);
    file.bytes[7] ^= 1;
    assert_fails("sim:wait-reset", &file, "FILE-SUFFIX-02 ");
}

static void a_suffix_for_another_device__breaks_what_it_says(void **state)
{
    (void)state;
    struct file file;

    make_plain(&file);
    put_suffix(&file, 0x1209, 0x0002, 0x0110);
    assert_fails("sim:wait-reset", &file, "FILE-SUFFIX-03 ");
    put_suffix(&file, 0x1234, 0x0002, 0x0100);
    assert_fails("sim:wait-reset", &file, "FILE-SUFFIX-04 ");
    make_dfuse(&file);
    put_suffix(&file, 0x0483, 0xDF11, 0x0100);
    assert_fails("sim:will-detach", &file, "FILE-SUFFIX-03 ");
}

static void a_file_of_the_other_dialect__is_told(void **state)
{
    (void)state;
    struct file file;

    make_plain(&file);
    put_suffix(&file, 0x0483, 0xDF11, 0x011A);
    assert_fails("sim:will-detach", &file, "FILE-DFUSE-01 ");
    make_dfuse(&file);
    put_suffix(&file, 0x1209, 0x0002, 0x0100);
    assert_fails("sim:wait-reset", &file, "FILE-PLAIN-01 ");
}

static void sizes_that_do_not_fit__break_the_prefix(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
    } cases[] = {
        {6, DFUSE_FILE},                             // DFUImageSize with the suffix
        {PREFIX + 266, ELEMENT + DATA + 1},          // dwTargetSize
        {PREFIX + 266, ELEMENT + DATA - 1},          //
        {PREFIX + 270, 2},                           // dwNbElements
        {PREFIX + 270, 0},                           //
        {PREFIX + TARGET + 4, DATA + 1},             // dwElementSize
        {PREFIX + TARGET + 4, DATA - 1},             //
        {PREFIX + TARGET + 4, UINT32_C(0xFFFFFFFF)}, //
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file file;

        make_dfuse(&file);
        store_le32(file.bytes + cases[i].at, cases[i].value);
        seal(&file);
        assert_fails("sim:will-detach", &file, "FILE-DFUSE-01 ");
    }
}

static void an_element_outside_of_memory__is_told(void **state)
{
    (void)state;
    struct file file;

    make_dfuse(&file);
    store_le32(file.bytes + PREFIX + TARGET, 0x08020000); // behind the last page
    seal(&file);
    assert_fails("sim:will-detach", &file, "FILE-DFUSE-02 ");
    store_le32(file.bytes + PREFIX + TARGET, 0x08020000 - DATA + 1);
    seal(&file);
    assert_fails("sim:will-detach", &file, "FILE-DFUSE-02 ");
    make_dfuse(&file);
    file.bytes[PREFIX + 6] = 5; // bAlternateSetting
    seal(&file);
    assert_fails("sim:will-detach", &file, "FILE-DFUSE-02 ");
}

static void without_a_file__none_of_it_runs(void **state)
{
    (void)state;
    struct report report;
    const struct runner_options options = {.only = "FILE-*"};

    struct target *target = open_target("sim:wait-reset");
    runner_run(&options, target, "sim:wait-reset", &report);

    assert_int_equal(report.count, 0);
    report_finish(&report);
    target->ops->close(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file__breaks_nothing),
        cmocka_unit_test(ids_of_run_time_or_of_any_device__are_right),
        cmocka_unit_test(a_file_without_suffix__breaks_one_requirement),
        cmocka_unit_test(a_damaged_byte__breaks_the_crc),
        cmocka_unit_test(a_suffix_for_another_device__breaks_what_it_says),
        cmocka_unit_test(a_file_of_the_other_dialect__is_told),
        cmocka_unit_test(sizes_that_do_not_fit__break_the_prefix),
        cmocka_unit_test(an_element_outside_of_memory__is_told),
        cmocka_unit_test(without_a_file__none_of_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
