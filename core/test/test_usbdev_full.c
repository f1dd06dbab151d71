// SPDX-License-Identifier: MIT
//
// What a full device has beyond a small one: alternates, endpoints, requests to the device and to
// endpoints, remote wake-up; and a small one without it.

#include "test_bench.h"

// ---- Interfaces and alternates (USB 2.0 9.4.4, 9.4.10) ----

static void set_interface__closes_and_opens_its_own_endpoints(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 81 0a 00 00 01 00 01 00", "out 0, in 0 00"},
         {"setup 01 0b 01 00 01 00 00 00", "open 82, open 83, b.alternate 1.1, in 0"},
         {"taken 0", ""}, {"setup 81 0a 00 00 01 00 01 00", "out 0, in 0 01"},
         {"setup 01 0b 01 00 01 00 00 00",
          "close 82, close 83, open 82, open 83, b.alternate 1.1, in 0"},
         {"setup 01 0b 00 00 01 00 00 00", "close 82, close 83, b.alternate 1.0, in 0"},
         {"setup 01 0b 00 00 00 00 00 00", "close 01, close 81, open 01, open 81, in 0"},
         {"setup 81 0a 00 00 00 00 01 00", "out 0, in 0 00"});
}

static void interface_requests__to_absent_ones_stall(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 01 0b 01 00 00 00 00 00", "stall"},
         {"setup 01 0b 02 00 01 00 00 00", "stall"}, {"setup 01 0b 00 00 02 00 00 00", "stall"},
         {"setup 01 0b 00 01 01 00 00 00", "stall"}, {"setup 01 0b 00 00 01 01 00 00", "stall"},
         {"setup 81 0a 00 00 02 00 01 00", "stall"}, {"setup 81 0a 00 00 00 01 01 00", "stall"},
         {"setup 81 0a 00 00 ff ff 01 00", "stall"}, {"setup 81 00 00 00 02 00 02 00", "stall"},
         {"setup 81 00 00 00 00 01 02 00", "stall"}, {"setup 01 0b 01 00 01 00 01 00", "stall"},
         {"setup 81 00 00 00 01 00 02 00", "out 0, in 0 00 00"});
}

static void set_configuration__leads_back_to_alternate_0(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 01 0b 01 00 01 00 00 00", "open 82, open 83, b.alternate 1.1, in 0"},
         {"setup 00 09 01 00 00 00 00 00",
          "close 01, close 81, close 82, close 83, a.unconfigured, open 01, open 81, "
          "b.alternate 1.0, in 0"},
         {"setup 81 0a 00 00 01 00 01 00", "out 0, in 0 00"});
}

#define INTERFACE_0 9, 4, 0, 0, 0, 0xFF, 0, 0, 0
#define INTERFACE_0_ALTERNATE_1 9, 4, 0, 1, 0, 0xFF, 0, 0, 0

// What lies in memory behind a configuration is no part of it; and behind a descriptor of no
// length, which a product's own table may have, there is none either.
static void configuration__ends_with_wTotalLength_or_a_descriptor_of_no_length(void **state)
{
    static const uint8_t whole[] = {
        9, 2, 18, 0, 1, 1, 0, 0x80, 50, INTERFACE_0, INTERFACE_0_ALTERNATE_1};
    static const uint8_t endless[] = {
        9, 2, 29, 0, 1, 1, 0, 0x80, 50, INTERFACE_0, 0, 0xFF, INTERFACE_0_ALTERNATE_1};
    static const uint8_t *const cases[] = {whole, endless};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        bench_start(&bench);
        bench.config.configurations = &cases[i];
        bench_address(&bench);

        PLAY(&bench, {"setup 00 09 01 00 00 00 00 00", "in 0"}, {"taken 0", ""},
             {"setup 01 0b 01 00 00 00 00 00", "stall"}, {"setup 01 0b 00 00 00 00 00 00", "in 0"});
    }
}

static struct usbdev *ended;
static enum usbdev_state state_when_told;

static void note_state(void *context, enum usbdev_event event)
{
    (void)context;
    if (event == USBDEV_EVENT_UNCONFIGURED)
        state_when_told = usbdev_state(ended);
}

static void unconfigured__is_told_when_the_configuration_is_over(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    struct usbdev_handler handler = *bench.functions[1].handler;
    handler.event = note_state;
    bench.functions[1].handler = &handler;
    ended = &bench.dev;
    bench_configure(&bench);

    state_when_told = USBDEV_CONFIGURED;
    usbdev_bus_reset(&bench.dev);

    assert_int_not_equal(state_when_told, USBDEV_CONFIGURED);
}

// ---- Halt (USB 2.0 9.4.5) ----

