// SPDX-License-Identifier: MIT
//
// What may go wrong around a USB/IP server, over real sockets: its descriptors run out, clients
// crowd, dawdle, repeat themselves or die in the middle of a message. docs/reliability.md lists the
// cases.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "forked_server.h"
#include "raw_client.h"
#include "toy_device.h"
#include <usbip/client.h>

// ---- Descriptors ----

static uint64_t read_clock_ns(clockid_t clock)
{
    struct timespec now;

    assert_int_equal(clock_gettime(clock, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// Processor time that the server has used.
static uint64_t used_ns(const struct forked_server *server)
{
    clockid_t clock;

    assert_int_equal(clock_getcpuclockid(server->pid, &clock), 0);
    return read_clock_ns(clock);
}

// Use as much processor time as this machine gives to a program that never waits. Returns how much.
static uint64_t use_all_ns(uint64_t span_ns)
{
    uint64_t before_ns = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t end_ns = read_clock_ns(CLOCK_MONOTONIC) + span_ns;

    while (read_clock_ns(CLOCK_MONOTONIC) < end_ns)
        ;
    return read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before_ns;
}

// The one connection that the server has a descriptor for carries a device, so no
// connection can be closed for the second client. A server that goes on to accept uses up all of
// its time.
static void out_of_descriptors__the_server_waits_for_one(void **state)
{
    struct forked_server server;
    uint64_t before_ns, all_ns;
    (void)state;

    forked_server_start_limited(&server, 1);
    int first = raw_import(&server);
    int second = forked_server_connect(&server);
    raw_get_device(first, 1);
    raw_expect_device(first, 1); // the server has seen the second by now

    before_ns = used_ns(&server);
    all_ns = use_all_ns(300 * SIM_MS);
    assert_in_range(used_ns(&server) - before_ns, 0, all_ns / 2);

    raw_get_device(first, 2);
    raw_expect_device(first, 2);
    close(first);
    raw_list(second);
    raw_expect_list(second);
    close(second);
    forked_server_stop(&server);
}

static void out_of_descriptors__the_oldest_idle_client_makes_room(void **state)
{
    struct forked_server server;
    int crowd[40];
    (void)state;

    forked_server_start_limited(&server, 4);
    for (size_t i = 0; i < sizeof crowd / sizeof *crowd; i++)
        crowd[i] = forked_server_connect(&server);

    int fd = raw_import(&server);
    raw_get_device(fd, 1);
    raw_expect_device(fd, 1);

    close(fd);
    for (size_t i = 0; i < sizeof crowd / sizeof *crowd; i++)
        close(crowd[i]);
    forked_server_stop(&server);
}

// ---- A device that is slower than the clock ----

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// A server that made up for all the time that has passed before it looked at its sockets would fall
// behind by more in each turn: a transfer would take seconds, and so would SIGTERM.
static void slow_device__is_asked_and_stopped_at_once(void **state)
{
    struct forked_server server;
    uint64_t start_ms;
    (void)state;

    forked_server_start_slow(&server, 4 * 1000000);
    int fd = raw_import(&server);
    poll(NULL, 0, 1500);

    start_ms = now_ms();
    raw_get_device(fd, 1);
    raw_expect_device(fd, 1);
    assert_in_range(now_ms() - start_ms, 0, 1500);

    start_ms = now_ms();
    forked_server_stop(&server);
    assert_in_range(now_ms() - start_ms, 0, 1500);
    close(fd);
}

// ---- Clients ----

static void one_byte_at_a_time__is_a_client_like_any_other(void **state)
{
    static const uint8_t get_device[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 1, 0, 0, 18, 0};
    const struct usbip_request import = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    const int on = 1;
    struct forked_server server;
    uint8_t bytes[USBIP_HEADER_SIZE];
    (void)state;

    forked_server_start(&server);
    int fd = forked_server_connect(&server);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    size_t length = usbip_request_encode(bytes, &import);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(send(fd, bytes + i, 1, 0), 1);
    assert_int_equal(raw_expect_import(fd), USBIP_OP_OK);
    length = raw_encode(bytes, 1, get_device);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(send(fd, bytes + i, 1, 0), 1);
    raw_expect_device(fd, 1);

    close(fd);
    forked_server_stop(&server);
}

// The session takes an import alone, and a command that resets the bus alone: what comes with it is
// offered again.
static void all_at_once__is_answered_in_order(void **state)
{
    enum { REQUESTS = 4 };
    static const uint8_t get_64[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 1, 0, 0, 64, 0};
    const struct usbip_request import = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    struct forked_server server;
    uint8_t bytes[USBIP_IMPORT_SIZE + REQUESTS * USBIP_HEADER_SIZE];
    (void)state;

    forked_server_start(&server);
    int fd = forked_server_connect(&server);
    size_t length = usbip_request_encode(bytes, &import);
    for (uint32_t seqnum = 1; seqnum <= REQUESTS; seqnum++)
        length += raw_encode(bytes + length, seqnum, get_64);
    assert_int_equal(send(fd, bytes, length, 0), length);
    assert_int_equal(raw_expect_import(fd), USBIP_OP_OK);
    for (uint32_t seqnum = 1; seqnum <= REQUESTS; seqnum++)
        raw_expect_device(fd, seqnum);

    close(fd);
    forked_server_stop(&server);
}

// Half a message is not carried out and delays no other client; the other half may come at any
// time.
static void half_a_message__waits_for_the_rest(void **state)
{
    static const uint8_t get_device[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 1, 0, 0, 18, 0};
    struct forked_server server;
    uint8_t bytes[USBIP_HEADER_SIZE];
    (void)state;

    forked_server_start(&server);
    int fd = raw_import(&server);
    raw_encode(bytes, 1, get_device);
    assert_int_equal(send(fd, bytes, 30, 0), 30);
    int other = forked_server_connect(&server);
    raw_list(other);
    raw_expect_list(other);
    assert_int_equal(send(fd, bytes + 30, sizeof bytes - 30, 0), sizeof bytes - 30);
    raw_expect_device(fd, 1);

    close(other);
    close(fd);
    forked_server_stop(&server);
}

static void second_import__is_refused_and_the_first_goes_on(void **state)
{
    struct forked_server server;
    (void)state;

    forked_server_start(&server);
    int first = raw_import(&server);
    int second = forked_server_connect(&server);
    raw_send_import(second);
    assert_int_equal(raw_expect_import(second), USBIP_OP_BUSY);
    raw_expect_end(second);
    raw_get_device(first, 1);
    raw_expect_device(first, 1);

    raw_send_import(first); // on a connection that carries URBs: no command
    raw_get_device(first, 2);
    raw_expect_end(first);

    close(first);
    close(second);
    first = raw_import(&server); // the device is free again
    close(first);
    forked_server_stop(&server);
}

static void thousand_connections__do_not_keep_the_next_one_out(void **state)
{
    enum { CROWD = 1000 };
    static int crowd[CROWD];
    struct forked_server server;
    struct rlimit limit;
    (void)state;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < CROWD + 50) {
        limit.rlim_cur = CROWD + 50;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
    forked_server_start(&server);
    int fd = raw_import(&server);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = forked_server_connect(&server);

    int list = forked_server_connect(&server);
    raw_list(list);
    raw_expect_list(list);
    raw_get_device(fd, 1); // nor do they push out who has a device
    raw_expect_device(fd, 1);

    close(list);
    for (int i = 0; i < CROWD; i++)
        close(crowd[i]);
    close(fd);
    forked_server_stop(&server);
}

// ---- Answers ----

enum { STORM = 400 };

// How often each command was answered, and how. Submission n has the number n, its UNLINK STORM +
// n.
struct answers {
    unsigned submits[2 * STORM + 1];
    unsigned unlinks[2 * STORM + 1];
    int32_t status[2 * STORM + 1];
};

static void receive_answer(int fd, struct answers *answers)
{
    uint8_t bytes[USBIP_HEADER_SIZE];
    uint8_t data[18];
    struct usbip_reply reply;

    raw_receive(fd, bytes, sizeof bytes);
    assert_int_equal(usbip_reply_decode(&reply, bytes, sizeof bytes), sizeof bytes);
    assert_in_range(reply.seqnum, 1, 2 * STORM);
    answers->status[reply.seqnum] = reply.status;
    if (reply.code == USBIP_RET_UNLINK) {
        answers->unlinks[reply.seqnum]++;
        return;
    }
    assert_in_range(reply.actual_length, 0, sizeof data);
    raw_receive(fd, data, reply.actual_length);
    answers->submits[reply.seqnum]++;
}

static void send_submission(int fd, uint32_t number)
{
    static const uint8_t get_device[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 1, 0, 0, 18, 0};
    static const uint8_t hang[] = {USBDEV_TYPE_VENDOR, TOY_HANG, 0, 0, 0, 0, 0, 0};
    uint8_t bytes[USBIP_HEADER_SIZE];

    raw_encode(bytes, number, number % 3 ? get_device : hang);
    assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
}

static void send_unlink(int fd, uint32_t number)
{
    const struct usbip_command command = {
        .code = USBIP_CMD_UNLINK, .seqnum = STORM + number, .devid = RAW_DEVID, .unlinked = number};
    uint8_t bytes[USBIP_HEADER_SIZE];

    usbip_command_encode(bytes, &command);
    assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
}

// Each submission is taken back four submissions later: some have ended by then, some never began,
// and those that hang have to be taken back for the others to go on.
static void each_urb__has_one_answer(void **state)
{
    static struct answers answers;
    struct forked_server server;
    unsigned cancelled = 0;
    (void)state;

    forked_server_start(&server);
    int fd = raw_import(&server);
    for (uint32_t i = 1; i <= STORM + 4; i++) {
        if (i <= STORM)
            send_submission(fd, i);
        if (i > 4)
            send_unlink(fd, i - 4);
    }
    while (answers.unlinks[2 * STORM] == 0)
        receive_answer(fd, &answers);

    for (uint32_t i = 1; i <= STORM; i++) {
        bool taken_back = answers.status[STORM + i] == USBIP_STATUS_ECONNRESET;

        cancelled += taken_back;
        if (answers.unlinks[STORM + i] != 1 || answers.submits[i] != (taken_back ? 0 : 1) ||
            (!taken_back && answers.status[STORM + i] != 0))
            fail_msg("submission %u: %u answers; its UNLINK: %u, status %d", i, answers.submits[i],
                     answers.unlinks[STORM + i], answers.status[STORM + i]);
    }
    assert_in_range(cancelled, STORM / 3, STORM); // those that hang at least
    raw_get_device(fd, 1);                        // and nothing is left over
    raw_expect_device(fd, 1);
    close(fd);
    forked_server_stop(&server);
}

// ---- The server ends ----

static void sigterm__ends_a_server_whose_client_waits(void **state)
{
    static const uint8_t hang[] = {USBDEV_TYPE_VENDOR, TOY_HANG, 0, 0, 0, 0, 0, 0};
    struct forked_server server;
    uint8_t bytes[USBIP_HEADER_SIZE];
    (void)state;

    forked_server_start(&server);
    int fd = raw_import(&server);
    raw_encode(bytes, 1, hang);
    assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);

    forked_server_stop(&server);

    raw_expect_end(fd);
    close(fd);
}

// The client is told at once, not when its own time is over.
static void server_killed_in_a_transfer__is_a_device_that_has_gone(void **state)
{
    const struct usbdev_setup_packet hang = {.bmRequestType = USBDEV_TYPE_VENDOR,
                                             .bRequest = TOY_HANG};
    struct forked_server server;
    char error[200];
    (void)state;

    forked_server_start(&server);
    struct usbip_client *client =
        usbip_client_open("127.0.0.1", server.port, NULL, RAW_WAIT_MS, error, sizeof error);
    assert_non_null(client);
    pid_t killer = fork();
    if (killer == 0) {
        poll(NULL, 0, 100);
        kill(server.pid, SIGKILL);
        _exit(0);
    }

    uint64_t start_ms = now_ms();
    assert_int_equal(usbip_client_control(client, &hang, NULL, 20000), USB_GONE);
    assert_in_range(now_ms() - start_ms, 0, 5000);

    usbip_client_close(client);
    waitpid(killer, NULL, 0);
    forked_server_kill(&server);
}

// ---- What is left behind ----

static size_t resident_pages(const struct forked_server *server)
{
    char path[64];
    size_t size, resident = 0;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)server->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu %zu", &size, &resident), 2);
    fclose(file);
    return resident;
}

// AddressSanitizer keeps what is freed, and looks for leaks by itself.
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { MORE_PAGES = 1 << 16 };
#else
enum { MORE_PAGES = 16 }; // 64 KB
#endif

static void import_and_vanish(const struct forked_server *server, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        int fd = raw_import(server);

        raw_get_device(fd, 1);
        raw_expect_device(fd, 1);
        shutdown(fd, SHUT_WR);
        raw_expect_end(fd); // the device is free now
        close(fd);
    }
}

