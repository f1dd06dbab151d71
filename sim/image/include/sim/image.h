// SPDX-License-Identifier: MIT
//
// image.h - firmware image files: ELF executables, Intel HEX, raw binaries, and .dfu files, plain
// (DFU 1.1 appendix B) and DfuSe (ST UM0391).
//
// What a file is follows from its contents, not from its name. ELF, HEX and DfuSe say where their
// bytes go; a raw binary, with or without a DFU suffix, goes to where the vector table is expected.
//
// A file is an image only if the processor can start from it: a vector table lies at `start`, whose
// word 0 is a stack pointer in SRAM and whose word 1 is a Thumb address within the image. `start`
// is the beginning of flash, or where a boot loader would jump to.
//
//     struct image image = {
//         .chip = "STM32F072",
//         .flash_base = 0x08000000, .flash_size = 0x20000,
//         .sram_base = 0x20000000, .sram_size = 0x4000,
//         .start = 0x08000000, .flash = flash,
//     };
//     if (!image_load_file(&image, path, error, sizeof error))
//         ...

#ifndef SIM_IMAGE_H
#define SIM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMAGE_MAX_FILE = 64 * 1024 * 1024 }; // an ELF with all its debug information

struct image {
    // Filled in by the caller.
    const char *chip; // for a person
    uint32_t flash_base;
    uint32_t flash_size; // in bytes
    uint32_t sram_base;
    uint32_t sram_size; // in bytes
    uint32_t start;     // where the vector table is expected, in flash
    uint8_t *flash;     // flash_size bytes: FFh where the image puts nothing

    // Filled in with the image: the addresses of its first byte and behind its last.
    uint32_t first;
    uint32_t end;
};

// Load a file. Returns false, with flash untouched and one line in error that says what is wrong
// and what to do, where it cannot be read or is no image for this chip.
bool image_load_file(struct image *image, const char *path, char *error, size_t error_size);

// The same for a file in memory; name is what error calls it.
bool image_load(struct image *image,
                const char *name,
                const uint8_t *file,
                size_t size,
                char *error,
                size_t error_size);

// The function of an ELF that an address lies in, how far, and the line of the source where the ELF
// has DWARF for it: "stm32_main+1Ch, composite.c:120". Returns false, with text untouched, where
// the file has no such function, or is no ELF.
bool image_symbol(const char *path, uint32_t address, char *text, size_t size);

#endif
