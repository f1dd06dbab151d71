// SPDX-License-Identifier: MIT
//
// image_file.h - firmware in files: plain bytes, or a .dfu file with DFU's suffix (DFU 1.1 appendix
// B) and, for DfuSe, ST's prefix in front (UM0391 2).
//
// A suffix is recognised by its signature; then its CRC must be right. A file without one is plain
// bytes, unless its name ends in .dfu: then it is damaged. An ELF, UF2 or text file without one is
// refused: a device would be given the file instead of the firmware in it. Of DfuSe files one
// target is understood, with at most IMAGE_ELEMENTS elements.

#ifndef CONFORMANCE_IMAGE_FILE_H
#define CONFORMANCE_IMAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMAGE_ELEMENTS = 64 };

struct image_element {
    uint32_t address;
    size_t length;
    const uint8_t *bytes;
};

struct image_file {
    uint8_t *bytes; // owned; of the first element
    size_t length;
    bool has_suffix; // then the ids below are those of the file; FFFFh is any
    uint16_t idVendor;
    uint16_t idProduct;
    bool has_address; // DfuSe
    uint32_t address;

    // DfuSe: the elements behind the first. Of a file that was read they lie behind bytes.
    struct image_element more[IMAGE_ELEMENTS - 1];
    size_t more_count;
};

// Returns false with one line in error.
bool image_file_read(struct image_file *ret_image, const char *path, char *error, size_t size);

// The file as it is: bytes and length alone. Returns false with one line in error.
bool image_file_load(struct image_file *ret_image, const char *path, char *error, size_t size);

// dwCRC of a DFU suffix, over all that is before it.
uint32_t image_file_crc(const uint8_t *bytes, size_t length);

// Write a .dfu file, whole or not at all, and onto the disk, its name too. Returns false with one
// line in error.
bool image_file_write(const struct image_file *image, const char *path, char *error, size_t size);

// Remove it, so that it does not come back after a power cut.
void image_file_remove(const char *path);

void image_file_finish(struct image_file *image);

#endif
