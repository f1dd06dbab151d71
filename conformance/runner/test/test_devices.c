// SPDX-License-Identifier: MIT
//
// The suite against the devices of the simulator that are right: nothing may fail, and nothing may
// be skipped that the device could do.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"
#include <conformance/runner.h>

struct run {
    struct report report;
    enum run_status status;
    enum device_mode ended_in;
};

static void run_on(struct run *run, const char *text, const struct runner_options *options)
{
    struct target *target = open_target(text);
    run->status = runner_run(options, target, text, &run->report);
    static struct device device;
    device_load(&device, &target->descriptors);
    run->ended_in = device.dfu && device.dfu->bInterfaceProtocol == DFURT_PROTOCOL_DFU_MODE
                        ? DEVICE_DFU_MODE
                        : DEVICE_RUN_TIME;
    target->ops->close(target);
}

// The only reasons for which a check may be skipped on sim:, where the transport can do anything.
static bool skipped_for_the_device(const struct result *result)
{
    return result->inapplicable || strncmp(result->finding.message, "needs --allow-", 14) == 0;
}

static void assert_good(const struct result *result)
{
    bool good = result->verdict == VERDICT_PASS ||
                (result->verdict == VERDICT_SKIP && skipped_for_the_device(result));
    if (!good)
        fail_msg("%s: %s; sent %s; expected %s; received %s; %s", result->check->id,
                 verdict_text(result->verdict), result->finding.sent, result->finding.expected,
                 result->finding.received, result->finding.message);
}

static void assert_all_good(const char *text, bool strict)
{
    struct run run;
    run_on(&run, text, &(struct runner_options){.strict = strict});

    assert_int_equal(run.report.count, catalogue_count() - check_file.count);
    for (size_t i = 0; i < run.report.count; i++)
        assert_good(&run.report.results[i]);
    assert_int_equal(run.status, RUN_MET);
    assert_int_equal(run.ended_in, DEVICE_RUN_TIME);
    assert_string_equal(run.report.ending, "");
    report_finish(&run.report);
}

static void will_detach__passes_everything_it_can_do(void **state)
{
    (void)state;
    assert_all_good("sim:will-detach", true);
}

static void wait_reset__passes_everything_it_can_do(void **state)
{
    (void)state;
    assert_all_good("sim:wait-reset", true);
}

static void small_wait_reset__passes_everything_it_can_do(void **state)
{
    (void)state;
    assert_all_good("sim:small-wait-reset", true);
}

static void composite__passes_everything_it_can_do(void **state)
{
    (void)state;
    assert_all_good("sim:composite", true);
}

// What one kind of device is skipped for the other one must be asked.
static void every_check__runs_on_one_of_the_good_devices(void **state)
{
    (void)state;
    static const char *const devices[] = {
        "sim:will-detach",
        "sim:wait-reset",
        "sim:composite",
        "sim:bos-lpm",
        "sim:high-speed-capable",
        "sim:two-languages",
        "sim:max-packet-16-dfuse",
        "sim:status-names-a-string",
        "sim:download-only",
        "sim:upload-only",
        "sim:ms-os-1",
        "sim:ms-os-2",
        "sim:webusb",
        "sim:cdc-ecm",
    };
    enum { DEVICES = sizeof devices / sizeof devices[0] };
    bool *ran = calloc(catalogue_count(), sizeof *ran);
    for (size_t device = 0; device < DEVICES; device++) {
        struct run run;
        run_on(&run, devices[device],
               &(struct runner_options){.allow_write = true, .allow_vendor = true});
        for (size_t i = 0; i < run.report.count; i++)
            ran[i] |= run.report.results[i].verdict != VERDICT_SKIP;
        report_finish(&run.report);
    }

    for (size_t i = 0; i < catalogue_count() - check_file.count; i++) {
        if (!ran[i])
            fail_msg("check %zu of the catalogue is skipped on all of them", i);
    }
    free(ran);
}

static void boot_loaders__pass_what_can_be_asked_in_dfu_mode(void **state)
{
    (void)state;
    static const char *const devices[] = {"sim:dfu-mode", "sim:dfu-plain"};
    for (size_t i = 0; i < 2; i++) {
        struct run run;
        run_on(&run, devices[i], &(struct runner_options){.strict = true});

        assert_int_equal(run.report.counts[VERDICT_FAIL], 0);
        assert_int_equal(run.report.counts[VERDICT_INCONCLUSIVE], 0);
        assert_true(run.report.dfu_mode.seen);
        report_finish(&run.report);
    }
}

