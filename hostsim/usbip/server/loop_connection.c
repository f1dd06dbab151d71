// SPDX-License-Identifier: MIT
//
// A connection that is over (its device left, its list was sent, its client broke the protocol)
// sends what is left, shuts its side down and waits a second for the peer to do the same: a close()
// with unread input would destroy the last reply on its way (RFC 1122 4.2.2.13).
//
// A connection is busy from the event that something has come, or can be sent, until it has nothing
// to do but to wait for the next one and its device is at rest.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_private.h"

static const uint64_t linger_ns = 1000000000;

struct connection {
    struct source source;
    struct usbip_session *session; // NULL: shut down, waiting for the peer
    uint64_t linger_ns;            // when it is closed at the latest; 0: not over
    uint32_t interest;
    uint8_t *rest; // read, but not yet wanted by the session
    size_t rest_length;
    bool closed;  // to be freed at the end of this turn; then it is busy
    bool blocked; // the socket takes no more for now
    bool busy;
    bool idle; // it has no device: not yet, or no more
    struct connection *next_busy;
    struct connection *older;
    struct connection *younger;
};

static struct usbip_device *device_of(const struct connection *connection)
{
    return connection->session ? usbip_session_device(connection->session) : NULL;
}

// What has come after a rest meets the device at the right time.
static void make_busy(struct loop *loop, struct connection *connection)
{
    if (connection->busy)
        return;
    connection->busy = true;
    connection->next_busy = loop->busy;
    loop->busy = connection;
    if (device_of(connection))
        usbip_device_catch_up(device_of(connection), loop->now_ns);
}

static void close_later(struct loop *loop, struct connection *connection)
{
    connection->closed = true;
    make_busy(loop, connection);
}

static void set_idle(struct loop *loop, struct connection *connection, bool idle)
{
    if (idle == connection->idle)
        return;
    connection->idle = idle;
    if (idle)
        loop->idle_count++;
    else
        loop->idle_count--;
}

static void finish_session(struct loop *loop, struct connection *connection)
{
    const struct loop_ending ending = {
        .device = usbip_session_device(connection->session),
        .left = usbip_session_left(connection->session),
        .violation = usbip_session_violation(connection->session),
    };

    usbip_session_close(connection->session);
    connection->session = NULL;
    set_idle(loop, connection, true);
    if (ending.device)
        loop_attend_to(loop, ending.device);
    if (loop->events.ended)
        loop->events.ended(loop->context, &ending);
}

static void free_connection(struct loop *loop, struct connection *connection)
{
    if (connection->session)
        finish_session(loop, connection);
    set_idle(loop, connection, false);
    if (connection->younger)
        connection->younger->older = connection->older;
    else
        loop->connections = connection->older;
    if (connection->older)
        connection->older->younger = connection->younger;
    else
        loop->oldest = connection->younger;
    close(connection->source.fd);
    free(connection->rest);
    free(connection);
}

static bool has_unread(const struct connection *connection)
{
    return connection->rest && connection->session && usbip_session_wants(connection->session);
}

static bool stays_busy(const struct connection *connection)
{
    const struct usbip_device *device = device_of(connection);

    return connection->linger_ns || has_unread(connection) ||
           (device && usbip_device_needs_time(device));
}

// Connections are freed only here, at the end of a turn: events of this turn may point to them.
static void end_turn(struct loop *loop)
{
    struct connection **link = &loop->busy;

    while (*link) {
        struct connection *connection = *link;

        if (!connection->closed && stays_busy(connection)) {
            link = &connection->next_busy;
            continue;
        }
        *link = connection->next_busy;
        connection->busy = false;
        if (connection->closed)
            free_connection(loop, connection);
    }
}

static void
feed(struct loop *loop, struct connection *connection, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;

    if (connection->session)
        taken = usbip_session_receive(connection->session, bytes, length);
    if (device_of(connection))
        set_idle(loop, connection, false);
    if (!connection->session || usbip_session_over(connection->session) || taken == length)
        return;
    connection->rest = malloc(length - taken);
    if (!connection->rest) {
        connection->closed = true;
        return;
    }
    memcpy(connection->rest, bytes + taken, length - taken);
    connection->rest_length = length - taken;
}

static void feed_rest(struct loop *loop, struct connection *connection)
{
    uint8_t *rest = connection->rest;

    if (!has_unread(connection))
        return;
    connection->rest = NULL;
    feed(loop, connection, rest, connection->rest_length);
    free(rest);
}

