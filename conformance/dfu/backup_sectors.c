// SPDX-License-Identifier: MIT

#include <string.h>

#include "backup_sectors.h"

size_t backup_region_size(const struct dfuse_region *region)
{
    return (size_t)region->sectors * region->sector_size;
}

bool backup_next_region(const struct dfuse_layout *layout, struct backup_place *place)
{
    const struct dfuse_region *region = place->region ? place->region + 1 : layout->regions;
    size_t at = place->region ? place->at + backup_region_size(place->region) : 0;
    for (; region < layout->regions + layout->count; region++) {
        if (region->access & DFUSE_READABLE) {
            *place = (struct backup_place){region, at};
            return true;
        }
    }
    return false;
}

bool backup_next_sector(const struct dfuse_layout *layout, struct backup_sector *sector)
{
    struct backup_place *place = &sector->place;
    sector->at += sector->length;
    while (!place->region || sector->at == place->at + backup_region_size(place->region)) {
        if (!backup_next_region(layout, place))
            return false;
    }
    sector->address = place->region->address + (uint32_t)(sector->at - place->at);
    sector->length = place->region->sector_size;
    sector->number++;
    return true;
}

static bool is_restless(const struct backup *backup, const struct backup_sector *sector)
{
    return backup->restless[sector->number - 1];
}

bool backup_next_difference(const struct backup *backup,
                            const uint8_t *kept,
                            const uint8_t *found,
                            struct backup_sector *sector)
{
    while (backup_next_sector(&backup->memory, sector)) {
        if (!is_restless(backup, sector) &&
            memcmp(kept + sector->at, found + sector->at, sector->length) != 0)
            return true;
    }
    return false;
}

size_t backup_readable_size(const struct dfuse_layout *layout)
{
    struct backup_place place = {.region = NULL};
    size_t total = 0;
    while (backup_next_region(layout, &place))
        total = place.at + backup_region_size(place.region);
    return total;
}

size_t backup_count_sectors(const struct dfuse_layout *layout)
{
    struct backup_sector sector = {.at = 0};
    while (backup_next_sector(layout, &sector))
        ;
    return sector.number;
}

static bool is_page(const struct backup *backup, uint32_t address)
{
    return address >= backup->address && address - backup->address < backup->length;
}

bool backup_same_beside(
    const struct backup *backup, const uint8_t *kept, const uint8_t *found, char *why, size_t size)
{
    struct backup_sector sector = {.at = 0};
    while (backup_next_difference(backup, kept, found, &sector)) {
        if (is_page(backup, sector.address))
            continue;
        backup_difference(why, size, sector.address, kept + sector.at, found + sector.at,
                          sector.length);
        return false;
    }
    return true;
}
