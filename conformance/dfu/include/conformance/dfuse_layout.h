// SPDX-License-Identifier: MIT
//
// dfuse_layout.h - the memory of a DfuSe device, as the name of an alternate setting tells it
// (UM0424 10.3.2): "@Internal Flash  /0x08000000/064*0002Kg" is 64 sectors of 2 KB from there,
// which can be read, erased and written.

#ifndef CONFORMANCE_DFUSE_LAYOUT_H
#define CONFORMANCE_DFUSE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    DFUSE_READABLE = 1,
    DFUSE_ERASABLE = 2,
    DFUSE_WRITABLE = 4,
};

struct dfuse_region {
    uint32_t address;
    uint32_t sectors;
    uint32_t sector_size; // bytes
    unsigned access;      // DFUSE_...
};

// The first region of the layout. Returns false if text is no layout; what goes past 4 GB is none.
bool dfuse_layout_first(const char *text, struct dfuse_region *ret_region);

#endif
