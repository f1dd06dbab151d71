// SPDX-License-Identifier: MIT
//
// The command is a child of its own process group, so that a timeout kills what it has started as
// well. Its end is awaited through a pidfd, which poll(2) can bound in time; its standard output
// becomes standard error, because standard output belongs to the report.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_command.h"

static void become(const char *command)
{
    setpgid(0, 0);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

// Wait for the end of the process, which its descriptor shows.
static void kill_after(pid_t child, unsigned timeout_ms)
{
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    if (end.fd < 0)
        return; // an old kernel: the command has no time limit then
    int ready;
    do
        ready = poll(&end, 1, (int)timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        kill(-child, SIGKILL);
    close(end.fd);
}

int run_command(const char *command, unsigned timeout_ms)
{
    int status;
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0)
        become(command);
    kill_after(child, timeout_ms);
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
