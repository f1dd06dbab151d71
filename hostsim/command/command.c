// SPDX-License-Identifier: MIT

#include <command/command.h>

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void command_init(struct command *command)
{
    sigemptyset(&command->signals);
    sigaddset(&command->signals, SIGCHLD);
    sigaddset(&command->signals, SIGINT);
    sigaddset(&command->signals, SIGTERM);
    sigaddset(&command->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &command->signals, &command->original);
    command->pid = -1;
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

bool command_wait(struct command *command, int timeout_ms, int *ret_status)
{
    const struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    int number = sigtimedwait(&command->signals, NULL, &timeout);
    int status;

    if (number > 0 && number != SIGCHLD)
        kill(command->pid, number);
    if (number != SIGCHLD || waitpid(command->pid, &status, WNOHANG) != command->pid)
        return false;
    *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}
