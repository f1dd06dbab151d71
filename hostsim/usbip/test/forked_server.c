// SPDX-License-Identifier: MIT

#include "forked_server.h"

#include <dirent.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "toy_device.h"
#include <usbip/loop.h>

static void tell_port(int pipe, int port)
{
    if (write(pipe, &port, sizeof port) != sizeof port)
        _exit(3);
    close(pipe);
}

// No more than so many descriptors beyond those that are open.
static void limit_descriptors(unsigned count)
{
    int next = dup(STDIN_FILENO);
    struct rlimit limit;

    close(next);
    limit = (struct rlimit){(rlim_t)next + count, (rlim_t)next + count};
    if (next < 0 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
        _exit(3);
}

static _Noreturn void serve_toy(int port_pipe, unsigned connections, uint64_t cost_ns)
{
    struct toy toy;
    struct usbip_device *device = usbip_device_open(toy_init(&toy), 1, NULL, NULL);
    struct loop *loop = loop_open(&device, 1, NULL, NULL);
    int result = loop_listen(loop, "127.0.0.1", "0");

    toy.cost_ns = cost_ns;
    tell_port(port_pipe, result);
    if (connections)
        limit_descriptors(connections);
    result = loop_run(loop);
    loop_close(loop);
    usbip_device_close(device);
    exit(result);
}

static int listen_here(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        _exit(3);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void serve_script(int listener, const struct forked_script *scripts, size_t count)
{
    int fd = accept(listener, NULL, NULL);

    for (size_t i = 0; i < count; i++) {
        char asked[4096];

        if (recv(fd, asked, scripts[i].asked, MSG_WAITALL) != (ssize_t)scripts[i].asked ||
            send(fd, scripts[i].bytes, scripts[i].length, MSG_NOSIGNAL) < 0)
            _exit(3);
    }
    pause();
}

// In the child returns the pipe that the port is to be told to, in the parent -1.
static int fork_server(struct forked_server *server)
{
    int pipes[2];
    int port = 0;

    assert_int_equal(pipe(pipes), 0);
    server->pid = fork();
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that fails leaves nothing behind
        close(pipes[0]);
        return pipes[1];
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &port, sizeof port), sizeof port);
    close(pipes[0]);
    snprintf(server->port, sizeof server->port, "%d", port);
    return -1;
}

// In the child returns a listening socket, in the parent -1.
static int fork_listener(struct forked_server *server)
{
    int pipe = fork_server(server);
    int port;
    int listener;

    if (pipe < 0)
        return -1;
    listener = listen_here(&port);
    tell_port(pipe, port);
    return listener;
}

void forked_server_start_limited(struct forked_server *server, unsigned connections)
{
    int pipe = fork_server(server);

    if (pipe >= 0)
        serve_toy(pipe, connections, 0);
}

void forked_server_start_slow(struct forked_server *server, uint64_t cost_ns)
{
    int pipe = fork_server(server);

    if (pipe >= 0)
        serve_toy(pipe, 0, cost_ns);
}

void forked_server_start(struct forked_server *server)
{
    forked_server_start_limited(server, 0);
}

void forked_server_start_script(struct forked_server *server,
                                const struct forked_script *scripts,
                                size_t count)
{
    int listener = fork_listener(server);

    if (listener < 0)
        return;
    serve_script(listener, scripts, count);
    _exit(0);
}

void forked_server_start_own(struct forked_server *server, void (*serve)(int listener))
{
    int listener = fork_listener(server);

    if (listener < 0)
        return;
    serve(listener);
    _exit(3);
}

void forked_server_stop(struct forked_server *server)
{
    int status = -1;

    kill(server->pid, SIGTERM);
    waitpid(server->pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void forked_server_kill(struct forked_server *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}

size_t forked_server_descriptors(const struct forked_server *server)
{
    char path[64];
    size_t count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)server->pid);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

int forked_server_connect(const struct forked_server *server)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)atoi(server->port)),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}
