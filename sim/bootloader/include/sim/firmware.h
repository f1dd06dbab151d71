// SPDX-License-Identifier: MIT
//
// firmware.h - the firmware image of a native board, and whether it is complete.
//
// A native board executes no code from its flash. It is shipped with an image nevertheless, and
// tests it before it starts it, as an incomplete image would crash a processor. An image of these
// boards has a header behind its first two vectors:
//
//     0   initial stack pointer, reset vector
//     8   "dfrt"
//     12  length of the whole image
//     16  hash of the whole image but these four bytes
//
// all little-endian. An image with a header is whole if the header says so. An image without a
// header is another maker's and counts as complete, unless its first 16 bytes are all the same,
// which cannot be vectors.

#ifndef SIM_FIRMWARE_H
#define SIM_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIRMWARE_HEADER_SIZE = 20 };

// Make an image of this length, at least FIRMWARE_HEADER_SIZE; the same number gives the same one.
void firmware_make(uint8_t *image, size_t length, uint32_t number);

// Does a complete image begin here, of at most `most` bytes?
bool firmware_is_whole(const uint8_t *bytes, size_t most);

#endif
