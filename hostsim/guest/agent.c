// SPDX-License-Identifier: MIT
//
// The guest's end of the link. One command: it is described by frames, started with three pipes
// for its standard streams, and relayed in one poll loop until it has ended. What it leaves
// running in the background may hold the pipes open; what is in them when the command ends is
// still sent, and then its exit status.
//
// Input waits in one frame until the command has taken it; then the agent asks for the next. So a
// command that never reads its input stops neither its output nor the agent.

#include <guest/guest.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_link.h"

// A NULL-terminated list of strings that grows.
struct strings {
    char **items;
    size_t count;
};

struct agent {
    int port;
    struct strings arguments;
    struct strings variables;
    char *directory;

    pid_t pid;
    int pidfd;
    int input;  // the command's stdin, or -1 once closed
    int output; // its stdout
    int errors; // its stderr

    struct guest_frame frame; // input on its way to the command
    uint32_t written;         // of the frame
};

static void *need(void *memory)
{
    if (!memory)
        abort(); // out of memory: the agent ends
    return memory;
}

static void append(struct strings *strings, const char *item)
{
    strings->items = need(realloc(strings->items, (strings->count + 2) * sizeof(char *)));
    strings->items[strings->count++] = need(strdup(item));
    strings->items[strings->count] = NULL;
}

static void strings_finish(struct strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
}

// Frames up to GUEST_START.
static int receive_command(struct agent *agent)
{
    struct guest_frame *frame = &agent->frame;

    for (;;) {
        int error = guest_receive(agent->port, frame);
        if (error)
            return error;

        const char *text = (const char *)frame->payload;
        if (frame->kind == GUEST_START) {
            return agent->arguments.count && agent->directory ? 0 : -EPROTO;
        } else if (frame->kind == GUEST_ARGUMENT) {
            append(&agent->arguments, text);
        } else if (frame->kind == GUEST_VARIABLE) {
            append(&agent->variables, text);
        } else if (frame->kind == GUEST_DIRECTORY && !agent->directory) {
            agent->directory = need(strdup(text));
        } else {
            return -EPROTO;
        }
    }
}

// In the child: execute the command, or report why not as a shell does.
static _Noreturn void become(const struct agent *agent, const int streams[3])
{
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < 3; i++)
        dup2(streams[i], i);

    const char *program = agent->arguments.items[0];
    if (chdir(agent->directory) < 0) {
        fprintf(stderr, "%s: %s\n", agent->directory, strerror(errno));
        _exit(126);
    }
    environ = agent->variables.items;
    execvp(program, agent->arguments.items);
    fprintf(stderr, "%s: %s\n", program, strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static int start_command(struct agent *agent)
{
    int input[2], output[2], errors[2];

    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
        return -errno;

    agent->pid = fork();
    if (agent->pid < 0)
        return -errno;
    if (agent->pid == 0)
        become(agent, (int[]){input[0], output[1], errors[1]});

    close(input[0]);
    close(output[1]);
    close(errors[1]);
    agent->input = input[1];
    agent->output = output[0];
    agent->errors = errors[0];
    fcntl(agent->input, F_SETFL, O_NONBLOCK);
    fcntl(agent->output, F_SETFL, O_NONBLOCK);
    fcntl(agent->errors, F_SETFL, O_NONBLOCK);
    agent->pidfd = (int)syscall(SYS_pidfd_open, agent->pid, 0);
    return agent->pidfd < 0 ? -errno : 0;
}

static void close_stream(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

// Send what one of the outputs has now. Returns whether there may be more, or a negative errno.
static int relay_output(struct agent *agent, int *fd, enum guest_frame_kind kind)
{
    uint8_t data[16 * 1024];
    ssize_t got = read(*fd, data, sizeof(data));

    if (got > 0) {
        int error = guest_send(agent->port, kind, data, (size_t)got);
        return error ? error : 1;
    }
    if (got == 0)
        close_stream(fd);
    return 0;
}

static int drain_output(struct agent *agent, int *fd, enum guest_frame_kind kind)
{
    int more = *fd >= 0;

    while (more > 0)
        more = relay_output(agent, fd, kind);
    return more;
}

static bool input_waits(const struct agent *agent)
{
    return agent->written < agent->frame.length;
}

// Write to the command what it takes; ask for more when it has all.
static int push_input(struct agent *agent)
{
    ssize_t written = write(agent->input, agent->frame.payload + agent->written,
                            agent->frame.length - agent->written);

    if (written < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (written < 0) {
        close_stream(&agent->input); // the command has closed it: the rest is dropped
        agent->written = agent->frame.length;
        return 0;
    }
    agent->written += (uint32_t)written;
    return input_waits(agent) ? 0 : guest_send(agent->port, GUEST_WANTS_INPUT, NULL, 0);
}

static int receive_input(struct agent *agent)
{
    int error = guest_receive(agent->port, &agent->frame);

    if (error)
        return error;
    if (agent->frame.kind != GUEST_STDIN)
        return -EPROTO;
    agent->written = 0;
    if (agent->frame.length == 0)
        close_stream(&agent->input);
    return 0;
}

// Returns 0 when the command has ended.
static int relay(struct agent *agent)
{
    int error = guest_send(agent->port, GUEST_WANTS_INPUT, NULL, 0);

    while (error >= 0) {
        struct pollfd fds[] = {
            {.fd = agent->pidfd, .events = POLLIN},
            {.fd = agent->output, .events = POLLIN},
            {.fd = agent->errors, .events = POLLIN},
            {.fd = input_waits(agent) ? agent->input : -1, .events = POLLOUT},
            {.fd = agent->port, .events = input_waits(agent) ? 0 : POLLIN},
        };

        if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0 && errno != EINTR)
            return -errno;
        if (fds[1].revents)
            error = relay_output(agent, &agent->output, GUEST_STDOUT);
        if (error >= 0 && fds[2].revents)
            error = relay_output(agent, &agent->errors, GUEST_STDERR);
        if (error >= 0 && fds[3].revents)
            error = push_input(agent);
        if (error >= 0 && fds[4].revents)
            error = receive_input(agent);
        if (error >= 0 && fds[0].revents)
            return 0;
    }
    return error;
}

static int report_exit(struct agent *agent)
{
    int status;

    int error = drain_output(agent, &agent->output, GUEST_STDOUT);
    if (error == 0)
        error = drain_output(agent, &agent->errors, GUEST_STDERR);
    if (error)
        return error;
    if (waitpid(agent->pid, &status, 0) < 0)
        return -errno;
    uint8_t code = (uint8_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    return guest_send(agent->port, GUEST_EXIT, &code, 1);
}

int guest_agent(int port)
{
    struct agent *agent = need(calloc(1, sizeof(*agent)));
    *agent = (struct agent){
        .port = port, .pid = -1, .pidfd = -1, .input = -1, .output = -1, .errors = -1};

    signal(SIGPIPE, SIG_IGN);
    int error = guest_send(port, GUEST_HELLO, NULL, 0);
    if (error == 0)
        error = receive_command(agent);
    if (error == 0)
        error = start_command(agent);
    agent->written = agent->frame.length = 0;
    if (error == 0)
        error = relay(agent);
    if (error == 0)
        error = report_exit(agent);

    close_stream(&agent->pidfd);
    close_stream(&agent->input);
    close_stream(&agent->output);
    close_stream(&agent->errors);
    strings_finish(&agent->arguments);
    strings_finish(&agent->variables);
    free(agent->directory);
    free(agent);
    return error;
}
