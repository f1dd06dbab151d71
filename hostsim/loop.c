// SPDX-License-Identifier: MIT
//
// One turn of the loop:
//
//   wait for sockets, at most until the next tick;
//   let every device live until now, so that what has come meets it at the right time;
//   read what clients say, and hand it to their sessions;
//   let the devices move what can be moved;
//   send what the sessions answer, each a single send().
//
// The tick is a millisecond, and only while a device needs it: an idle server sleeps. A device that
// still has transfers to move after its slice of time gets another one in the next turn, which then
// does not wait.
//
// A connection that is over (its device left, its list was sent, its client broke the protocol)
// sends what is left, shuts its side down and waits a second for the peer to do the same: a close()
// with unread input would destroy the last reply on its way (RFC 1122 4.2.2.13).

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "usbip_session.h"

enum {
    READ_SIZE = 64 << 10,
    MAX_EVENTS = 32,
};

static const uint64_t tick_ns = 1000000;
static const uint64_t farewell_ns = 1000000000;

// Anything in the epoll set begins with this.
struct source {
    void (*ready)(struct loop *loop, struct source *source, uint32_t events);
    int fd;
};

struct connection {
    struct source source;
    struct usbip_session *session; // NULL: shut down, waiting for the peer
    uint64_t farewell_ns;          // when it is closed whatever the peer does; 0: not over
    uint32_t interest;
    uint8_t *rest; // read, but not yet wanted by the session
    size_t rest_length;
    bool dead;
    struct connection *next; // older
};

struct watch {
    struct source source;
    void (*ready)(void *context);
    void *context;
    struct watch *next;
};

struct loop {
    struct usbip_device *const *devices;
    size_t device_count;
    struct loop_events events;
    void *context;

    int epoll;
    struct source timer;
    struct source signals;
    struct source listener;
    sigset_t old_mask;
    bool ticking;
    bool stopped;
    int error;

    struct connection *connections; // youngest first
    size_t connection_count;
    struct watch *watches;
    uint8_t buffer[READ_SIZE];
};

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int add_source(struct loop *loop, struct source *source, uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data.ptr = source};

    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0 ? -errno : 0;
}

// ---- Connections ----

static void finish_session(struct loop *loop, struct connection *connection)
{
    struct usbip_device *device = usbip_session_device(connection->session);
    const char *trouble = usbip_session_trouble(connection->session);

    usbip_session_close(connection->session);
    connection->session = NULL;
    if (loop->events.ended)
        loop->events.ended(loop->context, device, trouble);
}

static void free_connection(struct loop *loop, struct connection *connection)
{
    if (connection->session)
        finish_session(loop, connection);
    close(connection->source.fd);
    free(connection->rest);
    free(connection);
    loop->connection_count--;
}

// Connections are freed only here, at the end of a turn: events of this turn may point to them.
static void bury_the_dead(struct loop *loop)
{
    struct connection **link = &loop->connections;

    while (*link) {
        struct connection *connection = *link;

        if (!connection->dead) {
            link = &connection->next;
            continue;
        }
        *link = connection->next;
        free_connection(loop, connection);
    }
}

static void feed(struct connection *connection, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;

    if (connection->session)
        taken = usbip_session_receive(connection->session, bytes, length);
    if (!connection->session || usbip_session_over(connection->session) || taken == length)
        return;
    connection->rest = malloc(length - taken);
    if (!connection->rest) {
        connection->dead = true;
        return;
    }
    memcpy(connection->rest, bytes + taken, length - taken);
    connection->rest_length = length - taken;
}

static void feed_rest(struct connection *connection)
{
    uint8_t *rest = connection->rest;

    if (!rest || !connection->session || !usbip_session_wants(connection->session))
        return;
    connection->rest = NULL;
    feed(connection, rest, connection->rest_length);
    free(rest);
}

static void read_connection(struct loop *loop, struct connection *connection)
{
    ssize_t length = recv(connection->source.fd, loop->buffer, sizeof loop->buffer, 0);

    if (length > 0)
        feed(connection, loop->buffer, (size_t)length);
    else if (length == 0 || (errno != EAGAIN && errno != EINTR))
        connection->dead = true; // the peer has gone, politely or not
}

static void connection_ready(struct loop *loop, struct source *source, uint32_t events)
{
    struct connection *connection = (struct connection *)source;

    // EPOLLOUT alone needs nothing here: every turn ends with sending.
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !connection->rest)
        read_connection(loop, connection);
}

