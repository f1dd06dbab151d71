// SPDX-License-Identifier: MIT
//
// One defect, one FAIL: what a check says that is not met because one that it presumes is not.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"
#include <conformance/runner.h>

// A boot loader that no bus reset ends.
static const char device[] = "sim:wait-reset,defect=dm-reset-stays";

static enum run_status
run_on(const char *name, const struct runner_options *options, struct report *report)
{
    struct target *target = open_target(name);
    enum run_status status = runner_run(options, target, name, report);
    target->ops->close(target);
    return status;
}

static enum run_status run_with(const struct runner_options *options, struct report *report)
{
    return run_on(device, options, report);
}

static const struct result *result_of(const struct report *report, const char *id)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->results[i].check->id, id) == 0)
            return &report->results[i];
    }
    fail_msg("%s is not in the report", id);
    return NULL;
}

static void consequence__names_the_check_that_fails_and_keeps_its_finding(void **state)
{
    (void)state;
    struct report report;

    run_with(&(struct runner_options){.only = "DM-RESET-*"}, &report);

    const struct result *result = result_of(&report, "DM-RESET-02");
    assert_int_equal(result_of(&report, "DM-RESET-01")->verdict, VERDICT_FAIL);
    assert_int_equal(result->verdict, VERDICT_INCONCLUSIVE);
    assert_ptr_equal(result->root, catalogue_find("DM-RESET-01"));
    assert_non_null(strstr(result->finding.message, "DM-RESET-01"));
    assert_string_equal(result->finding.received, "the device is in DFU mode");
    assert_int_equal(report.counts[VERDICT_FAIL], 1);
    report_finish(&report);
}

static void consequence__is_found_where_the_other_check_was_not_selected(void **state)
{
    (void)state;
    struct report report;

    run_with(&(struct runner_options){.only = "DM-RESET-02"}, &report);

    assert_int_equal(report.count, 1);
    assert_int_equal(report.results[0].verdict, VERDICT_INCONCLUSIVE);
    assert_ptr_equal(report.results[0].root, catalogue_find("DM-RESET-01"));
    report_finish(&report);
}

// What is presumed is not to be judged, by a person's leave or order: the others stand for it.
static void consequence__is_a_failure_where_the_other_check_is_skipped(void **state)
{
    (void)state;
    struct report report;

    run_with(&(struct runner_options){.only = "DM-RESET-*", .skip = "DM-RESET-01"}, &report);

    assert_int_equal(result_of(&report, "DM-RESET-02")->verdict, VERDICT_FAIL);
    report_finish(&report);
}

static void waived_failure__excuses_itself_alone(void **state)
{
    (void)state;
    struct waiver waiver = {"DM-RESET-01", "known"};
    const struct waivers waivers = {.list = &waiver, .count = 1};
    struct report report;

    enum run_status status =
        run_with(&(struct runner_options){.only = "DM-RESET-*", .waivers = &waivers}, &report);

    assert_int_equal(result_of(&report, "DM-RESET-02")->verdict, VERDICT_FAIL);
    assert_int_equal(status, RUN_FAILED);
    report_finish(&report);
}

// Wherever the request is sent that crashes a device, the check that is about it has the FAIL: no
// product is blamed for its boot loader.
static void crash__is_a_failure_of_the_check_that_is_about_the_request(void **state)
{
    (void)state;
    static const struct {
        const char *device;
        const char *id;
    } crashes[] = {
        {"sim:crashes-at-detach", "RT-DETACH-01"},
        {"sim:crashes-at-dnload", "DM-STATE-2-DNLOAD"},
        {"sim:crashes-at-string", "CH9-STR-02"},
        {"sim:crashes-at-upload", "REQ-05a"},
    };
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
        struct report report;
        run_on(crashes[i].device, &(struct runner_options){.only = NULL}, &report);
        assert_int_equal(result_of(&report, crashes[i].id)->verdict, VERDICT_FAIL);
        assert_int_equal(report.counts[VERDICT_FAIL], 1);
        report_finish(&report);
    }
}

// The way back is another one then, and the run is not green.
static void crash_on_the_way_back__is_none_of_the_check_that_goes_there(void **state)
{
    (void)state;
    struct report report;

    // With leave to write the way back is a download.
    run_on("sim:crashes-at-dnload",
           &(struct runner_options){.only = "RT-DETACH-01", .allow_write = true}, &report);

    assert_int_equal(report.results[0].verdict, VERDICT_PASS);
    assert_in_range(report.losses, 1, 2);
    assert_int_equal(report.status, RUN_NOT_JUDGED);
    report_finish(&report);
}

