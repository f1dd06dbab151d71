// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lateness.h"

enum { STOP_US = 300000 };

static void sleep_us(long us)
{
    const struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&time, NULL);
}

// The process is stopped by a child, and continued, as by a person's Ctrl-Z and fg.
static void be_stopped(void)
{
    pid_t parent = getpid();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        kill(parent, SIGSTOP);
        sleep_us(STOP_US);
        kill(parent, SIGCONT);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void stop__is_measured_as_soon_as_it_has_ended(void **state)
{
    (void)state;
    struct lateness *lateness = lateness_open();
    assert_non_null(lateness);
    uint64_t before_us = lateness_us(lateness);

    be_stopped();

    // Less a period of the thread, in which it was not due.
    assert_true(lateness_us(lateness) - before_us >= STOP_US - 10000);
    lateness_close(lateness);
}

static void lateness__never_decreases(void **state)
{
    (void)state;
    struct lateness *lateness = lateness_open();
    assert_non_null(lateness);
    uint64_t last_us = 0;

    for (int i = 0; i < 200; i++) {
        uint64_t now_us = lateness_us(lateness);
        assert_true(now_us >= last_us);
        last_us = now_us;
        sleep_us(200);
    }

    lateness_close(lateness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop__is_measured_as_soon_as_it_has_ended),
        cmocka_unit_test(lateness__never_decreases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
