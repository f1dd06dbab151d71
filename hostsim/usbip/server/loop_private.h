// SPDX-License-Identifier: MIT
//
// loop_private.h - what the files of the loop share: loop.c turns it, loop_connection.c serves the
// connections.

#ifndef HOSTSIM_LOOP_PRIVATE_H
#define HOSTSIM_LOOP_PRIVATE_H

#include <signal.h>
#include <stdint.h>

#include <usbip/loop.h>
#include <usbip/session.h>

enum { LOOP_READ_SIZE = 64 << 10 };

// Anything in the epoll set begins with this.
struct source {
    void (*ready)(struct loop *loop, struct source *source, uint32_t events);
    int fd;
};

struct connection;
struct watch;

struct loop {
    struct usbip_device *const *devices;
    size_t device_count;
    struct loop_events events;
    void *context;

    int epoll;
    struct source timer;
    struct source signals;
    struct source listener;
    uint64_t listen_again_ns; // the listener is not watched until then; 0: it is
    sigset_t old_mask;
    bool ticking;
    bool stopped;
    int error;

    struct connection *connections; // youngest first
    size_t connection_count;
    struct watch *watches;
    uint8_t buffer[LOOP_READ_SIZE];
};

int loop_add_source(struct loop *loop, struct source *source, uint32_t interest);

// A connection that begins with an operation. The loop owns fd, also on failure, which is NULL.
struct connection *loop_add_connection(struct loop *loop, int fd);

// What a turn does for the connections: hand over what was read before but not wanted then; send
// what there is to send, and free those that are done with, which no event may point to any more.
void loop_feed_connections(struct loop *loop);
void loop_serve_connections(struct loop *loop, uint64_t now_ns);

// Close the oldest connection that has no device, at the end of this turn. Returns whether there is
// one. Those that have a device are as many as devices.
bool loop_make_room(struct loop *loop);

// Does a session want what was read before? Is a connection waiting for its peer to hang up?
bool loop_has_unread(const struct loop *loop);
bool loop_has_lingering(const struct loop *loop);

// Close them, whatever they are doing.
void loop_drop_connections(struct loop *loop);

#endif
