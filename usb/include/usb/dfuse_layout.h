// SPDX-License-Identifier: MIT
//
// dfuse_layout.h - the memory of a DfuSe device, as the name of an alternate setting describes it
// (UM0424 10.3.2): "@Internal Flash  /0x08000000/04*016Ka,12*016Kg" is 4 sectors of 16 KB at
// 08000000h that can be read, and 12 behind them that can be read, erased and written.
//
//     layout:  @NAME group...
//     group:   /0xADDRESS/ sectors[,sectors...]   each list of sectors begins where the last ended
//     sectors: COUNT*SIZE UNIT TYPE               UNIT: K, M, B, a blank, or none (bytes);
//                                                 TYPE: a..g, bits 0 read, 1 erase, 2 write
//
// The parser takes what dfu-util takes: any number of groups, digits without leading zeros, blanks
// before a number. At a syntax error it keeps the regions before, as dfu-util does, and reports
// what it expected; it never guesses a region.

#ifndef USB_DFUSE_LAYOUT_H
#define USB_DFUSE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DFUSE_READABLE = 1,
    DFUSE_ERASABLE = 2,
    DFUSE_WRITABLE = 4,

    DFUSE_MAX_REGIONS = 64,
};

// Sectors of one size and kind.
struct dfuse_region {
    uint32_t address;
    uint32_t sectors;
    uint32_t sector_size; // bytes
    unsigned access;      // DFUSE_...
};

struct dfuse_layout {
    struct dfuse_region regions[DFUSE_MAX_REGIONS];
    size_t count;
    char problem[160]; // what was not understood, and where; empty where all of the text was
};

// Returns whether there is a region; ret_layout->problem is set in either case.
bool dfuse_layout_parse(struct dfuse_layout *ret_layout, const char *text);

// The region that holds this address, or NULL.
const struct dfuse_region *dfuse_layout_find(const struct dfuse_layout *layout, uint32_t address);

#endif
