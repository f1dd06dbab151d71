// SPDX-License-Identifier: MIT
//
// All signals are blocked and taken by sigtimedwait(), so that one call waits for a signal, for the
// end of the child and for a time at once, and no handler is needed. The child starts with the
// original signal mask. SIGTERM and SIGHUP begin a limit of time, after which the child is killed;
// SIGINT does not, because a program may answer it and continue.

#include <command/command.h>

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEAVING_MS = 2000 }; // for a command that was told to stop

void command_init(struct command *command)
{
    sigemptyset(&command->signals);
    sigaddset(&command->signals, SIGCHLD);
    sigaddset(&command->signals, SIGINT);
    sigaddset(&command->signals, SIGTERM);
    sigaddset(&command->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &command->signals, &command->original);
    command->pid = -1;
    command->kill_ms = 0;
}

int command_start(struct command *command, char *const argv[])
{
    posix_spawnattr_t attributes;

    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &command->original);
    int error = posix_spawnp(&command->pid, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (error)
        fprintf(stderr, "dfu-sim: cannot run %s: %s\n", argv[0], strerror(error));
    return -error;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int next_signal(const sigset_t *signals, int timeout_ms)
{
    const struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};

    return sigtimedwait(signals, NULL, &timeout);
}

int command_interrupted(const struct command *command, int timeout_ms)
{
    sigset_t signals = command->signals;
    int number;

    sigdelset(&signals, SIGCHLD);
    number = next_signal(&signals, timeout_ms);
    return number > 0 ? 128 + number : 0;
}

static void pass_on(struct command *command, int number)
{
    kill(command->pid, number);
    if (number != SIGINT && !command->kill_ms)
        command->kill_ms = now_ms() + LEAVING_MS;
}

void command_stop(struct command *command)
{
    pass_on(command, SIGTERM);
}

bool command_wait(struct command *command, int timeout_ms, int *ret_status)
{
    int number = next_signal(&command->signals, timeout_ms);
    int status;

    if (number > 0 && number != SIGCHLD)
        pass_on(command, number);
    if (command->kill_ms && now_ms() >= command->kill_ms)
        kill(command->pid, SIGKILL);
    if (waitpid(command->pid, &status, WNOHANG) != command->pid)
        return false;
    *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}
