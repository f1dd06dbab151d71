// SPDX-License-Identifier: MIT
//
// hash.h - tells a complete image from a part of one: FNV-1a over little-endian words of 4 bytes,
// and over what is left of them byte by byte.
//
// Each step is reversible, so any change of a single word changes the result. It is fast: 5 MiB are
// hashed each time a board starts. Begin with HASH_START; pieces but the last are multiples of 4
// bytes.

#ifndef SIM_HASH_H
#define SIM_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT32_C(0x811C9DC5)

uint32_t sim_hash(uint32_t hash, const uint8_t *bytes, size_t length);

#endif
