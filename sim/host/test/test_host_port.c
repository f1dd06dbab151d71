// SPDX-License-Identifier: MIT
//
// The port of the host controller model: connection, frames, reset, suspend, power, enumeration.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_device.h"

// ---- The port ----

static void connect__is_debounced_for_100_ms(void **state)
{
    (void)state;
    struct fake fake = {.base.ops = &fake_ops, .pull_up = true, .max_packet = 8};
    struct sim_host *host = sim_host_open(&fake.base, NULL, NULL);

    sim_host_run_until(host, 99 * SIM_MS);
    assert_false(sim_host_connected(host));
    sim_host_run_until(host, 100 * SIM_MS);
    assert_true(sim_host_connected(host));

    sim_host_close(host);
}

static void frames__bring_a_sof_each_millisecond(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    int before = fake.sofs;

    sim_host_run_until(host, sim_host_now(host) + 1000 * SIM_MS);

    assert_int_equal(fake.sofs - before, 1000);
    sim_host_close(host);
}

static void disconnect__ends_every_transfer_and_is_reported_once(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in, out;
    struct sim_host *host = plug(&fake);
    fake.handshake = SIM_NAK;
    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 8);
    submit(host, &out, 0x02, USBDEV_ENDPOINT_BULK, 8);

    fake.pull_up = false;
    sim_host_run_until(host, 200 * SIM_MS);

    assert_int_equal(in.transfer.status, USB_GONE);
    assert_int_equal(out.transfer.status, USB_GONE);
    assert_int_equal(fake.disconnects, 1);
    assert_int_equal(sim_host_submit(host, &in.transfer), USB_GONE);
    sim_host_close(host);
}

// USB 2.0 10.2.6: three tries.
static void control__tries_a_silent_packet_again_in_the_next_frame(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};

    sim_host_use_address(host, 5); // no device has it
    fake.packet_count = 0;
    assert_int_equal(sim_host_control(host, &setup, NULL, 0), USB_GONE);

    assert_int_equal(fake.packet_count, 3);
    for (int i = 1; i < 3; i++)
        assert_int_equal(fake.packets[i].time_ns / SIM_MS,
                         fake.packets[i - 1].time_ns / SIM_MS + 1);
    sim_host_close(host);
}

static void reset__lasts_50_ms_without_sof_and_makes_the_address_0(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    sim_host_use_address(host, 5);
    int sofs = fake.sofs;

    int result = sim_host_reset(host);

    assert_int_equal(result, 0);
    assert_int_equal(fake.resets, 1);
    assert_int_equal(fake.packets[0].kind, SIM_PACKET_RESET_BEGIN);
    assert_int_equal(fake.packets[1].kind, SIM_PACKET_RESET_END);
    assert_int_equal(fake.packets[1].time_ns - fake.packets[0].time_ns, 50 * SIM_MS);
    assert_in_range(fake.sofs - sofs, 10, 11); // one before it, the others in the recovery
    assert_int_equal(sim_host_address(host), 0);
    sim_host_close(host);
}

static void reset__leaves_the_bus_a_millisecond_before_se0(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    uint64_t asked_ns = sim_host_now(host);
    int sofs = fake.sofs;

    assert_int_equal(sim_host_reset(host), 0);

    assert_int_equal(fake.packets[0].kind, SIM_PACKET_RESET_BEGIN);
    assert_int_equal(fake.packets[0].time_ns - asked_ns, SIM_MS);
    assert_true(fake.sofs > sofs);
    sim_host_close(host);
}

static void reset__says_when_it_made_the_device_leave(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    fake.leave_in_reset = true;

    assert_int_equal(sim_host_reset(host), USB_GONE);
    assert_int_equal(fake.disconnects, 1);
    assert_int_equal(sim_host_reset(host), USB_GONE);
    sim_host_close(host);
}

static void suspend__stops_sof_until_resume(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);

    sim_host_suspend(host);
    int sofs = fake.sofs;
    sim_host_run_until(host, sim_host_now(host) + 500 * SIM_MS);
    assert_int_equal(fake.sofs, sofs);
    sim_host_resume(host);
    sim_host_run_until(host, sim_host_now(host) + 10 * SIM_MS);

    assert_int_equal(fake.resumes, 1);
    assert_in_range(fake.sofs - sofs, 19, 21);
    sim_host_close(host);
}