static void clients__leave_nothing_behind(void **state)
{
    struct forked_server server;
    (void)state;

    forked_server_start(&server);
    import_and_vanish(&server, 50);
    size_t descriptors = forked_server_descriptors(&server);
    size_t pages = resident_pages(&server);

    import_and_vanish(&server, 2000);

    assert_int_equal(forked_server_descriptors(&server), descriptors);
    assert_in_range(resident_pages(&server), 0, pages + MORE_PAGES);
    forked_server_stop(&server);
}

// A list ends its session. A client that then neither reads nor closes has a second to do so.
static void client_that_stays__is_closed_after_a_second(void **state)
{
    struct forked_server server;
    (void)state;

    forked_server_start(&server);
    size_t descriptors = forked_server_descriptors(&server);
    int fd = forked_server_connect(&server);
    raw_list(fd);
    raw_expect_list(fd);
    raw_expect_end(fd);

    uint64_t limit_ms = now_ms() + RAW_WAIT_MS;
    while (forked_server_descriptors(&server) > descriptors && now_ms() < limit_ms)
        poll(NULL, 0, 10);

    assert_int_equal(forked_server_descriptors(&server), descriptors);
    close(fd);
    forked_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_descriptors__the_server_waits_for_one),
        cmocka_unit_test(out_of_descriptors__the_oldest_idle_client_makes_room),
        cmocka_unit_test(slow_device__is_asked_and_stopped_at_once),
        cmocka_unit_test(one_byte_at_a_time__is_a_client_like_any_other),
        cmocka_unit_test(all_at_once__is_answered_in_order),
        cmocka_unit_test(half_a_message__waits_for_the_rest),
        cmocka_unit_test(second_import__is_refused_and_the_first_goes_on),
        cmocka_unit_test(thousand_connections__do_not_keep_the_next_one_out),
        cmocka_unit_test(each_urb__has_one_answer),
        cmocka_unit_test(sigterm__ends_a_server_whose_client_waits),
        cmocka_unit_test(server_killed_in_a_transfer__is_a_device_that_has_gone),
        cmocka_unit_test(clients__leave_nothing_behind),
        cmocka_unit_test(client_that_stays__is_closed_after_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
