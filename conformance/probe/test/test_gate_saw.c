// SPDX-License-Identifier: MIT
//
// What the gate knows after what it saw: the state, until something moves it; the address pointer;
// how much of the image was accepted.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gates.h"

static void state__is_what_the_device_last_said_until_something_moves_it(void **test)
{
    (void)test;
    static const uint8_t app_idle[] = {0, 0, 0, 0, DFURT_STATE_appIDLE, 0};
    const struct usbdev_setup_packet getstate = {IN, DFURT_GETSTATE, 0, 0, 1};
    const struct usbdev_setup_packet getstatus = {IN, DFURT_GETSTATUS, 0, 0, 6};
    const struct usbdev_setup_packet movers[] = {
        {OUT, DFURT_DETACH, 0, 0, 0},
        {IN, DFURT_UPLOAD, 0, 0, 5},
        {OUT, DFURT_DNLOAD, 0, 0, 5},
        {OUT, DFURT_CLRSTATUS, 0, 0, 0},
        {OUT, DFURT_ABORT, 0, 0, 0},
        {OUT, 7, 0, 0, 0},
        {0x20, 0, 0, 0, 0},
        {0xC1, 3, 0, 0, 6},
        {OUT, DFURT_GETSTATUS, 0, 0, 6},
        {0x00, USBDEV_SET_CONFIGURATION, 1, 0, 0},
    };
    const struct usbdev_setup_packet descriptor = {0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, 18};

    for (size_t i = 0; i < sizeof movers / sizeof movers[0]; i++) {
        struct gate gate = gate_of_run_time(GATE_STATE_STALE);
        gate_saw(&gate, i % 2 ? &getstatus : &getstate, app_idle, i % 2 ? 6 : 1, false);
        assert_int_equal(gate.state, DFURT_STATE_appIDLE);
        gate_saw(&gate, &descriptor, app_idle, 6, false);
        gate_waited(&gate);
        assert_int_equal(gate.state, DFURT_STATE_appIDLE);
        gate_saw(&gate, &movers[i], app_idle, 0, false);
        assert_int_equal(gate.state, GATE_STATE_STALE);
    }
}

static void state__is_not_taken_from_half_an_answer(void **test)
{
    (void)test;
    static const uint8_t zeros[6] = {0};
    const struct usbdev_setup_packet getstate = {IN, DFURT_GETSTATE, 0, 0, 1};
    const struct usbdev_setup_packet getstatus = {IN, DFURT_GETSTATUS, 0, 0, 6};
    struct gate gate = gate_of_run_time(GATE_STATE_STALE);

    gate_saw(&gate, &getstate, zeros, 0, false);
    assert_int_equal(gate.state, GATE_STATE_STALE);
    gate_saw(&gate, &getstatus, zeros, 5, false);
    assert_int_equal(gate.state, GATE_STATE_STALE);
}

static void state__that_a_timer_ends_is_stale_after_a_wait(void **test)
{
    (void)test;
    const int timed[] = {DFURT_STATE_appDETACH, DFURT_STATE_dfuDNBUSY, DFURT_STATE_dfuDNLOAD_SYNC,
                         DFURT_STATE_dfuMANIFEST};

    for (size_t i = 0; i < sizeof timed / sizeof timed[0]; i++) {
        struct gate gate = gate_of_run_time(timed[i]);
        gate_waited(&gate);
        assert_int_equal(gate.state, GATE_STATE_STALE);
    }
}

static void state__that_no_timer_ends_is_known_after_a_wait(void **test)
{
    (void)test;
    const int lasting[] = {DFURT_STATE_appIDLE,        DFURT_STATE_dfuIDLE,
                           DFURT_STATE_dfuDNLOAD_IDLE, DFURT_STATE_dfuUPLOAD_IDLE,
                           DFURT_STATE_dfuERROR,       GATE_STATE_SILENT};

    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++) {
        struct gate gate = gate_of_run_time(lasting[i]);
        gate_waited(&gate);
        assert_int_equal(gate.state, lasting[i]);
    }
}

