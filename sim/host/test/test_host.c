// SPDX-License-Identifier: MIT
//
// Transfers of the host controller model: their packets, repetitions, toggles and ends.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_device.h"

static const struct usbdev_setup_packet in_setup = {
    .bmRequestType = 0xC0, .bRequest = 1, .wLength = 24};
static const uint8_t bytes[24] = "abcdefghijklmnopqrstuvw";

// ---- Control transfers ----

static void control_in__gathers_packets_until_wLength(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[24] = {0};
    struct sim_host *host = plug(&fake);
    sim_host_use_address(host, 0);
    set_reply(&fake, bytes, 24);

    struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 24};
    usbdev_setup_store(transfer.setup, &in_setup);
    int result = sim_host_transfer(host, &transfer);

    assert_int_equal(result, 24);
    assert_memory_equal(data, bytes, 24);
    assert_int_equal(fake.packets[fake.packet_count - 1].kind, SIM_PACKET_OUT);
    assert_int_equal(fake.packets[fake.packet_count - 1].length, 0);
    sim_host_close(host);
}

static void control_in__ends_at_a_short_packet(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[24] = {0};
    struct sim_host *host = plug(&fake);
    set_reply(&fake, bytes, 13);

    struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 24};
    usbdev_setup_store(transfer.setup, &in_setup);

    assert_int_equal(sim_host_transfer(host, &transfer), 13);
    assert_null(transfer.done); // nothing is left that points to what has gone
    assert_null(transfer.context);
    sim_host_close(host);
}

static void control__packets_are_never_closer_than_12_us(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[24];
    struct sim_host *host = plug(&fake);
    set_reply(&fake, bytes, 24);

    struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 24};
    usbdev_setup_store(transfer.setup, &in_setup);
    assert_int_equal(sim_host_transfer(host, &transfer), 24);
    set_reply(&fake, bytes, 24);
    assert_int_equal(sim_host_transfer(host, &transfer), 24);

    assert_int_equal(fake.packet_count, 10);
    for (int i = 1; i < fake.packet_count; i++)
        assert_true(fake.packets[i].time_ns - fake.packets[i - 1].time_ns >= 12000);
    sim_host_close(host);
}

static void expect_room_in_frame(void *context, const struct sim_packet *packet)
{
    (void)context;
    // 13 bytes of overhead at 12 Mbit/s (USB 2.0 5.8.4).
    assert_true(packet->time_ns % SIM_MS + (13 + packet->length) * 666 <= SIM_MS);
}

static void control__a_setup_waits_50_us_after_the_last_transfer(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[8];
    struct sim_host *host = plug(&fake);
    struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 8};
    usbdev_setup_store(transfer.setup, &in_setup);

    for (int i = 0; i < 2; i++) {
        set_reply(&fake, bytes, 8);
        assert_int_equal(sim_host_transfer(host, &transfer), 8);
    }

    assert_int_equal(fake.packet_count, 6); // SETUP, IN, OUT; SETUP, IN, OUT
    assert_int_equal(fake.packets[3].kind, SIM_PACKET_SETUP);
    assert_true(fake.packets[3].time_ns - fake.packets[2].time_ns >= 50000);
    sim_host_close(host);
}

static void packets__do_not_run_into_the_next_frame(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[24];
    struct sim_host *host = plug(&fake);
    sim_host_tap(host, expect_room_in_frame, NULL);

    for (int i = 0; i < 500; i++) {
        set_reply(&fake, bytes, 24);
        struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 24};
        usbdev_setup_store(transfer.setup, &in_setup);
        assert_int_equal(sim_host_transfer(host, &transfer), 24);
    }

    assert_true(sim_host_now(host) > 200 * SIM_MS); // it went over many frames
    sim_host_close(host);
}

static void control__repeats_what_was_answered_by_nak(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    uint8_t data[6] = "hello";
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1, .wLength = 6};
    fake.naks = 100;

    int result = sim_host_control(host, &setup, data, 0);

    assert_int_equal(result, 6);
    assert_int_equal(fake.received_length, 6);
    assert_memory_equal(fake.received, "hello", 6);
    sim_host_close(host);
}

static void control__gives_up_after_three_silences_in_a_row(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};

    fake.script = "SSNSSN";
    assert_int_equal(sim_host_control(host, &setup, NULL, 0), 0);
    fake.script = "SSS";
    assert_int_equal(sim_host_control(host, &setup, NULL, 0), USB_GONE);

    sim_host_close(host);
}