static void read_connection(struct loop *loop, struct connection *connection)
{
    ssize_t length = recv(connection->source.fd, loop->buffer, sizeof loop->buffer, 0);

    if (length > 0)
        feed(loop, connection, loop->buffer, (size_t)length);
    else if (length == 0 || (errno != EAGAIN && errno != EINTR))
        connection->closed = true; // the peer has closed or reset the connection
}

static void connection_ready(struct loop *loop, struct source *source, uint32_t events)
{
    struct connection *connection = (struct connection *)source;

    make_busy(loop, connection);
    if (events & EPOLLOUT)
        connection->blocked = false; // and sent to in this turn
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !connection->rest)
        read_connection(loop, connection);
}

static void begin_linger(struct loop *loop, struct connection *connection)
{
    finish_session(loop, connection);
    shutdown(connection->source.fd, SHUT_WR);
}

static void send_output(struct loop *loop, struct connection *connection)
{
    size_t length;
    const uint8_t *bytes = usbip_session_output(connection->session, &length);
    ssize_t sent = 0;

    if (connection->blocked)
        return;
    if (length > 0)
        sent = send(connection->source.fd, bytes, length, MSG_NOSIGNAL);
    if (sent > 0)
        usbip_session_sent(connection->session, (size_t)sent);
    connection->blocked = sent < (ssize_t)length;
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        connection->closed = true;
    else if (usbip_session_over(connection->session) && (size_t)sent == length)
        begin_linger(loop, connection);
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

static void serve_connection(struct loop *loop, struct connection *connection)
{
    uint32_t interest;

    if (!connection->linger_ns && (!connection->session || usbip_session_over(connection->session)))
        connection->linger_ns = loop->now_ns + linger_ns;
    if (connection->linger_ns && loop->now_ns >= connection->linger_ns)
        connection->closed = true;

    interest = find_interest(connection);
    if (!connection->closed && interest != connection->interest) {
        struct epoll_event event = {.events = interest, .data.ptr = connection};

        epoll_ctl(loop->epoll, EPOLL_CTL_MOD, connection->source.fd, &event);
        connection->interest = interest;
    }
}

struct connection *loop_add_connection(struct loop *loop, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection)
        connection->session = usbip_session_open(loop->devices, loop->device_count);
    if (!connection || !connection->session)
        goto fail;
    connection->source = (struct source){connection_ready, fd};
    connection->interest = EPOLLIN;
    if (loop_add_source(loop, &connection->source, EPOLLIN) < 0)
        goto fail;
    connection->older = loop->connections;
    if (connection->older)
        connection->older->younger = connection;
    else
        loop->oldest = connection;
    loop->connections = connection;
    set_idle(loop, connection, true);
    make_busy(loop, connection);
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
    connection = loop_add_connection(loop, fd);
    if (!connection)
        return -ENOMEM;
    if (device && usbip_session_import(connection->session, device) != USBIP_OP_OK) {
        close_later(loop, connection);
        return -EBUSY;
    }
    set_idle(loop, connection, !device);
    return 0;
}

bool loop_make_room(struct loop *loop)
{
    struct connection *oldest = loop->oldest;

    while (oldest && (!oldest->idle || oldest->closed))
        oldest = oldest->younger;
    if (oldest)
        close_later(loop, oldest);
    return oldest;
}

bool loop_catch_up_connections(struct loop *loop)
{
    bool behind = false;

    for (struct connection *it = loop->busy; it; it = it->next_busy)
        if (device_of(it))
            behind |= usbip_device_catch_up(device_of(it), loop->now_ns);
    return behind;
}

void loop_feed_connections(struct loop *loop)
{
    for (struct connection *it = loop->busy; it; it = it->next_busy)
        feed_rest(loop, it);
}

bool loop_run_connections(struct loop *loop)
{
    bool more = false;

    for (struct connection *it = loop->busy; it; it = it->next_busy) {
        if (device_of(it))
            more |= usbip_device_run(device_of(it));
        if (it->session && !it->closed)
            send_output(loop, it);
    }
    return more;
}

void loop_serve_connections(struct loop *loop)
{
    for (struct connection *it = loop->busy; it; it = it->next_busy)
        if (!it->closed)
            serve_connection(loop, it);
    if (loop->idle_count >= LOOP_MAX_IDLE)
        loop_make_room(loop);
    end_turn(loop);
}

bool loop_has_unread(const struct loop *loop)
{
    for (const struct connection *it = loop->busy; it; it = it->next_busy)
        if (has_unread(it))
            return true;
    return false;
}

void loop_drop_connections(struct loop *loop)
{
    for (size_t i = 0; i < loop->device_count; i++)
        usbip_device_retire(loop->devices[i]);
    for (struct connection *it = loop->connections; it; it = it->older)
        close_later(loop, it);
    end_turn(loop);
}
