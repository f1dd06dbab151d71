// SPDX-License-Identifier: MIT
//
// What the composite product does while it runs, seen from the host's end of the cable: its
// endpoints, its button, its LED, and how it wakes the host.
//
// The argument is composite.elf.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <sim/f072_board.h>

#include "plugged_image.h"

static const char *composite;

enum { BUTTON_IN = 0x82 };

// ---- The loop ----

static void composite__sends_back_packets_of_every_length(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);

    for (size_t length = 0; length <= 64; length++)
        assert_loops(host, length);

    unplug(host);
}

static void clear_halt(struct sim_host *host, uint8_t endpoint)
{
    assert_int_equal(
        control(host, 0x02, USBDEV_CLEAR_FEATURE, USBDEV_FEATURE_ENDPOINT_HALT, endpoint, NULL, 0),
        0);
}

static void composite__goes_on_after_a_halt_of_either_endpoint(void **state)
{
    static const uint8_t endpoints[] = {LOOP_OUT, LOOP_IN};
    (void)state;
    struct sim_host *host = plug_and_configure(composite);

    for (int i = 0; i < 2; i++) {
        uint8_t data[8] = {0};
        assert_loops(host, 5); // the toggles are at DATA1, and must come back to DATA0
        control(host, 0x02, USBDEV_SET_FEATURE, USBDEV_FEATURE_ENDPOINT_HALT, endpoints[i], NULL,
                0);
        assert_int_equal(bulk(host, endpoints[i], data, sizeof data), USB_STALL);
        clear_halt(host, endpoints[i]);
        assert_loops(host, 7);
    }
    unplug(host);
}

static void composite__takes_no_packet_while_one_is_on_its_way_back(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    uint8_t data[64] = {1, 2, 3};
    assert_int_equal(bulk(host, LOOP_OUT, data, 3), 3);

    clear_halt(host, LOOP_OUT); // which must not make room for another
    assert_int_equal(bulk(host, LOOP_OUT, data, 5), USB_TIMEOUT);

    assert_int_equal(bulk(host, LOOP_IN, data, 64), 3);
    assert_loops(host, 7);
    unplug(host);
}

static void composite__has_no_endpoints_while_not_configured(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    uint8_t data[64] = {1, 2, 3};
    assert_int_equal(bulk(host, LOOP_OUT, data, 3), 3);

    assert_int_equal(control(host, 0x00, USBDEV_SET_CONFIGURATION, 0, 0, NULL, 0), 0);

    assert_int_equal(bulk(host, LOOP_OUT, data, 3), USB_GONE);
    assert_int_equal(bulk(host, LOOP_IN, data, 64), USB_GONE);
    unplug(host);
}

// What was on its way back is lost with the halt; nothing of it may come up later.
static void composite__forgets_what_a_halt_interrupts(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    uint8_t data[3] = {1, 2, 3};

    assert_int_equal(bulk(host, LOOP_OUT, data, 3), 3);
    control(host, 0x02, USBDEV_SET_FEATURE, USBDEV_FEATURE_ENDPOINT_HALT, LOOP_IN, NULL, 0);
    clear_halt(host, LOOP_OUT);
    clear_halt(host, LOOP_IN);

    assert_loops(host, 9);
    unplug(host);
}

static void composite__starts_afresh_when_configured_again(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    uint8_t data[3] = {1, 2, 3};
    assert_int_equal(bulk(host, LOOP_OUT, data, 3), 3); // and left there

    configure(host);

    assert_loops(host, 9);
    unplug(host);
}

