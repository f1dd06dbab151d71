// SPDX-License-Identifier: MIT
//
// forked_server.h - for tests of both ends of a socket: a server in a child process.

#ifndef HOSTSIM_FORKED_SERVER_H
#define HOSTSIM_FORKED_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct forked_server {
    pid_t pid;
    char port[8];
};

// Serve a toy device (toy_device.h) by the real loop.
void forked_server_start(struct forked_server *server);

// With descriptors for so many connections alone; 0: as many as the system allows.
void forked_server_start_limited(struct forked_server *server, unsigned connections);

// With a device of which a millisecond takes so much real time to simulate.
void forked_server_start_slow(struct forked_server *server, uint64_t cost_ns);

// Serve one connection of a server that breaks the protocol: read `asked` bytes, then send the
// script, once for each of count scripts, then keep the connection open.
struct forked_script {
    size_t asked;
    const uint8_t *bytes;
    size_t length;
};
void forked_server_start_script(struct forked_server *server,
                                const struct forked_script *scripts,
                                size_t count);

// Whatever serve() does with a listening socket; it must not return.
void forked_server_start_own(struct forked_server *server, void (*serve)(int listener));

// Ends it by SIGTERM. The real loop must end by itself with status 0.
void forked_server_stop(struct forked_server *server);
void forked_server_kill(struct forked_server *server);

// Its open descriptors.
size_t forked_server_descriptors(const struct forked_server *server);

// Connect to it.
int forked_server_connect(const struct forked_server *server);

#endif
