// SPDX-License-Identifier: MIT
//
// A connection that is over (its device left, its list was sent, its client broke the protocol)
// sends what is left, shuts its side down and waits a second for the peer to do the same: a close()
// with unread input would destroy the last reply on its way (RFC 1122 4.2.2.13).

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
    uint64_t linger_ns;            // when it is closed whatever the peer does; 0: not over
    uint32_t interest;
    uint8_t *rest; // read, but not yet wanted by the session
    size_t rest_length;
    bool closed;
    struct connection *next; // older
};

static void finish_session(struct loop *loop, struct connection *connection)
{
    struct usbip_device *device = usbip_session_device(connection->session);
    const char *violation = usbip_session_violation(connection->session);

    usbip_session_close(connection->session);
    connection->session = NULL;
    if (loop->events.ended)
        loop->events.ended(loop->context, device, violation);
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
static void free_closed_connections(struct loop *loop)
{
    struct connection **link = &loop->connections;

    while (*link) {
        struct connection *connection = *link;

        if (!connection->closed) {
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
        connection->closed = true;
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
        connection->closed = true; // the peer has gone, politely or not
}

static void connection_ready(struct loop *loop, struct source *source, uint32_t events)
{
    struct connection *connection = (struct connection *)source;

    // EPOLLOUT alone needs nothing here: every turn ends with sending.
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

    if (length > 0)
        sent = send(connection->source.fd, bytes, length, MSG_NOSIGNAL);
    if (sent > 0)
        usbip_session_sent(connection->session, (size_t)sent);
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

static void serve_connection(struct loop *loop, struct connection *connection, uint64_t now_ns)
{
    uint32_t interest;

    if (connection->session)
        send_output(loop, connection);
    if (!connection->linger_ns && (!connection->session || usbip_session_over(connection->session)))
        connection->linger_ns = now_ns + linger_ns;
    if (connection->linger_ns && now_ns >= connection->linger_ns)
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
    connection = loop_add_connection(loop, fd);
    if (!connection)
        return -ENOMEM;
    if (!device || usbip_session_import(connection->session, device) == USBIP_OP_OK)
        return 0;
    connection->closed = true;
    return -EBUSY;
}

bool loop_make_room(struct loop *loop)
{
    struct connection *oldest = NULL;

    for (struct connection *it = loop->connections; it; it = it->next)
        if (!it->closed && (!it->session || !usbip_session_device(it->session)))
            oldest = it;
    if (oldest)
        oldest->closed = true;
    return oldest != NULL;
}

void loop_feed_connections(struct loop *loop)
{
    for (struct connection *it = loop->connections; it; it = it->next)
        feed_rest(it);
}

void loop_serve_connections(struct loop *loop, uint64_t now_ns)
{
    for (struct connection *it = loop->connections; it; it = it->next)
        if (!it->closed)
            serve_connection(loop, it, now_ns);
    if (loop->connection_count >= LOOP_MAX_CONNECTIONS)
        loop_make_room(loop);
    free_closed_connections(loop);
}

bool loop_has_unread(const struct loop *loop)
{
    for (const struct connection *it = loop->connections; it; it = it->next)
        if (it->rest && it->session && usbip_session_wants(it->session))
            return true;
    return false;
}

bool loop_has_lingering(const struct loop *loop)
{
    for (const struct connection *it = loop->connections; it; it = it->next)
        if (it->linger_ns)
            return true;
    return false;
}

void loop_drop_connections(struct loop *loop)
{
    for (size_t i = 0; i < loop->device_count; i++)
        usbip_device_retire(loop->devices[i]);
    for (struct connection *it = loop->connections; it; it = it->next)
        it->closed = true;
    free_closed_connections(loop);
}