// What one fault cannot explain is another fault, and both have their FAIL.
static void two_faults__have_a_failure_each(void **state)
{
    (void)state;
    static const struct {
        const char *device;
        const char *ids[2];
    } pairs[] = {
        {"sim:will-detach,defect=leaves-before-status+returns-as-another",
         {"RT-DETACH-01", "RT-RETURN-02"}},
        {"sim:will-detach,defect=leaves-before-status+reset-bounces",
         {"RT-DETACH-01", "RT-RETURN-01"}},
        {"sim:will-detach,defect=state-0-GETSTATUS+leaves-before-status",
         {"RT-STATE-0-GETSTATUS", "RT-DETACH-01"}},
        {"sim:will-detach,defect=state-0-DNLOAD-0-untold+leaves-before-status",
         {"RT-STATE-0-DNLOAD-0", "RT-DETACH-01"}},
        {"sim:will-detach,defect=functional-missing+leaves-before-status",
         {"RT-DESC-01b", "RT-DETACH-01"}},
        {"sim:will-detach,defect=functional-missing+rt-protocol-0", {"RT-DESC-01b", "RT-DESC-02a"}},
        {"sim:will-detach,defect=functional-missing+reset-bounces",
         {"RT-DESC-01b", "RT-RETURN-01"}},
        {"sim:will-detach,defect=rt-protocol-0+returns-as-another",
         {"RT-DESC-02a", "RT-RETURN-02"}},
        {"sim:will-detach,defect=dm-protocol-1+ds-stays", {"DM-DESC-03c", "DS-LEAVE-01"}},
        {"sim:wait-reset,defect=dm-protocol-1+dm-reset-stays-in-error",
         {"DM-DESC-03c", "DM-RESET-03"}},
        {"sim:will-detach,defect=dfu-interface-twice+interface-ff", {"RT-DESC-01a", "CH9-REQ-06"}},
        {"sim:will-detach,defect=dfu-interface-twice+interface-status",
         {"RT-DESC-01a", "CH9-REQ-14"}},
        {"sim:will-detach,defect=self-powered+interface-status", {"CH9-REQ-11", "CH9-REQ-14"}},
        {"sim:composite,defect=self-powered+halt-ignored", {"CH9-REQ-11", "CH9-REQ-18"}},
        {"sim:composite,defect=endpoint-0-status+halt-refused", {"CH9-REQ-16", "CH9-REQ-18"}},
        {"sim:will-detach,defect=state-no-bytes+slow-return", {"REQ-01b", "RT-DETACH-05"}},
        {"sim:will-detach,defect=configuration-value-0+descriptor-any",
         {"CH9-CFG-07", "CH9-REQ-19"}},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct report report;
        run_on(pairs[i].device, &(struct runner_options){.allow_write = true}, &report);
        for (size_t id = 0; id < 2; id++) {
            if (result_of(&report, pairs[i].ids[id])->verdict != VERDICT_FAIL)
                fail_msg("%s: no FAIL of %s", pairs[i].device, pairs[i].ids[id]);
        }
        report_finish(&report);
    }
}

// Of some 300 checks a few are about the request, or cannot do without it.
static void broken_request__leaves_nearly_all_checks_judged(void **state)
{
    (void)state;
    static const struct {
        const char *device;
        const char *id;
        unsigned not_judged;
    } broken[] = {
        {"sim:will-detach,defect=state-0-GETSTATE-hangs", "REQ-01b", 8},
        {"sim:wait-reset,defect=state-0-GETSTATE-hangs", "REQ-01b", 8},
        {"sim:will-detach,defect=state-3-GETSTATE-silent", "DM-STATE-3-GETSTATE", 4},
        {"sim:will-detach,defect=state-3-GETSTATE-none", "DM-STATE-3-GETSTATE", 0},
        {"sim:wait-reset,defect=state-6-GETSTATE-none", "DM-STATE-6-GETSTATE", 0},
        {"sim:will-detach,defect=state-10-GETSTATE-none", "DM-STATUS-02", 2},
        {"sim:will-detach,defect=state-10-GETSTATE-hangs", "DM-STATE-10-GETSTATE", 5},
        {"sim:wait-reset,defect=state-10-GETSTATE-hangs", "DM-STATE-10-GETSTATE", 5},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct report report;
        run_on(broken[i].device, &(struct runner_options){.allow_write = true}, &report);
        if (result_of(&report, broken[i].id)->verdict != VERDICT_FAIL ||
            report.counts[VERDICT_FAIL] != 1 ||
            report.counts[VERDICT_INCONCLUSIVE] > broken[i].not_judged || report.not_as_found)
            fail_msg("%s: %zu FAILs, %zu INCONCLUSIVE, \"%s\"", broken[i].device,
                     (size_t)report.counts[VERDICT_FAIL],
                     (size_t)report.counts[VERDICT_INCONCLUSIVE], report.ending);
        report_finish(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consequence__names_the_check_that_fails_and_keeps_its_finding),
        cmocka_unit_test(consequence__is_found_where_the_other_check_was_not_selected),
        cmocka_unit_test(consequence__is_a_failure_where_the_other_check_is_skipped),
        cmocka_unit_test(waived_failure__excuses_itself_alone),
        cmocka_unit_test(crash__is_a_failure_of_the_check_that_is_about_the_request),
        cmocka_unit_test(two_faults__have_a_failure_each),
        cmocka_unit_test(broken_request__leaves_nearly_all_checks_judged),
        cmocka_unit_test(crash_on_the_way_back__is_none_of_the_check_that_goes_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
