// SPDX-License-Identifier: MIT
//
// The hash covers the header but for the hash itself. firmware_make() fills an image with a linear
// congruential sequence that its number seeds, so that two images differ and the same number gives
// the same image.

#include <sim/firmware.h>

#include <string.h>

#include <dfurt/usb_spec.h>

#include "hash.h"
#include <usb/bytes.h>

enum {
    MAGIC = 8,
    LENGTH = 12,
    HASH = 16,
};

static const uint8_t magic[] = {'d', 'f', 'r', 't'};

// Of all but the hash itself.
static uint32_t hash_of(const uint8_t *image, size_t length)
{
    return sim_hash(sim_hash(HASH_START, image, HASH), image + FIRMWARE_HEADER_SIZE,
                    length - FIRMWARE_HEADER_SIZE);
}

void firmware_make(uint8_t *image, size_t length, uint32_t number)
{
    uint32_t random = number;

    for (size_t i = 0; i < length; i++) {
        random = random * 1664525 + 1013904223;
        image[i] = (uint8_t)(random >> 24);
    }
    store_le32(image, 0x20004000);
    store_le32(image + 4, 0x08000101);
    memcpy(image + MAGIC, magic, sizeof magic);
    store_le32(image + LENGTH, (uint32_t)length);
    store_le32(image + HASH, hash_of(image, length));
}

bool firmware_is_whole(const uint8_t *bytes, size_t most)
{
    size_t length;

    if (most < FIRMWARE_HEADER_SIZE)
        return false;
    if (memcmp(bytes + MAGIC, magic, sizeof magic) != 0)
        return memcmp(bytes, bytes + 1, 15) != 0;
    length = load_le32(bytes + LENGTH);
    return length >= FIRMWARE_HEADER_SIZE && length <= most &&
           load_le32(bytes + HASH) == hash_of(bytes, length);
}
