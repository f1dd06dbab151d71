// SPDX-License-Identifier: MIT
//
// loop.h - the event loop of a USB/IP server: it owns the sockets and the clock, and calls sessions
// (session.h) and devices (device.h).
//
//     struct loop *loop = loop_open(devices, count, &events, context);
//     loop_listen(loop, "127.0.0.1", "3240");
//     result = loop_run(loop);        // until SIGINT, SIGTERM or loop_stop()
//     loop_close(loop);
//
// A client that vanishes, sends nothing or sends garbage does not delay the others: no call waits
// for a peer, and when LOOP_MAX_IDLE connections have imported no device the oldest of them makes
// room for the next. Nor do devices and connections of which nothing is asked.
//
// A device waits for the others' requests by no more than their shares: 1 ms of its bus for each
// that has something to move, or one command that takes its device longer, which is a bus reset.

#ifndef HOSTSIM_LOOP_H
#define HOSTSIM_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <usbip/device.h>

enum { LOOP_MAX_IDLE = 64 };

struct loop;

// How a connection has ended.
struct loop_ending {
    struct usbip_device *device; // that it had imported, or NULL
    bool left;                   // because the device left the bus; it may be back already
    const char *violation;       // how its client broke the protocol, or NULL
};

// Any of them may be NULL.
struct loop_events {
    void (*ended)(void *context, const struct loop_ending *ending);

    // A client at a Unix socket was another user, and its connection was closed.
    void (*refused)(void *context, uid_t uid);

    // After each turn of the loop. Returns whether to call it again in about a millisecond though
    // nothing happens.
    bool (*turned)(void *context);
};

// The devices stay the caller's and must outlive the loop. SIGINT and SIGTERM are blocked in this
// process until loop_close(); a child should unblock them. NULL, with errno set, if the system
// refuses what it takes.
struct loop *loop_open(struct usbip_device *const *devices,
                       size_t count,
                       const struct loop_events *events,
                       void *context);
void loop_close(struct loop *loop);

// Accept clients at this address; port "0" takes a free one. Returns the port, or a negative errno
// (-EADDRNOTAVAIL also for an address that does not exist).
//
// With USBIP_UNIX_HOST, port is the path of a Unix socket for this user and root alone. It has mode
// 0600 and is removed by loop_close(); one that a killed server left behind is replaced. Returns 0,
// or a negative errno: -EADDRINUSE if a server listens there, -EEXIST if the file is no socket.
int loop_listen(struct loop *loop, const char *host, const char *port);

// Can other machines reach the listener: is its address outside the loopback interface?
bool loop_is_public(const struct loop *loop);

// Serve a connection that exists already; the loop owns fd from here on, also on failure. With a
// device, the connection carries its URBs from the first byte on; without, it begins with an
// operation like any other. Returns 0 or a negative errno: -EBUSY if the device cannot be imported
// now.
int loop_adopt(struct loop *loop, int fd, struct usbip_device *device);

// Call ready() from inside the loop whenever fd is readable. fd stays the caller's. Returns 0 or a
// negative errno.
int loop_watch(struct loop *loop, int fd, void (*ready)(void *context), void *context);

// Returns 0 after SIGINT, SIGTERM or loop_stop(), or a negative errno.
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
