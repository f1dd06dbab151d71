// SPDX-License-Identifier: MIT
//
// A device that is lost at any of its requests: the run says so and is not green, whatever brought
// the device back; and a device that is lost once is not blamed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "losing_target.h"
#include "opened_target.h"
#include <conformance/runner.h>

enum {
    STEP = 47 * ONE_IN, // of the numbers that are tried
    WHOLE = 2200,       // requests that a run sends for certain
};

static const char *const devices[] = {"sim:will-detach", "sim:wait-reset", "sim:dfu-plain"};

static void run_target(struct report *report, struct losing_target *losing, const char *text)
{
    runner_run(&(struct runner_options){.allow_write = true}, &losing->wrapped.base, text, report);
    losing->wrapped.base.ops->close(&losing->wrapped.base);
}

static void run_losing(struct report *report, const char *text, unsigned lost_at, bool each_time)
{
    struct losing_target losing;
    losing_target_init(&losing, open_target(text), lost_at);
    losing.each_time = each_time;
    run_target(report, &losing, text);
}

static bool is_told(const struct report *report, const char *text, unsigned lost_at)
{
    if (report->status == RUN_NOT_JUDGED && report->losses == 1 && *report->loss)
        return true;
    print_error("%s, lost at request %u: status %d, %u losses, \"%s\"; %s\n", text, lost_at,
                (int)report->status, report->losses, report->loss, report->flash);
    for (size_t i = 0; i < report->count; i++) {
        if (report->results[i].verdict == VERDICT_FAIL)
            print_error("  FAIL %s: %s\n", report->results[i].check->id,
                        report->results[i].finding.received);
    }
    return false;
}

static void device_that_is_lost_once__is_told_and_not_blamed(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        for (unsigned lost_at = 1; lost_at < WHOLE; lost_at += STEP) {
            struct report report;
            run_losing(&report, devices[i], lost_at, false);
            wrong += !is_told(&report, devices[i], lost_at);
            report_finish(&report);
        }
    }
    assert_int_equal(wrong, 0);
}

static void device_that_is_lost_again_and_again__fails(void **state)
{
    (void)state;
    for (unsigned lost_at = 100; lost_at < 900; lost_at += STEP) {
        struct report report;
        run_losing(&report, "sim:will-detach", lost_at, true);
        if (report_count(&report, OUTCOME_BROKEN) == 0 || report.losses < 2)
            fail_msg("lost at each request %u: status %d, %u losses", lost_at, (int)report.status,
                     report.losses);
        report_finish(&report);
    }
}

// Whatever it was lost at, no way is closed that puts its memory back.
static void device_that_is_lost_again_and_again__is_restored(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        for (unsigned lost_at = 260; lost_at < 800; lost_at += 2 * STEP) {
            struct report report;
            run_losing(&report, devices[i], lost_at, true);
            wrong += report.status == RUN_NOT_AS_FOUND;
            if (report.status == RUN_NOT_AS_FOUND)
                print_error("%s, lost at each request %u: %s, %s\n", devices[i], lost_at,
                            report.flash, report.ending);
            report_finish(&report);
        }
    }
    assert_int_equal(wrong, 0);
}

// It leaves in a later check than the one that began the manifestation, unless it is waited for.
static void device_that_restarts_after_manifestation__is_not_lost(void **state)
{
    (void)state;
    struct report report;

    run_losing(&report, "sim:restarts-once-manifested", 0, false);

    assert_int_equal(report.losses, 0);
    assert_int_not_equal(report.status, RUN_NOT_AS_FOUND);
    report_finish(&report);
}

