// SPDX-License-Identifier: MIT
//
// crc.h - the CRC calculation unit (RM0091 chapter 12): whole.

#ifndef F072_CRC_H
#define F072_CRC_H

#include <stdint.h>

struct f072_crc {
    uint32_t value; // of DR, before it is reversed
    uint32_t idr;
    uint32_t cr;
    uint32_t init;
    uint32_t pol;
};

void f072_crc_reset(struct f072_crc *crc);
uint32_t f072_crc_read(const struct f072_crc *crc, uint32_t offset);

// size is that of the access: DR takes 1, 2 or 4 bytes.
void f072_crc_write(struct f072_crc *crc, uint32_t offset, uint32_t value, unsigned size);

#endif
