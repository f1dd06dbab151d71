// SPDX-License-Identifier: MIT
//
// Control transfers, requests to functions and events of usbdev.

#include "test_bench.h"

// ---- Control transfers (USB 2.0 8.5.3) ----

static void read__whose_reply_is_a_multiple_of_the_packet_ends_in_an_empty_one(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup c0 50 08 00 00 00 09 00", "a.setup, out 0, in 0 00 01 02 03 04 05 06 07"},
         {"taken 0", "in 0"}, {"taken 0", ""}, {"came 0", "a.complete"},
         {"setup c0 50 08 00 00 00 08 00", "a.setup, out 0, in 0 00 01 02 03 04 05 06 07"},
         {"taken 0", ""}, {"came 0", "a.complete"},
         {"setup c0 50 00 00 00 00 08 00", "a.setup, out 0, in 0"}, {"taken 0", ""},
         {"came 0", "a.complete"});
}

static void read__of_no_bytes_has_no_data_stage(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup c0 50 08 00 00 00 00 00", "a.setup, in 0"}, {"taken 0", "a.complete"});
}

static void read__may_be_ended_early_by_the_host(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup c0 50 40 00 00 00 40 00", "a.setup, out 0, in 0 00 01 02 03 04 05 06 07"},
         {"taken 0", "in 0 08 09 0a 0b 0c 0d 0e 0f"}, {"came 0", "a.complete"}, {"taken 0", ""},
         {"came 0", ""});
}

static void read__takes_any_packet_for_the_status_stage(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup c0 50 01 00 00 00 08 00", "a.setup, out 0, in 0 00"}, {"taken 0", ""},
         {"came 0 01 02", "a.complete"});
}

static void write__gathers_its_packets(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 40 51 00 00 00 00 0a 00", "a.setup, out 0"},
         {"came 0 00 01 02 03 04 05 06 07", "out 0"},
         {"came 0 08 09", "a.data 00 01 02 03 04 05 06 07 08 09, in 0"}, {"taken 0", "a.complete"},
         {"setup 40 53 00 00 00 00 08 00", "a.setup, out 0"},
         {"came 0 00 01 02 03 04 05 06 07", "a.data 00 01 02 03 04 05 06 07, in 0"},
         {"taken 0", "a.complete"});
}

static void write__is_refused_before_or_after_its_data(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 40 51 00 00 00 00 65 00", "a.setup, stall"}, {"came 0 01", ""},
         {"setup 40 52 00 00 00 00 01 00", "a.setup, out 0"}, {"came 0 01", "a.data 01, stall"},
         {"taken 0", ""});
}

static void write__that_does_not_fit_the_scratch_buffer_stalls(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 40 53 00 00 00 00 40 00", "a.setup, out 0"},
         {"came 0 00 01 02 03 04 05 06 07", "out 0"},
         {"setup 40 53 00 00 00 00 41 00", "a.setup, out 0"},
         {"came 0 00 01 02 03 04 05 06 07", "stall"});
}

static void write__longer_or_shorter_than_wLength_stalls(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 40 51 00 00 00 00 09 00", "a.setup, out 0"},
         {"came 0 00 01 02 03 04 05 06 07", "out 0"}, {"came 0 08 09", "stall"},
         {"setup 40 51 00 00 00 00 09 00", "a.setup, out 0"}, {"came 0 00 01 02", "stall"},
         {"setup 40 51 00 00 00 00 09 00", "a.setup, out 0"}, {"came 0", "stall"},
         {"setup 40 51 00 00 00 00 01 00", "a.setup, out 0"}, {"came 0 00", "a.data 00, in 0"},
         {"came 0 01", "stall"}, {"taken 0", ""},
         {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 01"});
}

static void request_without_data__stalls_when_data_come(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_address(&bench);

    PLAY(&bench, {"setup 00 05 09 00 00 00 00 00", "in 0"}, {"came 0 01", "stall"},
         {"taken 0", ""});
}

static void setup__abandons_a_transfer_in_any_stage(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup c0 50 40 00 00 00 40 00", "a.setup, out 0, in 0 00 01 02 03 04 05 06 07"},
         {"taken 0", "in 0 08 09 0a 0b 0c 0d 0e 0f"},
         {"setup 40 51 00 00 00 00 0a 00", "a.setup, out 0"},
         {"came 0 00 01 02 03 04 05 06 07", "out 0"},
         {"setup c0 50 02 00 00 00 08 00", "a.setup, out 0, in 0 00 01"}, {"taken 0", ""},
         {"setup 40 53 00 00 00 00 00 00", "a.setup, in 0"},
         {"setup 40 53 00 00 00 00 02 00", "a.setup, out 0"},
         {"came 0 05 06", "a.data 05 06, in 0"}, {"taken 0", "a.complete"});
}

