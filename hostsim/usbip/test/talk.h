// SPDX-License-Identifier: MIT
//
// talk.h - for tests: a conversation with a session that has a toy device (toy_device.h), written
// as what the client sends and what it expects. The wall clock is a variable.

#ifndef HOSTSIM_TALK_H
#define HOSTSIM_TALK_H

#include <stddef.h>
#include <stdint.h>

#include "toy_device.h"
#include <usbip/session.h>

enum { TALK_DEVID = 1 << 16 | 2 };

struct talk {
    struct toy toy;
    struct usbip_device *device;
    struct usbip_session *session;
    uint64_t wall_ns;
};

// Let wall time pass. 0: none, but transfers move.
void talk_run_ms(struct talk *talk, unsigned ms);

// What the client sends.
void talk_send_bytes(struct talk *talk, const uint8_t *bytes, size_t length);
void talk_send_submit(struct talk *talk, struct usbip_command command, const void *data);
void talk_send_control(struct talk *talk,
                       uint32_t seqnum,
                       const uint8_t setup[USBDEV_SETUP_SIZE],
                       void *data);
void talk_send_vendor(struct talk *talk, uint32_t seqnum, uint8_t request);
void talk_send_in(struct talk *talk, uint32_t seqnum, uint8_t endpoint, uint32_t length);
void talk_send_out(struct talk *talk, uint32_t seqnum, const void *data, uint32_t length);
void talk_send_unlink(struct talk *talk, uint32_t seqnum, uint32_t unlinked);

// What comes back, in order: these take it from the output of the session.
void talk_expect_bytes(struct talk *talk, uint8_t *ret_bytes, size_t length);
void talk_expect_silence(const struct talk *talk);
struct usbip_reply talk_next_reply(struct talk *talk);
void talk_expect_ret(struct talk *talk, uint32_t seqnum, int32_t status, uint32_t actual);
void talk_expect_in(struct talk *talk, uint32_t seqnum, const void *data, uint32_t length);
void talk_expect_unlinked(struct talk *talk, uint32_t seqnum, int32_t status);

// Set-up and tear-down of a test: *state is a struct talk whose device is plugged in.
int talk_plug(void **state);
int talk_unplug(void **state);

// Import the device; with talk_configure also SET_CONFIGURATION(1).
void talk_import(struct talk *talk);
void talk_configure(struct talk *talk);

// The client goes and another one comes.
void talk_begin_again(struct talk *talk);

// What another client is told when it asks for a device that it does not get.
uint32_t talk_import_status(struct talk *talk, const char *bus_id);

#endif
