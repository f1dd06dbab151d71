// SPDX-License-Identifier: MIT
//
// Each turn accepts, receives, lets the stub work, and sends; none of these blocks. Only a turn
// that is told to wait blocks in poll(2), until the peer or a signal comes: a signal that the
// program keeps blocked is read through a signalfd, so that Ctrl-C ends a board that is stopped.

#include <gdb/server.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT_SIZE = 4096 };

struct gdb_server {
    int listener;
    int peer; // or -1
    unsigned port;
    const struct gdb_target *target;
    void *context;
    struct gdb_stop stop; // why the processor stands still, for a peer that comes later
    struct gdb_stub stub; // of the peer
    uint8_t input[INPUT_SIZE];
    size_t input_length; // bytes that the stub has not taken yet
};

// ---- The peer ----

static void drop_peer(struct gdb_server *server)
{
    if (server->peer < 0)
        return;
    close(server->peer);
    server->peer = -1;
    server->target->release(server->context);
}

static void accept_peer(struct gdb_server *server)
{
    int one = 1;
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (server->peer >= 0) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    server->peer = fd;
    server->input_length = 0;
    gdb_stub_init(&server->stub, server->target, server->context, &server->stop);
    server->target->attach(server->context);
}

static void send_output(struct gdb_server *server)
{
    size_t length;
    const char *bytes = gdb_stub_output(&server->stub, &length);
    ssize_t sent = length > 0 ? send(server->peer, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

    if (sent > 0)
        gdb_stub_sent(&server->stub, (size_t)sent);
    else if (sent < 0 && errno != EAGAIN && errno != EINTR)
        drop_peer(server);
}

static void hand_over_input(struct gdb_server *server)
{
    size_t taken = gdb_stub_receive(&server->stub, server->input, server->input_length);

    server->input_length -= taken;
    memmove(server->input, server->input + taken, server->input_length);
}

static void receive_input(struct gdb_server *server)
{
    size_t room = sizeof server->input - server->input_length;
    ssize_t length =
        room == 0 ? 1
                  : recv(server->peer, server->input + server->input_length, room, MSG_DONTWAIT);

    if (length > 0 && room > 0)
        server->input_length += (size_t)length;
    else if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
        drop_peer(server);
}

static void serve_peer(struct gdb_server *server)
{
    if (server->peer >= 0)
        receive_input(server);
    if (server->peer >= 0) {
        hand_over_input(server);
        send_output(server);
    }
    if (server->peer >= 0 && server->stub.detached)
        drop_peer(server);
}

// ---- Waiting ----

// The signals that end this process, where it keeps them blocked.
static int open_blocked_signals(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t blocked, wanted;

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    sigemptyset(&wanted);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        if (sigismember(&blocked, ending[i]))
            sigaddset(&wanted, ending[i]);
    return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Returns false when a signal has come.
static bool wait_for_news(const struct gdb_server *server)
{
    size_t unsent;
    bool has_room = server->input_length < sizeof server->input;
    int signals = open_blocked_signals();

    gdb_stub_output(&server->stub, &unsent);
    struct pollfd fds[] = {
        {.fd = signals, .events = POLLIN},
        {.fd = server->listener, .events = POLLIN},
        {.fd = server->peer,
         .events = (short)((has_room ? POLLIN : 0) | (unsent > 0 ? POLLOUT : 0))},
    };
    int count = poll(fds, sizeof fds / sizeof *fds, -1);

    if (signals >= 0)
        close(signals);
    return count >= 0 && !(fds[0].revents & POLLIN);
}

enum gdb_serve gdb_server_serve(struct gdb_server *server, bool wait)
{
    enum gdb_serve result = GDB_SERVED;

    if (wait && !wait_for_news(server))
        result = GDB_SIGNALLED;
    accept_peer(server);
    serve_peer(server);
    return result;
}

void gdb_server_stopped(struct gdb_server *server, const struct gdb_stop *stop, const char *console)
{
    server->stop = *stop;
    if (server->peer < 0)
        return;
    gdb_stub_stopped(&server->stub, stop, console);
    send_output(server);
}

// ---- Opening and closing ----

static bool parse_port(const char *text, uint16_t *ret_port)
{
    char *behind;
    unsigned long port = strtoul(text, &behind, 10);

    if (*text < '0' || *text > '9' || *behind || port > 65535)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static int listen_on(uint16_t port, unsigned *ret_port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

struct gdb_server *gdb_server_open(const char *port,
                                   const struct gdb_target *target,
                                   void *context,
                                   char *error,
                                   size_t error_size)
{
    struct gdb_server *server;
    uint16_t number;

    if (!parse_port(port, &number)) {
        snprintf(error, error_size, "port for GDB '%s': expected a number from 0 to 65535", port);
        return NULL;
    }
    server = calloc(1, sizeof *server);
    if (!server) {
        snprintf(error, error_size, "no memory for a debugger's connection");
        return NULL;
    }
    server->target = target;
    server->context = context;
    server->peer = -1;
    server->listener = listen_on(number, &server->port);
    if (server->listener < 0) {
        snprintf(error, error_size,
                 "cannot listen for GDB on 127.0.0.1 port %u: %s; choose another "
                 "port, or 0 for a free one",
                 (unsigned)number, strerror(errno));
        free(server);
        return NULL;
    }
    return server;
}

void gdb_server_close(struct gdb_server *server)
{
    if (!server)
        return;
    if (server->peer >= 0) {
        gdb_stub_exited(&server->stub);
        send_output(server);
    }
    if (server->peer >= 0)
        close(server->peer);
    close(server->listener);
    free(server);
}

unsigned gdb_server_port(const struct gdb_server *server)
{
    return server->port;
}
