// SPDX-License-Identifier: MIT
//
// How long a device stays in appDETACH and how it leaves: the detach timer, bus resets, the settle
// time, the status stage. test_sequences.c has tables A.2.1 and A.2.2, each cell.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "product.h"

// ---- The detach timer: WILL_DETACH clear ----

static void detach_timer__waits_the_shorter_of_wValue_and_wDetachTimeOut(void **state)
{
    (void)state;
    static const struct {
        uint16_t wValue, wDetachTimeOut, waits_ms;
    } cases[] = {
        {1000, 1000, 1000},    {999, 1000, 999},    {1001, 1000, 1000},
        {1, 1000, 1},          {65535, 1000, 1000}, {1000, 1, 1},
        {65535, 65535, 65535}, {1000, 65535, 1000}, {0x0100, 0x0001, 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct product product;
        start_wait_reset(&product);
        product.config.wDetachTimeOut = cases[i].wDetachTimeOut;
        detach(&product, cases[i].wValue);

        dfurt_tick(&product.dfurt, (uint16_t)(cases[i].waits_ms - 1));
        assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
        dfurt_tick(&product.dfurt, 1);
        assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
        assert_int_equal(product.entered, 0);
    }
}

static void detach_timer__counts_ticks_of_any_size(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 10);

    dfurt_tick(&product.dfurt, 0);
    dfurt_tick(&product.dfurt, 4);
    dfurt_tick(&product.dfurt, 5);
    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void detach_timer__starts_when_the_status_stage_has_completed(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    request(&product, 0x21, DFURT_DETACH, 10, 0);
    dfurt_tick(&product.dfurt, 9);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 9);

    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
}

static void expired_detach_timer__leaves_a_later_bus_reset_in_run_time(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    detach(&product, 10);
    dfurt_tick(&product.dfurt, 10);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void wValue_0__is_over_at_once(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    detach(&product, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void wDetachTimeOut_0__never_reaches_dfu_mode_by_reset(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    product.config.wDetachTimeOut = 0;

    detach(&product, 1000);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void wait_reset_device__never_leaves_by_itself(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 1000);

    for (int ms = 0; ms < 70000; ms++)
        dfurt_tick(&product.dfurt, 1);

    assert_int_equal(product.entered, 0);
}

// ---- Bus reset ----

static void bus_reset_in_app_idle__stays_in_run_time(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void bus_reset_while_the_timer_runs__enters_dfu_mode_once(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 1000);

    dfurt_tick(&product.dfurt, 999);
    dfurt_bus_reset(&product.dfurt);
    assert_int_equal(product.entered, 1);
    dfurt_bus_reset(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 1);
    assert_int_equal(product.state_when_entered, DFURT_STATE_appIDLE);
}

static void bus_reset_after_an_illegal_request__stays_in_run_time(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 1000);

    assert_int_equal(request(&product, 0x21, DFURT_DETACH, 1000, 0), DFURT_STALL);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void bus_reset_before_the_status_stage__stays_in_run_time(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    dfurt_bus_reset(&product.dfurt);
    dfurt_status_complete(&product.dfurt);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void bus_reset_in_the_settle_time__enters_dfu_mode_at_once(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    detach(&product, 1000);

    dfurt_tick(&product.dfurt, 2);
    dfurt_bus_reset(&product.dfurt);
    dfurt_tick(&product.dfurt, 3);

    assert_int_equal(product.entered, 1);
}

// ---- Leaving by itself: WILL_DETACH set ----

static void will_detach_device__leaves_after_status_stage_and_settle_time(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    dfurt_tick(&product.dfurt, 1000);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 4);
    assert_int_equal(product.entered, 0);
    dfurt_tick(&product.dfurt, 1);
    assert_int_equal(product.entered, 1);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 1);
    assert_int_equal(product.state_when_entered, DFURT_STATE_appIDLE);
}

static void settle_time_0__leaves_with_the_status_stage(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    product.config.settle_ms = 0;

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    assert_int_equal(product.entered, 0);
    dfurt_status_complete(&product.dfurt);

    assert_int_equal(product.entered, 1);
}

static void will_detach_device__does_not_care_for_the_detach_timer(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    product.config.wDetachTimeOut = 0;

    detach(&product, 0);
    dfurt_tick(&product.dfurt, 4);
    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
    dfurt_tick(&product.dfurt, 1);

    assert_int_equal(product.entered, 1);
}

static void get_status_in_the_settle_time__does_not_keep_the_device(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    detach(&product, 1000);

    assert_int_equal(request(&product, 0xA1, DFURT_GETSTATUS, 0, 6), 6);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 5);

    assert_int_equal(product.entered, 1);
}

static void second_detach_in_the_settle_time__keeps_the_device(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    detach(&product, 1000);

    assert_int_equal(request(&product, 0x21, DFURT_DETACH, 1000, 0), DFURT_STALL);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 0);
}

