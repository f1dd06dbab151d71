// SPDX-License-Identifier: MIT
//
// rsp.h - the framing of GDB's remote serial protocol, without a socket: bytes in, packets out
// (GDB manual, appendix E.1 "Overview").
//
//     $ DATA # CHECKSUM      a packet; in DATA the bytes # $ } * stand as } and the byte ^ 20h
//     +  -                   received well, send again: until both sides agree to do without
//     03h                    outside of a packet: stop the program
//
// A packet that is longer than RSP_MAX_PACKET, or whose checksum is wrong, is answered by "-" (or,
// in no-ack mode, dropped) and nothing of it is seen. Memory is bounded: a packet in, three
// packets' worth of replies out.

#ifndef GDB_RSP_H
#define GDB_RSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RSP_MAX_PACKET = 4096,                  // bytes of data, unescaped
    RSP_MAX_FRAME = 2 * RSP_MAX_PACKET + 4, // the same, all of it escaped
    RSP_MAX_OUTPUT = 3 * RSP_MAX_FRAME,
};

enum rsp_event {
    RSP_NOTHING,
    RSP_PACKET,    // rsp->packet holds rsp->length bytes, and a 0 behind them
    RSP_INTERRUPT, // 03h
};

struct rsp {
    bool no_ack;
    char packet[RSP_MAX_PACKET + 1];
    size_t length;

    // Private.
    enum { RSP_BETWEEN, RSP_DATA, RSP_ESCAPED, RSP_SUM_HIGH, RSP_SUM_LOW } state;
    bool too_long;
    uint8_t sum;
    uint8_t received_sum;
    char output[RSP_MAX_OUTPUT];
    size_t output_length;
    char last[RSP_MAX_FRAME]; // for "-"
    size_t last_length;
};

// A connection over which nothing has come.
void rsp_init(struct rsp *rsp);

// One byte from the peer. The packet stays valid until the next call.
enum rsp_event rsp_receive(struct rsp *rsp, uint8_t byte);

// Is there room for a reply to one more packet, and for a stop that may follow it? If not, nothing
// may be received.
bool rsp_has_room(const struct rsp *rsp);

// Send a packet. What is longer than RSP_MAX_PACKET is cut there.
void rsp_send(struct rsp *rsp, const char *data, size_t length);

// What is to be sent, and that the first length bytes of it were.
const char *rsp_output(const struct rsp *rsp, size_t *ret_length);
void rsp_sent(struct rsp *rsp, size_t length);

#endif