static void halt__is_set_reported_and_cleared(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 02 03 00 00 81 00 00 00", "halt 81, a.halt 81 1, in 0"}, {"taken 0", ""},
         {"setup 82 00 00 00 81 00 02 00", "out 0, in 0 01 00"},
         {"setup 82 00 00 00 01 00 02 00", "out 0, in 0 00 00"},
         {"setup 02 01 00 00 81 00 00 00", "unhalt 81, a.halt 81 0, in 0"},
         {"setup 82 00 00 00 81 00 02 00", "out 0, in 0 00 00"},
         {"setup 02 01 00 00 01 00 00 00", "unhalt 01, a.halt 01 0, in 0"}); // resets the toggle
}

static void halt__is_for_endpoints_of_a_current_alternate(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 02 03 00 00 82 00 00 00", "stall"},
         {"setup 82 00 00 00 82 00 02 00", "stall"}, {"setup 82 00 00 00 81 01 02 00", "stall"},
         {"setup 01 0b 01 00 01 00 00 00", "open 82, open 83, b.alternate 1.1, in 0"},
         {"setup 02 03 00 00 82 00 00 00", "halt 82, in 0"},
         {"setup 02 03 00 00 83 00 00 00", "stall"}, // isochronous: no halt
         {"setup 82 00 00 00 83 00 02 00", "out 0, in 0 00 00"},
         {"setup 82 00 00 00 82 00 02 00", "out 0, in 0 01 00"});
}

static void halt__ends_with_alternate_configuration_and_reset(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 02 03 00 00 81 00 00 00", "halt 81, a.halt 81 1, in 0"},
         {"setup 01 0b 00 00 00 00 00 00", "close 01, close 81, open 01, open 81, in 0"},
         {"setup 82 00 00 00 81 00 02 00", "out 0, in 0 00 00"},
         {"setup 02 03 00 00 01 00 00 00", "halt 01, a.halt 01 1, in 0"},
         {"setup 00 09 05 00 00 00 00 00", "close 01, close 81, a.unconfigured, open 01, in 0"},
         {"setup 82 00 00 00 01 00 02 00", "out 0, in 0 00 00"},
         {"setup 02 03 00 00 01 00 00 00", "halt 01, a.halt 01 1, in 0"},
         {"reset", "close 01, a.unconfigured, a.reset"});
    bench_configure(&bench);
    PLAY(&bench, {"setup 82 00 00 00 01 00 02 00", "out 0, in 0 00 00"});
}

// clang-format off
static const uint8_t many_endpoints[] = {
    9, 2, 46, 0, 1, 1, 0, 0x80, 50,
    9, 4, 0, 0, 4, 0xFF, 0, 0, 0,
    7, 5, 0x02, 2, 64, 0, 0,
    7, 5, 0x82, 2, 64, 0, 0,
    7, 5, 0x0F, 2, 64, 0, 0,
    7, 5, 0x8F, 2, 64, 0, 0,
};
// clang-format on
static const uint8_t *const configurations_of_many[] = {many_endpoints};

static void endpoints__are_told_apart_up_to_15(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench.config.configurations = configurations_of_many;
    bench_address(&bench);

    PLAY(&bench, {"setup 00 09 01 00 00 00 00 00", "open 02, open 82, open 0f, open 8f, in 0"},
         {"taken 0", ""}, {"setup 02 03 00 00 8f 00 00 00", "halt 8f, a.halt 8f 1, in 0"},
         {"taken 0", ""}, {"setup 82 00 00 00 8f 00 02 00", "out 0, in 0 01 00"},
         {"setup 82 00 00 00 0f 00 02 00", "out 0, in 0 00 00"},
         {"setup 02 03 00 00 0f 00 00 00", "halt 0f, a.halt 0f 1, in 0"}, {"taken 0", ""},
         {"setup 02 01 00 00 8f 00 00 00", "unhalt 8f, a.halt 8f 0, in 0"}, {"taken 0", ""},
         {"setup 82 00 00 00 0f 00 02 00", "out 0, in 0 01 00"},
         {"setup 82 00 00 00 02 00 02 00", "out 0, in 0 00 00"},
         {"setup 82 00 00 00 82 00 02 00", "out 0, in 0 00 00"}, {"taken 2", "a.in_done 82"},
         {"taken 15", "a.in_done 8f"}, {"came 2 aa", "a.out_done 02: aa"});
}

static void halt__by_the_device_is_seen_by_the_host(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    bench.log[0] = '\0';
    usbdev_halt(&bench.dev, 0x01);
    usbdev_halt(&bench.dev, 0x82);
    assert_string_equal(bench.log, "halt 01");

    PLAY(&bench, {"setup 82 00 00 00 01 00 02 00", "out 0, in 0 01 00"});
}

// ---- Data on other endpoints ----

