// SPDX-License-Identifier: MIT
//
// image_file.h - firmware in files: plain bytes, or a .dfu file with DFU's suffix (DFU 1.1 appendix
// B) and, for DfuSe, ST's prefix in front (UM0391 2).
//
// A suffix is recognised by its signature; then its CRC must be right. A file without one is plain
// bytes. Of DfuSe files one target with one element is understood.

#ifndef CONFORMANCE_IMAGE_FILE_H
#define CONFORMANCE_IMAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_file {
    uint8_t *bytes; // owned
    size_t length;
    bool has_suffix; // then the ids below are those of the file; FFFFh is any
    uint16_t idVendor;
    uint16_t idProduct;
    bool has_address; // DfuSe
    uint32_t address;
};

// Returns false with one line in error.
bool image_file_read(struct image_file *ret_image, const char *path, char *error, size_t size);

// The file as it is: bytes and length alone. Returns false with one line in error.
bool image_file_load(struct image_file *ret_image, const char *path, char *error, size_t size);

// dwCRC of a DFU suffix, over all that is before it.
uint32_t image_file_crc(const uint8_t *bytes, size_t length);

// Write a .dfu file, whole or not at all, and onto the disk. Returns false with one line in error.
bool image_file_write(const struct image_file *image, const char *path, char *error, size_t size);

void image_file_finish(struct image_file *image);

#endif
