// SPDX-License-Identifier: MIT
//
// test_machine.h - a processor with a little memory around it, for the tests of armv6m.
//
// Flash at 0x08000000 and at 0 holds the vector table; reset starts at CODE. Each exception n has
// its handler at HANDLER(n), which is a single `bx lr` until a test puts something else there.
// At MMIO there is a peripheral of 16 words that stores what is written; every other address
// is a bus fault.

#ifndef ARMV6M_TEST_MACHINE_H
#define ARMV6M_TEST_MACHINE_H

#include <armv6m/armv6m.h>

enum {
    FLASH = 0x08000000,
    SRAM = 0x20000000,
    MMIO = 0x40000000,
    NOWHERE = 0x60000000, // refused by the bus
    MEMORY_SIZE = 0x1000,
    STACK_TOP = SRAM + MEMORY_SIZE,
    CODE = FLASH + 0x800,
};

#define HANDLER(exception) ((uint32_t)FLASH + 0x100 + 0x20 * (uint32_t)(exception))

struct machine {
    struct armv6m cpu;
    uint8_t flash[MEMORY_SIZE];
    uint8_t sram[MEMORY_SIZE];
    uint32_t mmio[16];
    uint64_t accessed_at; // the cycle of the last access to the peripheral
    void (*on_write)(struct machine *machine);
};

// Everything cleared, vector table and handlers in place, reset. The peripheral holds ones.
void machine_start(struct machine *machine);

// Puts instructions somewhere in flash or SRAM.
void machine_put(struct machine *machine, uint32_t address, const uint16_t *code, size_t count);

#define PUT(machine, address, ...)                                                                 \
    machine_put(machine, address, (const uint16_t[]){__VA_ARGS__},                                 \
                sizeof((const uint16_t[]){__VA_ARGS__}) / 2)

uint32_t machine_word(const struct machine *machine, uint32_t address);
void machine_set_word(struct machine *machine, uint32_t address, uint32_t value);

// One instruction, or the entry into one exception.
enum armv6m_stop machine_step(struct machine *machine);
void machine_steps(struct machine *machine, unsigned count);

// The flags as "NZCV", with '-' for those that are clear.
const char *machine_flags(const struct machine *machine, char text[5]);

#endif
