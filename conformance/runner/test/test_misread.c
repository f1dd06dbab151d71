// SPDX-License-Identifier: MIT
//
// A byte of one upload that arrives as another one, as by a bad cable, is no finding: what differs
// is read again before a device is blamed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"
#include <conformance/runner.h>

static const struct target_ops *ops; // of the target that misreads
static unsigned uploads;
static unsigned misread_at; // 1 is the first one; 0: none

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    int result = ops->control(target, setup, data, timeout_ms);
    bool is_upload = setup->bmRequestType == 0xA1 && setup->bRequest == DFURT_UPLOAD;

    if (is_upload && result > 0 && ++uploads == misread_at)
        data[result / 2] ^= 0x01;
    return result;
}

// Returns how many uploads there were.
static unsigned run_misreading(const char *text, unsigned at, struct report *report)
{
    struct target *target = open_target(text);
    struct target_ops misreading = *target->ops;

    ops = target->ops;
    misreading.control = control;
    target->ops = &misreading;
    uploads = 0;
    misread_at = at;
    runner_run(
        &(struct runner_options){.only = "DM-UPLOAD-*,DM-DNLOAD-*,DS-*", .allow_write = true},
        target, text, report);
    target->ops = ops;
    target->ops->close(target);
    return uploads;
}

static void byte_of_any_upload_that_is_misread__is_blamed_on_nobody(void **state)
{
    (void)state;
    static const char *const devices[] = {"sim:will-detach", "sim:wait-reset"};
    for (size_t d = 0; d < sizeof devices / sizeof devices[0]; d++) {
        struct report report;
        unsigned count = run_misreading(devices[d], 0, &report);
        report_finish(&report);
        assert_in_range(count, 20, 1000);
        for (unsigned at = 1; at <= count; at++) {
            run_misreading(devices[d], at, &report);
            assert_int_equal(report.counts[VERDICT_FAIL], 0);
            assert_int_equal(report.counts[VERDICT_WARN], 0);
            assert_true(report.status == RUN_MET || report.status == RUN_NOT_JUDGED);
            report_finish(&report);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_of_any_upload_that_is_misread__is_blamed_on_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
