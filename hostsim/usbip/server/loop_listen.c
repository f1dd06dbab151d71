// SPDX-License-Identifier: MIT
//
// Where clients come from.

#include "loop_private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unix_socket.h"

static const uint64_t listen_again_ns = 100000000; // after accept() had no descriptor

static void watch_listener(struct loop *loop, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0U, .data.ptr = &loop->listener};

    if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->listener.fd, &event) < 0)
        loop->error = -errno;
}

// Without a descriptor or memory for one more connection the listener stays readable. If no
// connection can be closed either, it is polled again after 100 ms; the client waits in the
// kernel's queue.
static void pause_listener(struct loop *loop)
{
    watch_listener(loop, false);
    loop->listen_again_ns = loop_wall_ns() + listen_again_ns;
}

void loop_resume_listener(struct loop *loop)
{
    if (!loop->listen_again_ns || loop->now_ns < loop->listen_again_ns)
        return;
    loop->listen_again_ns = 0;
    watch_listener(loop, true);
}

// A machine that lost its power or its network ends nothing: without a question it would keep its
// device for the two hours of the kernel's default, or for a quarter of an hour if a reply was on
// its way. One that is only silent answers the question, whatever its program does; one whose
// program has not read for a minute what fills its socket counts as gone. A Unix socket has none of
// these options.
static void ask_whether_peers_are_there(int fd)
{
    static const int on = 1, idle_s = 30, interval_s = 10, questions = 3;
    static const unsigned unanswered_ms = 60000; // the same minute

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &questions, sizeof questions);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

static void accept_connection(struct loop *loop, struct source *source, uint32_t events)
{
    static const int on = 1;
    int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    uid_t uid;

    (void)events;
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) &&
        !loop_make_room(loop))
        pause_listener(loop);
    if (fd < 0)
        return; // else it has closed already
    if (unix_socket_peer_is_foreign(fd, &uid)) {
        close(fd);
        if (loop->events.refused)
            loop->events.refused(loop->context, uid);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ask_whether_peers_are_there(fd);
    loop_add_connection(loop, fd);
}

static int bind_to(const struct addrinfo *address)
{
    static const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    error = errno;
    close(fd);
    return -error;
}

static int bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    if (address.ss_family == AF_UNIX)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static int listen_by_tcp(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses;
    int result;

    if (getaddrinfo(host, port, &hints, &addresses) != 0)
        return -EADDRNOTAVAIL;
    result = bind_to(addresses);
    freeaddrinfo(addresses);
    return result;
}

int loop_listen(struct loop *loop, const char *host, const char *port)
{
    int result =
        strcmp(host, USBIP_UNIX_HOST) == 0 ? unix_socket_listen(port) : listen_by_tcp(host, port);

    if (result < 0)
        return result;
    loop->listener = (struct source){accept_connection, result};
    result = loop_add_source(loop, &loop->listener, EPOLLIN);
    return result < 0 ? result : bound_port(loop->listener.fd);
}

bool loop_is_public(const struct loop *loop)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;

    if (getsockname(loop->listener.fd, (struct sockaddr *)&address, &size) < 0)
        return false;
    if (address.ss_family == AF_INET6) {
        const struct in6_addr *ipv6 = &((struct sockaddr_in6 *)&address)->sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(ipv6))
            return ipv6->s6_addr[12] != IN_LOOPBACKNET; // RFC 4291 2.5.5.2
        return !IN6_IS_ADDR_LOOPBACK(ipv6);
    }
    return address.ss_family == AF_INET &&
           ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET;
}
