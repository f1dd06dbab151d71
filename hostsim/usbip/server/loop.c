// SPDX-License-Identifier: MIT
//
// One turn of the loop:
//
//   wait for sockets, at most until the next tick;
//   advance the devices to now, so that requests reach them at the right time;
//   read from the clients into their sessions;
//   carry out each device's pending transfers for a millisecond of its bus, and send the output of
//   its session by a single send(); again, if there is more, for a millisecond of the clock.
//
// The tick is a millisecond, and only while a device needs it: an idle server sleeps. A turn costs
// what there is to do in it, however many devices and connections there are: it looks at the
// connections that something has come from or whose device is not at rest (the busy ones), and at
// the devices that need time though no connection has them (the unattended ones).
//
// A device that still has transfers to move after its slice of time gets another one in the next
// turn, which then does not wait. Nor does it while a device is behind the clock: one that is
// simulated more slowly than time passes gets 10 ms of each turn, and sockets, signals and the
// command of `dfu-sim run` are served in between. A server that was not given the processor for
// some time makes up first: a request that comes after the wait that a device has asked for would
// come early otherwise.

#include "loop_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "unix_socket.h"

enum { MAX_EVENTS = 32 };

static const uint64_t tick_ns = 1000000;
static const uint64_t stretch_ns = 10 * SIM_MS; // of making up before anything else is looked at
static const unsigned patient_turns = 10;       // in which a server that was late makes up first
static const uint64_t moving_ns = SIM_MS;       // of moving before anything else is looked at

struct watch {
    struct source source;
    void (*ready)(void *context);
    void *context;
    struct watch *next;
};

uint64_t loop_wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int loop_add_source(struct loop *loop, struct source *source, uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data.ptr = source};

    if (source->fd < 0)
        return -errno; // of who has just failed to open it
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0 ? -errno : 0;
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

// ---- Time ----

static void set_ticking(struct loop *loop, bool wanted)
{
    const bool ticking = wanted || loop->busy || loop->unattended_count || loop->listen_again_ns;
    const long ns = ticking ? (long)tick_ns : 0;
    const struct itimerspec spec = {{0, ns}, {0, ns}};

    if (ticking == loop->ticking)
        return;
    loop->ticking = ticking;
    if (timerfd_settime(loop->timer.fd, 0, &spec, NULL) < 0)
        loop->error = -errno;
}

// Advance every device to now. A device that is slower than the clock stays behind.
static bool catch_up(struct loop *loop)
{
    uint64_t limit_ns = loop->now_ns + stretch_ns;
    bool behind;

    do {
        behind = loop_catch_up_connections(loop);
        for (size_t i = 0; i < loop->unattended_count; i++)
            behind |= usbip_device_catch_up(loop->unattended[i], loop->now_ns);
    } while (behind && loop_wall_ns() < limit_ns);
    return behind;
}

// Move what can be moved: a round of all devices at least.
static bool run_devices(struct loop *loop)
{
    uint64_t limit_ns = loop_wall_ns() + moving_ns;
    bool busy;

    do {
        busy = loop_run_connections(loop);
        for (size_t i = 0; i < loop->unattended_count; i++)
            busy |= usbip_device_run(loop->unattended[i]);
    } while (busy && loop_wall_ns() < limit_ns);
    return busy;
}

// ---- Devices that no connection has ----

void loop_attend_to(struct loop *loop, struct usbip_device *device)
{
    if (!usbip_device_needs_time(device))
        return;
    for (size_t i = 0; i < loop->unattended_count; i++)
        if (loop->unattended[i] == device)
            return;
    loop->unattended[loop->unattended_count++] = device;
}

static void forget_attended(struct loop *loop)
{
    size_t kept = 0;

    for (size_t i = 0; i < loop->unattended_count; i++)
        if (usbip_device_needs_time(loop->unattended[i]))
            loop->unattended[kept++] = loop->unattended[i];
    loop->unattended_count = kept;
}

// ---- Turning ----

static bool turn(struct loop *loop, bool wait)
{
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(loop->epoll, events, MAX_EVENTS, wait ? -1 : 0);
    bool behind, busy, wanted = false;

    loop->now_ns = loop_wall_ns();
    if (count < 0 && errno != EINTR)
        loop->error = -errno;
    behind = catch_up(loop);
    loop->behind_turns = behind ? loop->behind_turns + 1 : 0;
    if (behind && loop->behind_turns <= patient_turns)
        return true;
    loop_feed_connections(loop);
    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;

        source->ready(loop, source, events[i].events);
    }
    busy = run_devices(loop);
    loop_serve_connections(loop);
    forget_attended(loop);
    loop_resume_listener(loop);
    if (loop->events.turned)
        wanted = loop->events.turned(loop->context);
    set_ticking(loop, wanted);
    return busy || behind || loop_has_unread(loop);
}

int loop_run(struct loop *loop)
{
    bool busy = false;

    loop->stopped = false;
    loop->now_ns = loop_wall_ns();
    set_ticking(loop, true); // the first turn looks what there is to do
    while (!loop->stopped && !loop->error)
        busy = turn(loop, !busy);
    return loop->error;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

// ---- Opening and closing ----

static int open_timer(struct loop *loop)
{
    loop->timer =
        (struct source){timer_ready, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
    return loop_add_source(loop, &loop->timer, EPOLLIN);
}

static int open_signals(struct loop *loop)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    loop->signals = (struct source){signal_ready, signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC)};
    return loop_add_source(loop, &loop->signals, EPOLLIN);
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
    loop->unattended = calloc(count > 0 ? count : 1, sizeof(struct usbip_device *));
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->timer.fd = loop->signals.fd = -1;
    sigprocmask(SIG_BLOCK, NULL, &loop->old_mask);
    if (!loop->unattended || loop->epoll < 0 || open_timer(loop) < 0 || open_signals(loop) < 0) {
        loop_close(loop);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        loop_attend_to(loop, devices[i]);
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
    if (loop->listener.fd >= 0)
        unix_socket_remove(loop->listener.fd);
    close_fd(loop->listener.fd);
    close_fd(loop->signals.fd);
    close_fd(loop->timer.fd);
    close_fd(loop->epoll);
    sigprocmask(SIG_SETMASK, &loop->old_mask, NULL);
    free(loop->unattended);
    free(loop);
    errno = error;
}
