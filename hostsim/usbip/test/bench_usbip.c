// SPDX-License-Identifier: MIT
//
// Microseconds per GET_DESCRIPTOR(DEVICE) over loopback, one at a time: dfu-sim's server with the
// default device, beside an echo that does nothing but receive and send messages of the same sizes.
// Both are measured by the same client, in turns, in the same run; the fastest of the turns counts,
// because whatever else the machine does only adds.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sim/devices.h>

#include <usbip/loop.h>

enum {
    DESCRIPTOR = 18,
    REPLY = USBIP_HEADER_SIZE + DESCRIPTOR,
    TRANSFERS = 2000, // of a turn
    TURNS = 15,
};

struct server {
    pid_t pid;
    int fd; // connected to it
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int connect_to(int port)
{
    static const int on = 1;
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)port),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// ---- The two servers ----

static void tell_port(int pipe, int port)
{
    if (write(pipe, &port, sizeof port) != sizeof port)
        _exit(1);
}

static void serve_device(int pipe)
{
    const struct sim_options options = {0};
    char error[200];
    struct sim_device *sim = sim_open(&options, error, sizeof error);
    struct usbip_device *device = sim ? usbip_device_open(sim, 1, NULL, NULL) : NULL;
    struct loop *loop = device ? loop_open(&device, 1, NULL, NULL) : NULL;

    if (!loop)
        _exit(1);
    tell_port(pipe, loop_listen(loop, "127.0.0.1", "0"));
    loop_run(loop);
}

static void serve_echo(int pipe)
{
    static const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    uint8_t bytes[REPLY] = {0};
    int fd;

    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        _exit(1);
    tell_port(pipe, ntohs(address.sin_port));
    fd = accept(listener, NULL, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (recv(fd, bytes, USBIP_HEADER_SIZE, MSG_WAITALL) == USBIP_HEADER_SIZE)
        if (send(fd, bytes, sizeof bytes, 0) < 0)
            break;
}

static struct server start(void (*serve)(int pipe))
{
    struct server server;
    int pipes[2];
    int port = 0;

    if (pipe(pipes) < 0)
        die("pipe");
    server.pid = fork();
    if (server.pid == 0) {
        serve(pipes[1]);
        _exit(0);
    }
    close(pipes[1]);
    if (read(pipes[0], &port, sizeof port) != sizeof port || port <= 0)
        die("server");
    close(pipes[0]);
    server.fd = connect_to(port);
    return server;
}

static void stop(const struct server *server)
{
    close(server->fd);
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
}

// ---- The client ----

static void import(int fd)
{
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    uint8_t bytes[USBIP_OP_SIZE + USBIP_RECORD_SIZE];
    size_t length = usbip_request_encode(bytes, &request);
    uint32_t status;

    if (send(fd, bytes, length, 0) != (ssize_t)length ||
        recv(fd, bytes, sizeof bytes, MSG_WAITALL) != sizeof bytes ||
        usbip_op_decode(USBIP_REP_IMPORT, &status, bytes, sizeof bytes) < 0 || status != 0)
        die("import");
}

// A device's replies must be device descriptors, an echo's can be anything.
static double measure(int fd, bool is_device)
{
    struct usbip_command command = {
        .code = USBIP_CMD_SUBMIT,
        .devid = 1 << 16 | 2,
        .in = true,
        .length = DESCRIPTOR,
        .setup = {USBDEV_DIR_IN, USBDEV_GET_DESCRIPTOR, 0, USBDEV_DT_DEVICE, 0, 0, DESCRIPTOR, 0},
    };
    uint64_t begin = now_ns();

    for (command.seqnum = 1; command.seqnum <= TRANSFERS; command.seqnum++) {
        uint8_t bytes[REPLY];

        usbip_command_encode(bytes, &command);
        if (send(fd, bytes, USBIP_HEADER_SIZE, 0) != USBIP_HEADER_SIZE ||
            recv(fd, bytes, sizeof bytes, MSG_WAITALL) != sizeof bytes)
            die("transfer");
        if (is_device && bytes[USBIP_HEADER_SIZE + 1] != USBDEV_DT_DEVICE)
            die("not a device descriptor");
    }
    return (double)(now_ns() - begin) / 1000 / TRANSFERS;
}

int main(void)
{
    struct server echo = start(serve_echo);
    struct server device = start(serve_device);
    double echo_us = 1e9;
    double device_us = 1e9;

    import(device.fd);
    for (int i = 0; i < TURNS; i++) {
        double echo_now = measure(echo.fd, false);
        double device_now = measure(device.fd, true);

        echo_us = echo_now < echo_us ? echo_now : echo_us;
        device_us = device_now < device_us ? device_now : device_us;
    }
    stop(&device);
    stop(&echo);
    printf("GET_DESCRIPTOR over loopback: %.1f us per transfer\n", device_us);
    printf("bare echo of the same sizes:  %.1f us per transfer\n", echo_us);
    return 0;
}
