// SPDX-License-Identifier: MIT
//
// What is counted as a loss, from the results of requests alone.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "losses.h"
#include <usb/result.h>

enum { MS = 1000, OUT = 0x21, IN = 0xA1 };

static const struct usbdev_setup_packet get_string = {0x80, USBDEV_GET_DESCRIPTOR, 0x0303, 0, 4};
static const struct usbdev_setup_packet getstate = {IN, DFURT_GETSTATE, 0, 0, 1};
static const struct usbdev_setup_packet detach = {OUT, DFURT_DETACH, 1000, 0, 0};
static const struct usbdev_setup_packet manifest = {OUT, DFURT_DNLOAD, 7, 0, 0};
static const struct usbdev_setup_packet dnload = {OUT, DFURT_DNLOAD, 7, 0, 64};

static enum device_mode mode;
static unsigned on_the_way;
static bool dirty;
static bool pausing;
static struct device run_time; // bitWillDetach is 0

// A check runs on it.
static struct losses on_the_bus(enum device_mode in_mode)
{
    struct losses losses;
    const struct losses_view view = {&mode, &on_the_way, &dirty, &pausing, &run_time};
    mode = in_mode;
    on_the_way = 0;
    dirty = pausing = false;
    losses_init(&losses, &view, 0);
    losses.fresh = false;
    return losses;
}

static void
assert_counts(const struct losses *losses, unsigned all, unsigned unasked, unsigned stranded)
{
    assert_int_equal(losses->counts.all, all);
    assert_int_equal(losses->counts.unasked, unasked);
    assert_int_equal(losses->counts.stranded, stranded);
}

static void assert_text(const struct loss *loss, const char *expected)
{
    char text[200];
    loss_text(loss, text, sizeof text);
    assert_string_equal(text, expected);
}

// ---- Silence ----

static void one_silence__is_no_loss_and_two_are_one(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);
    const int answers[] = {0, 4, USB_STALL, USB_OVERFLOW};

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        losses_saw(&losses, &get_string, USB_TIMEOUT, 1 * MS);
        losses_saw(&losses, &get_string, answers[i], 2 * MS);
    }
    losses_saw(&losses, &get_string, USB_TIMEOUT, 3 * MS);
    assert_counts(&losses, 0, 0, 0);
    losses_saw(&losses, &get_string, USB_TIMEOUT, 4 * MS);
    losses_saw(&losses, &get_string, USB_TIMEOUT, 5 * MS);

    assert_counts(&losses, 1, 1, 0);
}

static void one_silence__of_a_device_that_left_is_a_loss_when_it_is_back(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);

    losses_saw(&losses, &get_string, USB_GONE, 1 * MS);
    assert_counts(&losses, 0, 0, 0);
    losses_saw_return(&losses, 900 * MS);

    assert_counts(&losses, 1, 1, 0);
}

static void question__that_kills_a_fresh_device_is_forbidden_but_to_checks(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);
    on_the_way = 1;
    losses.fresh = true;

    losses_saw(&losses, &getstate, USB_TIMEOUT, 1 * MS);
    losses_saw(&losses, &getstate, USB_TIMEOUT, 2 * MS);

    assert_true(losses_forbid(&losses, &getstate));
    assert_false(losses_forbid(&losses, &get_string));
    dirty = true;
    assert_true(losses_forbid(&losses, &getstate));
    on_the_way = 0;
    assert_false(losses_forbid(&losses, &getstate));
}

// It was answered in another state before.
static void question__that_kills_a_device_behind_a_power_cycle_is_forbidden(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);
    on_the_way = 1;
    losses_saw(&losses, &getstate, 1, 1 * MS);
    losses_saw(&losses, &getstate, USB_GONE, 2 * MS);
    losses_saw(&losses, &getstate, USB_GONE, 3 * MS);
    assert_false(losses_forbid(&losses, &getstate));

    losses_saw_power(&losses, 4 * MS);
    losses.fresh = true;
    losses_saw(&losses, &getstate, USB_GONE, 5 * MS);
    losses_saw(&losses, &get_string, USB_GONE, 6 * MS);

    assert_true(losses_forbid(&losses, &getstate));
    assert_counts(&losses, 2, 1, 0);
}

