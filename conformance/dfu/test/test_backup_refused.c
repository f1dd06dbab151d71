// SPDX-License-Identifier: MIT
//
// Boot loaders that a backup cannot be made of, that program other bytes, or refuse to: what is
// sent to them, and what the last line says.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "backup_bench.h"
#include <conformance/download.h>
#include <conformance/modes.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

static const char plain[] = "sim:dfu-plain";

static void come_back_in_dfu_mode(struct bench *bench)
{
    assert_int_equal(probe_power_cycle(&bench->probe), 0);
    if (!mode_enter_dfu(&bench->probe, bench->why, sizeof bench->why))
        fail_msg("%s", bench->why);
}

// ---- Uploads that cannot be firmware ----

static void upload_that_is_no_firmware__lets_nothing_be_written(void **state)
{
    (void)state;
    static const char *const devices[][2] = {
        {"sim:upload-3-bytes", "too short"},
        {"sim:upload-fixed-text", "a text"},
        {"sim:upload-blank", "blank"},
        {"sim:upload-first-block", "one block"},
        {"sim:upload-changes", "two uploads differ"},
    };
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        static struct bench bench;
        bench_open(&bench, devices[i][0]);

        assert_false(bench_is_ready(&bench));

        assert_int_equal(bench.cable.blocks, 0);
        if (!strstr(bench.why, devices[i][1]))
            fail_msg("%s: %s", devices[i][0], bench.why);
        bench_close(&bench);
    }
}

// ---- Devices that cannot be written to ----

