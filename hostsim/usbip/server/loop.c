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
// does not wait. Nor does it while a device is behind the clock: one that is simulated more slowly
// than time passes gets 10 ms of each turn, and sockets, signals and the command of `dfu-sim run`
// are looked at in between.

#include "loop_private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 32 };

static const uint64_t tick_ns = 1000000;
static const uint64_t stretch_ns = 10 * SIM_MS; // of simulating before anything else is looked at
static const uint64_t listen_again_ns = 100000000; // after accept() had no descriptor

struct watch {
    struct source source;
    void (*ready)(void *context);
    void *context;
    struct watch *next;
};

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int loop_add_source(struct loop *loop, struct source *source, uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data.ptr = source};

    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0 ? -errno : 0;
}

// ---- The listener ----

static void watch_listener(struct loop *loop, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0U, .data.ptr = &loop->listener};

    if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->listener.fd, &event) < 0)
        loop->error = -errno;
}

// Without a descriptor or memory for one more connection the listener stays readable. Where no
// connection can make room either it is watched again in a while; the client waits in the kernel's
// queue.
static void pause_listener(struct loop *loop)
{
    watch_listener(loop, false);
    loop->listen_again_ns = wall_ns() + listen_again_ns;
}

static void resume_listener(struct loop *loop, uint64_t now_ns)
{
    if (!loop->listen_again_ns || now_ns < loop->listen_again_ns)
        return;
    loop->listen_again_ns = 0;
    watch_listener(loop, true);
}

static void accept_connection(struct loop *loop, struct source *source, uint32_t events)
{
    static const int on = 1;
    int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) &&
        !loop_make_room(loop))
        pause_listener(loop);
    if (fd < 0)
        return; // else it has gone already
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
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

        return !IN6_IS_ADDR_LOOPBACK(ipv6);
    }
    return ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET;
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
    result = loop_add_source(loop, &watch->source, EPOLLIN);
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
    return loop_has_lingering(loop) || loop->listen_again_ns;
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

// Let every device live until now. A device that is slower than the clock stays behind.
static bool catch_up(struct loop *loop, uint64_t now_ns)
{
    uint64_t limit_ns = now_ns + stretch_ns;
    bool behind;

    do {
        behind = false;
        for (size_t i = 0; i < loop->device_count; i++)
            behind |= usbip_device_catch_up(loop->devices[i], now_ns);
    } while (behind && wall_ns() < limit_ns);
    return behind;
}

// Move what can be moved, for a stretch of virtual time or of real time, whichever is over sooner.
static bool run_devices(struct loop *loop)
{
    uint64_t limit_ns = wall_ns() + stretch_ns;
    bool busy = true;

    for (unsigned ms = 0; busy && ms < stretch_ns / SIM_MS; ms++) {
        busy = false;
        for (size_t i = 0; i < loop->device_count; i++)
            busy |= usbip_device_run(loop->devices[i]);
        if (wall_ns() >= limit_ns)
            break;
    }
    return busy;
}

static bool turn(struct loop *loop, bool wait)
{
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(loop->epoll, events, MAX_EVENTS, wait ? -1 : 0);
    uint64_t now_ns = wall_ns();
    bool behind, busy;

    if (count < 0 && errno != EINTR)
        loop->error = -errno;
    behind = catch_up(loop, now_ns);
    loop_feed_connections(loop);
    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;

        source->ready(loop, source, events[i].events);
    }
    busy = run_devices(loop);
    loop_serve_connections(loop, now_ns);
    resume_listener(loop, now_ns);
    if (loop->events.turned)
        loop->events.turned(loop->context);
    set_ticking(loop);
    return busy || behind || loop_has_unread(loop);
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
    if (loop_add_source(loop, &loop->timer, EPOLLIN) < 0 ||
        loop_add_source(loop, &loop->signals, EPOLLIN) < 0) {
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
    loop_drop_connections(loop);
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