// The request before it may be what the device was lost by, and is not sent any more.
static void question__behind_another_request_forbids_that_one(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);
    on_the_way = 1;

    for (uint64_t i = 0; i < 4; i++) {
        losses_saw(&losses, &dnload, 64, 10 * i * MS);
        losses_saw(&losses, &getstate, USB_GONE, (10 * i + 1) * MS);
        losses_saw(&losses, &getstate, USB_GONE, (10 * i + 2) * MS);
    }

    assert_counts(&losses, 4, 4, 0);
    assert_true(losses_forbid(&losses, &dnload));
    assert_true(losses_avoid(&losses, &losses.last));
    assert_false(losses_forbid(&losses, &getstate));
}

static void lose_at(struct losses *losses, const struct usbdev_setup_packet *setup, uint64_t at_ms)
{
    losses_saw(losses, &get_string, 4, at_ms * MS);
    losses_saw(losses, setup, USB_TIMEOUT, (at_ms + 1) * MS);
    losses_saw(losses, &get_string, USB_TIMEOUT, (at_ms + 2) * MS);
}

static void
request__that_kills_twice_is_forbidden_in_its_mode_while_memory_is_as_it_was(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);
    on_the_way = 1;

    lose_at(&losses, &dnload, 10);
    assert_false(losses_forbid(&losses, &dnload));
    assert_false(losses_avoid(&losses, &losses.last));
    lose_at(&losses, &dnload, 20);

    assert_true(losses_forbid(&losses, &dnload));
    assert_true(losses_avoid(&losses, &losses.last));
    assert_false(losses_forbid(&losses, &manifest));
    assert_false(losses_forbid(&losses, &get_string));
    dirty = true;
    assert_false(losses_forbid(&losses, &dnload));
    dirty = pausing = false;
    mode = DEVICE_RUN_TIME;
    assert_false(losses_forbid(&losses, &dnload));
}

static void request__that_is_answered_is_not_fatal(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);
    on_the_way = 1;

    for (uint64_t i = 0; i < 4; i++) {
        lose_at(&losses, &dnload, 10 * i);
        losses_saw(&losses, &dnload, 64, (10 * i + 3) * MS);
    }

    assert_counts(&losses, 4, 4, 0);
    assert_false(losses_forbid(&losses, &dnload));
}

// A download that was begun is ended and restored, whatever the device was lost at.
static void request__that_nothing_replaces_is_sent_where_memory_may_have_changed(void **state)
{
    (void)state;
    static const struct usbdev_setup_packet clrstatus = {OUT, DFURT_CLRSTATUS, 0, 0, 0};
    static const struct usbdev_setup_packet select = {0x01, USBDEV_SET_INTERFACE, 0, 0, 0};
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);
    on_the_way = 1;

    for (uint64_t i = 0; i < 2; i++) {
        lose_at(&losses, &clrstatus, 20 * i);
        lose_at(&losses, &select, 20 * i + 10);
    }
    assert_true(losses_forbid(&losses, &clrstatus));
    dirty = true;

    assert_false(losses_forbid(&losses, &clrstatus));
    assert_true(losses_forbid(&losses, &select));
}

static void request__that_alone_is_never_answered_is_forbidden(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);
    on_the_way = 1;

    for (uint64_t i = 0; i < 2; i++) {
        assert_false(losses_forbid(&losses, &dnload));
        losses_saw(&losses, &dnload, USB_TIMEOUT, 10 * i * MS);
        losses_saw(&losses, &get_string, 4, (10 * i + 1) * MS);
    }

    assert_true(losses_forbid(&losses, &dnload));
    assert_counts(&losses, 0, 0, 0);
}

