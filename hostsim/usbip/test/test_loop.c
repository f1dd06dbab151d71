// SPDX-License-Identifier: MIT
//
// The loop in a process of its own, with clients that behave and clients that do not.

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "raw_client.h"
#include "toy_device.h"
#include <usbip/client.h>
#include <usbip/loop.h>

enum { TIMEOUT_MS = 5000 };

static int start(void **state)
{
    static struct forked_server server;

    forked_server_start(&server);
    *state = &server;
    return 0;
}

static int stop(void **state)
{
    forked_server_stop(*state);
    return 0;
}

// A client that behaves gets what it wants.
static void assert_serves(const struct forked_server *server)
{
    const struct usbdev_setup_packet get_device = {
        .bmRequestType = 0x80, .bRequest = USBDEV_GET_DESCRIPTOR, .wValue = 0x0100, .wLength = 18};
    uint8_t descriptor[18];
    char error[200] = "";
    struct usbip_client *client =
        usbip_client_open("127.0.0.1", server->port, NULL, TIMEOUT_MS, error, sizeof error);

    if (!client)
        fail_msg("%s", error);
    assert_int_equal(usbip_client_control(client, &get_device, descriptor, TIMEOUT_MS), 18);
    usbip_client_close(client);
}

// Released within a second: the server learns of it when it looks at the socket next.
static void assert_released(const struct forked_server *server)
{
    char error[200];
    struct usbip_client *client = NULL;

    for (int attempt = 0; attempt < 1000 && !client; attempt++) {
        client =
            usbip_client_open("127.0.0.1", server->port, "1-1", TIMEOUT_MS, error, sizeof error);
        if (!client)
            poll(NULL, 0, 1);
    }
    assert_non_null(client);
    usbip_client_close(client);
}

static void silent_clients__cost_the_others_nothing(void **state)
{
    const struct forked_server *server = *state;
    int silent[10];

    for (int i = 0; i < 10; i++)
        silent[i] = forked_server_connect(server);
    assert_int_equal(send(silent[0], "\x01\x11", 2, 0), 2); // half a message and then nothing
    assert_serves(server);

    for (int i = 0; i < 10; i++)
        close(silent[i]);
}

static void crowd__the_oldest_without_a_device_makes_room(void **state)
{
    const struct forked_server *server = *state;
    int crowd[LOOP_MAX_IDLE + 10];
    int count = LOOP_MAX_IDLE + 10;
    char byte;

    for (int i = 0; i < count; i++)
        crowd[i] = forked_server_connect(server);
    assert_serves(server);

    assert_int_equal(recv(crowd[0], &byte, 1, 0), 0);
    for (int i = 0; i < count; i++)
        close(crowd[i]);
}

static void garbage__is_hung_up_on(void **state)
{
    const struct forked_server *server = *state;
    int fd = forked_server_connect(server);
    char byte;

    assert_int_equal(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);

    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
    assert_serves(server);
}

static void vanished_client__releases_its_device(void **state)
{
    const struct forked_server *server = *state;
    static const uint8_t hang[] = {USBDEV_TYPE_VENDOR, TOY_HANG, 0, 0, 0, 0, 0, 0};
    uint8_t bytes[USBIP_HEADER_SIZE];
    int fd = raw_import(server);

    raw_encode(bytes, 1, hang);
    assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(send(fd, bytes, 20, 0), 20); // and the beginning of another
    close(fd);

    assert_released(server);
}

static void slow_reader__is_waited_for_alone(void **state)
{
    const struct forked_server *server = *state;
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 0xFF, 0};
    static const uint8_t list[] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
    uint8_t bytes[100 * USBIP_HEADER_SIZE];
    uint8_t answer[USBIP_DEVLIST_SIZE];
    size_t sent = 0;
    int fd = raw_import(server);
    struct pollfd writable = {.fd = fd, .events = POLLOUT};

    // Until neither the server nor the kernel takes more.
    while (poll(&writable, 1, 100) == 1 && sent < 100 << 20) {
        size_t length = 0;
        ssize_t taken;

        while (length < sizeof bytes)
            length += raw_encode(bytes + length, (uint32_t)(sent + length), get);
        taken = send(fd, bytes, length, MSG_DONTWAIT);
        sent += taken > 0 ? (size_t)taken : 0;
        if (taken < (ssize_t)length)
            break;
    }
    assert_true(sent < 100 << 20);

    int other = forked_server_connect(server);
    assert_int_equal(send(other, list, sizeof list, 0), sizeof list);
    assert_int_equal(recv(other, answer, sizeof answer, MSG_WAITALL), sizeof answer);
    close(other);
    close(fd);
    assert_released(server);
}

