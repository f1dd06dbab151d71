// SPDX-License-Identifier: MIT
//
// loop_private.h - what the files of the loop share: loop.c turns it, loop_listen.c accepts
// connections, loop_connection.c serves them.

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
    uint64_t now_ns;       // the wall clock as this turn began
    unsigned behind_turns; // turns in a row in which a device stayed behind it
    bool ticking;
    bool stopped;
    int error;

    struct usbip_device **unattended; // need time though no connection has them
    size_t unattended_count;
    struct connection *connections; // youngest first
    struct connection *oldest;
    struct connection *busy; // those of them that there is something to do for
    size_t idle_count;       // those of them that have no device
    struct watch *watches;
    uint8_t buffer[LOOP_READ_SIZE];
};

uint64_t loop_wall_ns(void);
int loop_add_source(struct loop *loop, struct source *source, uint32_t interest);

// A connection that begins with an operation. The loop owns fd, also on failure, which is NULL.
struct connection *loop_add_connection(struct loop *loop, int fd);

// A device without a connection: its time advances if it needs to.
void loop_attend_to(struct loop *loop, struct usbip_device *device);

// Watch the listener again once it is time to.
void loop_resume_listener(struct loop *loop);

// What a turn does for the busy connections: let their devices live until now (returns whether one
// is still behind); hand over what was read before but not wanted then; let their devices move what
// they can, and send what there is to send (returns whether one can move more); free those that are
// done with, which no event may point to any more.
bool loop_catch_up_connections(struct loop *loop);
void loop_feed_connections(struct loop *loop);
bool loop_run_connections(struct loop *loop);
void loop_serve_connections(struct loop *loop);

// Close the oldest connection that has no device, at the end of this turn. Returns whether there is
// one. Those that have a device are as many as devices.
bool loop_make_room(struct loop *loop);

// Does a session want what was read before?
bool loop_has_unread(const struct loop *loop);

// Close them, whatever they are doing.
void loop_drop_connections(struct loop *loop);

#endif
