// SPDX-License-Identifier: MIT
//
// Verdicts, needs, modes, and how a run ends.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "small_run.h"

static const struct runner_options everything = {.catalogue = groups};

static int
transport_fails(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    (void)fake;
    (void)data;
    return setup->bRequest == 0x77 ? USB_IO : FAKE_NOT_MINE;
}

// ---- Verdicts ----

static void verdicts__follow_from_level_and_expectation(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.script = transport_fails;

    finish(&run, &everything);

    assert_int_equal(result_of(&run, "T-PASS")->verdict, VERDICT_PASS);
    assert_int_equal(result_of(&run, "T-MUST")->verdict, VERDICT_FAIL);
    assert_int_equal(result_of(&run, "T-SHOULD")->verdict, VERDICT_WARN);
    assert_int_equal(result_of(&run, "T-INFO")->verdict, VERDICT_PASS);
    assert_int_equal(result_of(&run, "T-EMPTY")->verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(result_of(&run, "T-TRANSPORT")->verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(run.status, RUN_FAILED);
    report_finish(&run.report);
}

static void finding__tells_sent_expected_received(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-MUST"});

    const struct result *result = result_of(&run, "T-MUST");
    assert_string_equal(result->finding.sent, "a1 02 00 00 00 00 04 00 UPLOAD");
    assert_string_equal(result->finding.expected, "the request is carried out, 4 bytes");
    assert_string_equal(result->finding.received, "STALL");
    assert_int_equal(result->transfer_count, 2); // and the pause behind it
    report_finish(&run.report);
}

static void strict__makes_a_broken_should_fail(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-SHOULD", .strict = true});

    assert_int_equal(result_of(&run, "T-SHOULD")->verdict, VERDICT_FAIL);
    assert_int_equal(run.status, RUN_FAILED);
    report_finish(&run.report);
}

static void waiver__keeps_the_finding_but_fails_nothing(void **state)
{
    (void)state;
    struct run run;
    struct waiver list[] = {{"T-M*", "known"}};
    const struct waivers waivers = {list, 1};
    start(&run, DFURT_ATTR_CAN_DNLOAD);

    finish(&run,
           &(struct runner_options){.catalogue = groups, .only = "T-MUST", .waivers = &waivers});

    assert_int_equal(result_of(&run, "T-MUST")->verdict, VERDICT_FAIL);
    assert_string_equal(result_of(&run, "T-MUST")->waiver, "known");
    assert_int_equal(run.status, RUN_MET);
    report_finish(&run.report);
}

// ---- How a run ends ----

static enum run_status status_of(const char *only, uint8_t bmAttributes)
{
    struct run run;
    start(&run, bmAttributes);
    run.fake.script = transport_fails;
    finish(&run, &(struct runner_options){.catalogue = groups, .only = only});
    assert_int_equal(run.report.status, run.status);
    report_finish(&run.report);
    return run.status;
}

static void status__is_0_only_if_all_that_applies_was_judged_and_met(void **state)
{
    (void)state;
    const uint8_t waits = DFURT_ATTR_CAN_DNLOAD;

    assert_int_equal(status_of("T-PASS", waits), RUN_MET);
    assert_int_equal(status_of("T-PASS,T-LEAVES,T-SUSPEND", waits), RUN_MET);
    assert_int_equal(status_of("T-PASS,T-SHOULD", waits), RUN_MET);
    assert_int_equal(status_of("T-PASS,T-TRANSPORT", waits), RUN_NOT_JUDGED);
    assert_int_equal(status_of("T-PASS,T-SHOULD-T", waits), RUN_NOT_JUDGED);
    assert_int_equal(status_of("T-PASS,T-INFO-T", waits), RUN_MET);
    assert_int_equal(status_of("T-MUST,T-TRANSPORT", waits), RUN_FAILED);
}

static void status__is_2_where_nothing_was_judged(void **state)
{
    (void)state;
    const uint8_t waits = DFURT_ATTR_CAN_DNLOAD;

    assert_int_equal(status_of("T-LEAVES", waits), RUN_COULD_NOT);
    assert_int_equal(status_of("T-SUSPEND,T-WRITE", waits), RUN_COULD_NOT);
    assert_int_equal(status_of("T-TRANSPORT", waits), RUN_COULD_NOT);
    assert_int_equal(status_of("T-INFO-T", waits), RUN_COULD_NOT);
}

// ---- Needs ----

static void needs__missing_are_skipped_with_the_reason(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);

    finish(&run, &everything);

    assert_int_equal(result_of(&run, "T-SUSPEND")->verdict, VERDICT_SKIP);
    assert_string_equal(result_of(&run, "T-SUSPEND")->finding.message,
                        "needs a target that can suspend the bus");
    assert_string_equal(result_of(&run, "T-WRITE")->finding.message, "needs --allow-write");
    assert_int_equal(result_of(&run, "T-OTHER")->verdict, VERDICT_SKIP);
    assert_int_equal(result_of(&run, "T-WAITS")->verdict, VERDICT_PASS);
    assert_string_equal(result_of(&run, "T-LEAVES")->finding.message,
                        "needs a device with bitWillDetach = 1");
    report_finish(&run.report);
}

static void no_detach__skips_what_would_send_it(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_WILL_DETACH);

    finish(&run, &(struct runner_options){.catalogue = groups, .no_detach = true});

    assert_string_equal(result_of(&run, "T-DETACH")->finding.message, "--no-detach");
    assert_string_equal(result_of(&run, "T-DFU")->finding.message, "--no-detach");
    assert_false(run.report.dfu_mode.seen);
    report_finish(&run.report);
}

