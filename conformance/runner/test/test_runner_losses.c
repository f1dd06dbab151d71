// SPDX-License-Identifier: MIT
//
// A device that crashes, hangs, or is in trouble: which check has it, and how the run goes on.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "small_run.h"

enum { POISON = 0x77 };

static int
dies_of_poison(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    (void)data;
    fake->died |= setup->bRequest == POISON;
    return fake->died ? USB_GONE : FAKE_NOT_MINE;
}

static int
hangs_on_poison(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    (void)data;
    fake->hangs |= setup->bRequest == POISON;
    return fake->hangs ? USB_TIMEOUT : FAKE_NOT_MINE;
}

static int crashes_with_trouble(struct fake_target *fake,
                                const struct usbdev_setup_packet *setup,
                                uint8_t *data)
{
    int result = hangs_on_poison(fake, setup, data);
    if (fake->hangs)
        fake->trouble = "HardFault";
    return result;
}

// It answers nevertheless.
static int is_troubled_by_poison(struct fake_target *fake,
                                 const struct usbdev_setup_packet *setup,
                                 uint8_t *data)
{
    (void)data;
    if (setup->bRequest != POISON)
        return FAKE_NOT_MINE;
    fake->trouble = "a stack that is too small";
    return 1;
}

// Like a plug that is pulled: nothing that the device was asked is the reason.
static int
unplugged_once(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    (void)data;
    if (setup->bRequest == POISON && fake->power_cycles == 0)
        fake->died = true;
    if (setup->bRequest == POISON && !fake->died)
        return 1;
    return fake->died ? USB_GONE : FAKE_NOT_MINE;
}

static void crash__fails_its_check_and_no_other(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.base.capabilities |= TARGET_CAN_POWER;
    run.fake.script = dies_of_poison;

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-TRANSPORT,T-R*,T-DFU"});

    const struct result *crash = result_of(&run, "T-TRANSPORT");
    assert_int_equal(crash->verdict, VERDICT_FAIL);
    assert_string_equal(crash->finding.sent, "80 77 00 00 00 00 01 00 standard request 77h");
    assert_non_null(strstr(crash->finding.received, "not answering standard request 77h"));
    assert_int_equal(result_of(&run, "T-RUN")->verdict, VERDICT_PASS);
    assert_int_equal(result_of(&run, "T-DFU")->verdict, VERDICT_PASS);
    assert_int_equal(run.status, RUN_FAILED);
    report_finish(&run.report);
}

static void asks_getstate(struct probe *probe)
{
    uint8_t state;
    expect_getstate(probe, &state);
}

static const struct check question_checks[] = {
    {"T-BEFORE", "1", LEVEL_MUST, "is of any device", 0, reads_device},
    {"T-GETSTATE", "1", LEVEL_MUST, "GETSTATE is answered", 0, asks_getstate},
    {"T-AFTER", "1", LEVEL_MUST, "is of any device", 0, reads_device},
};
static const struct check_group question_group = {"Questions", question_checks, 3};
static const struct check_group *const question_groups[] = {&question_group, NULL};

static int
dies_of_getstate(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    (void)data;
    fake->died |= setup->bmRequestType == 0xA1 && setup->bRequest == DFURT_GETSTATE;
    return fake->died ? USB_GONE : FAKE_NOT_MINE;
}

static void question_of_the_suite__that_kills_the_device_is_not_put_again(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.base.capabilities |= TARGET_CAN_POWER;
    run.fake.script = dies_of_getstate;

    finish(&run, &(struct runner_options){.catalogue = question_groups});

    assert_int_equal(result_of(&run, "T-BEFORE")->verdict, VERDICT_PASS);
    assert_int_equal(result_of(&run, "T-GETSTATE")->verdict, VERDICT_FAIL);
    assert_int_equal(result_of(&run, "T-AFTER")->verdict, VERDICT_PASS);
    assert_int_equal(run.status, RUN_FAILED);
    report_finish(&run.report);
}

static void hang__fails_its_check_and_no_other(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.base.capabilities |= TARGET_CAN_POWER;
    run.fake.script = hangs_on_poison;

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-TRANSPORT,T-R*,T-DFU"});

    assert_int_equal(result_of(&run, "T-TRANSPORT")->verdict, VERDICT_FAIL);
    assert_int_equal(result_of(&run, "T-RUN")->verdict, VERDICT_PASS);
    assert_int_equal(result_of(&run, "T-DFU")->verdict, VERDICT_PASS);
    report_finish(&run.report);
}

