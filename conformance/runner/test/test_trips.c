// SPDX-License-Identifier: MIT
//
// Trips into DFU mode: what one check has seen of a good device, the next does not go there for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"
#include <conformance/runner.h>

static void run_on(struct report *report, const char *device, const char *only)
{
    struct target *target = open_target(device);
    runner_run(&(struct runner_options){.only = only}, target, device, report);
    target->ops->close(target);
}

static const struct result *result_of(const struct report *report, const char *id)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->results[i].check->id, id) == 0)
            return &report->results[i];
    }
    fail_msg("no result for %s", id);
    return NULL;
}

static bool detaches(const struct result *result)
{
    for (size_t i = 0; i < result->transfer_count; i++) {
        const uint8_t *setup = result->transfers[i].setup;
        if (result->transfers[i].kind == TRANSCRIPT_CONTROL && setup[0] == 0x21 && setup[1] == 0)
            return true;
    }
    return false;
}

static const char *const seen_elsewhere[] = {"RT-DETACH-02", "RT-DETACH-03", "RT-DETACH-04",
                                             "RT-DETACH-05", "RT-RETURN-01", "RT-RETURN-03"};
enum { SEEN_ELSEWHERE = sizeof seen_elsewhere / sizeof seen_elsewhere[0] };

static void trip__that_was_seen_is_not_made_again(void **state)
{
    (void)state;
    struct report report;

    run_on(&report, "sim:will-detach", NULL);

    for (size_t i = 0; i < SEEN_ELSEWHERE; i++) {
        const struct result *result = result_of(&report, seen_elsewhere[i]);
        assert_int_equal(result->verdict, VERDICT_PASS);
        assert_false(detaches(result));
        assert_non_null(strstr(result->finding.message, "as was seen in RT-"));
    }
    report_finish(&report);
}

static void check_alone__makes_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < SEEN_ELSEWHERE; i++) {
        struct report report;

        run_on(&report, "sim:will-detach", seen_elsewhere[i]);

        assert_int_equal(report.results[0].verdict, VERDICT_PASS);
        assert_true(detaches(&report.results[0]));
        assert_string_equal(report.results[0].finding.message, "");
        report_finish(&report);
    }
}

// The device is away for longer than it may be, each time.
static void trip__with_a_fault_is_made_by_the_check_that_judges_it(void **state)
{
    (void)state;
    struct report report;

    run_on(&report, "sim:will-detach,defect=slow-return", NULL);

    assert_true(detaches(result_of(&report, "RT-DETACH-05")));
    assert_int_equal(result_of(&report, "RT-DETACH-05")->verdict, VERDICT_FAIL);
    assert_false(detaches(result_of(&report, "RT-DETACH-04")));
    report_finish(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trip__that_was_seen_is_not_made_again),
        cmocka_unit_test(check_alone__makes_its_own),
        cmocka_unit_test(trip__with_a_fault_is_made_by_the_check_that_judges_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
