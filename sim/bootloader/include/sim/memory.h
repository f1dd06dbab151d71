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

struct memory {
    // How many bytes can be read at this address, at most length; they are copied to data. 0 right
    // behind the end of a memory, negative where there is none.
    int (*read)(void *context, uint32_t address, uint8_t *data, size_t length);

    // Erase the page that holds this address. Returns whether there is one.
    bool (*erase)(void *context, uint32_t address);

    // Program one half-word. Returns false where it is not erased, or is no memory.
    bool (*program)(void *context, uint32_t address, uint16_t half_word);

    void *context;
    uint32_t base; // of the main flash
    uint32_t size;
    uint16_t page_size;
    uint16_t erase_ms;   // of a page; a mass erase takes as long
    uint16_t program_us; // of a half-word
};

#endif