static void leave__the_last_reply_arrives_though_the_client_went_on_talking(void **state)
{
    const struct forked_server *server = *state;
    static const uint8_t leave[] = {USBDEV_TYPE_VENDOR, TOY_LEAVE, 0, 0, 0, 0, 0, 0};
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 18, 0};
    uint8_t bytes[2000 * USBIP_HEADER_SIZE];
    struct usbip_reply reply;
    int fd = raw_import(server);
    size_t length = raw_encode(bytes, 1, leave);
    bool answered = false;
    ssize_t count;

    while (length < sizeof bytes) // more than the server reads at once
        length += raw_encode(bytes + length, (uint32_t)length, get);
    assert_int_equal(send(fd, bytes, length, 0), length);
    while ((count = recv(fd, bytes, USBIP_HEADER_SIZE, MSG_WAITALL)) == USBIP_HEADER_SIZE) {
        usbip_reply_decode(&reply, bytes, USBIP_HEADER_SIZE);
        answered |= reply.seqnum == 1 && reply.status == 0;
        recv(fd, bytes, reply.actual_length, MSG_WAITALL);
    }

    assert_true(answered);
    assert_int_equal(count, 0); // an end, not ECONNRESET
    close(fd);
}

// ---- In this process ----

static void stop_when_readable(void *context)
{
    loop_stop(context);
}

static void adopted_connection__answers_each_urb_by_one_send(void **state)
{
    (void)state;
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 18, 0};
    struct toy toy;
    struct usbip_device *device = usbip_device_open(toy_init(&toy), 1, NULL, NULL);
    struct loop *loop = loop_open(&device, 1, NULL, NULL);
    uint8_t bytes[256];
    int ends[2];

    // Of this kind of socket every send() is a message of its own.
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(loop_adopt(loop, ends[0], device), 0);
    assert_int_equal(loop_watch(loop, ends[1], stop_when_readable, loop), 0);
    assert_int_equal(send(ends[1], bytes, raw_encode(bytes, 1, get), 0), USBIP_HEADER_SIZE);
    assert_int_equal(loop_run(loop), 0);

    assert_int_equal(recv(ends[1], bytes, sizeof bytes, 0), USBIP_HEADER_SIZE + 18);
    loop_close(loop);
    close(ends[1]);
    usbip_device_close(device);
}

struct leaving {
    struct loop *loop;
    struct loop_ending ending;
    enum usbip_op_status availability;
    bool slept;
};

static void remember_ending(void *context, const struct loop_ending *ending)
{
    struct leaving *leaving = context;

    leaving->ending = *ending;
    leaving->availability = usbip_device_availability(ending->device);
    loop_stop(leaving->loop);
}

// This process gets no processor while the device leaves and comes back.
static bool sleep_once(void *context)
{
    struct leaving *leaving = context;

    if (!leaving->slept)
        poll(NULL, 0, 500);
    leaving->slept = true;
    return true;
}

static void leave__is_told_though_the_device_is_back_already(void **state)
{
    (void)state;
    static const uint8_t leave[] = {USBDEV_TYPE_VENDOR, TOY_LEAVE, 0, 0, 0, 0, 0, 0};
    static const struct loop_events events = {.ended = remember_ending, .turned = sleep_once};
    struct leaving leaving = {0};
    struct toy toy;
    struct usbip_device *device = usbip_device_open(toy_init(&toy), 1, NULL, NULL);
    uint8_t bytes[USBIP_HEADER_SIZE];
    int ends[2];

    leaving.loop = loop_open(&device, 1, &events, &leaving);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(loop_adopt(leaving.loop, ends[0], device), 0);
    assert_int_equal(send(ends[1], bytes, raw_encode(bytes, 1, leave), 0), sizeof bytes);

    assert_int_equal(loop_run(leaving.loop), 0);

    assert_ptr_equal(leaving.ending.device, device);
    assert_true(leaving.ending.left);
    assert_int_equal(leaving.availability, USBIP_OP_OK);
    loop_close(leaving.loop);
    close(ends[1]);
    usbip_device_close(device);
}

static void adopt__of_a_device_in_use_is_refused(void **state)
{
    (void)state;
    struct toy toy;
    struct usbip_device *device = usbip_device_open(toy_init(&toy), 1, NULL, NULL);
    struct loop *loop = loop_open(&device, 1, NULL, NULL);
    int first[2];
    int second[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, first), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, second), 0);
    assert_int_equal(loop_adopt(loop, first[0], device), 0);

    assert_int_equal(loop_adopt(loop, second[0], device), -EBUSY);
    loop_close(loop);
    close(first[1]);
    close(second[1]);
    usbip_device_close(device);
}

