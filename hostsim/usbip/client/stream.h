// SPDX-License-Identifier: MIT
//
// stream.h - sockets with deadlines: no call waits longer than its deadline, whatever the peer
// does.
//
// A deadline is a time of stream_now_ms(). The sockets do not block.

#ifndef HOSTSIM_STREAM_H
#define HOSTSIM_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

// What a wait can end with, beside 0. Far from enum usbip_error, so that a function can return
// both.
enum {
    STREAM_LATE = -1000,   // the deadline has passed
    STREAM_CLOSED = -1001, // by the peer
};

// Monotonic; the time in which this thread was stopped while it waited is not counted.
uint64_t stream_now_ms(void);

// Connect by TCP, or with USBIP_UNIX_HOST to a Unix socket at the path port. Returns a socket or a
// negative errno.
int stream_connect(const char *host, const char *port, uint64_t deadline_ms);

// Wait for a poll event. Returns 0, STREAM_LATE, or STREAM_CLOSED if the socket is broken.
int stream_wait(int fd, short events, uint64_t deadline_ms);

// Send all parts, which are used up on the way.
int stream_send(int fd, struct iovec *parts, size_t count, uint64_t deadline_ms);

// Receive until size bytes are there. *length counts what has come, so that a late rest can be
// asked for again.
int stream_receive(int fd, uint8_t *bytes, size_t *length, size_t size, uint64_t deadline_ms);
int stream_receive_all(int fd, uint8_t *bytes, size_t size, uint64_t deadline_ms);

#endif
