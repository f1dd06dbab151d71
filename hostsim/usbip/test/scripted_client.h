// SPDX-License-Identifier: MIT
//
// client.h - for tests: a conversation with a session that has a toy device (toy_device.h), written
// as what the client sends and what it expects. The wall clock is a variable.

#ifndef HOSTSIM_SCRIPTED_CLIENT_H
#define HOSTSIM_SCRIPTED_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "toy_device.h"
#include <usbip/session.h>

enum { CLIENT_DEVID = 1 << 16 | 2 };

struct scripted_client {
    struct toy toy;
    struct usbip_device *device;
    struct usbip_session *session;
    uint64_t wall_ns;
    char note[160]; // the last line for a person
    unsigned notes;
};

// Let wall time pass. 0: none, but transfers move.
void client_run_ms(struct scripted_client *client, unsigned ms);

// What the client sends.
void client_send_bytes(struct scripted_client *client, const uint8_t *bytes, size_t length);
void client_send_submit(struct scripted_client *client,
                        struct usbip_command command,
                        const void *data);
void client_send_control(struct scripted_client *client,
                         uint32_t seqnum,
                         const uint8_t setup[USBDEV_SETUP_SIZE],
                         void *data);
void client_send_vendor(struct scripted_client *client, uint32_t seqnum, uint8_t request);
void client_send_in(struct scripted_client *client,
                    uint32_t seqnum,
                    uint8_t endpoint,
                    uint32_t length);
void client_send_out(struct scripted_client *client,
                     uint32_t seqnum,
                     const void *data,
                     uint32_t length);
void client_send_unlink(struct scripted_client *client, uint32_t seqnum, uint32_t unlinked);

// What comes back, in order: these take it from the output of the session.
void client_expect_bytes(struct scripted_client *client, uint8_t *ret_bytes, size_t length);
void client_expect_silence(const struct scripted_client *client);
struct usbip_reply client_next_reply(struct scripted_client *client);
void client_expect_ret(struct scripted_client *client,
                       uint32_t seqnum,
                       int32_t status,
                       uint32_t actual);
void client_expect_in(struct scripted_client *client,
                      uint32_t seqnum,
                      const void *data,
                      uint32_t length);
void client_expect_unlinked(struct scripted_client *client, uint32_t seqnum, int32_t status);

// Set-up and tear-down of a test: *state is a struct scripted_client whose device is plugged in.
int client_plug(void **state);
int client_unplug(void **state);

// Import the device; with client_configure also SET_CONFIGURATION(1).
void client_import(struct scripted_client *client);
void client_configure(struct scripted_client *client);

// The client goes and another one comes.
void client_begin_again(struct scripted_client *client);

// What another client is told when it asks for a device that it does not get.
uint32_t client_import_status(struct scripted_client *client, const char *bus_id);

#endif