// DFU 1.1 forbids it nowhere, so that no check may fail, and each is judged after another DETACH.
static void boot_loader_that_leaves_by_itself__is_told_and_not_lost(void **state)
{
    (void)state;
    static const struct {
        const char *device;
        const char *how;
    } rows[] = {
        {"sim:leaves-when-idle", "3000 ms after the last request"},
        {"sim:leaves-when-idle-for-a-moment", "ms after the last request"},
        {"sim:leaves-soon-dfuse", "ms after its enumeration"},
        {"sim:leaves-at-once", "ms after its enumeration"},
        {"sim:leaves-at-once-dfuse", "ms after its enumeration"},
        {"sim:leaves-at-once-at-power-on", "ms after its enumeration"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct report report;
        run_losing(&report, rows[i].device, 0, false);
        if (report.losses || report.status != RUN_MET || !strstr(report.departure, rows[i].how))
            fail_msg("%s: status %d, \"%s\"; \"%s\"", rows[i].device, (int)report.status,
                     report.departure, report.loss);
        report_finish(&report);
    }
}

// Such a departure explains no other loss, not even one in the same check: of the first request
// behind it.
static void boot_loader_that_leaves_by_itself__is_lost_all_the_same(void **state)
{
    (void)state;
    const char *text = "sim:leaves-at-once";
    struct losing_target whole;
    struct report report;
    unsigned wrong = 0;
    losing_target_init(&whole, open_target(text), 0);
    run_target(&report, &whole, text);
    report_finish(&report);
    assert_in_range(whole.waits, 20, LOSING_WAITS);
    for (unsigned i = 0; i < whole.waits; i++) {
        unsigned lost_at = whole.waited_at[i] + 1;
        run_losing(&report, text, lost_at, false);
        bool told = report.losses > 0 && report.status == RUN_NOT_JUDGED;
        wrong += lost_at <= whole.requests && !told && !is_told(&report, text, lost_at);
        report_finish(&report);
    }
    assert_int_equal(wrong, 0);
}

// Where its power cannot be cycled, an earlier check has lost it for good.
static void device_that_only_power_brings_back__fails_what_is_about_that(void **state)
{
    (void)state;
    static const struct {
        const char *text, *id;
    } lost[] = {
        {"sim:never-returns", "RT-DETACH-05"},
        {"sim:wait-reset,defect=dm-reset-keeps-manifested", "DM-RESET-04"},
        {"sim:silent-until-reset,defect=dm-reset-keeps-manifested", "DM-RESET-04"},
    };
    for (size_t d = 0; d < sizeof lost / sizeof lost[0]; d++) {
        struct losing_target losing;
        struct report report;
        struct target *target = open_target(lost[d].text);

        target->capabilities &= ~(unsigned)TARGET_CAN_POWER;
        losing_target_init(&losing, target, 0);
        run_target(&report, &losing, lost[d].text);

        assert_int_equal(report.status, RUN_NOT_AS_FOUND);
        assert_int_equal(report.counts[VERDICT_FAIL], 1);
        for (size_t i = 0; i < report.count; i++) {
            if (report.results[i].verdict == VERDICT_FAIL)
                assert_string_equal(report.results[i].check->id, lost[d].id);
        }
        report_finish(&report);
    }
}

static void boot_loader_that_leaves_in_a_transfer__is_sent_no_download(void **state)
{
    (void)state;
    struct report report;

    run_losing(&report, "sim:leaves-in-a-transfer", 0, false);

    assert_int_equal(report.status, RUN_MET);
    assert_int_equal(report.losses, 0);
    assert_non_null(strstr(report.flash, "flash not written: the boot loader leaves DFU mode by "
                                         "itself"));
    report_finish(&report);
}

static void boot_loader_that_restarts_at_a_request__is_not_taken_for_one_that_leaves(void **state)
{
    (void)state;
    static const char *const defects[] = {"dm-restarts-at-request-260", "dm-restarts-at-unknown"};
    for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
        struct report report;
        char text[100];
        snprintf(text, sizeof text, "sim:will-detach,defect=%s", defects[i]);
        run_losing(&report, text, 0, false);
        assert_string_equal(report.departure, "");
        assert_int_equal(report.status, RUN_FAILED);
        assert_true(report.losses >= 2);
        report_finish(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_that_is_lost_once__is_told_and_not_blamed),
        cmocka_unit_test(device_that_is_lost_again_and_again__fails),
        cmocka_unit_test(device_that_is_lost_again_and_again__is_restored),
        cmocka_unit_test(boot_loader_that_leaves_by_itself__is_told_and_not_lost),
        cmocka_unit_test(boot_loader_that_leaves_by_itself__is_lost_all_the_same),
        cmocka_unit_test(device_that_only_power_brings_back__fails_what_is_about_that),
        cmocka_unit_test(boot_loader_that_leaves_in_a_transfer__is_sent_no_download),
        cmocka_unit_test(boot_loader_that_restarts_at_a_request__is_not_taken_for_one_that_leaves),
        cmocka_unit_test(device_that_restarts_after_manifestation__is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
