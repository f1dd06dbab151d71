// SPDX-License-Identifier: MIT
//
// The memory of a DfuSe device beside the page that checks write: whatever it does by itself, it is
// not written, and nobody is blamed for it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "backup_bench.h"
#include <conformance/modes.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

// A ROM that parts of several sizes share names the memory of the largest.
static void page__is_in_memory_that_is_there(void **state)
{
    (void)state;
    static const char *const devices[] = {
        "sim:layout-names-more",
        "sim:layout-names-more-late",
        "sim:layout-names-more-vendor",
        "sim:layout-names-more-short",
    };
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        static struct bench bench;
        bench_open(&bench, devices[i]);

        assert_true(bench_is_ready(&bench));

        assert_int_equal(bench.backup.memory.regions[0].sectors, 64);
        assert_int_equal(bench.probe.gate.kept.page.last, 0x0801FFFF);
        assert_non_null(bench.backup.rest);
        bench_close(&bench);
    }
}

static void memory_that_cannot_be_read_any_more__is_not_written(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(bench_is_ready(&bench));
    assert_true(bench_erase_page(&bench));
    bench.cable.hides = true;

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_int_equal(bench.cable.erased_below, 0);
    bench_assert_ends(&bench, FLASH_NOT_VERIFIED, "flash NOT verified");
    bench_close(&bench);
}

// Like a counter of starts: to write what it was would spoil it.
static void memory_that_changes_by_itself__is_neither_compared_nor_written(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    bench.cable.restless = true;
    assert_true(bench_is_ready(&bench));
    assert_true(bench_erase_page(&bench));

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_int_equal(bench.cable.erased_below, 0);
    bench_assert_ends(&bench, FLASH_RESTORED, "flash restored");
    bench_close(&bench);
}

static void memory_that_is_misread__is_read_again_and_not_written(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(bench_is_ready(&bench));
    assert_true(bench_erase_page(&bench));
    bench.cable.misreads = true;

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_int_equal(bench.cable.erased_below, 0);
    bench_assert_ends(&bench, FLASH_RESTORED, "flash restored");
    bench_close(&bench);
}

static void memory_that_begins_to_change__is_not_written(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(bench_is_ready(&bench));
    assert_true(bench_erase_page(&bench));
    bench.cable.restless = true;

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_int_equal(bench.cable.erased_below, 0);
    bench_assert_ends(&bench, FLASH_NOT_VERIFIED, "two reads of the sector at 08000000h differ");
    bench_close(&bench);
}

// ---- DfuSe: the memory of other alternate settings, the option bytes here ----

static void memory_of_another_setting__that_changed_is_told(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(bench_is_ready(&bench));
    assert_true(bench_erase_page(&bench));
    bench.cable.changed = 0x01;

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    bench_assert_ends(&bench, FLASH_LOST, "1 of 16 bytes differ");
    bench_close(&bench);
}

static void memory_of_another_setting__that_changes_by_itself_is_not_compared(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    bench.cable.flickers = true;
    assert_true(bench_is_ready(&bench));
    assert_true(bench_erase_page(&bench));

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    bench_assert_ends(&bench, FLASH_RESTORED, "flash restored");
    bench_close(&bench);
}

static void memory_that_is_misread__is_read_again_and_not_blamed(void **state)
{
    (void)state;
    static struct bench bench;
    bool same = false;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(bench_is_ready(&bench));
    bench.cable.misreads = true;

    assert_true(backup_compare_rest(&bench.probe, &same, bench.why, sizeof bench.why));

    assert_true(same);
    bench_close(&bench);
}

static void memory_of_another_setting__that_is_misread_is_no_difference(void **state)
{
    (void)state;
    static struct bench bench;
    bool same = false;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(bench_is_ready(&bench));
    bench.cable.flickers = true;

    assert_true(backup_compare_rest(&bench.probe, &same, bench.why, sizeof bench.why));

    assert_true(same);
    bench_close(&bench);
}

static void firmware__is_started_between_two_readings(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:counts-starts");
    assert_true(mode_leave_dfu(&bench.probe, false, bench.why, sizeof bench.why));
    assert_true(mode_enter_dfu(&bench.probe, bench.why, sizeof bench.why));
    assert_true(bench_is_ready(&bench));
    assert_true(bench_erase_page(&bench));

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_int_equal(bench.cable.erased_below, 0);
    bench_assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page__is_in_memory_that_is_there),
        cmocka_unit_test(memory_that_cannot_be_read_any_more__is_not_written),
        cmocka_unit_test(memory_that_changes_by_itself__is_neither_compared_nor_written),
        cmocka_unit_test(memory_that_is_misread__is_read_again_and_not_written),
        cmocka_unit_test(memory_that_begins_to_change__is_not_written),
        cmocka_unit_test(memory_of_another_setting__that_changed_is_told),
        cmocka_unit_test(memory_of_another_setting__that_changes_by_itself_is_not_compared),
        cmocka_unit_test(memory_that_is_misread__is_read_again_and_not_blamed),
        cmocka_unit_test(memory_of_another_setting__that_is_misread_is_no_difference),
        cmocka_unit_test(firmware__is_started_between_two_readings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