// No other request leads to DFU mode.
static void leave_in_pause(struct losses *losses, uint64_t at_us)
{
    pausing = true;
    losses_saw_leave(losses, at_us);
    pausing = false;
    losses_saw(losses, &get_string, USB_GONE, at_us);
    losses_saw_return(losses, at_us + 500 * MS);
}

// The pause is behind another one.
static void request__that_is_known_to_come_late_has_the_loss_within_its_time(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);
    losses_saw(&losses, &dnload, 64, 1 * MS);
    leave_in_pause(&losses, 20 * MS);

    losses_saw(&losses, &dnload, 64, 1001 * MS);
    losses_saw(&losses, &get_string, 4, 1015 * MS);
    leave_in_pause(&losses, 1020 * MS);

    assert_true(losses.last.late);
    assert_int_equal(loss_request(&losses.last)[1], DFURT_DNLOAD);
}

static void detach__is_never_forbidden_at_run_time(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);
    on_the_way = 1;

    for (uint64_t i = 0; i < 3; i++) {
        lose_at(&losses, &detach, 100 * i);
        losses_give_up(&losses, (100 * i + 3) * MS);
        losses_saw_return(&losses, (100 * i + 4) * MS);
        losses_saw(&losses, &get_string, 4, (100 * i + 5) * MS);
    }

    assert_int_equal(losses.counts.unasked, 3);
    assert_false(losses_forbid(&losses, &detach));
}

// ---- Whose doing it is ----

static void request__that_lets_the_device_leave_makes_its_loss_the_suites_own(void **state)
{
    (void)state;
    const struct {
        const struct usbdev_setup_packet *setup;
        int result;
        unsigned unasked;
    } rows[] = {
        {&detach, 0, 0},   {&detach, USB_TIMEOUT, 0}, {&detach, USB_STALL, 1},
        {&manifest, 0, 0}, {&dnload, 64, 1},          {&getstate, 1, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct losses losses = on_the_bus(DEVICE_RUN_TIME);
        losses_saw(&losses, rows[i].setup, rows[i].result, 1 * MS);
        losses_saw(&losses, &get_string, USB_GONE, 2 * MS);
        losses_saw(&losses, &get_string, USB_GONE, 3 * MS);
        assert_counts(&losses, 1, rows[i].unasked, 0);
    }
}

static void device__that_was_let_leave_must_stay_once_it_is_back_and_has_answered(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);

    losses_saw(&losses, &detach, 0, 1 * MS);
    losses_saw_leave(&losses, 2 * MS);
    losses_saw_return(&losses, 500 * MS);
    assert_true(losses.may_leave);
    losses_saw(&losses, &get_string, 4, 501 * MS);
    losses_saw(&losses, &get_string, USB_GONE, 502 * MS);
    losses_saw(&losses, &get_string, USB_GONE, 503 * MS);

    assert_counts(&losses, 1, 1, 0);
}

static void device__that_was_let_leave_and_stays_away_is_stranded_once(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);

    losses_saw(&losses, &detach, 0, 1 * MS);
    losses_saw_leave(&losses, 2 * MS);
    losses_give_up(&losses, 20000 * MS);
    losses_give_up(&losses, 40000 * MS);

    assert_counts(&losses, 1, 0, 1);
}

// ---- Departures from DFU mode ----

// It may have taken the DETACH, and be in DFU mode when it is back.
static void device__that_left_in_the_middle_of_detach_is_lost_unless_it_comes_back(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);
    losses_saw(&losses, &detach, USB_GONE, 1 * MS);
    losses_saw_return(&losses, 900 * MS);
    losses_saw(&losses, &getstate, 1, 901 * MS);
    assert_counts(&losses, 1, 0, 0);

    losses_saw(&losses, &detach, USB_TIMEOUT, 1000 * MS);
    losses_saw(&losses, &getstate, USB_TIMEOUT, 2000 * MS);
    losses_give_up(&losses, 9000 * MS);
    assert_counts(&losses, 2, 1, 0);
    assert_int_equal(losses.last_unasked.request[1], DFURT_DETACH);
}

