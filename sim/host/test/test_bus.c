// SPDX-License-Identifier: MIT
//
// Toy devices on the ports of a bus.

#include <sim/bus.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "toy_device.h"

static struct toy toys[2];
static struct sim_bus *bus;
static struct sim_bus_port *moves_to; // where a device goes that disconnects, or NULL

static void on_disconnected(void *context, struct sim_bus_port *port)
{
    (void)context;
    if (moves_to)
        sim_bus_move(port, moves_to);
    moves_to = NULL;
}

static int open_bus(void **state)
{
    static const struct sim_bus_events events = {.disconnected = on_disconnected};

    (void)state;
    moves_to = NULL;
    bus = sim_bus_open(&events, NULL);
    return bus ? 0 : -1;
}

static int close_bus(void **state)
{
    (void)state;
    sim_bus_close(bus);
    return 0;
}

static struct sim_bus_port *plug_in(const char *place, struct toy *toy)
{
    struct sim_bus_port *port = sim_bus_port(bus, place);

    assert_non_null(port);
    sim_bus_plug(port, toy_init(toy));
    return port;
}

static int no_data(struct sim_bus_port *port, uint8_t type, uint8_t request, uint16_t value)
{
    const struct usbdev_setup_packet setup = {type, request, value, 0, 0};

    return sim_host_control(port->host, &setup, NULL, 0);
}

static void place__is_a_bus_and_its_ports(void **state)
{
    (void)state;
    static const char *const good[] = {"1-1", "12-3.4", "1-2.3.4.5"};
    static const char *const bad[] = {"",      "1",    "1-",   "-1",  "1-1.",  "1.1",
                                      "1-1-1", "1-.1", "1-1x", "a-1", "1-1..2"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!sim_bus_is_place(good[i]))
            fail_msg("%s is a place", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (sim_bus_is_place(bad[i]))
            fail_msg("'%s' is no place", bad[i]);
}

static void port__has_a_device_or_a_hub(void **state)
{
    (void)state;
    struct sim_bus_port *port = sim_bus_port(bus, "1-2.1");

    assert_non_null(port);
    assert_ptr_equal(sim_bus_port(bus, "1-2.1"), port);
    assert_non_null(sim_bus_port(bus, "1-2.10"));
    assert_null(sim_bus_port(bus, "1-2"));
    assert_null(sim_bus_port(bus, "1-2.1.4"));
    assert_null(sim_bus_port_at(bus, 2));
}

static void devices__answer_on_their_own_ports(void **state)
{
    (void)state;
    struct sim_bus_port *one = plug_in("1-2.1", &toys[0]);
    struct sim_bus_port *two = plug_in("1-2.2", &toys[1]);

    sim_bus_run_until(bus, 200 * SIM_MS);
    assert_int_equal(usb_core_enumerate(&one->core, 0), 0);
    assert_int_equal(usb_core_enumerate(&two->core, 0), 0);

    assert_int_equal(usb_core_set_configuration(&two->core, 1), 0);
    assert_int_equal(toys[0].bConfigurationValue, 0);
    assert_int_equal(toys[1].bConfigurationValue, 1);
    assert_true(one->address != two->address);
}

// It is off the bus for 20 ms, and debounced for 100.
static void device_that_leaves__comes_back_at_another_port(void **state)
{
    (void)state;
    struct sim_bus_port *before = sim_bus_port(bus, "1-3");
    struct sim_bus_port *first = plug_in("1-2.1", &toys[0]);
    struct sim_bus_port *after = sim_bus_port(bus, "1-2.4");
    struct sim_bus_port *const others[] = {before, after};

    for (size_t i = 0; i < 2; i++) {
        struct sim_bus_port *from = i == 0 ? first : before;

        sim_bus_run_until(bus, sim_bus_now(bus) + 200 * SIM_MS);
        assert_int_equal(usb_core_enumerate(&from->core, 0), 0);
        moves_to = others[i];
        assert_int_equal(no_data(from, 0x40, TOY_LEAVE, 0), 0);
        sim_bus_run_until(bus, sim_bus_now(bus) + 200 * SIM_MS);

        assert_true(sim_bus_is_empty(from));
        assert_false(sim_host_connected(from->host));
        assert_int_equal(from->address, 0);
        assert_true(sim_host_connected(others[i]->host));
    }
}

static void ports__keep_their_time_together(void **state)
{
    (void)state;
    struct sim_bus_port *one = plug_in("1-1", &toys[0]);
    struct sim_bus_port *two = sim_bus_port(bus, "1-2");

    assert_int_equal(usb_core_enumerate(&one->core, 1000 * SIM_MS), 0);
    assert_int_equal(sim_host_now(two->host), 0);
    assert_int_equal(sim_bus_now(bus), sim_host_now(one->host));
    sim_bus_run_until(bus, sim_bus_now(bus));

    assert_int_equal(sim_host_now(two->host), sim_host_now(one->host));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bus, close_bus)
    const struct CMUnitTest tests[] = {
        TEST(place__is_a_bus_and_its_ports),
        TEST(port__has_a_device_or_a_hub),
        TEST(devices__answer_on_their_own_ports),
        TEST(device_that_leaves__comes_back_at_another_port),
        TEST(ports__keep_their_time_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