static void control__fails_by_stall_silence_and_babble(void **state)
{
    (void)state;
    static const struct {
        int handshake;
        int extra;
        int expected;
    } table[] = {
        {SIM_STALL, 0, USB_STALL},
        {SIM_NO_RESPONSE, 0, USB_GONE},
        {SIM_NAK, 0, USB_TIMEOUT},
        {SIM_ACK, 1, USB_OVERFLOW},
    };
    uint8_t data[4];
    const struct usbdev_setup_packet setup = {.bmRequestType = 0xC0, .bRequest = 1, .wLength = 4};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fake fake;
        struct sim_host *host = plug(&fake);
        fake.handshake = table[i].handshake;
        fake.extra = table[i].extra;
        set_reply(&fake, bytes, 4);

        assert_int_equal(sim_host_control(host, &setup, data, 50 * SIM_MS), table[i].expected);
        sim_host_close(host);
    }
}

static void control__says_what_was_wrong_with_it(void **state)
{
    (void)state;
    static const struct {
        struct fake how;
        uint16_t wMaxPacketSize;
        const char *expected;
    } table[] = {
        {{.handshake = SIM_STALL}, 8, "GET_DESCRIPTOR (wValue 0100h): STALL in the data stage"},
        {{.handshake = SIM_NO_RESPONSE},
         8,
         "GET_DESCRIPTOR (wValue 0100h): no answer to 3 packets in a row in the data stage"},
        {{.handshake = SIM_NAK},
         8,
         "GET_DESCRIPTOR (wValue 0100h): NAK in the data stage until the time was over"},
        {{.extra = 1},
         64,
         "GET_DESCRIPTOR (wValue 0100h): more than the 18 bytes that were asked for"},
        {{.extra = 1},
         8,
         "GET_DESCRIPTOR (wValue 0100h): 9 bytes in a packet, the maximum is 8 "
         "(USB 2.0 5.5.3)"},
        {{.stuck = true},
         8,
         "GET_DESCRIPTOR (wValue 0100h): DATA1 came, DATA0 was due (USB 2.0 8.6)"},
    };
    const struct usbdev_setup_packet setup = {0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, 18};
    uint8_t data[18];

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sim_transfer transfer = {.wMaxPacketSize = table[i].wMaxPacketSize,
                                        .data = data,
                                        .length = sizeof data,
                                        .timeout_ns = 50 * SIM_MS};
        struct fake fake;
        struct sim_host *host = plug(&fake);
        fake.handshake = table[i].how.handshake;
        fake.extra = table[i].how.extra;
        fake.stuck = table[i].how.stuck;
        fake.max_packet = (uint8_t)table[i].wMaxPacketSize;
        set_reply(&fake, bytes, sizeof data);
        usbdev_setup_store(transfer.setup, &setup);

        assert_true(sim_host_transfer(host, &transfer) < 0);
        assert_string_equal(sim_host_fault(host), table[i].expected);
        sim_host_close(host);
    }
}

static void control__data_in_the_status_stage_overflows_it(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};
    set_reply(&fake, bytes, 1);

    assert_int_equal(sim_host_control(host, &setup, NULL, 0), USB_OVERFLOW);
    sim_host_close(host);
}

static void control__times_out_at_its_own_time(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};
    uint64_t before_ns = sim_host_now(host);
    fake.handshake = SIM_NAK;

    sim_host_control(host, &setup, NULL, 7 * SIM_MS + 123);

    assert_int_equal(sim_host_now(host) - before_ns, 7 * SIM_MS + 123);
    sim_host_close(host);
}

// ---- Bulk and interrupt transfers ----

static void bulk_out__toggles_and_ends_with_a_zero_packet_when_asked(void **state)
{
    (void)state;
    struct fake fake;
    struct counted out;
    struct sim_host *host = plug(&fake);

    submit(host, &out, 0x02, USBDEV_ENDPOINT_BULK, 16);
    out.transfer.zero_packet = true;
    sim_host_run_busy(host, 200 * SIM_MS);

    assert_int_equal(out.done, 1);
    assert_int_equal(out.transfer.actual, 16);
    assert_int_equal(fake.packet_count, 3);
    assert_false(fake.packets[0].data1);
    assert_true(fake.packets[1].data1);
    assert_false(fake.packets[2].data1);
    assert_int_equal(fake.packets[2].length, 0);
    sim_host_close(host);
}

static void toggles__start_again_after_set_configuration_clear_halt_and_reset(void **state)
{
    (void)state;
    static const struct usbdev_setup_packet resets[] = {
        {.bRequest = USBDEV_SET_CONFIGURATION, .wValue = 1},
        {.bmRequestType = 0x02, .bRequest = USBDEV_CLEAR_FEATURE, .wIndex = 0x02},
    };
    for (size_t i = 0; i < 3; i++) {
        struct fake fake;
        struct counted out;
        struct sim_host *host = plug(&fake);

        submit(host, &out, 0x02, USBDEV_ENDPOINT_BULK, 8);
        sim_host_run_busy(host, UINT64_MAX);
        if (i < 2)
            assert_int_equal(sim_host_control(host, &resets[i], NULL, 0), 0);
        else
            assert_int_equal(sim_host_reset(host), 0);
        fake.packet_count = 0;
        submit(host, &out, 0x02, USBDEV_ENDPOINT_BULK, 8);
        sim_host_run_busy(host, UINT64_MAX);

        assert_int_equal(fake.packet_count, 1);
        assert_false(fake.packets[0].data1);
        sim_host_close(host);
    }
}