static void no_detach__never_leaves_run_time(void **state)
{
    (void)state;
    struct run run;

    run_on(&run, "sim:will-detach", &(struct runner_options){.no_detach = true});

    assert_int_equal(run.status, RUN_MET);
    assert_false(run.report.dfu_mode.seen);
    report_finish(&run.report);
}

// Replay: a single check finds its own way into the mode that it needs.
static void only__runs_what_that_check_needs_and_nothing_else(void **state)
{
    (void)state;
    struct run run;

    run_on(&run, "sim:wait-reset", &(struct runner_options){.only = "DM-DESC-03c"});

    assert_int_equal(run.report.count, 1);
    assert_int_equal(run.report.results[0].verdict, VERDICT_PASS);
    assert_int_equal(run.ended_in, DEVICE_RUN_TIME);
    report_finish(&run.report);
}

static void same_device__gives_the_same_report_twice(void **state)
{
    (void)state;
    struct run runs[2];
    for (size_t i = 0; i < 2; i++)
        run_on(&runs[i], "sim:composite", &(struct runner_options){.strict = true});

    for (size_t i = 0; i < runs[0].report.count; i++) {
        assert_int_equal(runs[0].report.results[i].verdict, runs[1].report.results[i].verdict);
        assert_int_equal(runs[0].report.results[i].took_us, runs[1].report.results[i].took_us);
    }
    assert_int_equal(runs[0].report.took_us, runs[1].report.took_us);
    report_finish(&runs[0].report);
    report_finish(&runs[1].report);
}

// A headset that is away for longer than tools wait is right if a person says so; tools still find
// it too late.
static void return_time__is_what_a_device_may_be_away(void **state)
{
    (void)state;
    static const struct {
        unsigned return_ms;
        enum verdict verdict;
    } cases[] = {{0, VERDICT_FAIL}, {20000, VERDICT_FAIL}, {60000, VERDICT_PASS}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run;

        run_on(&run, "sim:away-30-s",
               &(struct runner_options){.only = "RT-DETACH-05,INTEROP-DFUUTIL-01",
                                        .return_ms = cases[i].return_ms});

        assert_int_equal(run.report.results[0].verdict, cases[i].verdict);
        assert_int_equal(run.report.results[1].verdict, VERDICT_WARN);
        report_finish(&run.report);
    }
}

// A second board with the same serial number is there all the time.
static void device_that_changes_its_port__passes_everything_it_can_do(void **state)
{
    (void)state;
    static const char *const ports[] = {"moves=1-2", "moves=1-2.3,twin=1-2.4",
                                        "path=1-2.3,twin=1-2.4"};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        char target[64];
        struct run run;
        snprintf(target, sizeof target, "sim:will-detach,%s", ports[i]);

        run_on(&run, target, &(struct runner_options){.allow_write = true});

        assert_int_equal(run.status, RUN_MET);
        for (size_t j = 0; j < run.report.count; j++)
            assert_good(&run.report.results[j]);
        report_finish(&run.report);
    }
}

// The second board is plugged in where the device was, just when it leaves.
static void second_board_at_the_old_port__ends_the_run(void **state)
{
    (void)state;
    struct run run;

    run_on(&run, "sim:will-detach,moves=1-2.3,twin=1-1",
           &(struct runner_options){.allow_write = true});

    assert_int_equal(run.status, RUN_COULD_NOT);
    assert_non_null(strstr(run.report.ending, "which device came back cannot be told"));
    assert_string_equal(run.report.flash, "flash not written: DFU mode was not reached");
    report_finish(&run.report);
}

// Its loader may count addresses in blocks of another size than the one that it states.
static void transfer_size_less_than_a_packet__is_not_written_with(void **state)
{
    (void)state;
    static const char *const targets[] = {"sim:will-detach,defect=transfer-size-swapped",
                                          "sim:wait-reset,defect=transfer-size-swapped"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        struct run run;

        run_on(&run, targets[i], &(struct runner_options){.allow_write = true});

        assert_string_equal(run.report.flash,
                            "flash not written: wTransferSize is less than bMaxPacketSize0, so "
                            "that it is not what the boot loader goes by");
        report_finish(&run.report);
    }
}

