// SPDX-License-Identifier: MIT

#include "hash.h"

#include <usb/bytes.h>

static const uint32_t prime = 0x01000193;

uint32_t sim_hash(uint32_t hash, const uint8_t *bytes, size_t length)
{
    for (; length >= 4; bytes += 4, length -= 4)
        hash = (hash ^ load_le32(bytes)) * prime;
    for (; length > 0; bytes++, length--)
        hash = (hash ^ *bytes) * prime;
    return hash;
}
