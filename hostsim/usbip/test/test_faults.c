// SPDX-License-Identifier: MIT
//
// What may go wrong around a USB/IP server, over real sockets: its descriptors run out, clients
// crowd, dawdle, repeat themselves or die in the middle of a message. docs/reliability.md lists the
// cases.

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "forked_server.h"
#include "raw_client.h"
#include "toy_device.h"

// ---- Descriptors ----

// Processor time that the server has used.
static uint64_t used_ns(const struct forked_server *server)
{
    struct timespec used;
    clockid_t clock;

    assert_int_equal(clock_getcpuclockid(server->pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

// The one connection that the server has a descriptor for carries a device, so nobody can make room
// for the second client. A server that goes on to accept uses up all of its time.
static void out_of_descriptors__the_server_waits_for_one(void **state)
{
    struct forked_server server;
    uint64_t before_ns;
    (void)state;

    forked_server_start_limited(&server, 1);
    int first = raw_import(&server);
    int second = forked_server_connect(&server);
    raw_get_device(first, 1);
    raw_expect_device(first, 1); // the server has seen the second by now

    before_ns = used_ns(&server);
    poll(NULL, 0, 300);
    assert_in_range(used_ns(&server) - before_ns, 0, 60000000);

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
    poll(NULL, 0, 500);

    start_ms = now_ms();
    raw_get_device(fd, 1);
    raw_expect_device(fd, 1);
    assert_in_range(now_ms() - start_ms, 0, 400);

    start_ms = now_ms();
    forked_server_stop(&server);
    assert_in_range(now_ms() - start_ms, 0, 400);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_descriptors__the_server_waits_for_one),
        cmocka_unit_test(out_of_descriptors__the_oldest_idle_client_makes_room),
        cmocka_unit_test(slow_device__is_asked_and_stopped_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
