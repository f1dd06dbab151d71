// SPDX-License-Identifier: MIT
//
// What a host sees of a device on a cable that something happens to.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugged.h"

// Enumerating takes three: a descriptor, the address, the configuration.
static void unplug__pulls_the_plug_at_the_request(void **state)
{
    (void)state;
    struct sim_host *host = plug_in(&(struct sim_options){.cable = {.unplug_at = 5}});
    enumerate(host);

    assert_int_equal(control(host, 0x01, USBDEV_SET_INTERFACE, 0, 0, NULL, 0), 0);
    assert_int_equal(control(host, 0x01, USBDEV_SET_INTERFACE, 0, 0, NULL, 0), USB_GONE);

    assert_false(sim_host_connected(host));
    sim_host_close(host);
}

static void unplug__is_for_good(void **state)
{
    (void)state;
    struct sim_host *host = plug_in(&(struct sim_options){.cable = {.unplug_at = 2}});

    assert_int_equal(sim_host_enumerate(host, 5000 * SIM_MS), USB_GONE);
    sim_host_power(host, false);
    sim_host_power(host, true);

    assert_int_equal(sim_host_enumerate(host, 5000 * SIM_MS), USB_GONE);
    sim_host_close(host);
}

static void away__hides_a_device_that_has_left_the_bus(void **state)
{
    (void)state;
    struct sim_host *host = plug_in(&(struct sim_options){.cable = {.away_ms = 3000}});
    enumerate(host);

    assert_int_equal(control(host, 0x21, DFURT_DETACH, 1000, 0, NULL, 0), 0);
    sim_host_run_until(host, sim_host_now(host) + 2900 * SIM_MS);
    assert_false(sim_host_connected(host));

    enumerate(host);
    sim_host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unplug__pulls_the_plug_at_the_request),
        cmocka_unit_test(unplug__is_for_good),
        cmocka_unit_test(away__hides_a_device_that_has_left_the_bus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
