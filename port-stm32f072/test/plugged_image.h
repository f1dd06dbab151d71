// SPDX-License-Identifier: MIT
//
// plugged_image.h - for tests of the products: the virtual board with an image, plugged into a
// host.

#ifndef PLUGGED_IMAGE_H
#define PLUGGED_IMAGE_H

#include <sim/f072_board.h>

#include "plugged.h"

struct sim_host *plug(const char *image);

// SET_CONFIGURATION 1.
void configure(struct sim_host *host);

// Plugged, enumerated and configured.
struct sim_host *plug_and_configure(const char *image);

// Polls endpoint 0 for an IN packet as a host would, from *now_ns on. Returns its length, or
// SIM_NAK or SIM_STALL.
int poll_in(struct sim_host *host, uint64_t *now_ns, uint8_t data[SIM_MAX_PACKET]);

// Of the composite product: what comes in by OUT goes back by IN.
enum { LOOP_OUT = 0x01, LOOP_IN = 0x81 };

// Returns the bytes moved or an enum usb_result.
int bulk(struct sim_host *host, uint8_t endpoint, uint8_t *data, size_t length);

// A packet of this length, up to 64 bytes, is sent back.
void assert_loops(struct sim_host *host, size_t length);

#endif
