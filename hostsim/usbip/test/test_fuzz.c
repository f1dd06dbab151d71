// SPDX-License-Identifier: MIT
//
// Random and mutated messages into session and client: the same each time, from a fixed
// seed. Nothing is expected but that the rules hold: no crash (the sanitizers see to it), every
// submission answered once, output that parses, bounds kept.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "forked_server.h"
#include "toy_device.h"
#include <usbip/client.h>
#include <usbip/session.h>

enum { ROUNDS = 3000, DEVID = 1 << 16 | 2, MAX_STREAM = 4096 };

// xorshift64*: any generator will do, as long as it is this one everywhere.
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717) >> 32;
}

static size_t below(uint64_t *seed, size_t limit)
{
    return (size_t)(next_random(seed) % limit);
}

// ---- Streams ----

// A message that a session understands, or nearly: plausible fields, unplausible company.
static size_t make_command(uint64_t *seed, uint8_t *bytes, uint32_t seqnum)
{
    static const uint8_t requests[] = {0, 1, 3, 5, 6, 9, 11, TOY_LEAVE, TOY_HANG, TOY_BABBLE};
    static const uint8_t types[] = {0x00, 0x80, 0x01, 0x02, 0x40, 0xC0, 0x21, 0x23};
    struct usbip_command command = {
        .code = below(seed, 5) ? USBIP_CMD_SUBMIT : USBIP_CMD_UNLINK,
        .seqnum = seqnum,
        .devid = DEVID,
        .in = below(seed, 2) == 1,
        .endpoint = (uint8_t)below(seed, 5),
        .unlinked = seqnum - (uint32_t)below(seed, 10),
        .flags = (uint32_t)below(seed, 0x400),
        .length = (uint32_t)below(seed, 130),
        .iso_packets = below(seed, 20) ? 0 : (uint32_t)below(seed, 4),
    };

    if (command.endpoint == 0) {
        command.setup[0] = types[below(seed, sizeof types)];
        command.setup[1] = requests[below(seed, sizeof requests)];
        command.setup[2] = (uint8_t)below(seed, 5);
        command.setup[3] = (uint8_t)below(seed, 3);
        command.in = (command.setup[0] & USBDEV_DIR_IN) != 0;
        usbdev_store_le16(command.setup + 6, (uint16_t)command.length);
    }
    usbip_command_encode(bytes, &command);
    for (size_t i = 0; i < usbip_command_payload(&command); i++)
        bytes[USBIP_HEADER_SIZE + i] = (uint8_t)next_random(seed);
    return USBIP_HEADER_SIZE + usbip_command_payload(&command);
}

static size_t make_stream(uint64_t *seed, uint8_t bytes[MAX_STREAM])
{
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    size_t length = usbip_request_encode(bytes, &request);
    size_t commands = 1 + below(seed, 12);

    for (uint32_t i = 1; i <= commands; i++)
        length += make_command(seed, bytes + length, i);
    return length;
}

static void mutate(uint64_t *seed, uint8_t *bytes, size_t length)
{
    static const uint8_t extremes[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};

    for (size_t i = below(seed, 4); i > 0; i--) {
        size_t at = below(seed, length);

        if (below(seed, 2))
            bytes[at] = extremes[below(seed, sizeof extremes)];
        else
            bytes[at] ^= (uint8_t)(1 << below(seed, 8));
    }
}

// ---- What a session may say ----

// What the device did, in order; the session must have said the same.
struct completion {
    uint32_t seqnum;
    int32_t status;
    uint32_t actual;
    bool in;
};

struct judge {
    struct completion completions[64];
    size_t count;
    size_t told;
};

static void completed(void *context, const struct usbip_device *device, const struct usbip_urb *urb)
{
    struct judge *judge = context;

    (void)device;
    assert_true(urb->actual <= urb->command.length);
    if (urb->status == USBIP_STATUS_ECONNRESET)
        return; // RET_UNLINK is its answer
    assert_true(judge->count < sizeof judge->completions / sizeof *judge->completions);
    judge->completions[judge->count++] =
        (struct completion){urb->command.seqnum, urb->status, urb->actual, urb->command.in};
}

static size_t check_reply(struct judge *judge, const uint8_t *bytes, size_t length)
{
    const struct completion *next = &judge->completions[judge->told];
    struct usbip_reply reply;

    assert_int_equal(usbip_reply_decode(&reply, bytes, length), USBIP_HEADER_SIZE);
    if (reply.code == USBIP_RET_UNLINK) {
        assert_true(reply.status == 0 || reply.status == USBIP_STATUS_ECONNRESET);
        return USBIP_HEADER_SIZE;
    }
    if (judge->told == judge->count || next->seqnum != reply.seqnum) { // never got to the device
        assert_int_equal(reply.status, USBIP_STATUS_EINVAL);
        assert_int_equal(reply.actual_length, 0);
        return USBIP_HEADER_SIZE;
    }
    judge->told++;
    assert_int_equal(reply.status, next->status);
    assert_int_equal(reply.actual_length, next->actual);
    return USBIP_HEADER_SIZE + (next->in ? next->actual : 0);
}

static void run(struct usbip_device *device, uint64_t *wall_ns)
{
    *wall_ns += 3 * SIM_MS;
    while (usbip_device_catch_up(device, *wall_ns))
        ;
    for (int slices = 0; usbip_device_run(device); slices++)
        assert_true(slices < 1000);
}

