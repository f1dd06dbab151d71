// SPDX-License-Identifier: MIT
//
// session_private.h - what the files of a session share: session.c has its input, its output and
// the operations before an import, session_urbs.c the URBs of an imported device.

#ifndef HOSTSIM_USBIP_SESSION_PRIVATE_H
#define HOSTSIM_USBIP_SESSION_PRIVATE_H

#include <usbip/session.h>

struct pending {
    struct usbip_urb urb;
    struct usbip_session *session;
    struct pending *next;
    bool unlinked; // a RET_UNLINK answers it
    uint8_t data[];
};

struct usbip_session {
    struct usbip_device *const *devices;
    size_t device_count;
    struct usbip_device *device; // imported, or NULL
    bool over;
    bool left; // the device has left the bus
    const char *violation;

    // Input
    uint8_t head[USBIP_HEADER_SIZE];
    size_t head_length;
    struct usbip_command command; // whose payload is being received
    size_t payload_size;
    size_t payload_length;    // received
    struct pending *incoming; // where it goes, or NULL if refused
    int32_t refusal;          // status of the refused
    bool told_isochronous;    // that they are refused

    // Transfers
    struct pending *pending;
    size_t pending_count;
    size_t pending_bytes;

    // Output
    uint8_t *output;
    size_t output_begin;
    size_t output_end;
    size_t output_size;
};

// End the session once its output has been sent; violation says what the client did wrong, or is
// NULL.
void usbip_session_end(struct usbip_session *session, const char *violation);

// Append a reply and its data to the output.
void usbip_session_send(struct usbip_session *session,
                        const struct usbip_reply *reply,
                        const uint8_t *data,
                        size_t length);

// ---- session_urbs.c ----

// Decode the command at head and begin to carry it out. Returns the bytes used, 0 if more are
// needed, or a negative error of proto.h.
int usbip_session_command(struct usbip_session *session);

// The payload is complete: submit its URB, or refuse it.
void usbip_session_submit(struct usbip_session *session);

// End every URB without a reply.
void usbip_session_cancel(struct usbip_session *session);

#endif
