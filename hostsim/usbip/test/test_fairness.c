// SPDX-License-Identifier: MIT
//
// Shares of the loop, counted in its turns and in the commands that it carries out, not in time:
// many devices whose clients have sent more than the server reads at once, and one whose client
// asks a single thing.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "toy_device.h"
#include <usbip/loop.h>

enum {
    HOGS = 60,
    AT_ONCE = 32, // sockets that the loop looks at in a turn
    COMMANDS = 150,
    LOST = 4, // devices that a reset loses
};

struct participant {
    struct toy toy;
    int fd; // the client's end
};

struct bench {
    struct participant hogs[HOGS];
    struct participant patient;
    struct usbip_device *devices[HOGS + 1];
    struct loop *loop;
    unsigned turns;
};

static bool turned(void *context)
{
    struct bench *bench = context;
    char byte;

    bench->turns++;
    if (recv(bench->patient.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
        loop_stop(bench->loop);
    return true;
}

static void plug_in(struct bench *bench, struct participant *participant, unsigned number)
{
    bench->devices[number] = usbip_device_open(toy_init(&participant->toy), number + 1, NULL, NULL);
    assert_non_null(bench->devices[number]);
}

static void connect_client(struct bench *bench, struct participant *participant, unsigned number)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    participant->fd = ends[0];
    assert_int_equal(loop_adopt(bench->loop, ends[1], bench->devices[number]), 0);
}

static void start(struct bench *bench)
{
    static const struct loop_events events = {.turned = turned};

    memset(bench, 0, sizeof *bench);
    for (unsigned i = 0; i < HOGS; i++)
        plug_in(bench, &bench->hogs[i], i);
    plug_in(bench, &bench->patient, HOGS);
    bench->loop = loop_open(bench->devices, HOGS + 1, &events, bench);
    assert_non_null(bench->loop);
    for (unsigned i = 0; i < HOGS; i++)
        connect_client(bench, &bench->hogs[i], i);
    connect_client(bench, &bench->patient, HOGS);
}

static void stop(struct bench *bench)
{
    loop_close(bench->loop);
    for (unsigned i = 0; i < HOGS; i++)
        close(bench->hogs[i].fd);
    close(bench->patient.fd);
    for (unsigned i = 0; i <= HOGS; i++)
        usbip_device_close(bench->devices[i]);
}

static void submit(struct bench *bench,
                   unsigned number,
                   uint32_t seqnum,
                   const uint8_t setup[USBDEV_SETUP_SIZE])
{
    const struct usbip_record *record = usbip_device_record(bench->devices[number]);
    int fd = number < HOGS ? bench->hogs[number].fd : bench->patient.fd;
    struct usbip_command command = {
        .code = USBIP_CMD_SUBMIT,
        .seqnum = seqnum,
        .devid = record->busnum << 16 | record->devnum,
        .in = (setup[0] & USBDEV_DIR_IN) != 0,
        .length = usbdev_load_le16(setup + 6),
    };
    uint8_t bytes[USBIP_HEADER_SIZE];

    memcpy(command.setup, setup, USBDEV_SETUP_SIZE);
    usbip_command_encode(bytes, &command);
    assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
}

static void submit_all(struct bench *bench, const uint8_t hogs_setup[USBDEV_SETUP_SIZE])
{
    static const uint8_t get_device[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 1, 0, 0, 18, 0};

    for (unsigned i = 0; i < HOGS; i++)
        for (uint32_t n = 1; n <= COMMANDS; n++)
            submit(bench, i, n, hogs_setup);
    submit(bench, HOGS, 1, get_device);
}

// All sockets are looked at in this many turns.
static const unsigned all_read = HOGS / AT_ONCE + 1;

static void request__is_answered_in_the_turn_that_reads_it(void **state)
{
    static const uint8_t get_strings[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 3, 0, 0, 255, 0};
    static struct bench bench;
    (void)state;

    start(&bench);
    submit_all(&bench, get_strings);

    assert_int_equal(loop_run(bench.loop), 0);

    assert_in_range(bench.turns, 1, all_read + 1); // the first turn may be the timer's
    stop(&bench);
}

static void bus_resets__are_carried_out_one_a_turn(void **state)
{
    static const uint8_t reset[] = {0x23, USBDEV_SET_FEATURE, 4, 0, 1, 0, 0, 0};
    static struct bench bench;
    unsigned before[HOGS];
    (void)state;

    start(&bench);
    for (unsigned i = 0; i < HOGS; i++)
        before[i] = bench.hogs[i].toy.resets;
    submit_all(&bench, reset);

    assert_int_equal(loop_run(bench.loop), 0);

    assert_in_range(bench.turns, 1, all_read + 1);
    for (unsigned i = 0; i < HOGS; i++) // to enumerate takes two
        assert_in_range(bench.hogs[i].toy.resets - before[i], 0, 2 * bench.turns);
    stop(&bench);
}

// Devices that are simulated more slowly than time passes take ten milliseconds of a turn in all,
// however many they are, and a millisecond of their own time each for what was asked of them.
static void slow_devices__take_no_turn_but_their_own(void **state)
{
    static const uint8_t hang[] = {USBDEV_TYPE_VENDOR, TOY_HANG, 0, 0, 0, 0, 0, 0};
    static struct bench bench;
    (void)state;

    start(&bench);
    for (unsigned i = 0; i < HOGS; i++)
        bench.hogs[i].toy.cost_ns = 2000000;
    submit_all(&bench, hang);

    assert_int_equal(loop_run(bench.loop), 0);

    assert_in_range(bench.turns, 1, all_read + 1);
    stop(&bench);
}

static const uint8_t reset_port[] = {0x23, USBDEV_SET_FEATURE, 4, 0, 1, 0, 0, 0};

// The device behind them is answered in the second turn at the latest, when each of them has spent
// no more than this of its time.
static void expect_short_turns(struct bench *bench, uint64_t most_ns)
{
    static const uint8_t get_device[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 1, 0, 0, 18, 0};
    uint64_t begin_ns[LOST];

    for (unsigned i = 0; i < LOST; i++)
        begin_ns[i] = usbip_device_now_ns(bench->devices[i]);
    submit(bench, HOGS, 1, get_device);

    assert_int_equal(loop_run(bench->loop), 0);

    assert_in_range(bench->turns, 1, 2);
    for (unsigned i = 0; i < LOST; i++)
        assert_in_range(usbip_device_now_ns(bench->devices[i]) - begin_ns[i], 0, most_ns);
}

// Boards that leave the bus in a reset and stay away: each is awaited for ten seconds of its time,
// but before another is answered it has only gone through the reset and a few milliseconds.
static void devices_that_a_reset_loses__take_no_turn_but_their_own(void **state)
{
    static const uint8_t arm[] = {USBDEV_TYPE_VENDOR, TOY_ARM, 0, 0, 0, 0, 0, 0};
    static struct bench bench;
    (void)state;

    start(&bench);
    for (unsigned i = 0; i < LOST; i++) {
        bench.hogs[i].toy.away_ns = UINT32_MAX;
        bench.hogs[i].toy.cost_ns = 100000; // of a board whose firmware is busy
        submit(&bench, i, 1, arm);
        submit(&bench, i, 2, reset_port);
    }

    expect_short_turns(&bench, 500 * SIM_MS);
    stop(&bench);
}

// Devices that NAK whatever they are asked once they were reset: a host gives each request five
// seconds. Of that a reset takes half a second at once, and the rest goes by in milliseconds.
static void devices_that_nak_their_enumeration__take_no_turn_but_their_own(void **state)
{
    static struct bench bench;
    (void)state;

    start(&bench);
    for (unsigned i = 0; i < LOST; i++) {
        bench.hogs[i].toy.mute_ns = UINT64_MAX;
        bench.hogs[i].toy.cost_ns = 10000; // of a board whose firmware is busy
        submit(&bench, i, 1, reset_port);
    }

    expect_short_turns(&bench, 600 * SIM_MS);
    stop(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request__is_answered_in_the_turn_that_reads_it),
        cmocka_unit_test(bus_resets__are_carried_out_one_a_turn),
        cmocka_unit_test(slow_devices__take_no_turn_but_their_own),
        cmocka_unit_test(devices_that_a_reset_loses__take_no_turn_but_their_own),
        cmocka_unit_test(devices_that_nak_their_enumeration__take_no_turn_but_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