static void feed(uint64_t *seed,
                 struct usbip_device *device,
                 struct usbip_session *session,
                 const uint8_t *bytes,
                 size_t length)
{
    uint64_t wall_ns = 1;

    while (length > 0) {
        size_t taken = usbip_session_receive(session, bytes, 1 + below(seed, length));

        if (taken == 0)
            break;
        if (below(seed, 2))
            run(device, &wall_ns);
        bytes += taken;
        length -= taken;
    }
    run(device, &wall_ns);
}

static void session__keeps_its_rules_whatever_comes(void **state)
{
    (void)state;
    static const struct usbip_observer observer = {.completed = completed};
    uint64_t seed = 20240229;

    for (int round = 0; round < ROUNDS; round++) {
        struct toy toy;
        struct judge judge = {0};
        struct usbip_device *device = usbip_device_open(toy_init(&toy), 1, &observer, &judge);
        struct usbip_session *session = usbip_session_open(&device, 1);
        uint8_t stream[MAX_STREAM];
        size_t length = make_stream(&seed, stream);
        size_t at = USBIP_OP_SIZE + USBIP_RECORD_SIZE;
        const uint8_t *said;

        mutate(&seed, stream, length);
        feed(&seed, device, session, stream, length);
        said = usbip_session_output(session, &length);
        while (usbip_session_device(session) && at < length)
            at += check_reply(&judge, said + at, length - at);

        assert_int_equal(judge.told, judge.count);
        usbip_session_close(session);
        usbip_device_close(device);
    }
}

static void session__survives_pure_noise(void **state)
{
    (void)state;
    uint64_t seed = 1;

    for (int round = 0; round < ROUNDS; round++) {
        struct toy toy;
        struct usbip_device *device = usbip_device_open(toy_init(&toy), 1, NULL, NULL);
        struct usbip_session *session = usbip_session_open(&device, 1);
        uint8_t noise[512];

        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)next_random(&seed);
        if (round % 2)
            assert_int_equal(usbip_session_import(session, device), USBIP_OP_OK);
        feed(&seed, device, session, noise, sizeof noise);

        assert_true(usbip_session_over(session)); // noise is no USB/IP
        usbip_session_close(session);
        usbip_device_close(device);
    }
}

// ---- The client ----

// A server that answers an import, a control transfer and a bulk transfer, nearly right, and then
// hangs up; one connection after the other.
static void serve_mutations(int listener)
{
    static const uint8_t import_reply[USBIP_OP_SIZE + USBIP_RECORD_SIZE] = {
        0x01, 0x11, 0x00, 0x03, [8 + 256] = '1', '-', '1', [8 + 291] = 1, [8 + 295] = 2};
    uint64_t seed = 7;

    for (;;) {
        uint8_t bytes[sizeof import_reply + 2 * USBIP_HEADER_SIZE + 18 + 64] = {0};
        uint8_t *control = bytes + sizeof import_reply;
        uint8_t *bulk = control + USBIP_HEADER_SIZE + 18;
        size_t spared = below(&seed, 4) ? sizeof import_reply : 0; // or else no run gets beyond it
        int fd = accept(listener, NULL, NULL);
        char rest[512];

        memcpy(bytes, import_reply, sizeof import_reply);
        usbip_reply_encode(control, &(struct usbip_reply){USBIP_RET_SUBMIT, 1, 0, 18});
        usbip_reply_encode(bulk, &(struct usbip_reply){USBIP_RET_SUBMIT, 2, 0, 64});
        mutate(&seed, bytes + spared, sizeof bytes - spared);
        if (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) < 0)
            _exit(3);
        shutdown(fd, SHUT_WR);
        while (recv(fd, rest, sizeof rest, 0) > 0)
            ;
        close(fd);
    }
}

static void client__takes_nothing_that_does_not_fit(void **state)
{
    (void)state;
    const struct usbdev_setup_packet get_device = {
        .bmRequestType = 0x80, .bRequest = USBDEV_GET_DESCRIPTOR, .wValue = 0x0100, .wLength = 18};
    struct forked_server server;
    unsigned whole = 0;

    forked_server_start_own(&server, serve_mutations);
    for (int round = 0; round < ROUNDS / 4; round++) {
        char error[200];
        uint8_t guarded[64 + 8];
        struct usbip_client *client =
            usbip_client_open("127.0.0.1", server.port, "1-1", 5000, error, sizeof error);

        memset(guarded, 0x55, sizeof guarded);
        if (!client)
            continue;
        int control = usbip_client_control(client, &get_device, guarded, 5000);
        assert_in_range(control + 5, 0, 18 + 5); // an error, or at most what was asked for
        for (size_t i = 18; i < sizeof guarded; i++)
            assert_int_equal(guarded[i], 0x55);

        int bulk = usbip_client_transfer(client, 0x81, guarded, 64, 5000);
        assert_in_range(bulk + 5, 0, 64 + 5);
        for (size_t i = 64; i < sizeof guarded; i++)
            assert_int_equal(guarded[i], 0x55);
        whole += control == 18 && bulk == 64;
        usbip_client_close(client);
    }

    assert_in_range(whole, ROUNDS / 40, ROUNDS / 4 - 1); // some came through, not all
    forked_server_kill(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session__keeps_its_rules_whatever_comes),
        cmocka_unit_test(session__survives_pure_noise),
        cmocka_unit_test(client__takes_nothing_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