static void say_farewell(struct loop *loop, struct connection *connection)
{
    finish_session(loop, connection);
    shutdown(connection->source.fd, SHUT_WR);
}

static void send_output(struct loop *loop, struct connection *connection)
{
    size_t length;
    const uint8_t *bytes = usbip_session_output(connection->session, &length);
    ssize_t sent = 0;

    if (length > 0)
        sent = send(connection->source.fd, bytes, length, MSG_NOSIGNAL);
    if (sent > 0)
        usbip_session_sent(connection->session, (size_t)sent);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        connection->dead = true;
    else if (usbip_session_over(connection->session) && (size_t)sent == length)
        say_farewell(loop, connection);
}

static uint32_t find_interest(const struct connection *connection)
{
    size_t length;

    if (!connection->session)
        return EPOLLIN;
    usbip_session_output(connection->session, &length);
    return (connection->rest || !usbip_session_wants(connection->session) ? 0U : EPOLLIN) |
           (length > 0 ? EPOLLOUT : 0U);
}

static void serve_connection(struct loop *loop, struct connection *connection, uint64_t now_ns)
{
    uint32_t interest;

    if (connection->session)
        send_output(loop, connection);
    if (!connection->farewell_ns &&
        (!connection->session || usbip_session_over(connection->session)))
        connection->farewell_ns = now_ns + farewell_ns;
    if (connection->farewell_ns && now_ns >= connection->farewell_ns)
        connection->dead = true;

    interest = find_interest(connection);
    if (!connection->dead && interest != connection->interest) {
        struct epoll_event event = {.events = interest, .data.ptr = connection};

        epoll_ctl(loop->epoll, EPOLL_CTL_MOD, connection->source.fd, &event);
        connection->interest = interest;
    }
}

static struct connection *add_connection(struct loop *loop, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection)
        connection->session = usbip_session_open(loop->devices, loop->device_count);
    if (!connection || !connection->session)
        goto fail;
    connection->source = (struct source){connection_ready, fd};
    connection->interest = EPOLLIN;
    if (add_source(loop, &connection->source, EPOLLIN) < 0)
        goto fail;
    connection->next = loop->connections;
    loop->connections = connection;
    loop->connection_count++;
    return connection;

fail:
    if (connection)
        usbip_session_close(connection->session);
    free(connection);
    close(fd);
    return NULL;
}

int loop_adopt(struct loop *loop, int fd, struct usbip_device *device)
{
    struct connection *connection;

    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
        close(fd);
        return -EBADF;
    }
    connection = add_connection(loop, fd);
    if (!connection)
        return -ENOMEM;
    if (!device || usbip_session_import(connection->session, device) == USBIP_OP_OK)
        return 0;
    connection->dead = true;
    return -EBUSY;
}

// ---- The listener ----

// The oldest connection that has no device gives way. Those that have one are as many as devices.
static void make_room(struct loop *loop)
{
    struct connection *oldest = NULL;

    if (loop->connection_count < LOOP_MAX_CONNECTIONS)
        return;
    for (struct connection *it = loop->connections; it; it = it->next)
        if (!it->session || !usbip_session_device(it->session))
            oldest = it;
    if (oldest)
        oldest->dead = true;
    bury_the_dead(loop);
}

