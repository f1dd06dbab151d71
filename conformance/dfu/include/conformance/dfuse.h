// SPDX-License-Identifier: MIT
//
// dfuse.h - memory of a DfuSe device by address (AN3156): what the suite itself does to back up a
// page and restore it. Each function begins in any state and ends in dfuIDLE or dfuDNLOAD-IDLE;
// each returns false with the reason in why.

#ifndef CONFORMANCE_DFUSE_H
#define CONFORMANCE_DFUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/probe.h>

// How many sectors of this region can be read, from the first one on: a ROM that parts of several
// sizes share names the memory of the largest.
uint32_t dfuse_sectors_there(struct probe *probe, const struct dfuse_region *region);

// length bytes from this address, by UPLOAD.
bool dfuse_read(
    struct probe *probe, uint32_t address, uint8_t *bytes, size_t length, char *why, size_t size);

// The sector that holds address.
bool dfuse_erase(struct probe *probe, uint32_t address, char *why, size_t size);

// Erased memory.
bool dfuse_write(struct probe *probe,
                 uint32_t address,
                 const uint8_t *bytes,
                 size_t length,
                 char *why,
                 size_t size);

#endif
