// SPDX-License-Identifier: MIT
//
// armv6m_bytes.h - words of the processor's memory, which is little-endian, at any place in the
// host's. The processor uses no other folder; and usb/bytes.h loads byte by byte, where each of
// these is one piece, so that a load of what has just been stored is not held up.

#ifndef ARMV6M_BYTES_H
#define ARMV6M_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t get_half(const uint8_t *bytes)
{
    uint16_t ordered;
    memcpy(&ordered, bytes, sizeof(ordered));
    return le16toh(ordered);
}

static inline uint32_t get_word(const uint8_t *bytes)
{
    uint32_t ordered;
    memcpy(&ordered, bytes, sizeof(ordered));
    return le32toh(ordered);
}

static inline void put_half(uint8_t *bytes, uint32_t value)
{
    const uint16_t ordered = htole16((uint16_t)value);
    memcpy(bytes, &ordered, sizeof(ordered));
}

static inline void put_word(uint8_t *bytes, uint32_t value)
{
    const uint32_t ordered = htole32(value);
    memcpy(bytes, &ordered, sizeof(ordered));
}

#endif
