// SPDX-License-Identifier: MIT

#include "bench_servers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sim/devices.h>

#include <usbip/loop.h>

enum { PORTS = 15, BUFFER = 1 << 16 };

_Noreturn void bench_die(const char *what)
{
    perror(what);
    exit(1);
}

static void send_immediately(int fd)
{
    static const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// ---- The devices ----

static void tell_port(int pipe, int port)
{
    if (write(pipe, &port, sizeof port) != sizeof port)
        _exit(1);
}

static struct usbip_device *open_device(const char *name, unsigned number)
{
    const struct sim_options options = {.device = name};
    char error[200];
    struct sim_device *sim = sim_open(&options, error, sizeof error);

    return sim ? usbip_device_open(sim, number, NULL, NULL) : NULL;
}

static void serve_devices(int pipe, const char *name, unsigned count)
{
    struct usbip_device **devices = calloc(count, sizeof(struct usbip_device *));

    for (unsigned i = 0; devices && i < count; i++)
        devices[i] = open_device(name, i + 1);

    struct loop *loop = devices ? loop_open(devices, count, NULL, NULL) : NULL;
    if (!loop)
        _exit(1);
    tell_port(pipe, loop_listen(loop, "127.0.0.1", "0"));
    loop_run(loop);
}

// ---- The echo ----

static size_t reply_size(const struct usbip_command *command)
{
    return USBIP_HEADER_SIZE + (command->in ? command->length : 0);
}

// Answers the commands that are whole. Returns the bytes that they took.
static size_t answer(int fd, const uint8_t *bytes, size_t length)
{
    static uint8_t replies[4 * BUFFER];
    struct usbip_command command;
    size_t taken = 0, size = 0;

    while (length - taken >= USBIP_HEADER_SIZE &&
           usbip_command_decode(&command, bytes + taken, length - taken) > 0) {
        size_t all = USBIP_HEADER_SIZE + usbip_command_payload(&command);
        if (length - taken < all || size + reply_size(&command) > sizeof replies)
            break;
        memcpy(replies + size, bytes + taken, USBIP_HEADER_SIZE); // seqnum is what counts
        taken += all;
        size += reply_size(&command);
    }
    if (size > 0 && send(fd, replies, size, 0) != (ssize_t)size)
        _exit(0);
    return taken;
}

static void echo(int fd)
{
    static uint8_t bytes[BUFFER];
    size_t length = 0;
    ssize_t received;

    while ((received = recv(fd, bytes + length, sizeof bytes - length, 0)) > 0) {
        length += (size_t)received;
        size_t taken = answer(fd, bytes, length);
        memmove(bytes, bytes + taken, length - taken);
        length -= taken;
    }
}

static void serve_echo(int pipe)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        _exit(1);
    tell_port(pipe, ntohs(address.sin_port));

    int fd = accept(listener, NULL, NULL);
    send_immediately(fd);
    echo(fd);
}

// ---- Their processes ----

static int wait_for_port(int pipe)
{
    int port = 0;

    if (read(pipe, &port, sizeof port) != sizeof port || port <= 0)
        bench_die("server");
    close(pipe);
    return port;
}

static struct bench_server start(const char *device, unsigned count)
{
    struct bench_server server;
    int pipes[2];

    if (pipe(pipes) < 0)
        bench_die("pipe");
    server.pid = fork();
    if (server.pid == 0) {
        if (device)
            serve_devices(pipes[1], device, count);
        else
            serve_echo(pipes[1]);
        _exit(0);
    }
    close(pipes[1]);
    server.port = wait_for_port(pipes[0]);
    return server;
}

struct bench_server bench_serve_devices(const char *device, unsigned count)
{
    return start(device, count);
}

struct bench_server bench_serve_echo(void)
{
    return start(NULL, 0);
}

void bench_stop(const struct bench_server *server)
{
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
}

long bench_memory(const struct bench_server *server)
{
    char path[64];
    long size = 0, resident = 0, shared = 0;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)server->pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%ld %ld %ld", &size, &resident, &shared) != 3)
        bench_die(path);
    fclose(file);
    return (resident - shared) * sysconf(_SC_PAGESIZE);
}

// ---- Their clients ----

int bench_connect(const struct bench_server *server)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)server->port),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        bench_die("connect");
    send_immediately(fd);
    return fd;
}

uint32_t bench_import(int fd, unsigned number)
{
    struct usbip_request request = {.op = USBIP_REQ_IMPORT};
    uint8_t bytes[USBIP_OP_SIZE + USBIP_RECORD_SIZE];
    struct usbip_record record;
    uint32_t status;

    snprintf(request.bus_id, sizeof request.bus_id, "%u-%u", (number - 1) / PORTS + 1,
             (number - 1) % PORTS + 1);
    size_t length = usbip_request_encode(bytes, &request);
    if (send(fd, bytes, length, 0) != (ssize_t)length ||
        recv(fd, bytes, sizeof bytes, MSG_WAITALL) != sizeof bytes ||
        usbip_op_decode(USBIP_REP_IMPORT, &status, bytes, sizeof bytes) < 0 || status != 0 ||
        usbip_record_decode(&record, bytes + USBIP_OP_SIZE, USBIP_RECORD_SIZE) < 0)
        bench_die("import");
    return record.busnum << 16 | record.devnum;
}
