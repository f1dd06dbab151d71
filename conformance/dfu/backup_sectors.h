// SPDX-License-Identifier: MIT
//
// backup_sectors.h - the places in what is kept of a DfuSe device's memory: the regions that can be
// read, one behind the other, and their sectors.
//
//     struct backup_sector sector = {.at = 0};
//     while (backup_next_sector(&backup->memory, &sector))
//         ... backup->rest + sector.at, sector.length bytes, of sector.address ...

#ifndef CONFORMANCE_BACKUP_SECTORS_H
#define CONFORMANCE_BACKUP_SECTORS_H

#include "backup_private.h"

// A region, and where its bytes begin in what is kept.
struct backup_place {
    const struct dfuse_region *region; // NULL: before the first
    size_t at;
};

struct backup_sector {
    struct backup_place place; // of its region
    uint32_t address;
    size_t at;
    size_t length;
    size_t number; // from 1
};

size_t backup_region_size(const struct dfuse_region *region);

// Each goes on from where it is. Returns false behind the last one.
bool backup_next_region(const struct dfuse_layout *layout, struct backup_place *place);
bool backup_next_sector(const struct dfuse_layout *layout, struct backup_sector *sector);

// The next sector that was found to hold other bytes than are kept, and does not change by itself.
bool backup_next_difference(const struct backup *backup,
                            const uint8_t *kept,
                            const uint8_t *found,
                            struct backup_sector *sector);

// Of all of it.
size_t backup_readable_size(const struct dfuse_layout *layout);
size_t backup_count_sectors(const struct dfuse_layout *layout);

// The page aside. Returns false with the first difference in why.
bool backup_same_beside(
    const struct backup *backup, const uint8_t *kept, const uint8_t *found, char *why, size_t size);

#endif