static void wrong_programmer__is_sent_two_blocks_and_no_end(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.cable.spoils = true;

    assert_false(bench_is_ready(&bench));

    assert_in_range(bench.cable.blocks, 1, 2 * BACKUP_TRIES);
    assert_int_equal(bench.cable.ends, 0);
    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    assert_in_range(bench.cable.blocks, 1, 2 * BACKUP_TRIES);
    bench_assert_ends(&bench, FLASH_LOST, "bytes differ");
    assert_true(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

static void memory_that_is_not_to_be_written__is_unchanged(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:first-memory-protected");

    assert_false(bench_is_ready(&bench));

    assert_non_null(strstr(bench.why, "can be written: its first block ends in errWRITE"));
    assert_int_equal(bench.cable.ends, 0);
    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    bench_assert_ends(&bench, FLASH_UNCHANGED, "flash unchanged (verified)");
    bench_close(&bench);
}

// Its first half is the firmware's own: manifested alone it would be half a firmware.
static void backup_file_that_is_cut_off__is_not_downloaded(void **state)
{
    (void)state;
    static struct bench bench;
    char path[BACKUP_PATH];
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    snprintf(path, sizeof path, "%s", bench.backup.file.path);
    off_t half = (off_t)bench.backup.length / 2;
    assert_int_equal(bench_write_something(&bench), 0);
    backup_finish(&bench.backup);
    assert_int_equal(truncate(path, half), 0);
    unsigned blocks = bench.cable.blocks;

    bench_begin_run(&bench);
    assert_false(bench_is_ready(&bench));

    assert_int_equal(bench.cable.blocks, blocks);
    assert_non_null(strstr(bench.why, "it is damaged"));
    bench_assert_ends(&bench, FLASH_NOT_VERIFIED, "is damaged: give the firmware with");
    assert_true(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

static void restore_that_is_read_as_other_bytes__ends_all_writing(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    bench.cable.spoils = true;
    assert_int_equal(bench_write_something(&bench), 0);
    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    unsigned blocks = bench.cable.blocks;

    assert_false(bench_is_ready(&bench));
    assert_int_equal(bench_write_something(&bench), USB_UNSUPPORTED);

    assert_int_equal(bench.cable.blocks, blocks);
    bench_assert_ends(&bench, FLASH_LOST, "the device does not program what it is sent");
    assert_true(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

// The plug was pulled, and another board of the kind put into the socket; then the first one again.
static void another_board__is_sent_nothing_of_the_backup(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    assert_int_equal(bench_write_something(&bench), 0);
    unsigned blocks = bench.cable.blocks;

    bench.cable.exchanged = true;
    come_back_in_dfu_mode(&bench);

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    assert_int_equal(bench_write_something(&bench), USB_UNSUPPORTED);
    assert_int_equal(bench.cable.blocks, blocks);
    bench_assert_ends(&bench, FLASH_LOST, "another board is in its place");
    bench.cable.exchanged = false;
    come_back_in_dfu_mode(&bench);
    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    bench_assert_ends(&bench, FLASH_RESTORED, "");
    bench_close(&bench);
}

// What the first one holds was restored before.
static void another_board__is_not_written_to_by_checks(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    unsigned blocks = bench.cable.blocks;

    bench.cable.exchanged = true;
    come_back_in_dfu_mode(&bench);

    assert_false(bench_is_ready(&bench));
    assert_int_equal(bench_write_something(&bench), USB_UNSUPPORTED);
    assert_int_equal(bench.cable.blocks, blocks);
    bench_assert_ends(&bench, FLASH_RESTORED, "");
    bench_close(&bench);
}

// A block may have been lost on the way, so the image is manifested again, once.
static void manifestation_that_spoils_the_image__is_not_repeated_more_than_once(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    unsigned ends = bench.cable.ends;
    bench.cable.spoils_end = true;
    assert_int_equal(bench_write_something(&bench), 0);

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_int_equal(bench.cable.ends, ends + 2);
    bench_assert_ends(&bench, FLASH_LOST, "bytes differ");
    assert_true(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

static void device_that_holds_downloads_back__has_nothing_manifested_and_is_unchanged(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:two-banks");

    assert_false(bench_is_ready(&bench));

    assert_int_equal(bench.cable.ends, 0);
    assert_int_equal(bench.cable.last, bench.backup.bytes[bench.backup.length - 1]);
    bench_assert_ends(&bench, FLASH_UNCHANGED, "flash unchanged (verified)");
    bench_close(&bench);
}

static void device_that_returns_the_old_bytes_and_does_not_start__is_not_verified(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:two-banks");
    bench.cable.stays = true;

    assert_false(bench_is_ready(&bench));

    assert_int_equal(bench.cable.ends, 0);
    bench_assert_ends(&bench, FLASH_NOT_VERIFIED, "the upload does not return");
    bench_close(&bench);
}

static void device_that_may_not_be_detached__is_not_sent_to_run_time(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:two-banks");
    bench.probe.gate.leave.detach = false;

    assert_false(bench_is_ready(&bench));

    assert_int_equal(bench.probe.mode, DEVICE_DFU_MODE);
    bench_assert_ends(&bench, FLASH_NOT_VERIFIED, "--no-detach");
    bench_close(&bench);
}

static void device_that_refuses_every_block__is_unchanged(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.cable.refuses = true;

    bench_is_ready(&bench);

    bench_assert_ends(&bench, FLASH_UNCHANGED, "flash unchanged (verified)");
    bench_close(&bench);
}

// Not the device's fault.
static void host_that_can_keep_no_file__makes_checks_inconclusive(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.backup.options.folder = "/dev/null/folder";

    bool given = backup_given(&bench.probe);

    assert_false(given);
    assert_int_equal(probe_end(&bench.probe), VERDICT_INCONCLUSIVE);
    assert_string_equal(bench.probe.judgement.finding.message,
                        "no file can be kept in /dev/null/folder: Not a directory");
    bench_assert_ends(&bench, FLASH_NOT_WRITTEN, "Not a directory");
    bench_close(&bench);
}

// ---- At another place, where it may be another board of the same serial number ----

static void device_that_moved__is_written_nothing(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.cable.moved = true;
    come_back_in_dfu_mode(&bench);

    assert_false(backup_given(&bench.probe));

    assert_int_equal(probe_end(&bench.probe), VERDICT_INCONCLUSIVE);
    assert_non_null(
        strstr(bench.probe.judgement.finding.message, "the device came back at another place"));
    assert_int_equal(bench.cable.blocks, 0);
    bench_assert_ends(&bench, FLASH_NOT_WRITTEN, "came back at another place");
    bench.cable.moved = false;
    come_back_in_dfu_mode(&bench);
    assert_true(bench_is_ready(&bench));
    bench_close(&bench);
}

// The gate is closed at once, and what was begun is put back where that was.
static void device_that_moved__is_restored_where_it_was(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    assert_int_equal(bench_write_something(&bench), 0);
    unsigned blocks = bench.cable.blocks;

    bench.cable.moved = true;
    come_back_in_dfu_mode(&bench);

    assert_int_equal(bench_write_something(&bench), USB_UNSUPPORTED);
    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    assert_int_equal(bench.cable.blocks, blocks);
    bench_assert_ends(&bench, FLASH_LOST, "came back at another place");
    assert_true(bench_keeps_on_disk(&bench));
    bench.cable.moved = false;
    come_back_in_dfu_mode(&bench);
    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    bench_assert_ends(&bench, FLASH_RESTORED, "");
    bench_close(&bench);
}

// Its blocks may be commands, and other bytes another command.
static void device_that_refuses_its_own_bytes__is_sent_no_others(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.cable.refuses = true;

    bench_is_ready(&bench);

    assert_true(bench.cable.blocks > 1);
    assert_int_equal(bench.cable.firsts, 0);
    bench_close(&bench);
}

// All arrives, and the device says that the download has not ended. A pure boot loader is judged by
// its upload alone, which was proved; any other device must start.
static void restore_that_does_not_end__is_judged_by_what_is_read(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    bench.cable.denies_end = true;
    assert_int_equal(bench_write_something(&bench), 0);

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_true(bench.cable.ends > 0);
    bench_assert_ends(&bench, FLASH_RESTORED, "flash restored (read back equal");
    bench_close(&bench);
}

static void restore_that_does_not_end__must_start(void **state)
{
    (void)state;
    for (int stays = 0; stays < 2; stays++) {
        static struct bench bench;
        bench_open(&bench, "sim:tolerant-wait-reset");
        assert_true(bench_is_ready(&bench));
        bench.cable.denies_end = true;
        bench.cable.stays = stays;
        assert_int_equal(bench_write_something(&bench), 0);

        assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

        if (stays)
            bench_assert_ends(&bench, FLASH_NOT_VERIFIED,
                              "is read as equal to it, but the device stays");
        else
            bench_assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
        assert_int_equal(bench_keeps_on_disk(&bench), stays);
        bench_close(&bench);
    }
}

// Nothing was seen to differ, and no block was worked on.
static void device_that_refuses_each_block_and_each_upload__is_not_verified(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    bench.cable.errs = true;
    download_begin(&bench.probe);
    assert_true(download_next_block(&bench.probe) >= 0);

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    bench_assert_ends(&bench, FLASH_NOT_VERIFIED, "the device refused each block");
    assert_true(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

// The block was worked on, and what became of it cannot be read.
static void device_that_worked_on_a_block_and_refuses_each_upload__is_not_verified(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    assert_int_equal(bench_write_something(&bench), 0);
    bench.cable.errs = true;

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    bench_assert_ends(&bench, FLASH_NOT_VERIFIED, "NOT verified: dfuIDLE was not reached; restore");
    bench_close(&bench);
}

// As would one whose upload is of another slot: reading does not tell which it is.
static void two_banks_of_a_device_that_does_not_leave__are_not_verified(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:two-banks-held");

    assert_false(bench_is_ready(&bench));

    assert_int_equal(bench.cable.ends, 0);
    bench_assert_ends(&bench, FLASH_NOT_VERIFIED,
                      "unchanged if the firmware starts as before; the device stays in DFU mode: "
                      "unplug it and plug it in again");
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upload_that_is_no_firmware__lets_nothing_be_written),
        cmocka_unit_test(wrong_programmer__is_sent_two_blocks_and_no_end),
        cmocka_unit_test(memory_that_is_not_to_be_written__is_unchanged),
        cmocka_unit_test(backup_file_that_is_cut_off__is_not_downloaded),
        cmocka_unit_test(restore_that_is_read_as_other_bytes__ends_all_writing),
        cmocka_unit_test(another_board__is_sent_nothing_of_the_backup),
        cmocka_unit_test(another_board__is_not_written_to_by_checks),
        cmocka_unit_test(manifestation_that_spoils_the_image__is_not_repeated_more_than_once),
        cmocka_unit_test(device_that_holds_downloads_back__has_nothing_manifested_and_is_unchanged),
        cmocka_unit_test(device_that_returns_the_old_bytes_and_does_not_start__is_not_verified),
        cmocka_unit_test(device_that_may_not_be_detached__is_not_sent_to_run_time),
        cmocka_unit_test(device_that_refuses_every_block__is_unchanged),
        cmocka_unit_test(device_that_refuses_its_own_bytes__is_sent_no_others),
        cmocka_unit_test(host_that_can_keep_no_file__makes_checks_inconclusive),
        cmocka_unit_test(device_that_moved__is_written_nothing),
        cmocka_unit_test(device_that_moved__is_restored_where_it_was),
        cmocka_unit_test(restore_that_does_not_end__is_judged_by_what_is_read),
        cmocka_unit_test(restore_that_does_not_end__must_start),
        cmocka_unit_test(two_banks_of_a_device_that_does_not_leave__are_not_verified),
        cmocka_unit_test(device_that_refuses_each_block_and_each_upload__is_not_verified),
        cmocka_unit_test(device_that_worked_on_a_block_and_refuses_each_upload__is_not_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