// ---- A board in trouble ----

static void
ask(struct probe *probe, uint8_t bRequest, uint16_t wValue, uint8_t *data, uint16_t size)
{
    uint8_t type = bRequest == DFURT_UPLOAD || bRequest == DFURT_GETSTATUS ? 0xA1 : 0x21;
    const struct usbdev_setup_packet setup = {type, bRequest, wValue, 0, size};
    struct target *target = probe->target;
    if (target->ops->control(target, &setup, data, 1000) != size)
        fail_msg("request %u was not carried out", bRequest);
}

static void wait_until_idle(struct probe *probe)
{
    uint8_t status[6];
    do {
        ask(probe, DFURT_GETSTATUS, 0, status, sizeof status);
        probe->target->ops->sleep_ms(probe->target, usbdev_load_le16(status + 1));
    } while (status[4] == DFURT_STATE_dfuDNBUSY || status[4] == DFURT_STATE_dfuMANIFEST);
}

// The boot loader takes the first block for a whole download, and starts it. No check of the
// catalogue does so, and the gate would not let it: the requests go to the target itself.
static void starts_a_piece(struct probe *probe)
{
    uint8_t block[1024];
    ask(probe, DFURT_UPLOAD, 0, block, sizeof block);
    ask(probe, DFURT_ABORT, 0, NULL, 0);
    ask(probe, DFURT_DNLOAD, 0, block, sizeof block);
    wait_until_idle(probe);
    ask(probe, DFURT_DNLOAD, 1, NULL, 0);
    wait_until_idle(probe);
    probe->target->ops->reset(probe->target);
    probe->target->ops->sleep_ms(probe->target, 1000); // until it has started
    expect_number(probe, "one", 1, 1);
}

static void is_idle(struct probe *probe)
{
    expect_state(probe, DFURT_STATE_dfuIDLE, "in the boot loader");
}

static void trouble_of_a_native_board__stands_at_the_check_that_provoked_it(void **state)
{
    (void)state;
    static const struct check checks[] = {
        {"T-BEFORE", "1", LEVEL_MUST, "is idle", 0, is_idle},
        {"T-PIECE", "1", LEVEL_MUST, "starts a piece of firmware", 0, starts_a_piece},
        {"T-AFTER", "1", LEVEL_MUST, "is idle", 0, is_idle},
    };
    static const struct check_group group = {"Tests", checks, 3};
    static const struct check_group *const groups[] = {&group, NULL};
    struct run run;

    run_on(&run, "sim:dfu-plain", &(struct runner_options){.catalogue = groups});

    const struct result *results = run.report.results;
    assert_string_equal(results[0].trouble, "");
    assert_int_equal(results[1].verdict, VERDICT_PASS);
    assert_non_null(strstr(results[1].trouble, "started incomplete firmware"));
    assert_int_equal(results[2].verdict, VERDICT_PASS); // it was lost, and back when this one began
    assert_int_equal(run.report.losses, 1);
    assert_string_equal(results[2].trouble, "");
    report_finish(&run.report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(will_detach__passes_everything_it_can_do),
        cmocka_unit_test(wait_reset__passes_everything_it_can_do),
        cmocka_unit_test(small_wait_reset__passes_everything_it_can_do),
        cmocka_unit_test(composite__passes_everything_it_can_do),
        cmocka_unit_test(every_check__runs_on_one_of_the_good_devices),
        cmocka_unit_test(boot_loaders__pass_what_can_be_asked_in_dfu_mode),
        cmocka_unit_test(no_detach__never_leaves_run_time),
        cmocka_unit_test(only__runs_what_that_check_needs_and_nothing_else),
        cmocka_unit_test(same_device__gives_the_same_report_twice),
        cmocka_unit_test(device_that_changes_its_port__passes_everything_it_can_do),
        cmocka_unit_test(second_board_at_the_old_port__ends_the_run),
        cmocka_unit_test(transfer_size_less_than_a_packet__is_not_written_with),
        cmocka_unit_test(trouble_of_a_native_board__stands_at_the_check_that_provoked_it),
        cmocka_unit_test(return_time__is_what_a_device_may_be_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
