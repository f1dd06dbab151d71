// SPDX-License-Identifier: MIT
//
// crc32.h - CRC-32 as in Ethernet (IEEE 802.3), bit-reflected, of any number of pieces.
//
//     crc = sim_crc32(sim_crc32(0, head, head_length), tail, tail_length);

#ifndef SIM_CRC32_H
#define SIM_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t sim_crc32(uint32_t crc, const uint8_t *bytes, size_t length);

#endif