// ---- Modes ----

static void modes__are_entered_and_left_as_checks_need_them(void **state)
{
    (void)state;
    const uint8_t kinds[] = {DFURT_ATTR_CAN_DNLOAD, DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_WILL_DETACH};
    for (size_t i = 0; i < 2; i++) {
        struct run run;
        start(&run, kinds[i]);

        finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-DFU,T-RUN"});

        assert_int_equal(result_of(&run, "T-DFU")->verdict, VERDICT_PASS);
        assert_int_equal(result_of(&run, "T-RUN")->verdict, VERDICT_PASS);
        assert_int_equal(run.status, RUN_MET);
        report_finish(&run.report);
    }
}

static void run__ends_at_run_time(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-DFU"});

    assert_true(run.report.dfu_mode.seen);
    assert_false(run.fake.dfu_mode);
    assert_string_equal(run.report.ending, "");
    report_finish(&run.report);
}

static void lost_device__makes_the_rest_inconclusive(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_WILL_DETACH);
    run.fake.never_returns = true;

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-DETACH,T-DFU,T-RUN"});

    assert_int_equal(result_of(&run, "T-DETACH")->verdict, VERDICT_PASS);
    assert_int_equal(result_of(&run, "T-DFU")->verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(result_of(&run, "T-RUN")->verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(run.status, RUN_NOT_AS_FOUND);
    assert_string_equal(run.report.ending,
                        "the device left the bus 5 ms after GETSTATE, in T-DETACH, "
                        "and did not come back");
    report_finish(&run.report);
}

// ---- A device without DFU ----

static const struct check chapter9_checks[] = {
    {"T-PASS", "1", LEVEL_MUST, "passes", 0, passes},
    {"CH9-T", "1", LEVEL_MUST, "is of any device", 0, reads_device},
    {"CH9-T-RESET", "1", LEVEL_MUST, "is of any device", NEED_RUN_TIME | NEED_RESET, reads_device},
    {"CH9-T-DIES", "1", LEVEL_MUST, "kills it", 0, asks_unsupported},
    {"CH9-T-AFTER", "1", LEVEL_MUST, "is of any device", 0, reads_device},
};
static const struct check_group chapter9_group = {"Any device", chapter9_checks, 5};
static const struct check_group *const chapter9_groups[] = {&chapter9_group, NULL};

enum { CLASS_AT = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE + 5, VENDOR_SPECIFIC = 0xFF };

static int
has_no_dfu(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    (void)data;
    fake->base.descriptors.configuration[CLASS_AT] = VENDOR_SPECIFIC;
    fake->died |= setup->bRequest == 0x77;
    return fake->died ? USB_GONE : FAKE_NOT_MINE;
}

static int
takes_seconds(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    (void)setup;
    (void)data;
    fake->now_us += 4000000;
    return FAKE_NOT_MINE;
}

static void slow_device__is_told_at_the_start(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.script = takes_seconds;
    finish(&run, &everything);
    assert_non_null(strstr(run.report.slow, "each request takes some 4000 ms"));
    assert_non_null(strstr(run.report.slow, "--max-time"));
    report_finish(&run.report);

    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.script = takes_seconds;
    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-MUST"});
    assert_string_equal(run.report.slow, ""); // of so few requests
    report_finish(&run.report);
}

static void device_without_dfu__is_judged_by_chapter_9_and_brought_back(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.base.descriptors.configuration[CLASS_AT] = VENDOR_SPECIFIC;
    run.fake.base.capabilities |= TARGET_CAN_POWER;
    run.fake.script = has_no_dfu;

    finish(&run, &(struct runner_options){
                     .catalogue = chapter9_groups, .chapter9 = true, .allow_vendor = true});

    assert_int_equal(run.report.count, 4);
    assert_int_equal(result_of(&run, "CH9-T")->verdict, VERDICT_PASS);
    assert_int_equal(result_of(&run, "CH9-T-RESET")->verdict, VERDICT_PASS);
    assert_int_equal(result_of(&run, "CH9-T-DIES")->verdict, VERDICT_FAIL);
    assert_int_equal(result_of(&run, "CH9-T-AFTER")->verdict, VERDICT_PASS);
    report_finish(&run.report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts__follow_from_level_and_expectation),
        cmocka_unit_test(finding__tells_sent_expected_received),
        cmocka_unit_test(strict__makes_a_broken_should_fail),
        cmocka_unit_test(waiver__keeps_the_finding_but_fails_nothing),
        cmocka_unit_test(status__is_0_only_if_all_that_applies_was_judged_and_met),
        cmocka_unit_test(status__is_2_where_nothing_was_judged),
        cmocka_unit_test(needs__missing_are_skipped_with_the_reason),
        cmocka_unit_test(no_detach__skips_what_would_send_it),
        cmocka_unit_test(modes__are_entered_and_left_as_checks_need_them),
        cmocka_unit_test(run__ends_at_run_time),
        cmocka_unit_test(lost_device__makes_the_rest_inconclusive),
        cmocka_unit_test(slow_device__is_told_at_the_start),
        cmocka_unit_test(device_without_dfu__is_judged_by_chapter_9_and_brought_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
