// SPDX-License-Identifier: MIT
//
// usbip_remote.h - a device on a USB/IP server, and the operations that find and import it.
//
// Every operation has a connection of its own, a deadline (stream.h), and says in one line what
// went wrong and what to do.

#ifndef HOSTSIM_USBIP_REMOTE_H
#define HOSTSIM_USBIP_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include <usbip/proto.h>

struct usbip_remote {
    char host[256];
    char port[16];
    char bus_id[USBIP_BUS_ID_SIZE];
    struct usbip_record record; // as of the last import
};

// Take the bus id of the first device of the server's list. Returns 0, or -1 with a line in error.
int usbip_remote_choose(struct usbip_remote *remote,
                        uint64_t deadline_ms,
                        char *error,
                        size_t error_size);

// Import the device. Returns the connection, which carries URBs from here on, or -1 with a line in
// error.
int usbip_remote_import(struct usbip_remote *remote,
                        uint64_t deadline_ms,
                        char *error,
                        size_t error_size);

#endif
