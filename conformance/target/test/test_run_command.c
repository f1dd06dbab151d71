// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "run_command.h"

static void command__returns_its_status(void **state)
{
    (void)state;

    assert_int_equal(run_command("exit 3", 5000), 3);
    assert_int_equal(run_command("kill -9 $$", 5000), -1);
}

static void command__writes_nothing_to_standard_output(void **state)
{
    (void)state;

    assert_int_equal(run_command("test /proc/self/fd/1 -ef /proc/self/fd/2", 5000), 0);
}

// With all that it started: a sleep that outlived its shell would hold the pipe of a CI job open.
static void command__is_killed_when_its_time_is_over(void **state)
{
    (void)state;
    time_t start = time(NULL);

    int status = run_command("sleep 30; exit 0", 50);

    assert_int_equal(status, -1);
    assert_true(time(NULL) - start < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command__returns_its_status),
        cmocka_unit_test(command__writes_nothing_to_standard_output),
        cmocka_unit_test(command__is_killed_when_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
