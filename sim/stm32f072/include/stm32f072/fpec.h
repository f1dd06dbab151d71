// SPDX-License-Identifier: MIT
//
// fpec.h - the flash program and erase controller (RM0091 chapter 3) and the option bytes (chapter
// 4), as the processor programs them. The bytes themselves belong to the board.
//
// An operation takes effect at once and leaves BSY set for as long as it would take.

#ifndef F072_FPEC_H
#define F072_FPEC_H

#include <stdbool.h>
#include <stdint.h>

enum {
    F072_FLASH_BASE = 0x08000000,
    F072_FLASH_SIZE = 0x20000, // of the largest chip
    F072_OPTIONS_BASE = 0x1FFFF800,
    F072_OPTIONS_SIZE = 16,
};

// The keys of FLASH_KEYR and FLASH_OPTKEYR (RM0091 3.2.2).
#define F072_FLASH_KEY1 UINT32_C(0x45670123)
#define F072_FLASH_KEY2 UINT32_C(0xCDEF89AB)

// Register offsets (RM0091 3.5).
enum {
    F072_FLASH_ACR = 0x00,
    F072_FLASH_KEYR = 0x04,
    F072_FLASH_OPTKEYR = 0x08,
    F072_FLASH_SR = 0x0C,
    F072_FLASH_CR = 0x10,
    F072_FLASH_AR = 0x14,
    F072_FLASH_OBR = 0x1C,
    F072_FLASH_WRPR = 0x20,
};

enum {
    F072_FLASH_SR_BSY = 1 << 0,
    F072_FLASH_SR_PGERR = 1 << 2,
    F072_FLASH_SR_WRPRTERR = 1 << 4,
    F072_FLASH_SR_EOP = 1 << 5,

    F072_FLASH_CR_PG = 1 << 0,
    F072_FLASH_CR_PER = 1 << 1,
    F072_FLASH_CR_MER = 1 << 2,
    F072_FLASH_CR_OPTPG = 1 << 4,
    F072_FLASH_CR_OPTER = 1 << 5,
    F072_FLASH_CR_STRT = 1 << 6,
    F072_FLASH_CR_LOCK = 1 << 7,
    F072_FLASH_CR_OPTWRE = 1 << 9,
    F072_FLASH_CR_ERRIE = 1 << 10,
    F072_FLASH_CR_EOPIE = 1 << 12,
    F072_FLASH_CR_OBL_LAUNCH = 1 << 13,
};

struct f072_fpec {
    uint8_t *bytes;
    uint32_t size;      // how many of them
    uint32_t page_size; // in bytes
    uint8_t *options;   // F072_OPTIONS_SIZE of them
    uint32_t acr;
    uint32_t sr; // without BSY; EOP appears when the operation is over
    uint32_t cr;
    uint32_t ar;
    uint32_t obr; // option bytes as loaded by the last reset
    uint32_t wrpr;
    bool key1;        // the first key was right
    bool option_key1; // the same for the option bytes
    bool shut;        // a wrong key: locked until a reset
    uint32_t result;  // what SR gets when the operation is over
    uint64_t busy_until_ns;
};

void f072_fpec_reset(struct f072_fpec *flash);
uint32_t f072_fpec_read(struct f072_fpec *flash, uint32_t offset, uint64_t now_ns);

// Returns false for a bus fault (a wrong key).
bool f072_fpec_write(struct f072_fpec *flash, uint32_t offset, uint32_t value, uint64_t now_ns);

// A write into the memory itself. Returns false for a bus fault: not a half-word.
bool f072_fpec_program(
    struct f072_fpec *flash, uint32_t address, unsigned size, uint16_t value, uint64_t now_ns);

// The end of the operation under way, if it interrupts.
uint64_t f072_fpec_next_event(const struct f072_fpec *flash);
bool f072_fpec_interrupt(struct f072_fpec *flash, uint64_t now_ns);

#endif
