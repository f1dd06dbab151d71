// SPDX-License-Identifier: MIT
//
// A simulated device that comes back at another port, and a second one with the same serial number.
// Which of the two was found is told by its mode: only the device itself was sent a DETACH.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"

enum { WAIT_MS = 5000 };

static struct target *open_text(const char *text, char *error, size_t size)
{
    struct target_spec spec;
    error[0] = '\0';
    if (target_spec_parse(&spec, text, error, size) < 0)
        return NULL;
    return target_open(&spec, error, size);
}

static uint16_t product_of(const struct target *target)
{
    return usbdev_load_le16(target->descriptors.device + 10);
}

static void send_detach(struct target *target)
{
    const struct usbdev_setup_packet setup = {0x21, 0, 1000, 0, 0};
    assert_int_equal(target->ops->control(target, &setup, NULL, 1000), 0);
}

static void detach(struct target *target)
{
    send_detach(target);
    assert_int_equal(target->ops->wait_leave(target, 1000), 0);
}

static void expect_at(const struct target *target, const char *place)
{
    char wanted[100];
    snprintf(wanted, sizeof wanted, "simulated in this process, at %s", place);
    assert_string_equal(target->where, wanted);
}

// ST's boot loader, 0483:df11.
static void expect_dfu_mode_at(struct target *target, const char *place)
{
    assert_int_equal(target->ops->wait_return(target, WAIT_MS), 0);
    assert_int_equal(product_of(target), 0xDF11);
    expect_at(target, place);
}

static void device_that_moves__is_found_and_found_again(void **state)
{
    (void)state;
    static const char *const places[] = {"1-1", "1-2", "1-2.3", "2-4.4.4"};
    for (size_t i = 1; i < sizeof places / sizeof *places; i++) {
        char spec[100];
        snprintf(spec, sizeof spec, "sim:will-detach,moves=%s", places[i]);
        struct target *target = open_target(spec);
        expect_at(target, "1-1");

        detach(target);
        expect_dfu_mode_at(target, places[i]);
        assert_int_equal(target->ops->power_cycle(target), 0);
        assert_int_equal(product_of(target), 0x0001);
        expect_at(target, "1-1");

        target->ops->close(target);
    }
}

// usb:...,path= means this socket and no other; that the device is in another one is not its fault.
static void place_that_was_named__is_the_only_one(void **state)
{
    (void)state;
    struct target *target = open_target("sim:will-detach,path=1-2.1,moves=1-2.2");

    detach(target);

    assert_int_equal(target->ops->wait_return(target, WAIT_MS), USB_IO);
    assert_non_null(strstr(target->fault, "path= allows 1-2.1 alone"));
    target->ops->close(target);
}

static void twin_that_was_there__is_not_taken(void **state)
{
    (void)state;
    struct target *target = open_target("sim:will-detach,moves=1-2.2,twin=1-2.3");

    detach(target);

    expect_dfu_mode_at(target, "1-2.2");
    target->ops->close(target);
}

// Both are new, and either may be the device: neither is sent a request.
static void twin_at_the_old_place__leaves_two_candidates(void **state)
{
    (void)state;
    struct target *target = open_target("sim:will-detach,moves=1-2.2,twin=1-1");

    detach(target);

    assert_int_equal(target->ops->wait_return(target, WAIT_MS), USB_IO);
    assert_non_null(strstr(target->fault, "which device came back cannot be told: "));
    assert_non_null(strstr(target->fault, "1209:0001 at 1-1"));
    assert_non_null(strstr(target->fault, "0483:df11 at 1-2.2"));
    target->ops->close(target);
}

// This one leaves at the bus reset after DETACH.
static void device_without_a_serial_number__is_not_looked_for_elsewhere(void **state)
{
    (void)state;
    struct target *target = open_target("sim:no-serial,moves=1-2");

    send_detach(target);
    assert_int_equal(target->ops->reset(target), USB_GONE);

    assert_int_equal(target->ops->wait_return(target, WAIT_MS), USB_TIMEOUT);
    target->ops->close(target);
}

static void contradiction__is_told(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        const char *says;
    } cases[] = {
        {"sim:will-detach,moves=1-1.2", "1-1.2: a port has a device or a hub"},
        {"sim:will-detach,twin=1-1", "twin=1-1: the device itself is there"},
        {"sim:will-detach,moves=1-2,twin=1-2", "twin=1-2: the device itself is there"},
        {"sim:will-detach,moves=here", "expected"},
        {"sim:will-detach,path=1", "expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char error[500];

        if (open_text(cases[i].spec, error, sizeof error) || !strstr(error, cases[i].says))
            fail_msg("%s: %s", cases[i].spec, error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_that_moves__is_found_and_found_again),
        cmocka_unit_test(place_that_was_named__is_the_only_one),
        cmocka_unit_test(twin_that_was_there__is_not_taken),
        cmocka_unit_test(twin_at_the_old_place__leaves_two_candidates),
        cmocka_unit_test(device_without_a_serial_number__is_not_looked_for_elsewhere),
        cmocka_unit_test(contradiction__is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
