// SPDX-License-Identifier: MIT
//
// firmware.h - the firmware of a native board, as far as starting it goes.
//
// A native board runs no code out of its flash; it is shipped with an image all the same, and looks
// at what it starts as a processor would find out. An image of these boards has a header behind
// its first two vectors:
//
//     0   initial stack pointer, reset vector
//     8   "dfrt"
//     12  length of the whole image
//     16  hash of the whole image but these four bytes
//
// all little-endian. An image with a header is whole if the header says so. One without is another
// maker's, and whole as far as the board can tell, unless its first 16 bytes are all the same:
// those are no vectors.

#ifndef SIM_FIRMWARE_H
#define SIM_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIRMWARE_HEADER_SIZE = 20 };

// Make an image of this length, at least FIRMWARE_HEADER_SIZE; the same number gives the same one.
void firmware_make(uint8_t *image, size_t length, uint32_t number);

// Is what begins here, of at most `most` bytes, a whole image?
bool firmware_is_whole(const uint8_t *bytes, size_t most);

#endif