static void reset__leaves_no_state_known(void **test)
{
    (void)test;
    const struct usbdev_setup_packet getstate = {IN, DFURT_GETSTATE, 0, 0, 1};
    const struct usbdev_setup_packet getstatus = {IN, DFURT_GETSTATUS, 0, 0, 6};
    struct gate gate = gate_of_run_time(DFURT_STATE_appIDLE);

    gate_moved(&gate);
    assert_int_equal(gate.state, GATE_STATE_STALE);
    gate_saw(&gate, &getstate, NULL, STALL, true);
    gate_moved(&gate);
    gate_saw(&gate, &getstatus, NULL, STALL, true);

    assert_int_equal(gate.state, GATE_STATE_STALE);
}

static void reset__lets_what_was_pointed_at_go(void **test)
{
    (void)test;
    struct gate gate = gate_of_dfuse(false);
    static const uint8_t command[] = {0x21, 0, 0, 0, 8};
    const struct usbdev_setup_packet detach = {OUT, DFURT_DETACH, 1000, 0, 0};

    gate_sends(&gate, 0, sizeof command, command, sizeof command);
    assert_int_equal(gate_ask(&gate, &detach, NULL), GATE_NEEDS_WRITE);
    gate_moved(&gate);

    assert_int_equal(gate_ask(&gate, &detach, NULL), GATE_SEND);
}

static void reset__begins_the_image_again(void **test)
{
    (void)test;
    struct gate gate = gate_of_plain(true);
    const struct usbdev_setup_packet end = {OUT, DFURT_DNLOAD, 2, 0, 0};

    gate_sends(&gate, 0, 5, gate_image, 5);
    gate_moved(&gate);
    gate_sends(&gate, 1, 5, gate_image + 5, 5);
    assert_int_equal(gate_ask(&gate, &end, NULL), GATE_NEEDS_KEPT);
    gate_moved(&gate);
    gate_sends(&gate, 0, 5, gate_image, 5);
    gate_sends(&gate, 1, 5, gate_image + 5, 5);

    assert_int_equal(gate_ask(&gate, &end, NULL), GATE_SEND);
}

static void silent__is_in_app_detach_right_after_an_accepted_detach(void **test)
{
    (void)test;
    const struct usbdev_setup_packet getstate = {IN, DFURT_GETSTATE, 0, 0, 1};
    const struct usbdev_setup_packet getstatus = {IN, DFURT_GETSTATUS, 0, 0, 6};
    const struct usbdev_setup_packet detach = {OUT, DFURT_DETACH, 1000, 0, 0};
    const struct usbdev_setup_packet dnload = {OUT, DFURT_DNLOAD, 0, 0, 0};
    struct gate gate = gate_of_run_time(GATE_STATE_STALE);

    gate_saw(&gate, &getstate, NULL, STALL, true);
    gate_saw(&gate, &getstatus, NULL, STALL, true);
    assert_int_equal(gate.state, GATE_STATE_SILENT);
    assert_int_equal(gate_ask(&gate, &dnload, NULL), GATE_NEEDS_STATE);
    gate_saw(&gate, &detach, NULL, 0, false);
    assert_int_equal(gate_ask(&gate, &dnload, NULL), GATE_SEND);

    gate_saw(&gate, &detach, NULL, STALL, true);
    assert_int_equal(gate_ask(&gate, &dnload, NULL), GATE_ASK_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state__is_what_the_device_last_said_until_something_moves_it),
        cmocka_unit_test(state__is_not_taken_from_half_an_answer),
        cmocka_unit_test(state__that_a_timer_ends_is_stale_after_a_wait),
        cmocka_unit_test(state__that_no_timer_ends_is_known_after_a_wait),
        cmocka_unit_test(reset__leaves_no_state_known),
        cmocka_unit_test(reset__lets_what_was_pointed_at_go),
        cmocka_unit_test(reset__begins_the_image_again),
        cmocka_unit_test(silent__is_in_app_detach_right_after_an_accepted_detach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