static void trouble__stands_at_its_check_though_the_power_was_cycled(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.base.capabilities |= TARGET_CAN_POWER;
    run.fake.script = crashes_with_trouble;

    finish(&run,
           &(struct runner_options){.catalogue = groups, .only = "T-PASS,T-*TRANSPORT,T-RUN"});

    assert_string_equal(result_of(&run, "T-PASS")->trouble, "");
    assert_string_equal(result_of(&run, "T-TRANSPORT")->trouble, "HardFault");
    assert_string_equal(result_of(&run, "T-RUN")->trouble, "");
    assert_string_equal(run.report.ending, "");
    report_finish(&run.report);
}

// Of one text and one power-on; the verdict is what was judged.
static void trouble__is_told_at_the_first_check_and_at_the_end(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.script = is_troubled_by_poison;

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-TRANSPORT,T-SHOULD-T"});

    const struct result *first = result_of(&run, "T-TRANSPORT");
    assert_int_equal(first->verdict, VERDICT_PASS);
    assert_string_equal(first->trouble, "a stack that is too small");
    assert_string_equal(result_of(&run, "T-SHOULD-T")->trouble, "");
    assert_string_equal(run.report.ending, "a stack that is too small");
    assert_int_equal(run.status, RUN_MET);
    report_finish(&run.report);
}

static void trouble__before_the_first_check_is_none_of_its(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.trouble = "a clock that is missing";

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-PASS"});

    assert_string_equal(result_of(&run, "T-PASS")->trouble, "");
    assert_string_equal(run.report.ending, "a clock that is missing");
    report_finish(&run.report);
}

static void loss_that_does_not_repeat__is_told_and_not_green(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.base.capabilities |= TARGET_CAN_POWER;
    run.fake.script = unplugged_once;

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-TRANSPORT,T-RUN"});

    const struct result *lost = result_of(&run, "T-TRANSPORT");
    assert_int_equal(lost->verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(lost->finding.message, "not answering standard request 77h"));
    assert_non_null(strstr(lost->finding.message, "repeated, the check was met"));
    assert_int_equal(run.report.losses, 1);
    assert_non_null(strstr(run.report.loss, "in T-TRANSPORT"));
    assert_int_equal(run.status, RUN_NOT_JUDGED);
    report_finish(&run.report);
}

static void loss_without_power__is_told_and_fails_nothing(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.script = dies_of_poison;

    finish(&run, &(struct runner_options){.catalogue = groups, .only = "T-PASS,T-TRANSPORT,T-RUN"});

    assert_int_equal(result_of(&run, "T-TRANSPORT")->verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(
        strstr(result_of(&run, "T-TRANSPORT")->finding.message, "standard request 77h"));
    assert_int_equal(result_of(&run, "T-RUN")->verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(run.status, RUN_NOT_AS_FOUND);
    report_finish(&run.report);
}

static void slow_device__ends_the_run_early(void **state)
{
    (void)state;
    for (unsigned max_time_s = 0; max_time_s < 4000; max_time_s += 2000) {
        struct run run;
        start(&run, DFURT_ATTR_CAN_DNLOAD);

        finish(&run, &(struct runner_options){
                         .catalogue = groups, .only = "T-SLOW,T-RUN", .max_time_s = max_time_s});

        const struct result *after = result_of(&run, "T-RUN");
        assert_int_equal(result_of(&run, "T-SLOW")->verdict, VERDICT_PASS);
        assert_int_equal(after->verdict, max_time_s ? VERDICT_PASS : VERDICT_INCONCLUSIVE);
        assert_int_equal(!strstr(after->finding.message, "waits of 700 s"), max_time_s != 0);
        report_finish(&run.report);
    }
}

static void stop_on_loss__leaves_the_device_alone(void **state)
{
    (void)state;
    struct run run;
    start(&run, DFURT_ATTR_CAN_DNLOAD);
    run.fake.base.capabilities |= TARGET_CAN_POWER;
    run.fake.script = dies_of_poison;

    finish(&run, &(struct runner_options){
                     .catalogue = groups, .only = "T-TRANSPORT,T-RUN", .stop_on_loss = true});

    assert_int_equal(run.fake.power_cycles, 0);
    assert_int_equal(result_of(&run, "T-RUN")->verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(run.status, RUN_NOT_AS_FOUND);
    report_finish(&run.report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crash__fails_its_check_and_no_other),
        cmocka_unit_test(question_of_the_suite__that_kills_the_device_is_not_put_again),
        cmocka_unit_test(hang__fails_its_check_and_no_other),
        cmocka_unit_test(trouble__stands_at_its_check_though_the_power_was_cycled),
        cmocka_unit_test(trouble__is_told_at_the_first_check_and_at_the_end),
        cmocka_unit_test(trouble__before_the_first_check_is_none_of_its),
        cmocka_unit_test(loss_that_does_not_repeat__is_told_and_not_green),
        cmocka_unit_test(loss_without_power__is_told_and_fails_nothing),
        cmocka_unit_test(slow_device__ends_the_run_early),
        cmocka_unit_test(stop_on_loss__leaves_the_device_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
