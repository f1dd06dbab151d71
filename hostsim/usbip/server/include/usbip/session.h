// SPDX-License-Identifier: MIT
//
// session.h - the server's side of one USB/IP connection, without a socket: bytes in, bytes
// out, and simulated devices (device.h) behind it.
//
//     taken = usbip_session_receive(session, bytes, length);
//     usbip_device_catch_up(...), usbip_device_run(...) for each device
//     bytes = usbip_session_output(session, &length);
//     usbip_session_sent(session, send(fd, bytes, length, ...));
//     if (usbip_session_over(session) && length == 0) close it
//
// The session begins with one operation: a list, which ends it, or an import; from then on it
// carries URBs. Each endpoint's transfers run on their own: a NAK causes no reply, and delays no
// other endpoint. Every submission is answered exactly once, by RET_SUBMIT, or by RET_UNLINK with
// status -104 if it was taken back in time.
//
// A peer may send anything in pieces of any size. What is malformed ends the session. Its memory is
// bounded: from a peer that does not read its replies nothing is read either (usbip_session_wants()
// is false), and submissions beyond USBIP_SESSION_MAX_URBS or USBIP_SESSION_MAX_BYTES are refused
// with -12 (ENOMEM).

#ifndef HOSTSIM_USBIP_SESSION_H
#define HOSTSIM_USBIP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usbip/device.h>

enum {
    USBIP_SESSION_MAX_URBS = 256,       // pending at a time
    USBIP_SESSION_MAX_BYTES = 16 << 20, // of data of pending URBs
    USBIP_SESSION_MAX_OUTPUT = 1 << 20, // bytes not yet sent, above which nothing more is read
};

struct usbip_session;

// A session with a client that has just connected. The devices stay the caller's and outlive it.
// NULL if there is no memory.
struct usbip_session *usbip_session_open(struct usbip_device *const *devices, size_t count);

// End it: transfers are taken back, the device is released.
void usbip_session_close(struct usbip_session *session);

// Import a device without being asked by a message: the connection carries URBs from its first
// byte on, as the kernel's vhci-hcd expects. Returns 0 or an enum usbip_op_status.
int usbip_session_import(struct usbip_session *session, struct usbip_device *device);

// What came from the client. Returns how much of it was taken: all, unless the session stopped
// wanting more, or has just imported its device, or a command in it took the device so long that
// other clients are served first: then the rest is to be offered again.
size_t usbip_session_receive(struct usbip_session *session, const uint8_t *bytes, size_t length);
bool usbip_session_wants(const struct usbip_session *session);

// What is to be sent, and that the first length bytes of it were. Valid until the next call.
const uint8_t *usbip_session_output(const struct usbip_session *session, size_t *ret_length);
void usbip_session_sent(struct usbip_session *session, size_t length);

// The session is over: close the connection once the output has been sent.
bool usbip_session_over(const struct usbip_session *session);

// Is it over because the device left the bus?
bool usbip_session_left(const struct usbip_session *session);

// How the client broke the protocol, one phrase, or NULL.
const char *usbip_session_violation(const struct usbip_session *session);

// The imported device, or NULL.
struct usbip_device *usbip_session_device(const struct usbip_session *session);

#endif
