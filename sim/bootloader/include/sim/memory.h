// SPDX-License-Identifier: MIT
//
// memory.h - the memory that a boot loader writes.
//
// A boot loader knows memory by address and by three functions, so that it programs the model in
// flash.h, or the flash of the virtual STM32F072 out of which the processor executes, without
// knowing which.

#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Pages of one size that follow each other.
struct memory_group {
    uint32_t pages; // 0 ends a list
    uint32_t page_size;
    bool read_only;
};

struct memory {
    // How many bytes can be read at this address, at most length; they are copied to data. 0 right
    // behind the end of a memory, negative where there is none.
    int (*read)(void *context, uint32_t address, uint8_t *data, size_t length);

    // Erase the page that holds this address. Returns whether there is one.
    bool (*erase)(void *context, uint32_t address);

    // Program one half-word. Returns false where it is not erased, or where there is no memory.
    bool (*program)(void *context, uint32_t address, uint16_t half_word);

    void *context;
    uint32_t base; // of the main flash
    uint32_t size;
    uint32_t page_size;                // of the first page
    const struct memory_group *groups; // NULL: all pages are of one size, and can be erased
    uint16_t erase_ms;                 // of a page; a mass erase takes as long
    uint16_t program_us;               // of a half-word
};

struct memory_page {
    uint32_t address;
    uint32_t size; // 0: no page is there
    bool read_only;
};

// The page of the main flash that holds this address.
struct memory_page memory_page_at(const struct memory *memory, uint32_t address);

#endif
