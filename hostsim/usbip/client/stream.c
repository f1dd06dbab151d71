// SPDX-License-Identifier: MIT
//
// Sockets are non-blocking; each call repeats until all bytes have moved or the deadline has
// passed, and waits in poll(2) in between. A closed connection and a deadline are told apart. A
// signal that interrupts a call does not end it.
//
// A deadline is for the peer. A machine that stops for some seconds (a busy continuous integration
// job, a laptop that sleeps) stops the client and often the server with it; the server then has had
// no time to answer when the client finds its deadline passed. So a wait is made of short polls,
// and of one that returned much later than it should only half of what it should have taken counts:
// another poll follows it before the deadline passes.

#include "stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <usbip/proto.h>

enum { POLL_MS = 50, LATE_MS = 500, RETRY_MS = 5 };

static _Thread_local uint64_t stopped_ms; // in all, while this thread waited

uint64_t stream_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 - stopped_ms;
}

static int poll_for(struct pollfd *poll_fd, uint64_t span_ms)
{
    uint64_t begin_ms = stream_now_ms();
    int result = poll(poll_fd, 1, (int)span_ms);
    uint64_t took_ms = stream_now_ms() - begin_ms;

    if (took_ms > span_ms + LATE_MS)
        stopped_ms += took_ms - (span_ms + 1) / 2;
    return result;
}

int stream_wait(int fd, short events, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now = stream_now_ms();
        uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int result = poll_for(&poll_fd, left < POLL_MS ? left : POLL_MS);

        if (result > 0)
            return 0;
        if (result == 0 && stream_now_ms() >= deadline_ms)
            return STREAM_LATE;
        if (result < 0 && errno != EINTR)
            return STREAM_CLOSED;
    }
}

// ---- Bytes ----

static void use_up(struct msghdr *message, size_t length)
{
    while (message->msg_iovlen > 0 && length >= message->msg_iov->iov_len) {
        length -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen == 0)
        return;
    message->msg_iov->iov_base = (uint8_t *)message->msg_iov->iov_base + length;
    message->msg_iov->iov_len -= length;
}

int stream_send(int fd, struct iovec *parts, size_t count, uint64_t deadline_ms)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

    while (message.msg_iovlen > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        int result = 0;

        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return STREAM_CLOSED;
        if (sent < 0)
            result = stream_wait(fd, POLLOUT, deadline_ms);
        if (result < 0)
            return result;
        use_up(&message, sent > 0 ? (size_t)sent : 0);
    }
    return 0;
}

int stream_receive(int fd, uint8_t *bytes, size_t *length, size_t size, uint64_t deadline_ms)
{
    while (*length < size) {
        ssize_t received = recv(fd, bytes + *length, size - *length, 0);
        int result = 0;

        if (received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR))
            return STREAM_CLOSED;
        if (received > 0)
            *length += (size_t)received;
        else
            result = stream_wait(fd, POLLIN, deadline_ms);
        if (result < 0)
            return result;
    }
    return 0;
}

int stream_receive_all(int fd, uint8_t *bytes, size_t size, uint64_t deadline_ms)
{
    size_t length = 0;

    return stream_receive(fd, bytes, &length, size, deadline_ms);
}

// ---- Connecting ----

static int connect_to(const struct addrinfo *address, uint64_t deadline_ms)
{
    static const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;
    socklen_t size = sizeof error;

    if (fd < 0)
        return -errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
        error = errno;
        if (error == EINPROGRESS && stream_wait(fd, POLLOUT, deadline_ms) == STREAM_LATE)
            error = ETIMEDOUT;
        else if (error == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
            error = errno;
    }
    if (error) {
        close(fd);
        return -error;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// A Unix socket whose server has not accepted those before says EAGAIN, and is never writable.
static int connect_to_path(const char *path, uint64_t deadline_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;

        if (error == EAGAIN && stream_now_ms() < deadline_ms) {
            poll_for(&(struct pollfd){.fd = -1}, RETRY_MS);
            continue;
        }
        close(fd);
        return -error;
    }
    return fd;
}

static int connect_to_host(const char *host, const char *port, uint64_t deadline_ms)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    int fd = -EADDRNOTAVAIL;

    if (getaddrinfo(host, port, &hints, &addresses) != 0)
        return fd;
    for (struct addrinfo *it = addresses; it && fd < 0; it = it->ai_next)
        fd = connect_to(it, deadline_ms);
    freeaddrinfo(addresses);
    return fd;
}

int stream_connect(const char *host, const char *port, uint64_t deadline_ms)
{
    if (strcmp(host, USBIP_UNIX_HOST) == 0)
        return connect_to_path(port, deadline_ms);
    return connect_to_host(host, port, deadline_ms);
}
