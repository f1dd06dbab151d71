// SPDX-License-Identifier: MIT
//
// remote.h - a device on a USB/IP server, and the operations that find and import it.
//
// Every operation has a connection of its own, a deadline (stream.h), and says in one line what
// went wrong and what to do.

#ifndef HOSTSIM_USBIP_REMOTE_H
#define HOSTSIM_USBIP_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usbip/proto.h>

struct usbip_remote {
    char host[256];
    char port[USBIP_PORT_SIZE];
    char bus_id[USBIP_BUS_ID_SIZE];
    struct usbip_record record; // as of the last import
};

enum { USBIP_LIST_MAX = 32 };

// What a server exports: devices that are not imported.
struct usbip_list {
    uint32_t exported; // as many, of which the first are in devices
    size_t count;
    struct usbip_exported {
        struct usbip_record record;
        bool dfu; // an interface of class FEh, subclass 01h
    } devices[USBIP_LIST_MAX];
};

// Ask for the list. Returns 0, or -1 with a line in error.
int usbip_remote_list(struct usbip_remote *remote,
                      struct usbip_list *ret_list,
                      uint64_t deadline_ms,
                      char *error,
                      size_t error_size);

// Take the bus id of the one device that the server exports; where there is none, one is waited for
// until the deadline. Returns 0, or -1 with a line in error; of several that names each.
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
