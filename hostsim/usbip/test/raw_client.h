// SPDX-License-Identifier: MIT
//
// raw_client.h - for tests: the messages of a USB/IP client on a plain socket, so that a test can
// cut, repeat and withhold them. Every wait is bounded.

#ifndef HOSTSIM_RAW_CLIENT_H
#define HOSTSIM_RAW_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <usbip/proto.h>

#include "forked_server.h"

// RAW_WAIT_MS: of what is to come; long, since qemu on a busy machine may run the server.
enum { RAW_DEVID = 1 << 16 | 2, RAW_WAIT_MS = 30000 };

// Encode the submission of a control transfer that sends no data. Returns USBIP_HEADER_SIZE.
size_t raw_encode(uint8_t *bytes, uint32_t seqnum, const uint8_t setup[USBDEV_SETUP_SIZE]);

// Receive exactly so many bytes, or fail the test.
void raw_receive(int fd, void *bytes, size_t length);

// Receive until the server hangs up, or fail the test.
void raw_expect_end(int fd);

// Connect and import 1-1.
int raw_import(const struct forked_server *server);
void raw_send_import(int fd);
uint32_t raw_expect_import(int fd); // the status; a record is received behind 0

// The list of devices.
void raw_list(int fd);
void raw_expect_list(int fd);

// GET_DESCRIPTOR(DEVICE) of 18 bytes, which causes no bus reset.
void raw_get_device(int fd, uint32_t seqnum);
void raw_expect_device(int fd, uint32_t seqnum);

#endif
