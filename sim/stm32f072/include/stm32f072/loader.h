// SPDX-License-Identifier: MIT
//
// loader.h - firmware image files: ELF executables, raw binaries, and .dfu files (a raw binary with
// the suffix of DFU 1.1 appendix B).

#ifndef F072_LOADER_H
#define F072_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stm32f072/fpec.h>

// Put an image into flash, which is erased first. Returns false, with flash untouched and one line
// in error that says what is wrong with the file.
bool f072_load_file(const char *path,
                    uint8_t flash[F072_FLASH_SIZE],
                    char *error,
                    size_t error_size);

// The same for an image in memory; name is what error calls it.
bool f072_load_image(const char *name,
                     uint8_t *image,
                     size_t size,
                     uint8_t flash[F072_FLASH_SIZE],
                     char *error,
                     size_t error_size);

#endif
