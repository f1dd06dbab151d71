// SPDX-License-Identifier: MIT
//
// A handler of SIGALRM that takes its time stands for a machine that stops: poll() ends late, and
// the peer, here a second alarm, has had no time either.

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "stream.h"

static int here;
static int peer;

static void alarm_in(unsigned ms, void (*handler)(int))
{
    const struct itimerval timer = {.it_value = {.tv_usec = (suseconds_t)ms * 1000}};
    struct sigaction action = {.sa_handler = handler};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void answer(int number)
{
    (void)number;
    if (write(peer, "a", 1) != 1)
        abort();
}

static void stop_then_answer(int number)
{
    (void)number;
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    alarm_in(5, answer);
}

static void wait__does_not_count_time_in_which_the_machine_stopped(void **state)
{
    (void)state;
    alarm_in(10, stop_then_answer);

    assert_int_equal(stream_wait(here, POLLIN, stream_now_ms() + 200), 0);
}

static void wait__ends_when_the_peer_does_not_answer_after_the_machine_stopped(void **state)
{
    uint64_t deadline_ms = stream_now_ms() + 200;
    (void)state;
    alarm_in(10, stop_then_answer);

    assert_int_equal(stream_wait(here, POLLIN, deadline_ms), 0);
    assert_int_equal(stream_wait(here, POLLPRI, deadline_ms), STREAM_LATE);
    assert_true(stream_now_ms() >= deadline_ms);
}

static int set_up(void **state)
{
    int pair[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
        return -1;
    here = pair[0];
    peer = pair[1];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(here);
    close(peer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wait__does_not_count_time_in_which_the_machine_stopped,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            wait__ends_when_the_peer_does_not_answer_after_the_machine_stopped, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