// A host may give up a request and send another while the firmware is still at work on the first:
// the answer to the first must not go out as the answer to the second (USB 2.0 8.5.3).
static void firmware__answers_the_last_of_two_setups(void **state)
{
    static const uint8_t get_device[8] = {
        0x80, USBDEV_GET_DESCRIPTOR, 0, USBDEV_DT_DEVICE, 0, 0, 18, 0};
    static const uint8_t get_configuration[8] = {0x80, USBDEV_GET_CONFIGURATION, 0, 0, 0, 0, 1, 0};
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    struct sim_device *device = sim_host_device(host);
    uint8_t address = sim_host_address(host);
    int both_taken = 0;

    for (uint64_t gap_ns = 500; gap_ns < 60000; gap_ns += 500) {
        uint8_t data[SIM_MAX_PACKET];
        uint64_t now_ns = sim_host_now(host);
        assert_int_equal(device->ops->setup(device, address, 0, get_device), SIM_ACK);
        now_ns += gap_ns;
        device->ops->advance(device, now_ns);
        if (device->ops->setup(device, address, 0, get_configuration) == SIM_ACK) {
            both_taken++;
            assert_int_equal(poll_in(host, &now_ns, data), 1);
            assert_int_equal(data[0], 1);
        }
        pass_ms(host, 10);
    }

    assert_true(both_taken > 60);
    unplug(host);
}

// A packet that arrives while SET_CONFIGURATION waits belongs to the old configuration.
static void composite__forgets_a_packet_that_a_configuration_overtakes(void **state)
{
    static const uint8_t set_configuration[8] = {0x00, USBDEV_SET_CONFIGURATION, 1};
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    struct sim_device *device = sim_host_device(host);
    uint8_t address = sim_host_address(host);
    uint8_t data[SIM_MAX_PACKET] = {1, 2, 3};
    uint64_t now_ns = sim_host_now(host);

    assert_int_equal(device->ops->setup(device, address, 0, set_configuration), SIM_ACK);
    assert_int_equal(device->ops->out(device, address, LOOP_OUT, false, data, 3), SIM_ACK);
    assert_int_equal(poll_in(host, &now_ns, data), 0);
    pass_ms(host, 1);

    assert_int_equal(bulk(host, LOOP_IN, data, 64), USB_TIMEOUT);
    assert_loops(host, 7);
    unplug(host);
}

// 3 of 48 MHz: how the composite product keeps to 2.5 mA (USB 2.0 7.2.3).
static void composite__slows_its_clock_while_the_bus_sleeps(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    sim_host_suspend(host);

    uint64_t before = f072_board_cycles(sim_host_device(host));
    pass_ms(host, 100);
    uint64_t asleep = f072_board_cycles(sim_host_device(host)) - before;
    sim_host_resume(host);
    before = f072_board_cycles(sim_host_device(host));
    pass_ms(host, 100);
    uint64_t awake = f072_board_cycles(sim_host_device(host)) - before;

    assert_in_range(asleep, 299000, 301000);
    assert_in_range(awake, 4799000, 4801000);
    unplug(host);
}

// B1 of the NUCLEO: PC13, low while it is pressed.
static void press(struct sim_host *host, bool pressed)
{
    f072_board_wire(sim_host_device(host), 2, 1u << 13, pressed ? 0 : 1u << 13);
}

// Returns the byte that the button reports, or an enum usb_result.
static int button(struct sim_host *host)
{
    uint8_t byte = 0xFF;
    struct sim_transfer transfer = {
        .endpoint = BUTTON_IN,
        .type = USBDEV_ENDPOINT_INTERRUPT,
        .wMaxPacketSize = 8,
        .bInterval = 10,
        .data = &byte,
        .length = 1,
        .timeout_ns = 200 * SIM_MS,
    };
    int result = sim_host_transfer(host, &transfer);

    return result < 0 ? result : byte;
}

static void composite__reports_the_button_when_it_changes(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);

    assert_int_equal(button(host), USB_TIMEOUT);
    press(host, true);
    assert_int_equal(button(host), 1);
    assert_int_equal(button(host), USB_TIMEOUT);
    press(host, false);
    assert_int_equal(button(host), 0);

    unplug(host);
}

static void set_remote_wakeup(struct sim_host *host, uint8_t bRequest)
{
    assert_int_equal(control(host, 0x00, bRequest, USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP, 0, NULL, 0),
                     0);
}

// For how long the firmware drives resume, and how long after the button was pressed that begins.
struct wakeup {
    uint64_t after_ns;
    uint64_t lasts_ns;
};

