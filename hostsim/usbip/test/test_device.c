// SPDX-License-Identifier: MIT
//
// Exported devices before they have a client: how they are enumerated when they are plugged in.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "toy_device.h"
#include <usbip/device.h>

enum { MUTE = 4, COUNT };

static void hear(void *context, const struct usbip_device *device, const char *text)
{
    char *heard = context;

    (void)device;
    strcat(heard, text);
    strcat(heard, "; ");
}

static const struct usbip_observer observer = {.note = hear};

// What a server's loop does for a device that is not on the bus.
static void run_until_settled(struct usbip_device *device)
{
    while (usbip_device_run(device) && usbip_device_availability(device) == USBIP_OP_NO_DEVICE)
        ;
}

static void devices_that_nak__settle_beside_the_others(void **state)
{
    struct toy toys[COUNT];
    struct usbip_device *devices[COUNT];
    bool settled = false;
    (void)state;

    for (unsigned i = 0; i < COUNT; i++) {
        devices[i] = usbip_device_plug_in(toy_init(&toys[i]), i + 1, NULL, NULL);
        toys[i].mute_ns = i < MUTE ? UINT64_MAX : 0;
    }
    while (!settled) {
        settled = usbip_device_settle(devices[MUTE]);
        for (unsigned i = 0; i < MUTE; i++)
            assert_false(usbip_device_settle(devices[i]));
    }

    assert_int_equal(usbip_device_availability(devices[MUTE]), USBIP_OP_OK);
    for (unsigned i = 0; i < MUTE; i++)
        assert_in_range(usbip_device_now_ns(devices[i]), 1, 500 * SIM_MS);
    for (unsigned i = 0; i < COUNT; i++)
        usbip_device_close(devices[i]);
}

static void device_that_naks__is_asked_for_5_s_while_the_loop_runs(void **state)
{
    char heard[200] = "";
    struct toy toy;
    struct usbip_device *device = usbip_device_plug_in(toy_init(&toy), 1, &observer, heard);
    (void)state;

    toy.mute_ns = UINT64_MAX;
    assert_false(usbip_device_settle(device));

    run_until_settled(device);

    assert_int_equal(usbip_device_availability(device), USBIP_OP_DEVICE_ERROR);
    assert_in_range(usbip_device_now_ns(device), 5000 * SIM_MS, 5500 * SIM_MS);
    assert_string_equal(
        heard, "the device does not enumerate: GET_DESCRIPTOR (wValue 0100h): NAK in the data "
               "stage until the time was over; ");
    usbip_device_close(device);
}

static void device_that_connects_late__is_told_of(void **state)
{
    char heard[200] = "";
    struct toy toy;
    struct usbip_device *device;
    (void)state;

    toy_init(&toy);
    toy_leave(&toy, 3000 * SIM_MS);
    device = usbip_device_plug_in(&toy.base, 1, &observer, heard);
    assert_false(usbip_device_settle(device));

    run_until_settled(device);

    assert_int_equal(usbip_device_availability(device), USBIP_OP_OK);
    assert_string_equal(heard, "on the bus: 1209:0001; ");
    usbip_device_close(device);
}

static void device_that_does_not_connect__is_told_of_after_10_s(void **state)
{
    char heard[200] = "";
    struct toy toy;
    struct usbip_device *device;
    (void)state;

    toy_init(&toy);
    toy_leave(&toy, UINT64_MAX);
    device = usbip_device_plug_in(&toy.base, 1, &observer, heard);
    assert_false(usbip_device_settle(device));

    run_until_settled(device);

    assert_int_equal(usbip_device_availability(device), USBIP_OP_NO_DEVICE);
    assert_in_range(usbip_device_now_ns(device), 10000 * SIM_MS, 10002 * SIM_MS);
    assert_string_equal(heard, "the device does not connect to the bus: its pull-up is off; ");
    usbip_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_that_nak__settle_beside_the_others),
        cmocka_unit_test(device_that_naks__is_asked_for_5_s_while_the_loop_runs),
        cmocka_unit_test(device_that_connects_late__is_told_of),
        cmocka_unit_test(device_that_does_not_connect__is_told_of_after_10_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
