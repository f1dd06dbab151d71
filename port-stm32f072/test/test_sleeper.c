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
#include <sim/devices.h>
#include <sim/f072_board.h>
#include <sim/host.h>

static const char *image;

static struct sim_host *plug_in(void)
{
    const struct sim_options options = {.firmware = image, .seed = 1};
    char error[200] = "";
    struct sim_device *device = sim_open(&options, error, sizeof error);

    if (!device)
        fail_msg("%s", error);
    struct sim_host *host = sim_host_open(device, NULL, NULL);
    assert_non_null(host);
    assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), 0);
    return host;
}

static void unplug(struct sim_host *host)
{
    struct sim_device *device = sim_host_device(host);
    const char *trouble = device->ops->trouble(device);

    if (trouble)
        fail_msg("the board reports: %s", trouble);
    sim_host_close(host);
}

static void assert_answers(struct sim_host *host)
{
    const struct usbdev_setup_packet setup = {0x80, USBDEV_GET_DESCRIPTOR, USBDEV_DT_DEVICE << 8, 0,
                                              18};
    uint8_t descriptor[18];

    assert_int_equal(sim_host_control(host, &setup, descriptor, 1000 * SIM_MS), 18);
}

// Cycles of the processor, asleep or not.
static uint64_t cycles_in_ms(struct sim_host *host, uint64_t ms)
{
    uint64_t before = f072_board_cycles(sim_host_device(host));

    sim_host_run_until(host, sim_host_now(host) + ms * SIM_MS);
    return f072_board_cycles(sim_host_device(host)) - before;
}

static void stop__lasts_from_suspend_to_resume(void **state)
{
    (void)state;
    struct sim_host *host = plug_in();

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
    struct sim_host *host = plug_in();

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