// Looks at the wire by itself, in the place of the host, which would answer.
static struct wakeup watch_wakeup(struct sim_host *host)
{
    const uint64_t step_ns = SIM_MS / 100;
    struct sim_device *device = sim_host_device(host);
    uint64_t pressed_ns = sim_host_now(host);
    struct wakeup wakeup = {0};

    press(host, true);
    for (uint64_t t = step_ns; t < 100 * SIM_MS; t += step_ns) {
        device->ops->advance(device, pressed_ns + t);
        if (device->ops->waking(device)) {
            wakeup.after_ns = wakeup.lasts_ns ? wakeup.after_ns : t;
            wakeup.lasts_ns += step_ns;
        }
    }
    return wakeup;
}

// USB 2.0 7.1.7.7: not before the bus has been idle for 5 ms; 10 have passed in sim_host_suspend().
static void composite__wakes_a_host_that_allows_it_for_1_to_15_ms(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    set_remote_wakeup(host, USBDEV_SET_FEATURE);
    sim_host_suspend(host);

    struct wakeup wakeup = watch_wakeup(host);

    assert_in_range(wakeup.lasts_ns, SIM_MS, 15 * SIM_MS);
    assert_in_range(wakeup.after_ns, 1, 30 * SIM_MS);
    unplug(host);
}

static void composite__wakes_no_host_that_forbids_it(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    set_remote_wakeup(host, USBDEV_SET_FEATURE);
    set_remote_wakeup(host, USBDEV_CLEAR_FEATURE);
    sim_host_suspend(host);

    assert_int_equal(watch_wakeup(host).lasts_ns, 0);
    unplug(host);
}

static void composite__goes_on_after_it_has_woken_the_host(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);
    set_remote_wakeup(host, USBDEV_SET_FEATURE);
    sim_host_suspend(host);
    pass_ms(host, 100);

    press(host, true);
    pass_ms(host, 100);

    assert_false(sim_host_suspended(host));
    assert_int_equal(button(host), 1);
    assert_loops(host, 64);
    unplug(host);
}

// The LED of the NUCLEO, PA5: blinking while there is no configuration, on, off while asleep.
static bool led(struct sim_host *host)
{
    return (f072_board_pins(sim_host_device(host), 0) & 1u << 5) != 0;
}

static void composite__shows_its_state(void **state)
{
    (void)state;
    struct sim_host *host = plug(composite);
    assert_int_equal(sim_host_enumerate(host, 5000 * SIM_MS), 0);
    unsigned on = 0;
    for (int i = 0; i < 100; i++, pass_ms(host, 20))
        on += led(host);
    assert_in_range(on, 45, 55);

    configure(host);
    for (int i = 0; i < 100; i++, pass_ms(host, 20))
        assert_true(i == 0 || led(host));

    sim_host_suspend(host);
    pass_ms(host, 20);
    assert_false(led(host));
    unplug(host);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(composite__sends_back_packets_of_every_length),
        cmocka_unit_test(composite__goes_on_after_a_halt_of_either_endpoint),
        cmocka_unit_test(composite__takes_no_packet_while_one_is_on_its_way_back),
        cmocka_unit_test(composite__has_no_endpoints_while_not_configured),
        cmocka_unit_test(composite__forgets_what_a_halt_interrupts),
        cmocka_unit_test(composite__starts_afresh_when_configured_again),
        cmocka_unit_test(firmware__answers_the_last_of_two_setups),
        cmocka_unit_test(composite__forgets_a_packet_that_a_configuration_overtakes),
        cmocka_unit_test(composite__slows_its_clock_while_the_bus_sleeps),
        cmocka_unit_test(composite__reports_the_button_when_it_changes),
        cmocka_unit_test(composite__wakes_a_host_that_allows_it_for_1_to_15_ms),
        cmocka_unit_test(composite__wakes_no_host_that_forbids_it),
        cmocka_unit_test(composite__goes_on_after_it_has_woken_the_host),
        cmocka_unit_test(composite__shows_its_state),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: %s COMPOSITE\n", argv[0]);
        return 2;
    }
    composite = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