static void bulk_in__drops_repeated_packets_and_then_gives_up(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    set_reply(&fake, bytes, 24);
    fake.stuck = true;

    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 24);
    sim_host_run_busy(host, UINT64_MAX);

    assert_int_equal(in.transfer.status, USB_IO);
    assert_int_equal(in.transfer.actual, 8);
    sim_host_close(host);
}

static void endpoints__do_not_wait_for_one_that_naks(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};
    uint64_t before_ns;

    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 8);
    fake.idle = 1;
    sim_host_run_until(host, 160 * SIM_MS);
    before_ns = sim_host_now(host);
    assert_int_equal(sim_host_control(host, &setup, NULL, 0), 0);

    assert_in_range(sim_host_now(host) - before_ns, 0, SIM_MS);
    sim_host_close(host);
}

static void transfers_of_one_endpoint__run_in_order(void **state)
{
    (void)state;
    struct fake fake;
    struct counted first, second;
    struct sim_host *host = plug(&fake);
    fake.naks = 3; // the first has to wait: the second must not overtake it

    submit(host, &first, 0x02, USBDEV_ENDPOINT_BULK, 64);
    submit(host, &second, 0x02, USBDEV_ENDPOINT_BULK, 8);
    sim_host_run_busy(host, UINT64_MAX);

    assert_int_equal(first.done, 1);
    assert_int_equal(second.done, 1);
    assert_true(first.done_ns < second.done_ns);
    sim_host_close(host);
}

static void interrupt_in__is_polled_once_an_interval(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    fake.naks = 1000;

    submit(host, &in, 0x82, USBDEV_ENDPOINT_INTERRUPT, 8);
    in.transfer.bInterval = 10;
    sim_host_run_until(host, sim_host_now(host) + 100 * SIM_MS);

    assert_in_range(1000 - fake.naks, 10, 11);
    sim_host_close(host);
}

static void cancel__ends_a_transfer_once(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    fake.handshake = SIM_NAK;
    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 8);
    sim_host_run_until(host, 200 * SIM_MS);

    assert_true(sim_host_cancel(host, &in.transfer));
    assert_false(sim_host_cancel(host, &in.transfer));

    assert_int_equal(in.done, 1);
    assert_int_equal(in.transfer.status, USB_CANCELLED);
    sim_host_close(host);
}

static void run_busy__returns_when_only_naking_endpoints_are_left(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    uint64_t before_ns = sim_host_now(host);
    fake.handshake = SIM_NAK;

    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 8);
    assert_true(sim_host_busy(host));
    sim_host_run_busy(host, UINT64_MAX);

    assert_false(sim_host_busy(host));
    assert_int_equal(in.done, 0);
    assert_in_range(sim_host_now(host) - before_ns, SIM_MS, 2 * SIM_MS);
    sim_host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_in__gathers_packets_until_wLength),
        cmocka_unit_test(control_in__ends_at_a_short_packet),
        cmocka_unit_test(control__packets_are_never_closer_than_12_us),
        cmocka_unit_test(control__a_setup_waits_50_us_after_the_last_transfer),
        cmocka_unit_test(packets__do_not_run_into_the_next_frame),
        cmocka_unit_test(control__repeats_what_was_answered_by_nak),
        cmocka_unit_test(control__gives_up_after_three_silences_in_a_row),
        cmocka_unit_test(control__fails_by_stall_silence_and_babble),
        cmocka_unit_test(control__says_what_was_wrong_with_it),
        cmocka_unit_test(control__data_in_the_status_stage_overflows_it),
        cmocka_unit_test(control__times_out_at_its_own_time),
        cmocka_unit_test(bulk_out__toggles_and_ends_with_a_zero_packet_when_asked),
        cmocka_unit_test(toggles__start_again_after_set_configuration_clear_halt_and_reset),
        cmocka_unit_test(bulk_in__drops_repeated_packets_and_then_gives_up),
        cmocka_unit_test(endpoints__do_not_wait_for_one_that_naks),
        cmocka_unit_test(transfers_of_one_endpoint__run_in_order),
        cmocka_unit_test(interrupt_in__is_polled_once_an_interval),
        cmocka_unit_test(cancel__ends_a_transfer_once),
        cmocka_unit_test(run_busy__returns_when_only_naking_endpoints_are_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
