// SPDX-License-Identifier: MIT
//
// The host's end of the link: one poll loop between the port and this process's standard streams.

#include <guest/guest.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "guest_link.h"

static int send_string(int port, enum guest_frame_kind kind, const char *string)
{
    return guest_send(port, kind, string, strlen(string));
}

// Describe the command: as if it ran here.
static int send_command(int port, char *const argv[])
{
    char *directory = getcwd(NULL, 0);

    if (!directory)
        return -errno;
    int error = send_string(port, GUEST_DIRECTORY, directory);
    free(directory);
    for (char **variable = environ; error == 0 && *variable; variable++)
        error = send_string(port, GUEST_VARIABLE, *variable);
    for (char *const *argument = argv; error == 0 && *argument; argument++)
        error = send_string(port, GUEST_ARGUMENT, *argument);
    return error ? error : guest_send(port, GUEST_START, NULL, 0);
}

// A terminal is read only by the job in its foreground; any other would be stopped for it.
static bool may_read_input(void)
{
    return !isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp();
}

// The agent asks for input: send what is available, or its end.
static void relay_input(int port)
{
    uint8_t data[16 * 1024];
    ssize_t got = read(STDIN_FILENO, data, sizeof(data));

    // The agent may have ended meanwhile; its last frames are still read.
    guest_send(port, GUEST_STDIN, data, got > 0 ? (size_t)got : 0);
}

// The status of a command whose output is no longer read, or cannot be written.
static int write_output(int fd, const struct guest_frame *frame)
{
    int error = guest_write_all(fd, frame->payload, frame->length);

    return error == -EPIPE ? 128 + SIGPIPE : error;
}

static int stopped_by(int signals)
{
    struct signalfd_siginfo info;

    return read(signals, &info, sizeof(info)) == sizeof(info) ? 128 + (int)info.ssi_signo : -EIO;
}

// Wait for the agent's first frame.
static int await_hello(int port, int signals, int hello_ms, struct guest_frame *frame)
{
    struct pollfd fds[] = {{.fd = port, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    int ready = poll(fds, 2, hello_ms);

    if (ready < 0)
        return -errno;
    if (ready == 0)
        return -ETIME;
    if (fds[1].revents)
        return stopped_by(signals);
    int error = guest_receive(port, frame);
    return error ? error : frame->kind == GUEST_HELLO ? 0 : -EPROTO;
}

// One frame of the agent's. Returns true when that ends the relay, with its result.
static bool relay_frame(int port, struct guest_frame *frame, bool *wants_input, int *ret_status)
{
    int status = guest_receive(port, frame);

    if (status == 0 && frame->kind == GUEST_EXIT && frame->length == 1) {
        *ret_status = frame->payload[0];
        return true;
    }
    if (status == 0 && frame->kind == GUEST_STDOUT)
        status = write_output(STDOUT_FILENO, frame);
    else if (status == 0 && frame->kind == GUEST_STDERR)
        status = write_output(STDERR_FILENO, frame);
    else if (status == 0 && frame->kind == GUEST_WANTS_INPUT)
        *wants_input = may_read_input();
    else if (status == 0)
        status = -EPROTO;
    *ret_status = status;
    return status != 0;
}

static int relay(int port, int signals, struct guest_frame *frame)
{
    bool wants_input = false;
    int status;

    for (;;) {
        struct pollfd fds[] = {
            {.fd = port, .events = POLLIN},
            {.fd = signals, .events = POLLIN},
            {.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN},
        };

        if (poll(fds, 3, -1) < 0)
            return -errno;
        if (fds[1].revents)
            return stopped_by(signals);
        if (fds[2].revents) {
            relay_input(port);
            wants_input = false;
        }
        if (fds[0].revents && relay_frame(port, frame, &wants_input, &status))
            return status;
    }
}

int guest_relay(int port, int signals, int hello_ms, char *const argv[], bool *ret_started)
{
    struct guest_frame *frame = malloc(sizeof(*frame));

    if (!frame)
        return -ENOMEM;
    int status = await_hello(port, signals, hello_ms, frame);
    *ret_started = status == 0;
    if (status == 0)
        status = send_command(port, argv);
    if (status == 0)
        status = relay(port, signals, frame);
    free(frame);
    return status;
}
