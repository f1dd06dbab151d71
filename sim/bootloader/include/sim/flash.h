// SPDX-License-Identifier: MIT
//
// flash.h - a model of the native boards' flash.
//
// It behaves as STM32 flash does (RM0091 3.2.2): a page is erased to FFh bytes, and only an erased
// half-word can be programmed. It has option bytes, which need no erasing here. It survives resets
// and power cuts, can be kept in a file, and can be watched (sim/flash_watch.h).
//
// Boards of one model leave the factory with the same flash. It is there once (struct
// flash_factory); a board has pages of its own where it has erased or programmed.

#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim/flash_watch.h>
#include <sim/memory.h>

enum {
    FLASH_BASE = 0x08000000,
    FLASH_SIZE = 128 * 1024,
    FLASH_PAGE_SIZE = 2048,
    FLASH_OPTIONS_BASE = 0x1FFFF800,
    FLASH_OPTIONS_SIZE = 16,
};

// The main flash of a board. Zeroed: FLASH_SIZE bytes in pages of FLASH_PAGE_SIZE.
struct flash_shape {
    uint32_t size;
    uint32_t page_size;
    const struct memory_group *groups; // as in struct memory; then size and page_size are theirs
};

struct flash {
    struct memory memory;
    uint8_t *bytes; // memory.size of them
    uint8_t options[FLASH_OPTIONS_SIZE];
    const char *file;                    // or NULL
    const struct sim_flash_watch *watch; // or NULL
    int factory;                         // bytes are those of this file until they change; -1: own
    bool mapped;                         // bytes are a copy of its file
};

// What boards leave the factory with: a flash of this shape, erased, for its owner to fill before
// the first of them takes it.
struct flash_factory {
    struct flash flash;
    int file;
};

// Erased, with the option bytes as delivered. Returns false if there is no memory.
bool flash_init(struct flash *flash, struct flash_shape shape);
void flash_finish(struct flash *flash);

// Returns false if there is no memory. Boards that have taken it are finished before.
bool flash_factory_init(struct flash_factory *factory, struct flash_shape shape);
void flash_factory_finish(struct flash_factory *factory);

// As the factory has filled it. An erase or a program operation fails where there is no memory for
// what it changes.
void flash_take(struct flash *flash, const struct flash_factory *factory);

// Keep the flash in this file from now on: take its contents if it exists. Returns false, and one
// line in error, where it cannot be read or has another size, or where a new one cannot be written.
bool flash_load(struct flash *flash, const char *file, char *error, size_t error_size);

// Write the file, whole or not at all. Nothing to do without one. Returns false with errno set.
bool flash_save(const struct flash *flash);

// Report to the watch, if there is one. bytes and size are filled in here.
void flash_tell(const struct flash *flash, struct sim_flash_event event);

#endif
