// SPDX-License-Identifier: MIT
//
// The virtual board with a driver that does everything in the other common way
// (images/other_driver.c).
//
//     test_other_driver OTHER_DRIVER

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dfurt/usb_spec.h>

#include "plugged_image.h"

enum { OUT_ENDPOINT = 0x01, IN_ENDPOINT = 0x82, PACKET = 64, LENGTH = 20 * PACKET };

static const char *image;

static void assert_answers(struct sim_host *host)
{
    uint8_t descriptor[18];

    assert_int_equal(control(host, 0x80, USBDEV_GET_DESCRIPTOR, USBDEV_DT_DEVICE << 8, 0,
                             descriptor, sizeof descriptor),
                     18);
    assert_memory_equal(descriptor + 8, "\x09\x12\x01\x00", 4);
}

// ---- A main loop that looks once a millisecond ----

static void polling__enumerates_and_answers(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);

    for (int i = 0; i < 20; i++)
        assert_answers(host);

    unplug(host);
}

static void polling__sees_what_came_before_a_bus_reset(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);

    for (int i = 0; i < 5; i++) {
        assert_int_equal(sim_host_reset(host), 0);
        assert_answers(host);
    }

    unplug(host);
}

// ---- A suspend that forces a reset ----

static uint8_t suspends(struct sim_host *host)
{
    uint8_t count = 0;

    assert_int_equal(control(host, 0xC1, 1, 0, 0, &count, 1), 1);
    return count;
}

static void suspend__is_found_once_and_the_address_stays(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);
    uint8_t before = suspends(host); // the bus was idle until the host enumerated

    sim_host_suspend(host);
    pass_ms(host, 50);
    sim_host_resume(host);
    assert_answers(host);
    assert_int_equal(suspends(host), before + 1);

    unplug(host);
}

// ---- Double-buffered endpoints ----

static void on_done(struct sim_transfer *transfer)
{
    *(bool *)transfer->context = true;
}

static void start(struct sim_host *host,
                  struct sim_transfer *transfer,
                  uint8_t endpoint,
                  uint8_t *data,
                  size_t length,
                  bool *done)
{
    *transfer = (struct sim_transfer){
        .endpoint = endpoint,
        .type = USBDEV_ENDPOINT_BULK,
        .wMaxPacketSize = PACKET,
        .data = data,
        .length = length,
        .timeout_ns = 1000 * SIM_MS,
        .done = on_done,
        .context = done,
    };
    *done = false;
    assert_int_equal(sim_host_submit(host, transfer), 0);
}

static void double_buffers__carry_data_both_ways(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);
    struct sim_transfer in;
    struct sim_transfer out;
    uint8_t sent[LENGTH];
    uint8_t received[LENGTH];
    bool in_done;
    bool out_done;

    for (size_t i = 0; i < LENGTH; i++)
        sent[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t length = 1; length <= LENGTH; length = length < 4 ? length + 1 : 2 * length + 61) {
        memset(received, 0, sizeof received);
        start(host, &in, IN_ENDPOINT, received, length, &in_done);
        start(host, &out, OUT_ENDPOINT, sent, length, &out_done);
        pass_ms(host, 500);
        assert_true(in_done && out_done);
        assert_int_equal(in.status, USB_OK);
        assert_int_equal(out.status, USB_OK);
        assert_int_equal(in.actual, length);
        assert_memory_equal(received, sent, length);
    }

    unplug(host);
}

// The host does not read. One packet waits in 82h and one in 01h, whose other row is the driver's:
// the third is not taken.
static void double_buffers__answer_nak_while_no_row_is_free(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);
    struct sim_transfer out;
    uint8_t sent[4 * PACKET] = {0};
    bool done;

    start(host, &out, OUT_ENDPOINT, sent, sizeof sent, &done);
    pass_ms(host, 100);
    assert_false(done);
    sim_host_cancel(host, &out);
    assert_int_equal(out.actual, 2 * PACKET);

    unplug(host);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polling__enumerates_and_answers),
        cmocka_unit_test(polling__sees_what_came_before_a_bus_reset),
        cmocka_unit_test(suspend__is_found_once_and_the_address_stays),
        cmocka_unit_test(double_buffers__carry_data_both_ways),
        cmocka_unit_test(double_buffers__answer_nak_while_no_row_is_free),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_other_driver OTHER_DRIVER\n");
        return 2;
    }
    image = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