static void remote_wake_up__resumes_the_bus(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    sim_host_suspend(host);

    fake.waking = true;
    sim_host_run_until(host, sim_host_now(host) + 50 * SIM_MS);

    assert_int_equal(fake.wakes, 1);
    assert_int_equal(fake.resumes, 1);
    assert_false(sim_host_suspended(host));
    sim_host_close(host);
}

static void power__off_loses_the_device_and_on_brings_it_back(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);

    sim_host_power(host, false);
    assert_false(sim_host_connected(host));
    assert_int_equal(fake.disconnects, 1);
    sim_host_power(host, true);
    sim_host_run_until(host, sim_host_now(host) + 150 * SIM_MS);

    assert_true(sim_host_connected(host));
    sim_host_close(host);
}

static void enumerate__learns_bMaxPacketSize0_and_gives_an_address(void **state)
{
    (void)state;
    static const uint8_t descriptor[18] = {18, 1, 0, 2, 0, 0, 0, 8, 9, 18, 1, 0, 0, 1, 0, 0, 0, 1};
    struct fake fake;
    struct sim_host *host = plug(&fake);
    set_reply(&fake, descriptor, 8);

    int result = sim_host_enumerate(host, 1000 * SIM_MS);

    assert_int_equal(result, 0);
    assert_int_equal(sim_host_max_packet0(host), 8);
    assert_int_equal(sim_host_address(host), fake.address);
    assert_int_not_equal(fake.address, 0);
    assert_int_equal(fake.resets, 2);
    for (int i = 1; i < fake.packet_count; i++)
        if (fake.packets[i].kind == SIM_PACKET_RESET_BEGIN) // not at once after the status stage
            assert_true(fake.packets[i].time_ns - fake.packets[i - 1].time_ns >= SIM_MS);
    sim_host_close(host);
}

static void enumerate__refuses_an_impossible_bMaxPacketSize0(void **state)
{
    (void)state;
    static const uint8_t descriptor[18] = {18, 1, 0, 2, 0, 0, 0, 9};
    struct fake fake;
    struct sim_host *host = plug(&fake);
    set_reply(&fake, descriptor, 18);
    fake.max_packet = 64;

    assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), USB_IO);
    assert_string_equal(sim_host_fault(host), "GET_DESCRIPTOR (wValue 0100h): "
                                              "bMaxPacketSize0 is 9 (USB 2.0 table 9-8)");
    sim_host_close(host);
}

static void enumerate__without_a_device_gives_up_in_time(void **state)
{
    (void)state;
    struct fake fake = {.base.ops = &fake_ops};
    struct sim_host *host = sim_host_open(&fake.base, NULL, NULL);

    assert_int_equal(sim_host_enumerate(host, 300 * SIM_MS), USB_GONE);
    assert_int_equal(sim_host_now(host), 300 * SIM_MS);
    sim_host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control__tries_a_silent_packet_again_in_the_next_frame),
        cmocka_unit_test(connect__is_debounced_for_100_ms),
        cmocka_unit_test(frames__bring_a_sof_each_millisecond),
        cmocka_unit_test(disconnect__ends_every_transfer_and_is_reported_once),
        cmocka_unit_test(reset__lasts_50_ms_without_sof_and_makes_the_address_0),
        cmocka_unit_test(reset__leaves_the_bus_a_millisecond_before_se0),
        cmocka_unit_test(reset__says_when_it_made_the_device_leave),
        cmocka_unit_test(suspend__stops_sof_until_resume),
        cmocka_unit_test(remote_wake_up__resumes_the_bus),
        cmocka_unit_test(power__off_loses_the_device_and_on_brings_it_back),
        cmocka_unit_test(enumerate__learns_bMaxPacketSize0_and_gives_an_address),
        cmocka_unit_test(enumerate__refuses_an_impossible_bMaxPacketSize0),
        cmocka_unit_test(enumerate__without_a_device_gives_up_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
