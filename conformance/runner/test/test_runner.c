// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_target.h"
#include <conformance/runner.h>
#include <usb/requests.h>

struct run {
    struct fake_target fake;
    struct report report;
    enum run_status status;
};

static void start(struct run *run, uint8_t bmAttributes)
{
    fake_target_init(&run->fake, bmAttributes);
}

static void finish(struct run *run, const struct runner_options *options)
{
    run->status = runner_run(options, &run->fake.base, "fake", &run->report);
}

static const struct result *result_of(const struct run *run, const char *id)
{
    for (size_t i = 0; i < run->report.count; i++) {
        if (strcmp(run->report.results[i].check->id, id) == 0)
            return &run->report.results[i];
    }
    fail_msg("no result for %s", id);
    return NULL;
}

// ---- Checks that end in each way ----

static void passes(struct probe *probe)
{
    expect_number(probe, "one", 1, 1);
}

static void breaks(struct probe *probe)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_UPLOAD, 0, 4);
    uint8_t data[4];
    expect_length(probe, &setup, data, 4);
}

static void tests_nothing(struct probe *probe)
{
    (void)probe;
}

static void asks_unsupported(struct probe *probe)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = 0x80, .bRequest = 0x77, .wLength = 1};
    uint8_t data;
    expect_length(probe, &setup, &data, 1);
}

static void detaches(struct probe *probe)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_DETACH, 1000, 0);
    expect_length(probe, &setup, NULL, 0);
}

static void is_in_dfu_mode(struct probe *probe)
{
    expect_state(probe, DFURT_STATE_dfuIDLE, "after DETACH");
}

static void is_at_run_time(struct probe *probe)
{
    expect_state(probe, DFURT_STATE_appIDLE, "as the runner left it");
}

static void waits_for_700_s(struct probe *probe)
{
    for (int i = 0; i < 2; i++)
        probe_sleep(probe, 350000, "a slow device");
    expect_number(probe, "one", 1, 1);
}

static const struct check checks[] = {
    {"T-PASS", "1", LEVEL_MUST, "passes", 0, passes},
    {"T-MUST", "1", LEVEL_MUST, "is broken", 0, breaks},
    {"T-SHOULD", "1", LEVEL_SHOULD, "is broken", 0, breaks},
    {"T-INFO", "1", LEVEL_INFO, "is broken", 0, breaks},
    {"T-EMPTY", "1", LEVEL_MUST, "tests nothing", 0, tests_nothing},
    {"T-TRANSPORT", "1", LEVEL_MUST, "cannot be asked", 0, asks_unsupported},
    {"T-SHOULD-T", "1", LEVEL_SHOULD, "cannot be asked", 0, asks_unsupported},
    {"T-INFO-T", "1", LEVEL_INFO, "cannot be asked", 0, asks_unsupported},
    {"T-SUSPEND", "1", LEVEL_MUST, "needs what is not there", NEED_SUSPEND, passes},
    {"T-WRITE", "1", LEVEL_MUST, "writes", NEED_WRITE, passes},
    {"T-OTHER", "1", LEVEL_MUST, "needs another interface", NEED_OTHER_INTERFACE, passes},
    {"T-DETACH", "1", LEVEL_MUST, "detaches", NEED_RUN_TIME | NEED_DETACH, detaches},
    {"T-WAITS", "1", LEVEL_MUST, "waits for the reset", NEED_WAIT_RESET, passes},
    {"T-LEAVES", "1", LEVEL_MUST, "leaves by itself", NEED_WILL_DETACH, passes},
    {"T-DFU", "1", LEVEL_MUST, "is in DFU mode", NEED_DFU_MODE, is_in_dfu_mode},
    {"T-SLOW", "1", LEVEL_MUST, "takes long", 0, waits_for_700_s},
    {"T-RUN", "1", LEVEL_MUST, "is at run time", NEED_RUN_TIME, is_at_run_time},
};
static const struct check_group group = {"Tests", checks, sizeof checks / sizeof checks[0]};
static const struct check_group *const groups[] = {&group, NULL};

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
    assert_int_equal(result->transfer_count, 1);
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

static void reads_device(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, sizeof bytes);
    expect_length(probe, &setup, bytes, sizeof bytes);
}

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

// ---- A device that is lost ----

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
    assert_non_null(strstr(crash->finding.received, "the device left the bus 0 ms after"));
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
        cmocka_unit_test(device_without_dfu__is_judged_by_chapter_9_and_brought_back),
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