static void packets__go_to_the_function_that_owns_the_endpoint(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"came 1 0a 0b", "a.out_done 01: 0a 0b"}, {"taken 1", "a.in_done 81"},
         {"taken 2", ""}, {"came 3 01", ""},
         {"setup 01 0b 01 00 01 00 00 00", "open 82, open 83, b.alternate 1.1, in 0"},
         {"taken 2", ""}); // function b has no in_done
}

static void send_and_receive__need_an_endpoint_that_is_there_and_not_halted(void **state)
{
    (void)state;
    static const uint8_t data[] = {0xAB, 0xCD};
    struct bench bench;
    bench_start(&bench);
    bench_address(&bench);

    assert_false(usbdev_send(&bench.dev, 0x81, data, 2));
    bench_configure(&bench);
    bench.log[0] = '\0';
    assert_true(usbdev_send(&bench.dev, 0x81, data, 2));
    assert_true(usbdev_receive(&bench.dev, 0x01));
    assert_false(usbdev_send(&bench.dev, 0x82, data, 2));
    assert_false(usbdev_receive(&bench.dev, 0x02));
    assert_string_equal(bench.log, "in 1 ab cd, out 1");
    usbdev_halt(&bench.dev, 0x81);

    assert_false(usbdev_send(&bench.dev, 0x81, data, 2));
    assert_true(usbdev_receive(&bench.dev, 0x01));
}

// ---- Class and vendor requests to the device and to endpoints ----

static void requests_to_the_device__go_to_the_function_that_is_marked(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup c0 50 01 00 77 77 01 00", "a.setup, out 0, in 0 00"},
         {"setup a0 50 01 00 00 00 01 00", "a.setup, out 0, in 0 00"});
    bench.functions[0].device_requests = false;
    PLAY(&bench, {"setup c0 50 01 00 77 77 01 00", "stall"});
}

static void requests_to_endpoints__go_to_the_owner(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup c2 50 01 00 81 00 01 00", "a.setup, out 0, in 0 00"},
         {"setup c2 50 01 00 82 00 01 00", "stall"}, {"setup c2 50 01 00 00 00 01 00", "stall"},
         {"setup 01 0b 01 00 01 00 00 00", "open 82, open 83, b.alternate 1.1, in 0"},
         {"setup c2 50 01 00 82 00 01 00", "b.setup, out 0, in 0"});
}

static void get_descriptor_of_an_interface__goes_to_its_function(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 81 06 00 22 00 00 40 00", "a.setup, stall"},
         {"setup 81 06 00 22 01 00 40 00", "b.setup, stall"},
         {"setup 81 06 00 22 02 00 40 00", "stall"}, {"setup 81 06 00 22 00 01 40 00", "stall"});
}

// ---- Remote wake-up (USB 2.0 9.2.5.2) ----

static void remote_wakeup__needs_a_sleeping_bus_and_the_host_s_leave(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"suspended", "a.suspended"});
    assert_false(usbdev_remote_wakeup(&bench.dev));
    PLAY(&bench, {"resumed", "a.resumed"}, {"setup 00 03 01 00 00 00 00 00", "in 0"});
    assert_false(usbdev_remote_wakeup(&bench.dev));
    PLAY(&bench, {"suspended", "a.suspended"});
    bench.log[0] = '\0';
    assert_true(usbdev_remote_wakeup(&bench.dev));

    assert_string_equal(bench.log, "wake");
}

static void bus_reset__ends_suspend(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_address(&bench);

    PLAY(&bench, {"suspended", "a.suspended"}, {"reset", "a.reset"});
    bench_address(&bench);
    PLAY(&bench, {"setup 00 03 01 00 00 00 00 00", "in 0"});

    assert_false(usbdev_remote_wakeup(&bench.dev));
}

// ---- A small device ----

static void small_device__has_requests_to_interfaces_alone(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench.config.full = NULL;
    bench_address(&bench);

    PLAY(&bench, {"setup 00 09 01 00 00 00 00 00", "in 0"}, {"taken 0", ""},
         {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 01"},
         {"setup a1 50 01 00 00 00 01 00", "a.setup, out 0, in 0 00"}, {"taken 0", ""},
         {"came 0", "a.complete"}, {"setup 21 53 00 00 00 00 00 00", "a.setup, in 0"},
         {"setup 21 53 00 00 00 00 01 00", "a.setup, stall"}, {"taken 0", ""},
         {"setup 41 51 00 00 00 01 40 00", "a.setup, stall"}, {"came 0 00", ""},
         {"setup a0 50 01 00 00 00 01 00", "stall"}, {"setup a2 50 01 00 81 00 01 00", "stall"},
         {"setup a1 50 01 00 02 00 01 00", "stall"}, {"setup 80 06 00 0f 00 00 05 00", "stall"},
         {"setup 81 06 00 22 00 00 40 00", "stall"}, {"setup 20 53 00 00 00 00 01 00", "stall"},
         {"setup 01 0b 00 00 00 00 01 00", "stall"},
         {"setup 80 06 00 03 00 00 ff 00", "out 0, in 0 04 03 09 04"}, {"reset", "a.reset"});

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_DEFAULT);
}

