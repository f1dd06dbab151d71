// SPDX-License-Identifier: MIT
//
// Good devices whose plug is pulled at every seventh request of a run, under sanitizers at one in
// three of those: nothing may fail.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"
#include <conformance/runner.h>

static void run_on(struct report *report, const char *text, const struct runner_options *options)
{
    struct target *target = open_target(text);
    runner_run(options, target, text, report);
    target->ops->close(target);
}

// A plug that is pulled, at any moment, breaks no requirement; what was judged before stays. Only a
// check that requires the device to come back cannot tell.
static void unplugged__fails_nothing(void **state)
{
    (void)state;
    static const char *const devices[] = {"will-detach", "wait-reset"};
    unsigned tried = 0;
    unsigned lost = 0;
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned request = 8; request < 1700; request += 7 * ONE_IN, tried++) {
            char target[64];
            struct report report;
            snprintf(target, sizeof target, "sim:%s,unplug=%u", devices[i], request);

            run_on(&report, target, &(struct runner_options){.strict = true});

            for (size_t j = 0; j < report.count; j++) {
                const struct result *result = &report.results[j];
                if (result->verdict == VERDICT_FAIL &&
                    strcmp(result->finding.received, "it did not come back") != 0)
                    fail_msg("%s: %s, received %s", target, result->check->id,
                             result->finding.received);
            }
            if (report.status == RUN_NOT_AS_FOUND) {
                assert_non_null(strstr(report.ending, " ms after "));
                lost++;
            }
            report_finish(&report);
        }
    }
    print_message("unplugged in %u runs\n", tried);
    assert_in_range(lost, tried / 2 + 1, tried);
}

// The same while the image is put back: a download that is cut off breaks no requirement. Only one
// that is cut off while it manifests may be the device's doing.
static void unplugged_in_a_restore__fails_nothing(void **state)
{
    (void)state;
    unsigned lost = 0;
    unsigned failed = 0;
    for (unsigned request = 100; request < 330; request += 3) {
        char target[64];
        struct report report;
        snprintf(target, sizeof target, "sim:dfu-plain,unplug=%u", request);

        run_on(&report, target,
               &(struct runner_options){.only = "DM-DNLOAD-07", .allow_write = true});

        failed += report.results[0].verdict == VERDICT_FAIL;
        lost += report.status == RUN_NOT_AS_FOUND;
        report_finish(&report);
    }
    assert_in_range(lost, 20, 77);
    assert_in_range(failed, 0, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unplugged__fails_nothing),
        cmocka_unit_test(unplugged_in_a_restore__fails_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