static void accept_connection(struct loop *loop, struct source *source, uint32_t events)
{
    static const int on = 1;
    int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return; // it has gone already, or there are no descriptors left: it may try again
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    add_connection(loop, fd);
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
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int loop_listen(struct loop *loop, const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses;
    int result;

    if (getaddrinfo(host, port, &hints, &addresses) != 0)
        return -EADDRNOTAVAIL;
    result = bind_to(addresses);
    freeaddrinfo(addresses);
    if (result < 0)
        return result;
    loop->listener = (struct source){accept_connection, result};
    result = add_source(loop, &loop->listener, EPOLLIN);
    return result < 0 ? result : bound_port(loop->listener.fd);
}

// ---- Other sources ----

static void watch_ready(struct loop *loop, struct source *source, uint32_t events)
{
    struct watch *watch = (struct watch *)source;

    (void)loop;
    (void)events;
    watch->ready(watch->context);
}

int loop_watch(struct loop *loop, int fd, void (*ready)(void *context), void *context)
{
    struct watch *watch = malloc(sizeof *watch);
    int result;

    if (!watch)
        return -ENOMEM;
    *watch = (struct watch){{watch_ready, fd}, ready, context, loop->watches};
    result = add_source(loop, &watch->source, EPOLLIN);
    if (result < 0)
        free(watch);
    else
        loop->watches = watch;
    return result;
}

static void signal_ready(struct loop *loop, struct source *source, uint32_t events)
{
    struct signalfd_siginfo info;

    (void)events;
    if (read(source->fd, &info, sizeof info) == sizeof info)
        loop_stop(loop);
}

static void timer_ready(struct loop *loop, struct source *source, uint32_t events)
{
    uint64_t ticks;

    (void)events;
    if (read(source->fd, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
        loop->error = -errno;
}

// ---- Turning ----

static bool needs_ticks(const struct loop *loop)
{
    for (size_t i = 0; i < loop->device_count; i++)
        if (usbip_device_needs_time(loop->devices[i]))
            return true;
    for (const struct connection *it = loop->connections; it; it = it->next)
        if (it->farewell_ns)
            return true;
    return false;
}

static void set_ticking(struct loop *loop)
{
    const bool ticking = needs_ticks(loop);
    const long ns = ticking ? (long)tick_ns : 0;
    const struct itimerspec spec = {{0, ns}, {0, ns}};

    if (ticking == loop->ticking)
        return;
    loop->ticking = ticking;
    if (timerfd_settime(loop->timer.fd, 0, &spec, NULL) < 0)
        loop->error = -errno;
}

static bool run_devices(struct loop *loop, uint64_t now_ns)
{
    bool busy = false;

    for (size_t i = 0; i < loop->device_count; i++)
        busy |= usbip_device_run(loop->devices[i], now_ns);
    return busy;
}

static bool has_unread(const struct loop *loop)
{
    for (const struct connection *it = loop->connections; it; it = it->next)
        if (it->rest && it->session && usbip_session_wants(it->session))
            return true;
    return false;
}

static bool turn(struct loop *loop, bool wait)
{
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(loop->epoll, events, MAX_EVENTS, wait ? -1 : 0);
    uint64_t now_ns = wall_ns();
    bool busy;

    if (count < 0 && errno != EINTR)
        loop->error = -errno;
    run_devices(loop, now_ns);
    for (struct connection *it = loop->connections; it; it = it->next)
        feed_rest(it);
    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;

        source->ready(loop, source, events[i].events);
    }
    busy = run_devices(loop, now_ns);
    for (struct connection *it = loop->connections; it; it = it->next)
        if (!it->dead)
            serve_connection(loop, it, now_ns);
    bury_the_dead(loop);
    make_room(loop);
    if (loop->events.turned)
        loop->events.turned(loop->context);
    set_ticking(loop);
    return busy || has_unread(loop);
}

int loop_run(struct loop *loop)
{
    bool busy = false;

    loop->stopped = false;
    set_ticking(loop);
    while (!loop->stopped && !loop->error)
        busy = turn(loop, !busy);
    return loop->error;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

// ---- Opening and closing ----

static int open_signals(struct loop *loop)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, &loop->old_mask);
    return signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
}

struct loop *loop_open(struct usbip_device *const *devices,
                       size_t count,
                       const struct loop_events *events,
                       void *context)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (!loop)
        return NULL;
    loop->devices = devices;
    loop->device_count = count;
    if (events)
        loop->events = *events;
    loop->context = context;
    loop->listener.fd = -1;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->timer =
        (struct source){timer_ready, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
    loop->signals = (struct source){signal_ready, open_signals(loop)};
    if (add_source(loop, &loop->timer, EPOLLIN) < 0 ||
        add_source(loop, &loop->signals, EPOLLIN) < 0) {
        loop_close(loop);
        return NULL;
    }
    return loop;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void loop_close(struct loop *loop)
{
    int error = errno;

    if (!loop)
        return;
    for (struct connection *it = loop->connections; it; it = it->next)
        it->dead = true;
    bury_the_dead(loop);
    while (loop->watches) {
        struct watch *watch = loop->watches;

        loop->watches = watch->next;
        free(watch);
    }
    close_fd(loop->listener.fd);
    close_fd(loop->signals.fd);
    close_fd(loop->timer.fd);
    close_fd(loop->epoll);
    sigprocmask(SIG_SETMASK, &loop->old_mask, NULL);
    free(loop);
    errno = error;
}
