// SPDX-License-Identifier: MIT

#include <command/command.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT = 6000 }; // waits of 1 ms and a little

static int run_shell(const char *script, int signal_number)
{
    char *const argv[] = {"sh", "-c", (char *)script, NULL};
    struct command command;
    char ready;
    int pipes[2];
    int status = -1;

    assert_int_equal(pipe(pipes), 0);
    command_init(&command);
    int saved = dup(STDOUT_FILENO);
    dup2(pipes[1], STDOUT_FILENO);
    int error = command_start(&command, argv);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(pipes[1]);
    assert_int_equal(error, 0);
    assert_int_equal(read(pipes[0], &ready, 1), 1);
    if (signal_number)
        kill(getpid(), signal_number); // blocked: command_wait() finds it
    for (int i = 0; i < LIMIT && !command_wait(&command, 1, &status); i++)
        ;
    close(pipes[0]);
    sigprocmask(SIG_SETMASK, &command.original, NULL);
    return status;
}

static void wait__returns_the_exit_status(void **state)
{
    (void)state;
    assert_int_equal(run_shell("echo; exit 7", 0), 7);
    assert_int_equal(run_shell("echo; kill -USR1 $$", 0), 128 + SIGUSR1);
}

static void wait__passes_signals_on(void **state)
{
    (void)state;
    assert_int_equal(run_shell("trap 'exit 3' INT; echo; while :; do sleep 0.01; done", SIGINT), 3);
    assert_int_equal(run_shell("trap 'exit 4' TERM; echo; while :; do sleep 0.01; done", SIGTERM),
                     4);
}

static void wait__kills_what_ignores_sigterm(void **state)
{
    (void)state;
    assert_int_equal(run_shell("trap '' TERM; echo; while :; do sleep 0.01; done", SIGTERM),
                     128 + SIGKILL);
}

static void interrupted__tells_a_signal_before_the_command_is_started(void **state)
{
    struct command command;
    (void)state;

    command_init(&command);
    assert_int_equal(command_interrupted(&command, 1), 0);
    kill(getpid(), SIGHUP);
    assert_int_equal(command_interrupted(&command, 1), 128 + SIGHUP);
    sigprocmask(SIG_SETMASK, &command.original, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait__returns_the_exit_status),
        cmocka_unit_test(wait__passes_signals_on),
        cmocka_unit_test(wait__kills_what_ignores_sigterm),
        cmocka_unit_test(interrupted__tells_a_signal_before_the_command_is_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
