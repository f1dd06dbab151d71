// SPDX-License-Identifier: MIT
//
// The virtual board with isochronous endpoints (images/isochronous.c).
//
//     test_isochronous ISOCHRONOUS

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dfurt/usb_spec.h>

#include "plugged_image.h"

enum { OUT_ENDPOINT = 0x01, IN_ENDPOINT = 0x82, PACKET = 64, FRAMES = 200 };

static const char *image;

static void choose_alternate(struct sim_host *host, uint16_t alternate)
{
    assert_int_equal(
        control(host, USBDEV_RECIPIENT_INTERFACE, USBDEV_SET_INTERFACE, alternate, 0, NULL, 0), 0);
}

// ---- A stream: a transfer for each frame ----

struct stream {
    struct sim_transfer transfers[FRAMES];
    uint8_t data[FRAMES][PACKET];
    unsigned done;
};

static void on_done(struct sim_transfer *transfer)
{
    ++*(unsigned *)transfer->context;
}

static void start(struct sim_host *host, struct stream *stream, uint8_t endpoint, uint8_t bInterval)
{
    stream->done = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        stream->transfers[i] = (struct sim_transfer){
            .endpoint = endpoint,
            .type = USBDEV_ENDPOINT_ISOCHRONOUS,
            .wMaxPacketSize = PACKET,
            .bInterval = bInterval,
            .data = stream->data[i],
            .length = endpoint == OUT_ENDPOINT ? 1 + i % PACKET : PACKET,
            .done = on_done,
            .context = &stream->done,
        };
        assert_int_equal(sim_host_submit(host, &stream->transfers[i]), 0);
    }
}

static void fill(struct stream *out)
{
    for (unsigned i = 0; i < FRAMES; i++)
        for (unsigned j = 0; j < PACKET; j++)
            out->data[i][j] = (uint8_t)(i * 5 + j);
}

// The packets that have data: those of the other stream, from the first one on.
static unsigned count_echoes(const struct stream *out, const struct stream *in)
{
    unsigned echoes = 0;

    for (unsigned i = 0; i < FRAMES; i++) {
        const struct sim_transfer *received = &in->transfers[i];

        assert_int_equal(received->status, USB_OK);
        if (received->actual == 0)
            continue;
        assert_int_equal(received->actual, out->transfers[echoes].length);
        assert_memory_equal(in->data[i], out->data[echoes], received->actual);
        echoes++;
    }
    return echoes;
}

static struct stream out, in;

static void packets__go_and_come_in_each_frame_without_a_gap(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);

    choose_alternate(host, 1);
    fill(&out);
    start(host, &in, IN_ENDPOINT, 1);
    start(host, &out, OUT_ENDPOINT, 1);
    pass_ms(host, FRAMES + 1);
    assert_int_equal(out.done, FRAMES);
    assert_int_equal(in.done, FRAMES);
    assert_in_range(count_echoes(&out, &in), FRAMES - 2, FRAMES);

    unplug(host);
}

// USB 2.0 9.6.6: bInterval 3 is each fourth frame.
static void packets__are_frames_apart_as_the_interval_says(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);

    choose_alternate(host, 1);
    start(host, &in, IN_ENDPOINT, 3);
    pass_ms(host, 100);
    assert_in_range(in.done, 25, 26);
    pass_ms(host, 4 * FRAMES);
    assert_int_equal(in.done, FRAMES);

    unplug(host);
}

static void packets__other_transfers_go_on_beside_them(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);

    choose_alternate(host, 1);
    start(host, &in, IN_ENDPOINT, 1);
    for (unsigned i = 0; i < 20; i++)
        choose_alternate(host, 1);
    assert_in_range(in.done, 1, FRAMES - 1);
    pass_ms(host, FRAMES);
    assert_int_equal(in.done, FRAMES);

    unplug(host);
}

static void packets__do_not_come_in_the_alternate_without_endpoints(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(image);

    choose_alternate(host, 1);
    choose_alternate(host, 0);
    start(host, &in, IN_ENDPOINT, 1);
    start(host, &out, OUT_ENDPOINT, 1);
    pass_ms(host, FRAMES + 1);
    for (unsigned i = 0; i < FRAMES; i++) {
        assert_int_equal(in.transfers[i].status, USB_IO);
        assert_int_equal(out.transfers[i].status, USB_OK); // a host does not learn of it
    }

    unplug(host);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets__go_and_come_in_each_frame_without_a_gap),
        cmocka_unit_test(packets__are_frames_apart_as_the_interval_says),
        cmocka_unit_test(packets__other_transfers_go_on_beside_them),
        cmocka_unit_test(packets__do_not_come_in_the_alternate_without_endpoints),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_isochronous ISOCHRONOUS\n");
        return 2;
    }
    image = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
