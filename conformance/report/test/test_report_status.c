// SPDX-License-Identifier: MIT
//
// Which exit status a run ends with, where several things are to be said of it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/report.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

static const struct check check = {
    .id = "X-01", .section = "DFU 1.1", .level = LEVEL_MUST, .sentence = "it works"};

static void first_that_applies__is_the_status(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        bool not_as_found, host_fault, not_used;
        unsigned losses;
        enum run_status status;
    } runs[] = {
        {VERDICT_PASS, false, false, false, 0, RUN_MET},
        {VERDICT_PASS, false, false, false, 1, RUN_NOT_JUDGED},
        {VERDICT_INCONCLUSIVE, false, false, false, 0, RUN_COULD_NOT},
        {VERDICT_PASS, false, false, true, 0, RUN_COULD_NOT},
        {VERDICT_FAIL, false, false, true, 1, RUN_FAILED},
        {VERDICT_FAIL, false, true, true, 1, RUN_COULD_NOT},
        {VERDICT_FAIL, true, false, true, 1, RUN_NOT_AS_FOUND},
        {VERDICT_FAIL, true, true, true, 1, RUN_NOT_AS_FOUND},
    };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        struct result result = {.check = &check, .verdict = runs[i].verdict};
        const struct report report = {
            .results = &result,
            .count = 1,
            .not_as_found = runs[i].not_as_found,
            .host_fault = runs[i].host_fault,
            .not_used = runs[i].not_used,
            .losses = runs[i].losses,
        };

        assert_int_equal(report_status(&report), runs[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_that_applies__is_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