static void second_detach__is_unfinished_by_the_suites_own_doing(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);

    losses_saw(&losses, &detach, 0, 1 * MS);
    losses_saw(&losses, &detach, USB_GONE, 2 * MS);
    losses_give_up(&losses, 9000 * MS);

    assert_counts(&losses, 1, 0, 1);
}

// In appDETACH, after an answer there, and it did not answer two requests.
static struct losses lost_in_app_detach(int result)
{
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);
    losses_saw(&losses, &detach, 0, 1 * MS);
    losses_saw(&losses, &getstate, 1, 2 * MS);
    losses_saw(&losses, &get_string, result, 3 * MS);
    losses_saw(&losses, &getstate, result, 4 * MS);
    return losses;
}

static void device__that_is_silent_in_app_detach_until_its_bus_is_reset_is_lost(void **state)
{
    (void)state;
    struct losses losses = lost_in_app_detach(USB_TIMEOUT);
    assert_counts(&losses, 1, 0, 0);

    losses_excuse_departure(&losses);
    assert_counts(&losses, 1, 1, 0);
    assert_int_equal(losses.last_unasked.request[1], USBDEV_GET_DESCRIPTOR);

    mode = DEVICE_DFU_MODE;
    losses_saw_return(&losses, 900 * MS);
    losses_saw(&losses, &getstate, 1, 901 * MS);
    assert_counts(&losses, 1, 1, 0);
}

static void device__that_leaves_app_detach_is_lost_unless_it_comes_back_in_dfu_mode(void **state)
{
    (void)state;
    static const enum device_mode modes[] = {DEVICE_RUN_TIME, DEVICE_DFU_MODE};
    for (size_t i = 0; i < 2; i++) {
        struct losses losses = lost_in_app_detach(USB_GONE);
        mode = modes[i];
        losses_saw_comeback(&losses, 900 * MS);
        losses_saw(&losses, &getstate, 1, 901 * MS);
        assert_counts(&losses, 1, modes[i] == DEVICE_RUN_TIME, 0);
    }
}

static void device__that_has_to_stay_is_lost_when_it_leaves(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_RUN_TIME);
    losses_saw(&losses, &detach, 0, 1 * MS);
    losses_saw(&losses, &getstate, 1, 2 * MS);
    losses_have_to_stay(&losses);
    losses_saw(&losses, &getstate, USB_GONE, 5 * MS);
    losses_saw(&losses, &getstate, USB_GONE, 6 * MS);
    assert_counts(&losses, 1, 1, 0);
}

static void departure__that_is_taken_out_leaves_the_loss_before_it(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);

    losses_saw(&losses, &get_string, 4, 1 * MS);
    losses_saw(&losses, &getstate, USB_TIMEOUT, 2 * MS);
    losses_saw(&losses, &getstate, USB_TIMEOUT, 3 * MS);
    losses_saw(&losses, &get_string, 4, 4 * MS);
    losses_saw(&losses, &dnload, USB_GONE, 2005 * MS);
    losses_saw_comeback(&losses, 2500 * MS);
    assert_counts(&losses, 2, 2, 0);
    assert_text(&losses.last_unasked, "the device left the bus 2001 ms after GET_DESCRIPTOR(STRING "
                                      "3), not answering DNLOAD");
    losses_take_out(&losses, losses_departure(&losses, 0));

    assert_counts(&losses, 1, 1, 0);
    assert_text(&losses.last_unasked,
                "the device did not answer GETSTATE, which followed GET_DESCRIPTOR(STRING 3)");
}

