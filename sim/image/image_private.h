// SPDX-License-Identifier: MIT
//
// image_private.h - what the formats share.

#ifndef SIM_IMAGE_PRIVATE_H
#define SIM_IMAGE_PRIVATE_H

#include <sim/image.h>

// A file that is being loaded.
struct image_file {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    const struct image *image;
    uint8_t *flash; // what the file puts where, until the whole file is known to be good
    uint32_t first; // UINT32_MAX: nothing yet
    uint32_t end;
    char *error;
    size_t error_size;
};

// Write the line that says what is wrong. Returns false.
bool image_fail(struct image_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Put bytes at an address, in flash. what is the noun for them, as in "a segment".
bool image_put(
    struct image_file *file, const char *what, uint32_t address, const uint8_t *bytes, size_t size);

bool image_load_elf(struct image_file *file);
bool image_load_hex(struct image_file *file);

// A raw binary or a DfuSe file, with or without a suffix.
bool image_load_dfu(struct image_file *file);

// The address that a binary was linked for, as far as it can be told: the start of flash where it
// cannot.
uint32_t image_linked_for(const struct image_file *file);

static inline uint32_t image_load_le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

#endif