static void listen__says_why_not(void **state)
{
    (void)state;
    struct loop *first = loop_open(NULL, 0, NULL, NULL);
    struct loop *second = loop_open(NULL, 0, NULL, NULL);
    char port[8];
    int taken = loop_listen(first, "127.0.0.1", "0");

    assert_true(taken > 0);
    snprintf(port, sizeof port, "%d", taken);

    assert_int_equal(loop_listen(second, "127.0.0.1", port), -EADDRINUSE);
    assert_int_equal(loop_listen(second, "192.0.2.1", "0"), -EADDRNOTAVAIL);
    assert_int_equal(loop_listen(second, "not an address", "0"), -EADDRNOTAVAIL);
    loop_close(second);
    loop_close(first);
}

static void listen__knows_whether_other_machines_can_connect(void **state)
{
    static const struct {
        const char *host;
        bool public;
    } cases[] = {{"127.0.0.1", false},
                 {"127.3.2.1", false},
                 {"0.0.0.0", true},
                 {"::1", false},
                 {"::", true},
                 {"::ffff:127.0.0.1", false},
                 {"::ffff:127.3.2.1", false},
                 {"::ffff:0.0.0.0", true}};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct loop *loop = loop_open(NULL, 0, NULL, NULL);
        int port = loop_listen(loop, cases[i].host, "0");

        if (strchr(cases[i].host, ':') && (port == -EAFNOSUPPORT || port == -EADDRNOTAVAIL)) {
            loop_close(loop); // a machine without IPv6
            continue;
        }
        assert_true(port > 0);
        assert_int_equal(cases[i].public, loop_is_public(loop));
        loop_close(loop);
    }
}

struct accepting {
    struct loop *loop;
    int client;
};

// The end of the server of a connection, in this process.
static int find_peer(int client)
{
    struct sockaddr_in mine, other;
    socklen_t size = sizeof mine;

    assert_int_equal(getsockname(client, (struct sockaddr *)&mine, &size), 0);
    for (int fd = 0; fd < 1000; fd++) {
        size = sizeof other;
        if (getpeername(fd, (struct sockaddr *)&other, &size) == 0 && size == sizeof other &&
            memcmp(&mine, &other, sizeof mine) == 0)
            return fd;
    }
    return -1;
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof value;

    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

static bool stop_once_accepted(void *context)
{
    const struct accepting *accepting = context;

    if (find_peer(accepting->client) >= 0)
        loop_stop(accepting->loop);
    return true;
}

static void vanished_machine__is_asked_for_a_minute(void **state)
{
    static const struct loop_events events = {.turned = stop_once_accepted};
    struct accepting accepting;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)state;

    accepting.loop = loop_open(NULL, 0, &events, &accepting);
    address.sin_port = htons((uint16_t)loop_listen(accepting.loop, "127.0.0.1", "0"));
    accepting.client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(accepting.client, (struct sockaddr *)&address, sizeof address), 0);

    assert_int_equal(loop_run(accepting.loop), 0);

    int fd = find_peer(accepting.client);
    assert_true(option(fd, SOL_SOCKET, SO_KEEPALIVE));
    assert_int_equal(60, option(fd, IPPROTO_TCP, TCP_KEEPIDLE) +
                             option(fd, IPPROTO_TCP, TCP_KEEPINTVL) *
                                 option(fd, IPPROTO_TCP, TCP_KEEPCNT));
    assert_int_equal(60000, option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT)); // of a reply on its way
    loop_close(accepting.loop);
    close(accepting.client);
}

static void open__says_that_no_descriptor_is_left(void **state)
{
    struct rlimit before, none;
    (void)state;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(0);
    close(next);
    for (rlim_t more = 0; more < 3; more++) { // of the three that a loop needs
        none = (struct rlimit){(rlim_t)next + more, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        struct loop *loop = loop_open(NULL, 0, NULL, NULL);
        int error = errno;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

        assert_null(loop);
        assert_int_equal(error, EMFILE);
    }
}

#define WITH_SERVER(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(silent_clients__cost_the_others_nothing),
        WITH_SERVER(crowd__the_oldest_without_a_device_makes_room),
        WITH_SERVER(garbage__is_hung_up_on),
        WITH_SERVER(vanished_client__releases_its_device),
        WITH_SERVER(slow_reader__is_waited_for_alone),
        WITH_SERVER(leave__the_last_reply_arrives_though_the_client_went_on_talking),
        cmocka_unit_test(adopted_connection__answers_each_urb_by_one_send),
        cmocka_unit_test(leave__is_told_though_the_device_is_back_already),
        cmocka_unit_test(adopt__of_a_device_in_use_is_refused),
        cmocka_unit_test(vanished_machine__is_asked_for_a_minute),
        cmocka_unit_test(open__says_that_no_descriptor_is_left),
        cmocka_unit_test(listen__says_why_not),
        cmocka_unit_test(listen__knows_whether_other_machines_can_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