static void packets__that_belong_to_no_transfer_are_nothing(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"taken 0", ""}, {"came 0 01 02", ""}, {"setup 80 06 00 06 00 00 0a 00", "stall"},
         {"taken 0", ""}, {"came 0 01 02", ""});
}

// ---- Class and vendor requests ----

static void requests_to_interfaces__go_by_the_low_byte_of_wIndex(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup a1 50 01 00 00 00 01 00", "a.setup, out 0, in 0 00"},
         {"setup c1 50 01 00 00 05 01 00", "a.setup, out 0, in 0 00"},
         {"setup a1 50 01 00 01 00 01 00", "b.setup, out 0, in 0"}, {"taken 0", ""}, {"came 0", ""},
         {"setup a1 51 01 00 01 00 01 00", "b.setup, stall"},
         {"setup a1 50 01 00 02 00 01 00", "stall"}, {"setup a1 50 01 00 ff 00 01 00", "stall"},
         {"setup a3 50 01 00 00 00 01 00", "stall"}, {"setup bf 50 01 00 00 00 01 00", "stall"});
}

static void requests_of_the_reserved_type__stall(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup e0 50 01 00 00 00 01 00", "stall"},
         {"setup e1 50 01 00 00 00 01 00", "stall"}, {"setup e2 50 01 00 81 00 01 00", "stall"});
}

// ---- Events ----

static void bus_reset__leaves_nothing_of_a_data_stage_to_be_sent(void **state)
{
    (void)state;
    const struct usbdev_setup_packet setup = {0x80, USBDEV_GET_DESCRIPTOR, 0x0200, 0, 255};
    struct bench bench;
    uint8_t bytes[USBDEV_SETUP_SIZE];
    bench_start(&bench);
    bench_address(&bench);

    usbdev_setup_store(bytes, &setup);
    usbdev_setup(&bench.dev, bytes); // a full packet: another has to follow it

    PLAY(&bench, {"reset", "a.reset"}, {"taken 0", ""});
}

static void bus_reset__ends_the_configuration_and_the_transfer(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 40 53 00 00 00 00 00 00", "a.setup, in 0"},
         {"reset", "close 01, close 81, a.unconfigured, a.reset"}, {"taken 0", ""});

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_DEFAULT);
}

static void events__reach_the_functions(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);

    PLAY(&bench, {"reset", "a.reset"}, {"suspended", "a.suspended"}, {"resumed", "a.resumed"},
         {"tick 7", "a.tick 7"});
}

static void connect__is_the_driver_s(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);

    usbdev_connect(&bench.dev, true);
    usbdev_connect(&bench.dev, false);

    assert_string_equal(bench.log, "connect 1, connect 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__whose_reply_is_a_multiple_of_the_packet_ends_in_an_empty_one),
        cmocka_unit_test(read__of_no_bytes_has_no_data_stage),
        cmocka_unit_test(read__may_be_ended_early_by_the_host),
        cmocka_unit_test(read__takes_any_packet_for_the_status_stage),
        cmocka_unit_test(write__gathers_its_packets),
        cmocka_unit_test(write__is_refused_before_or_after_its_data),
        cmocka_unit_test(write__that_does_not_fit_the_scratch_buffer_stalls),
        cmocka_unit_test(write__longer_or_shorter_than_wLength_stalls),
        cmocka_unit_test(request_without_data__stalls_when_data_come),
        cmocka_unit_test(setup__abandons_a_transfer_in_any_stage),
        cmocka_unit_test(packets__that_belong_to_no_transfer_are_nothing),
        cmocka_unit_test(requests_to_interfaces__go_by_the_low_byte_of_wIndex),
        cmocka_unit_test(requests_of_the_reserved_type__stall),
        cmocka_unit_test(bus_reset__leaves_nothing_of_a_data_stage_to_be_sent),
        cmocka_unit_test(bus_reset__ends_the_configuration_and_the_transfer),
        cmocka_unit_test(events__reach_the_functions),
        cmocka_unit_test(connect__is_the_driver_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