static void departure__has_its_stay_and_its_idle_time(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);

    losses_saw_return(&losses, 100 * MS);
    losses_saw(&losses, &get_string, 4, 250 * MS);
    losses_saw_leave(&losses, 1100 * MS);
    losses_saw_comeback(&losses, 1500 * MS);

    const struct departure *departure = losses_departure(&losses, 0);
    assert_int_equal(departure->stayed_us, 1000 * MS);
    assert_int_equal(departure->idle_us, 850 * MS);
    assert_int_equal(losses.counts.returns, 1);
}

static void departures__are_kept_as_far_as_there_is_room(void **state)
{
    (void)state;
    struct losses losses = on_the_bus(DEVICE_DFU_MODE);

    for (unsigned i = 0; i <= LOSSES_DEPARTURES; i++) {
        losses_saw(&losses, &get_string, 4, i * 1000 * MS);
        losses_saw_leave(&losses, i * 1000 * MS + 500 * MS);
        losses_saw_comeback(&losses, i * 1000 * MS + 700 * MS);
    }

    assert_null(losses_departure(&losses, 0));
    assert_int_equal(losses_departure(&losses, 1)->idle_us, 500 * MS);
    assert_int_equal(losses_departure(&losses, LOSSES_DEPARTURES)->stayed_us, 800 * MS);
}

static void departure__at_run_time_or_with_leave_is_none(void **state)
{
    (void)state;
    struct losses at_run_time = on_the_bus(DEVICE_RUN_TIME);
    losses_saw_leave(&at_run_time, 1 * MS);
    assert_int_equal(at_run_time.counts.departures, 0);

    struct losses manifested = on_the_bus(DEVICE_DFU_MODE);
    losses_saw(&manifested, &manifest, 0, 1 * MS);
    losses_saw_leave(&manifested, 2 * MS);
    assert_int_equal(manifested.counts.departures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_silence__is_no_loss_and_two_are_one),
        cmocka_unit_test(one_silence__of_a_device_that_left_is_a_loss_when_it_is_back),
        cmocka_unit_test(question__that_kills_a_fresh_device_is_forbidden_but_to_checks),
        cmocka_unit_test(question__that_kills_a_device_behind_a_power_cycle_is_forbidden),
        cmocka_unit_test(question__behind_another_request_forbids_that_one),
        cmocka_unit_test(
            request__that_kills_twice_is_forbidden_in_its_mode_while_memory_is_as_it_was),
        cmocka_unit_test(request__that_is_answered_is_not_fatal),
        cmocka_unit_test(request__that_nothing_replaces_is_sent_where_memory_may_have_changed),
        cmocka_unit_test(request__that_alone_is_never_answered_is_forbidden),
        cmocka_unit_test(request__that_is_known_to_come_late_has_the_loss_within_its_time),
        cmocka_unit_test(detach__is_never_forbidden_at_run_time),
        cmocka_unit_test(request__that_lets_the_device_leave_makes_its_loss_the_suites_own),
        cmocka_unit_test(device__that_was_let_leave_must_stay_once_it_is_back_and_has_answered),
        cmocka_unit_test(device__that_was_let_leave_and_stays_away_is_stranded_once),
        cmocka_unit_test(device__that_left_in_the_middle_of_detach_is_lost_unless_it_comes_back),
        cmocka_unit_test(second_detach__is_unfinished_by_the_suites_own_doing),
        cmocka_unit_test(device__that_is_silent_in_app_detach_until_its_bus_is_reset_is_lost),
        cmocka_unit_test(device__that_leaves_app_detach_is_lost_unless_it_comes_back_in_dfu_mode),
        cmocka_unit_test(device__that_has_to_stay_is_lost_when_it_leaves),
        cmocka_unit_test(departure__that_is_taken_out_leaves_the_loss_before_it),
        cmocka_unit_test(departure__has_its_stay_and_its_idle_time),
        cmocka_unit_test(departures__are_kept_as_far_as_there_is_room),
        cmocka_unit_test(departure__at_run_time_or_with_leave_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
