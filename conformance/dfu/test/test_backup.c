// SPDX-License-Identifier: MIT
//
// What checks write over, from the first upload to the last line: on boot loaders that program what
// they are sent.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "backup_bench.h"
#include <conformance/dfuse.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

static const char plain[] = "sim:dfu-plain";

// These boot loaders were not seen at run time, and are not made to leave DFU mode.
static const char in_one_stay[] = "flash restored (read back equal, in the same stay in DFU mode)";

// ---- A device that is as it should be ----

static void image__is_on_disk_before_anything_is_written(void **state)
{
    (void)state;
    struct image_file image;
    static struct bench bench;
    bench_open(&bench, plain);

    assert_true(bench_is_ready(&bench));

    assert_true(image_file_read(&image, bench.backup.file.path, bench.why, sizeof bench.why));
    assert_int_equal(image.length, bench.backup.length);
    assert_memory_equal(image.bytes, bench.backup.bytes, image.length);
    assert_ptr_equal(bench.probe.gate.kept.image, bench.backup.bytes);
    image_file_finish(&image);
    bench_close(&bench);
}

static void image__is_put_back_and_its_file_removed(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    assert_int_equal(bench.backup.fate.read_back, bench.backup.length);
    assert_int_equal(bench_write_something(&bench), 0);

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    bench_assert_ends(&bench, FLASH_RESTORED, in_one_stay);
    assert_false(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

// A file name cannot hold each character, and not a hundred of them.
static void file__is_not_that_of_a_device_with_another_serial_number(void **state)
{
    (void)state;
    static const char *const serials[][2] = {
        {"A-1", "A.1"},
        {"\xEA\xB0\x80", "\xEA\xB0\x81"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789A",
         "0123456789012345678901234567890123456789012345678901234567890123456789B"},
    };
    for (size_t i = 0; i < sizeof serials / sizeof *serials; i++) {
        char names[2][BACKUP_PATH];
        for (size_t j = 0; j < 2; j++) {
            static struct bench bench;
            char device[120];
            snprintf(device, sizeof device, "sim:dfu-plain,serial=%s", serials[i][j]);
            bench_open(&bench, device);
            assert_false(backup_is_left_over(&bench.probe));
            assert_true(bench.backup.file.has_serial);
            snprintf(names[j], sizeof names[j], "%s", strrchr(bench.backup.file.path, '/'));
            bench_close(&bench);
        }
        assert_string_not_equal(names[0], names[1]);
    }
}

// The next run is one of another process: nothing but the file is left.
static void run__puts_back_what_a_run_that_was_cut_off_has_left(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(bench_is_ready(&bench));
    assert_int_equal(bench_write_something(&bench), 0);
    backup_finish(&bench.backup);

    bench_begin_run(&bench);
    assert_true(backup_is_left_over(&bench.probe));
    assert_true(bench_is_ready(&bench));

    bench_assert_ends(&bench, FLASH_RESTORED, in_one_stay);
    assert_false(bench_keeps_on_disk(&bench));
    bench_close(&bench);
}

static void page__is_the_last_one_that_is_blank(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");

    assert_true(bench_is_ready(&bench));

    assert_true(bench.backup.is_page);
    assert_int_equal(bench.probe.gate.kept.page.last, 0x0801FFFF);
    bench_assert_ends(&bench, FLASH_UNCHANGED, "flash unchanged (verified)");
    bench_close(&bench);
}

static void page__is_put_back_where_an_erase_keeps_what_is_there(void **state)
{
    (void)state;
    static const uint8_t others[16] = "not blank";
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(bench_is_ready(&bench));
    bench.cable.keeps = true;
    assert_true(dfuse_write(&bench.probe, bench.backup.address, others, sizeof others, bench.why,
                            sizeof bench.why));

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    bench_assert_ends(&bench, FLASH_RESTORED, in_one_stay);
    bench_close(&bench);
}

// A plug that is pulled says nothing of what an upload returns: the proof is made again.
static void image__is_proved_again_where_the_plug_was_pulled(void **state)
{
    (void)state;
    enum {
        BLOCKS = 12
    }; // two, the same changed, the whole image; and the first of its restoration
    for (unsigned block = 1; block <= BLOCKS; block++) {
        static struct bench bench;
        bench_open(&bench, plain);
        bench.cable.pulled_at = block;

        if (!bench_is_ready(&bench) || !bench.backup.fate.proved)
            fail_msg("at block %u: %s", block, bench.why);
        bench_assert_ends(&bench, FLASH_RESTORED, "flash restored");
        bench_close(&bench);
    }
}

// A signal ends the check that asked for the backup, and the run puts back what was written: at
// each request of the backup and its proof.
static void backup__is_whole_wherever_a_signal_ends_it(const char *device)
{
    bool ready = false;
    for (unsigned request = 1; !ready; request++) {
        static struct bench bench;
        char line[PROBE_WORDS] = "";
        bench_open(&bench, device);
        bench.cable.cut_at = bench.cable.requests + request;

        bool was_cut = (bench_is_ready(&bench), bench.cable.requests >= bench.cable.cut_at);
        ready = !was_cut;
        bench.cable.cut_at = 0;
        bool restored = backup_restore(&bench.probe, bench.why, sizeof bench.why);
        backup_read_last(&bench.probe);
        enum flash_ending ending = backup_end(&bench.probe, line, sizeof line);

        if (!restored ||
            (ending != FLASH_UNCHANGED && ending != FLASH_RESTORED && ending != FLASH_NOT_WRITTEN))
            fail_msg("%s cut off at request %u: %s; %s", device, request, bench.why, line);
        bench_close(&bench);
    }
}

static void image__is_whole_wherever_a_signal_ends_the_proof(void **state)
{
    (void)state;
    backup__is_whole_wherever_a_signal_ends_it(plain);
}

static void page__is_whole_wherever_a_signal_ends_the_backup(void **state)
{
    (void)state;
    backup__is_whole_wherever_a_signal_ends_it("sim:dfu-mode");
}

// A device that was seen at run time is read in another stay in DFU mode, too: the signal may come
// while it is at run time.
static void restored_firmware__is_read_in_another_stay_wherever_a_signal_came(void **state)
{
    (void)state;
    static const char *const devices[] = {"sim:wait-reset", "sim:will-detach"}; // plain, DfuSe
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        bool whole = false;
        for (unsigned request = 1; !whole; request++) {
            static struct bench bench;
            bench_open(&bench, devices[i]);
            assert_true(bench_is_ready(&bench));
            gate_assume_written(&bench.probe.gate);
            bench.cable.cut_at = bench.cable.requests + request;

            whole = backup_restore(&bench.probe, bench.why, sizeof bench.why) &&
                    bench.cable.requests < bench.cable.cut_at;
            bench.cable.cut_at = 0;
            if (!backup_restore(&bench.probe, bench.why, sizeof bench.why))
                fail_msg("%s cut off at request %u: %s", devices[i], request, bench.why);

            bench_assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
            bench_close(&bench);
        }
    }
}

// ---- A device that takes long ----

static char told[512];

static void note_told(const char *what, const char *text)
{
    size_t length = strlen(told);
    snprintf(told + length, sizeof told - length, "%s %s\n", what, text);
}

static const char *told_of(const char *device)
{
    static struct bench bench;
    bench_open(&bench, device);
    told[0] = '\0';
    bench.backup.options.tell = note_told;
    bench_is_ready(&bench);
    bench_close(&bench);
    return told;
}

static void slow_device__is_foretold_when_its_memory_is_known(void **state)
{
    (void)state;

    assert_non_null(strstr(told_of("sim:five-mib"), "5242880 bytes in blocks of 64 take "));
    assert_non_null(strstr(told_of("sim:takes-blocks-slowly"), " s to download and to upload"));
    assert_null(strstr(told_of("sim:transfer-size-64"), "slow"));
    assert_null(strstr(told_of("sim:dfu-mode"), "slow"));
}

// ---- Without leave ----

static void without_leave__nothing_is_kept_and_nothing_written(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.probe.gate.leave.write = false;

    assert_false(backup_is_left_over(&bench.probe));
    assert_false(bench_is_ready(&bench));

    assert_int_equal(bench.cable.blocks, 0);
    bench_assert_ends(&bench, FLASH_NOT_WRITTEN, "--allow-write");
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image__is_on_disk_before_anything_is_written),
        cmocka_unit_test(image__is_put_back_and_its_file_removed),
        cmocka_unit_test(file__is_not_that_of_a_device_with_another_serial_number),
        cmocka_unit_test(run__puts_back_what_a_run_that_was_cut_off_has_left),
        cmocka_unit_test(image__is_proved_again_where_the_plug_was_pulled),
        cmocka_unit_test(image__is_whole_wherever_a_signal_ends_the_proof),
        cmocka_unit_test(page__is_whole_wherever_a_signal_ends_the_backup),
        cmocka_unit_test(restored_firmware__is_read_in_another_stay_wherever_a_signal_came),
        cmocka_unit_test(page__is_the_last_one_that_is_blank),
        cmocka_unit_test(page__is_put_back_where_an_erase_keeps_what_is_there),
        cmocka_unit_test(slow_device__is_foretold_when_its_memory_is_known),
        cmocka_unit_test(without_leave__nothing_is_kept_and_nothing_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
