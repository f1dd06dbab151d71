// SPDX-License-Identifier: MIT
//
// script.h - a fuzzer's bytes, read as a script: behind their end are zeros.

#ifndef FUZZ_SCRIPT_H
#define FUZZ_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// What libFuzzer calls. Returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct script {
    const uint8_t *bytes;
    size_t length;
};

static inline uint8_t script_u8(struct script *script)
{
    if (script->length == 0)
        return 0;
    script->length--;
    return *script->bytes++;
}

static inline uint16_t script_u16(struct script *script)
{
    uint8_t low = script_u8(script);

    return (uint16_t)(low | script_u8(script) << 8);
}

static inline uint32_t script_u32(struct script *script)
{
    uint32_t low = script_u16(script);

    return low | (uint32_t)script_u16(script) << 16;
}

// The next bytes, at most length. Returns how many.
static inline size_t script_bytes(struct script *script, void *bytes, size_t length)
{
    if (length > script->length)
        length = script->length;
    if (length > 0)
        memcpy(bytes, script->bytes, length);
    script->bytes += length;
    script->length -= length;
    return length;
}

#endif
