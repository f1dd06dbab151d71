// SPDX-License-Identifier: MIT
//
// All memory of a DfuSe device that can be written: kept with the page, put back by another run, or
// given by --restore.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "backup_bench.h"
#include <conformance/dfuse.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

// These boot loaders were not seen at run time, and are not made to leave DFU mode.
static const char in_one_stay[] = "flash restored (read back equal, in the same stay in DFU mode)";

// The run is killed after that.
static void keep_and_erase(struct bench *bench, const char *device, bool elsewhere)
{
    bench_open(bench, device);
    assert_true(bench_is_ready(bench));
    bench->cable.elsewhere = elsewhere;
    assert_true(bench_erase_page(bench));
    bench->cable.elsewhere = false;
    backup_finish(&bench->backup);
    bench_begin_run(bench);
}

static void memory_of_dfuse__is_on_disk_before_anything_is_written(void **state)
{
    (void)state;
    struct image_file image;
    static struct bench bench;
    bench_open(&bench, "sim:layout-three-groups");

    assert_true(bench_is_ready(&bench));

    assert_true(image_file_read(&image, bench.backup.file.path, bench.why, sizeof bench.why));
    assert_int_equal(image.address, bench.backup.address);
    assert_int_equal(image.more_count, 3);
    assert_int_equal(image.more[2].address, 0x08020000);
    assert_int_equal(image.more[2].length, 7 * 0x20000);
    assert_memory_equal(image.more[0].bytes, bench.backup.rest, image.more[0].length);
    image_file_finish(&image);
    bench_close(&bench);
}

static void run__puts_back_the_page_that_a_run_that_was_cut_off_has_left(void **state)
{
    (void)state;
    static struct bench bench;
    keep_and_erase(&bench, "sim:dfu-mode", false);

    assert_true(bench_is_ready(&bench));

    bench_assert_ends(&bench, FLASH_RESTORED, in_one_stay);
    assert_false(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

static void
run__writes_nothing_where_other_memory_has_changed_and_says_how_to_restore_it(void **state)
{
    (void)state;
    static struct bench bench;
    keep_and_erase(&bench, "sim:dfu-mode", true);
    unsigned blocks = bench.cable.blocks;

    assert_false(bench_is_ready(&bench));

    assert_non_null(strstr(bench.why, "--restore"));
    assert_false(bench_erase_page(&bench));
    assert_in_range(bench.cable.blocks - blocks, 0, 100); // pointers to read at
    bench_assert_ends(&bench, FLASH_NOT_VERIFIED, bench.backup.file.path);
    assert_true(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

static void restore__puts_back_all_memory_that_a_run_that_was_cut_off_has_spoilt(void **state)
{
    (void)state;
    struct image_file image;
    uint8_t first[2048];
    static struct bench bench;
    char path[BACKUP_PATH];
    keep_and_erase(&bench, "sim:dfu-mode", true);
    assert_false(bench_is_ready(&bench));
    snprintf(path, sizeof path, "%s", bench.backup.file.path);
    backup_finish(&bench.backup);
    assert_true(image_file_read(&image, path, bench.why, sizeof bench.why));
    bench_begin_run(&bench);
    bench.backup.restore = &image;
    bench.backup.options.restore_path = path;

    assert_true(bench_is_ready(&bench));

    assert_true(
        dfuse_read(&bench.probe, FIRST_PAGE, first, sizeof first, bench.why, sizeof bench.why));
    assert_memory_equal(first, image.more[0].bytes, sizeof first);
    bench_assert_ends(&bench, FLASH_RESTORED, in_one_stay);
    assert_false(bench_keeps_on_disk(&bench));
    image_file_finish(&image);
    bench_close(&bench);
}

// An image seldom fills its sectors: what stands beside it is erased with them, and put back.
static void restore__keeps_what_stands_beside_the_image_in_its_sectors(void **state)
{
    (void)state;
    enum { SECTOR = 2048, AT = 100, LENGTH = SECTOR };
    static uint8_t bytes[LENGTH], before[2 * SECTOR], after[2 * SECTOR];
    static const size_t lengths[] = {LENGTH, 6, SECTOR - AT};
    memset(bytes, 0x5A, sizeof bytes);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct image_file image = {
            .bytes = bytes, .length = lengths[i], .has_address = true, .address = FIRST_PAGE + AT};
        static struct bench bench;
        bench_open(&bench, "sim:dfu-mode");
        assert_true(dfuse_read(&bench.probe, FIRST_PAGE, before, sizeof before, bench.why,
                               sizeof bench.why));
        bench.backup.restore = &image;

        assert_true(bench_is_ready(&bench));
        assert_int_equal(bench_write_something(&bench), 0);
        assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

        memcpy(before + AT, bytes, lengths[i]);
        assert_true(
            dfuse_read(&bench.probe, FIRST_PAGE, after, sizeof after, bench.why, sizeof bench.why));
        assert_memory_equal(after, before, sizeof after);
        bench_close(&bench);
    }
}

static void restore__refuses_an_image_that_is_larger_than_its_memory(void **state)
{
    (void)state;
    static uint8_t bytes[2048];
    struct image_file image = {
        .bytes = bytes, .length = sizeof bytes, .has_address = true, .address = 0x0801FFFF};
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    bench.backup.restore = &image;

    assert_false(bench_is_ready(&bench));

    bench_assert_ends(&bench, FLASH_NOT_WRITTEN, "larger than the memory at its address");
    bench_close(&bench);
}

static void restore__refuses_a_file_for_another_device(void **state)
{
    (void)state;
    static uint8_t bytes[2048];
    struct image_file image = {.bytes = bytes,
                               .length = sizeof bytes,
                               .has_suffix = true,
                               .idVendor = 0x1234,
                               .idProduct = 0xFFFF};
    static struct bench bench;
    bench_open(&bench, "sim:dfu-plain");
    bench.backup.restore = &image;

    assert_false(bench_is_ready(&bench));

    bench_assert_ends(&bench, FLASH_NOT_WRITTEN, "is for 1234:ffff, and this device is 1209:0002");
    bench_close(&bench);
}

static void restore__refuses_memory_that_is_not_there(void **state)
{
    (void)state;
    const uint8_t page[2048] = {0};
    struct image_file image = {
        .bytes = (uint8_t *)(uintptr_t)page,
        .length = sizeof page,
        .has_address = true,
        .address = FIRST_PAGE + 0x10000,
        .more = {{FIRST_PAGE + 0x20000, sizeof page, page}},
        .more_count = 1,
    };
    static struct bench bench;
    bench_open(&bench, "sim:layout-names-more");
    bench.backup.restore = &image;

    assert_false(bench_is_ready(&bench));

    assert_non_null(strstr(bench.why, "cannot be written"));
    bench_assert_ends(&bench, FLASH_NOT_WRITTEN, "cannot be written");
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_of_dfuse__is_on_disk_before_anything_is_written),
        cmocka_unit_test(run__puts_back_the_page_that_a_run_that_was_cut_off_has_left),
        cmocka_unit_test(
            run__writes_nothing_where_other_memory_has_changed_and_says_how_to_restore_it),
        cmocka_unit_test(restore__puts_back_all_memory_that_a_run_that_was_cut_off_has_spoilt),
        cmocka_unit_test(restore__keeps_what_stands_beside_the_image_in_its_sectors),
        cmocka_unit_test(restore__refuses_an_image_that_is_larger_than_its_memory),
        cmocka_unit_test(restore__refuses_a_file_for_another_device),
        cmocka_unit_test(restore__refuses_memory_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