static void detach__works_again_after_coming_back(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    for (int round = 1; round <= 3; round++) {
        detach(&product, 1000);
        dfurt_tick(&product.dfurt, 5);
        assert_int_equal(product.entered, round);
    }
}

// ---- A DETACH whose status stage does not complete ----

static void get_status__abandons_a_detach_and_says_app_idle(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    assert_int_equal(request(&product, 0xA1, DFURT_GETSTATUS, 0, 6), 6);
    assert_int_equal(product.reply[4], DFURT_STATE_appIDLE);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void request_to_someone_else__abandons_a_detach(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    assert_int_equal(request(&product, 0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 18), DFURT_NOT_MINE);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 0);
}

static void detach_sent_again_before_its_status_stage__is_accepted(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    request(&product, 0x21, DFURT_DETACH, 100, 0);
    assert_int_equal(request(&product, 0x21, DFURT_DETACH, 50, 0), 0);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 50);

    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void status_stage_without_a_detach__is_nothing(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    dfurt_status_complete(&product.dfurt);
    request(&product, 0xA1, DFURT_GETSTATUS, 0, 6);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void instances__do_not_share_anything(void **state)
{
    (void)state;
    struct product one, other;
    start_wait_reset(&one);
    start_will_detach(&other);

    detach(&one, 1000);
    assert_int_equal(get_state(&other), DFURT_STATE_appIDLE);
    detach(&other, 1000);
    dfurt_tick(&other.dfurt, 5);

    assert_int_equal(other.entered, 1);
    assert_int_equal(one.entered, 0);
    assert_int_equal(get_state(&one), DFURT_STATE_appDETACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detach_timer__waits_the_shorter_of_wValue_and_wDetachTimeOut),
        cmocka_unit_test(detach_timer__counts_ticks_of_any_size),
        cmocka_unit_test(detach_timer__starts_when_the_status_stage_has_completed),
        cmocka_unit_test(expired_detach_timer__leaves_a_later_bus_reset_in_run_time),
        cmocka_unit_test(wValue_0__is_over_at_once),
        cmocka_unit_test(wDetachTimeOut_0__never_reaches_dfu_mode_by_reset),
        cmocka_unit_test(wait_reset_device__never_leaves_by_itself),
        cmocka_unit_test(bus_reset_in_app_idle__stays_in_run_time),
        cmocka_unit_test(bus_reset_while_the_timer_runs__enters_dfu_mode_once),
        cmocka_unit_test(bus_reset_after_an_illegal_request__stays_in_run_time),
        cmocka_unit_test(bus_reset_before_the_status_stage__stays_in_run_time),
        cmocka_unit_test(bus_reset_in_the_settle_time__enters_dfu_mode_at_once),
        cmocka_unit_test(will_detach_device__leaves_after_status_stage_and_settle_time),
        cmocka_unit_test(settle_time_0__leaves_with_the_status_stage),
        cmocka_unit_test(will_detach_device__does_not_care_for_the_detach_timer),
        cmocka_unit_test(get_status_in_the_settle_time__does_not_keep_the_device),
        cmocka_unit_test(second_detach_in_the_settle_time__keeps_the_device),
        cmocka_unit_test(detach__works_again_after_coming_back),
        cmocka_unit_test(get_status__abandons_a_detach_and_says_app_idle),
        cmocka_unit_test(request_to_someone_else__abandons_a_detach),
        cmocka_unit_test(detach_sent_again_before_its_status_stage__is_accepted),
        cmocka_unit_test(status_stage_without_a_detach__is_nothing),
        cmocka_unit_test(instances__do_not_share_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
