// SPDX-License-Identifier: MIT
//
// Which wValue a DETACH is sent with where wDetachTimeOut is 0.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/modes.h>
#include <conformance/probe.h>

#include "opened_target.h"

#include <cmocka.h> // last: its macros have names that the probe uses too

static const struct check check = {.id = "RT-TEST-01", .level = LEVEL_MUST};
static const struct probe_options options = {.leave = {.detach = true}};

static void start(struct probe *probe, const char *device)
{
    probe_init(probe, open_target(device), &options);
    probe_begin(probe, &check);
}

static int detach(struct probe *probe, uint16_t wValue, uint16_t wLength)
{
    uint8_t data[8] = {0};
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_DETACH, wValue, wLength);
    return probe_control(probe, &setup, data);
}

static void
device_that_refuses_the_usual_time__is_asked_for_none_and_the_check_is_repeated(void **s)
{
    (void)s;
    static struct probe probe;
    char why[PROBE_WORDS];
    start(&probe, "sim:any-detach-time-refused");
    assert_int_equal(probe_detach_time(&probe), 1000);

    int result = detach(&probe, probe_detach_time(&probe), 0);

    assert_int_equal(result, USB_STALL);
    assert_int_equal(probe_detach_time(&probe), 0);
    assert_true(probe.time.again);
    assert_true(mode_enter_dfu(&probe, why, sizeof why));
    probe.target->ops->close(probe.target);
}

static void way_to_dfu_mode__tries_both_times(void **s)
{
    (void)s;
    static struct probe probe;
    char why[PROBE_WORDS];
    start(&probe, "sim:any-detach-time-refused");

    assert_true(mode_enter_dfu(&probe, why, sizeof why));

    probe.target->ops->close(probe.target);
}

// It may refuse the data stage alone.
static void refused_detach_with_data__tells_nothing_of_the_time(void **s)
{
    (void)s;
    static struct probe probe;
    start(&probe, "sim:detach-timeout-0");

    int result = detach(&probe, probe_detach_time(&probe), 8);

    assert_int_equal(result, USB_STALL);
    assert_int_equal(probe_detach_time(&probe), 1000);
    assert_false(probe.time.again);
    probe.target->ops->close(probe.target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            device_that_refuses_the_usual_time__is_asked_for_none_and_the_check_is_repeated),
        cmocka_unit_test(way_to_dfu_mode__tries_both_times),
        cmocka_unit_test(refused_detach_with_data__tells_nothing_of_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