static void small_device__has_alternate_0_and_no_features(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench.config.full = NULL;
    bench_address(&bench);

    PLAY(&bench, {"setup 01 0b 00 00 01 00 00 00", "stall"},
         {"setup 00 09 01 00 00 00 00 00", "in 0"},
         {"setup 81 0a 00 00 01 00 02 00", "out 0, in 0 00"},
         {"setup 01 0b 00 00 01 00 00 00", "in 0"}, {"setup 01 0b 01 00 01 00 00 00", "stall"},
         {"setup 01 0b 00 00 02 00 00 00", "stall"}, {"setup 00 03 01 00 00 00 00 00", "stall"},
         {"setup 02 03 00 00 81 00 00 00", "stall"}, {"setup 82 00 00 00 81 00 02 00", "stall"},
         {"setup 82 00 00 00 00 00 02 00", "out 0, in 0 00 00"}, {"taken 1", ""},
         {"came 1 01", ""});
}

// ---- Anything at all ----

static void any_sequence_of_events__leaves_a_device_that_answers(void **state)
{
    (void)state;
    const struct usbdev_setup_packet next = {0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, 18};
    static const uint8_t some[] = {0x00, 0x01, 0x02, 0x80, 0x81, 0x82,
                                   0x21, 0xA1, 0x40, 0xC0, 0xC2};
    uint8_t packet[64] = {0}, reply[BENCH_MOST];
    uint32_t random = 7;
    struct bench bench;
    bench_start(&bench);

    for (int i = 0; i < 300000; i++) {
        uint8_t setup[USBDEV_SETUP_SIZE] = {0};
        random = random * 1664525 + 1013904223;
        uint8_t dice = (uint8_t)(random >> 24);
        bench.log[0] = '\0';
        setup[0] = some[(random >> 8) % sizeof(some)];
        setup[1] = dice & 0x80 ? dice & 0x0F : 0x50 | (dice & 3);
        setup[2] = random >> 12 & 1;
        setup[4] = random >> 13 & 0x83;
        setup[6] = random >> 16 & 0x1F;
        switch (random >> 29) {
        case 0:
            usbdev_in_done(&bench.dev, random >> 20 & 3);
            break;
        case 1:
        case 2:
            usbdev_out_done(&bench.dev, random >> 20 & 1, packet, random >> 18 & 0x3F);
            break;
        case 3:
            if (dice % 16 == 0)
                usbdev_bus_reset(&bench.dev);
            break;
        case 4:
            assert_int_equal(bench_read(&bench, &next, reply), 18);
            break;
        default:
            usbdev_setup(&bench.dev, setup);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_interface__closes_and_opens_its_own_endpoints),
        cmocka_unit_test(interface_requests__to_absent_ones_stall),
        cmocka_unit_test(set_configuration__leads_back_to_alternate_0),
        cmocka_unit_test(configuration__ends_with_wTotalLength_or_a_descriptor_of_no_length),
        cmocka_unit_test(halt__is_set_reported_and_cleared),
        cmocka_unit_test(halt__is_for_endpoints_of_a_current_alternate),
        cmocka_unit_test(halt__ends_with_alternate_configuration_and_reset),
        cmocka_unit_test(unconfigured__is_told_when_the_configuration_is_over),
        cmocka_unit_test(endpoints__are_told_apart_up_to_15),
        cmocka_unit_test(halt__by_the_device_is_seen_by_the_host),
        cmocka_unit_test(packets__go_to_the_function_that_owns_the_endpoint),
        cmocka_unit_test(send_and_receive__need_an_endpoint_that_is_there_and_not_halted),
        cmocka_unit_test(requests_to_the_device__go_to_the_function_that_is_marked),
        cmocka_unit_test(requests_to_endpoints__go_to_the_owner),
        cmocka_unit_test(get_descriptor_of_an_interface__goes_to_its_function),
        cmocka_unit_test(remote_wakeup__needs_a_sleeping_bus_and_the_host_s_leave),
        cmocka_unit_test(bus_reset__ends_suspend),
        cmocka_unit_test(small_device__has_requests_to_interfaces_alone),
        cmocka_unit_test(small_device__has_alternate_0_and_no_features),
        cmocka_unit_test(any_sequence_of_events__leaves_a_device_that_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
