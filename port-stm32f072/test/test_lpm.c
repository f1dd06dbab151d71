// SPDX-License-Identifier: MIT
//
// The virtual board with firmware that acknowledges LPM tokens (images/lpm.c).
//
//     test_lpm LPM OTHER

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dfurt/usb_spec.h>

#include "plugged.h"

enum { BESL_400_US = 4 };

static const char *image;
static const char *other_image;

static void on_woken(void *context)
{
    ++*(unsigned *)context;
}

static struct sim_host *plug_in_image(const char *firmware, unsigned *woken)
{
    static const struct sim_host_events events = {.woken = on_woken};
    struct sim_device *device = open_device(&(struct sim_options){.firmware = firmware, .seed = 1});
    struct sim_host *host = sim_host_open(device, &events, woken);

    assert_non_null(host);
    assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), 0);
    return host;
}

static void assert_answers(struct sim_host *host)
{
    uint8_t descriptor[18];

    assert_int_equal(control(host, 0x80, USBDEV_GET_DESCRIPTOR, USBDEV_DT_DEVICE << 8, 0,
                             descriptor, sizeof descriptor),
                     sizeof descriptor);
}

static void l1__lasts_until_the_host_ends_it(void **state)
{
    (void)state;
    unsigned woken = 0;
    struct sim_host *host = plug_in_image(image, &woken);

    for (unsigned besl = 0; besl < 16; besl++) {
        assert_int_equal(sim_host_sleep(host, besl, false), SIM_ACK);
        pass_ms(host, 100);
        assert_true(sim_host_suspended(host));
        uint64_t before_ns = sim_host_now(host);
        sim_host_resume(host);
        assert_in_range(sim_host_now(host) - before_ns, 135000, 10010000);
        assert_answers(host);
    }
    assert_int_equal(woken, 0);

    unplug(host);
}

static void l1__is_ended_by_a_device_that_may(void **state)
{
    (void)state;
    unsigned woken = 0;
    struct sim_host *host = plug_in_image(image, &woken);

    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(sim_host_sleep(host, BESL_400_US, true), SIM_ACK);
        pass_ms(host, 3);
        assert_true(sim_host_suspended(host));
        pass_ms(host, 7);
        assert_false(sim_host_suspended(host));
        assert_int_equal(woken, i);
        assert_answers(host);
    }

    unplug(host);
}

// What a suspended bus does to the device is the same behind L1.
static void l1__does_not_shorten_a_suspend_that_follows(void **state)
{
    (void)state;
    unsigned woken = 0;
    struct sim_host *host = plug_in_image(image, &woken);

    assert_int_equal(sim_host_sleep(host, BESL_400_US, false), SIM_ACK);
    sim_host_resume(host);
    sim_host_suspend(host);
    uint64_t before_ns = sim_host_now(host);
    sim_host_resume(host);
    assert_int_equal(sim_host_now(host) - before_ns, 30 * SIM_MS);
    assert_answers(host);

    unplug(host);
}

static void l1__is_unknown_to_a_device_that_did_not_enable_it(void **state)
{
    (void)state;
    unsigned woken = 0;
    struct sim_host *host = plug_in_image(other_image, &woken);

    assert_int_equal(sim_host_sleep(host, BESL_400_US, true), SIM_NO_RESPONSE);
    assert_false(sim_host_suspended(host));
    assert_answers(host);

    unplug(host);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(l1__lasts_until_the_host_ends_it),
        cmocka_unit_test(l1__is_ended_by_a_device_that_may),
        cmocka_unit_test(l1__does_not_shorten_a_suspend_that_follows),
        cmocka_unit_test(l1__is_unknown_to_a_device_that_did_not_enable_it),
    };

    if (argc != 3) {
        fprintf(stderr, "usage: test_lpm LPM OTHER\n");
        return 2;
    }
    image = argv[1];
    other_image = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
