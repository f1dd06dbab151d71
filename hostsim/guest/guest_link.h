// SPDX-License-Identifier: MIT
//
// guest_link.h - the frames between a test guest's agent and its host.
//
// A frame is its kind (1 byte), the length of its payload (4 bytes, little-endian) and the payload.
// The agent says hello; the host describes the command and starts it; streams flow both ways; the
// exit status is the agent's last frame, so nothing of the outputs can come after it. Input goes
// only where it is wanted, a frame at a time: so the host never blocks in writing while the agent
// does.

#ifndef HOSTSIM_GUEST_LINK_H
#define HOSTSIM_GUEST_LINK_H

#include <stddef.h>
#include <stdint.h>

enum guest_frame_kind {
    // From the agent.
    GUEST_HELLO = 1,
    GUEST_STDOUT,
    GUEST_STDERR,
    GUEST_WANTS_INPUT, // the host may send one GUEST_STDIN
    GUEST_EXIT,        // payload: the exit status, 1 byte

    // From the host. Strings are not terminated.
    GUEST_DIRECTORY, // where the command runs
    GUEST_VARIABLE,  // one NAME=value of its environment
    GUEST_ARGUMENT,  // its next argument; the first names the program
    GUEST_START,
    GUEST_STDIN, // empty: end of input
};

enum { GUEST_PAYLOAD_MAX = 128 * 1024 }; // the longest argument that Linux passes to a program

struct guest_frame {
    enum guest_frame_kind kind;
    uint32_t length;
    uint8_t payload[GUEST_PAYLOAD_MAX + 1]; // a NUL follows, so that a string is one
};

// Both wait until the whole frame has moved. Return 0 or a negative errno: -EPIPE at the end of
// the stream, -EPROTO for a frame that cannot be.
int guest_send(int port, enum guest_frame_kind kind, const void *payload, size_t length);
int guest_receive(int port, struct guest_frame *ret_frame);

// Write all of it to a descriptor that may be non-blocking. Returns 0 or a negative errno.
int guest_write_all(int fd, const void *data, size_t length);

#endif
