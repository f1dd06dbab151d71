// SPDX-License-Identifier: MIT
//
// The virtual board with firmware that goes to Stop mode while the bus is suspended
// (images/sleeper.c).
//
//     test_sleeper SLEEPER

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dfurt/usb_spec.h>
#include <sim/f072_board.h>

#include "plugged.h"

static const char *image;

static struct sim_host *plug_in_enumerated(void)
{
    struct sim_host *host = plug_in(&(struct sim_options){.firmware = image, .seed = 1});

    assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), 0);
    return host;
}

static void assert_answers(struct sim_host *host)
{
    uint8_t descriptor[18];

    assert_int_equal(
        control(host, 0x80, USBDEV_GET_DESCRIPTOR, USBDEV_DT_DEVICE << 8, 0, descriptor, 18), 18);
}

// Cycles of the processor, asleep or not.
static uint64_t cycles_in_ms(struct sim_host *host, uint64_t ms)
{
    uint64_t before = f072_board_cycles(sim_host_device(host));

    pass_ms(host, ms);
    return f072_board_cycles(sim_host_device(host)) - before;
}

static void stop__lasts_from_suspend_to_resume(void **state)
{
    (void)state;
    struct sim_host *host = plug_in_enumerated();

    assert_in_range(cycles_in_ms(host, 10), 479000, 481000); // 48 MHz
    sim_host_suspend(host);
    assert_int_equal(cycles_in_ms(host, 1000), 0);
    sim_host_resume(host);
    assert_answers(host);
    assert_in_range(cycles_in_ms(host, 10), 479000, 481000);
    sim_host_suspend(host); // and once more
    assert_int_equal(cycles_in_ms(host, 1000), 0);
    sim_host_resume(host);
    assert_answers(host);

    unplug(host);
}

static void stop__ends_by_a_bus_reset(void **state)
{
    (void)state;
    struct sim_host *host = plug_in_enumerated();

    sim_host_suspend(host);
    assert_int_equal(cycles_in_ms(host, 100), 0);
    assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), 0);
    assert_answers(host);

    unplug(host);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop__lasts_from_suspend_to_resume),
        cmocka_unit_test(stop__ends_by_a_bus_reset),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_sleeper SLEEPER\n");
        return 2;
    }
    image = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
