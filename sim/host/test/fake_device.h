// SPDX-License-Identifier: MIT
//
// fake_device.h - for tests of the host controller model: a device without a state of its own. It
// answers IN with the bytes that the test gives it, keeps what OUT brings, and answers NAK, STALL
// or nothing where the test says so.

#ifndef SIM_FAKE_DEVICE_H
#define SIM_FAKE_DEVICE_H

#include <sim/host.h>

enum { MAX_PACKETS = 64 };

struct fake {
    struct sim_device base;
    bool pull_up;
    bool waking;
    bool leave_in_reset;
    uint8_t address;
    uint8_t max_packet;
    int naks;           // answer NAK this many times, then go on
    int handshake;      // SIM_ACK: well; else the answer to everything but SETUP
    int idle;           // endpoint that always answers NAK, or 0
    const char *script; // answers in turn, N for NAK and S for silence, or NULL
    int extra;          // bytes too many in each IN packet
    bool stuck;         // IN repeats the same toggle
    const uint8_t *reply;
    size_t reply_length;
    bool data1;
    uint8_t received[256];
    size_t received_length;
    int setups;
    int sofs;
    int resets;
    int resumes;

    struct sim_packet packets[MAX_PACKETS];
    int packet_count;
    int disconnects;
    int wakes;
};

extern const struct sim_device_ops fake_ops;

// A new device, connected to a host of its own; its packets are kept from now on.
struct sim_host *plug(struct fake *fake);

// What IN answers, packet by packet.
void set_reply(struct fake *fake, const void *bytes, size_t length);

// A bulk or interrupt transfer that counts its own completions.
struct counted {
    struct sim_transfer transfer;
    int done;
    uint64_t done_ns;
    struct sim_host *host;
};

// Queue one; *counted need not be initialized.
void submit(
    struct sim_host *host, struct counted *counted, uint8_t endpoint, uint8_t type, size_t length);

#endif
