// SPDX-License-Identifier: MIT
//
// The memory of a DfuSe device beside the page that checks write. No request addresses it, but a
// wrong loader may use another address. So all readable memory is read as well, twice, stored in
// the file, compared afterwards, and restored sector by sector where it differs. A sector that
// changes by itself is neither compared nor written.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>

enum {
    MOST_REST = 2 << 20, // bytes: more take minutes to read
    WHOLE = DFUSE_READABLE | DFUSE_ERASABLE | DFUSE_WRITABLE,
};

static size_t size_of(const struct dfuse_region *region)
{
    return (size_t)region->sectors * region->sector_size;
}

// ---- What is kept: the regions that can be read, one behind the other ----

// A region, and where its bytes begin in what is kept.
struct place {
    const struct dfuse_region *region; // NULL: before the first
    size_t at;
};

static bool next_region(const struct dfuse_layout *layout, struct place *place)
{
    const struct dfuse_region *region = place->region ? place->region + 1 : layout->regions;
    size_t at = place->region ? place->at + size_of(place->region) : 0;
    for (; region < layout->regions + layout->count; region++) {
        if (region->access & DFUSE_READABLE) {
            *place = (struct place){region, at};
            return true;
        }
    }
    return false;
}

struct sector {
    struct place place; // of its region
    uint32_t address;
    size_t at;
    size_t length;
    size_t number; // from 1
};

static bool next_sector(const struct dfuse_layout *layout, struct sector *sector)
{
    struct place *place = &sector->place;
    sector->at += sector->length;
    while (!place->region || sector->at == place->at + size_of(place->region)) {
        if (!next_region(layout, place))
            return false;
    }
    sector->address = place->region->address + (uint32_t)(sector->at - place->at);
    sector->length = place->region->sector_size;
    sector->number++;
    return true;
}

static bool is_restless(const struct backup *backup, const struct sector *sector)
{
    return backup->restless[sector->number - 1];
}

// The next sector that was found to hold other bytes than are kept, and does not change by itself.
static bool next_difference(const struct backup *backup,
                            const uint8_t *kept,
                            const uint8_t *found,
                            struct sector *sector)
{
    while (next_sector(&backup->memory, sector)) {
        if (!is_restless(backup, sector) &&
            memcmp(kept + sector->at, found + sector->at, sector->length) != 0)
            return true;
    }
    return false;
}

static size_t readable_size(const struct dfuse_layout *layout)
{
    struct place place = {.region = NULL};
    size_t total = 0;
    while (next_region(layout, &place))
        total = place.at + size_of(place.region);
    return total;
}

// ---- Read and put back ----

// Returns false with the reason in why.
static bool read_all(struct probe *probe, uint8_t *bytes, char *why, size_t size)
{
    struct place place = {.region = NULL};
    while (next_region(&probe->backup->memory, &place)) {
        if (place.region->sectors > 0 && !dfuse_read(probe, place.region->address, bytes + place.at,
                                                     size_of(place.region), why, size))
            return false;
    }
    return true;
}

static size_t count_sectors(const struct dfuse_layout *layout)
{
    struct sector sector = {.at = 0};
    while (next_sector(layout, &sector))
        ;
    return sector.number;
}

static bool note_restless(struct backup *backup, const uint8_t *again)
{
    struct sector sector = {.at = 0};
    backup->restless = calloc(count_sectors(&backup->memory), sizeof *backup->restless);
    while (backup->restless && next_sector(&backup->memory, &sector))
        backup->restless[sector.number - 1] =
            memcmp(backup->rest + sector.at, again + sector.at, sector.length) != 0;
    return backup->restless;
}

static void read_rest(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    size_t total = readable_size(&backup->memory);
    if (total == 0 || total > MOST_REST)
        return;
    uint8_t *again = malloc(total);
    backup->rest = malloc(total);
    bool read = again && backup->rest && read_all(probe, backup->rest, why, sizeof why) &&
                read_all(probe, again, why, sizeof why) && note_restless(backup, again);
    free(again);
    if (read)
        return;
    free(backup->rest);
    backup->rest = NULL;
}

static bool put_back_sector(
    struct probe *probe, const struct sector *sector, const uint8_t *bytes, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    if ((sector->place.region->access & WHOLE) != WHOLE)
        return false;
    gate_keep_page(&probe->gate, sector->address, sector->length);
    bool done = dfuse_erase(probe, sector->address, why, size) &&
                (backup_is_blank(bytes, sector->length) ||
                 dfuse_write(probe, sector->address, bytes, sector->length, why, size));
    gate_keep_page(&probe->gate, backup->address, backup->length);
    return done;
}

// Nothing is erased because of a byte that was misread: the sector is read again, into found.
static bool read_sector_again(
    struct probe *probe, const struct sector *sector, uint8_t *found, char *why, size_t size)
{
    uint8_t *again = malloc(sector->length);
    bool read = again && dfuse_read(probe, sector->address, again, sector->length, why, size);
    bool same = read && memcmp(again, probe->backup->rest + sector->at, sector->length) == 0;
    bool agreed = same || (read && memcmp(again, found + sector->at, sector->length) == 0);
    if (same)
        memcpy(found + sector->at, again, sector->length);
    if (read && !agreed)
        snprintf(why, size, "two reads of the sector at %08Xh differ", (unsigned)sector->address);
    free(again);
    return agreed;
}

static bool confirm(struct probe *probe, uint8_t *found, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    struct sector sector = {.at = 0};
    while (next_difference(backup, backup->rest, found, &sector)) {
        if (!read_sector_again(probe, &sector, found, why, size))
            return false;
    }
    return true;
}

static bool put_back_all(struct probe *probe, const uint8_t *found, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    struct sector sector = {.at = 0};
    while (next_difference(backup, backup->rest, found, &sector)) {
        const uint8_t *bytes = backup->rest + sector.at;
        backup_difference(why, size, sector.address, bytes, found + sector.at, sector.length);
        if (!put_back_sector(probe, &sector, bytes, why, size))
            return false;
    }
    return true;
}

// ---- Compared alone, the page aside ----

static bool is_page(const struct backup *backup, uint32_t address)
{
    return address >= backup->address && address - backup->address < backup->length;
}

static bool rest_is_same(
    const struct backup *backup, const uint8_t *kept, const uint8_t *found, char *why, size_t size)
{
    struct sector sector = {.at = 0};
    while (next_difference(backup, kept, found, &sector)) {
        if (is_page(backup, sector.address))
            continue;
        backup_difference(why, size, sector.address, kept + sector.at, found + sector.at,
                          sector.length);
        return false;
    }
    return true;
}

bool backup_compare_rest(struct probe *probe, bool *ret_same, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    uint8_t *found = malloc(readable_size(&backup->memory));
    bool read = found && read_all(probe, found, why, size);
    if (read)
        *ret_same = rest_is_same(backup, backup->rest, found, why, size) &&
                    backup_compare_others(probe, why, size);
    free(found);
    return read;
}

static bool all_is_same(const struct backup *backup, const uint8_t *found)
{
    struct sector sector = {.at = 0};
    return !next_difference(backup, backup->rest, found, &sector);
}

// What could not be read is not known to differ, and is not written.
static bool restore_rest(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    if (!backup->rest)
        return true;
    uint8_t *found = malloc(readable_size(&backup->memory));
    bool read = found && read_all(probe, found, why, size) && confirm(probe, found, why, size);
    bool same = read && all_is_same(backup, found);
    if (read && !same)
        same = put_back_all(probe, found, why, size) && read_all(probe, found, why, size) &&
               all_is_same(backup, found);
    backup->fate.differs_beside = read && !same;
    free(found);
    return same;
}

bool backup_restore_rest(struct probe *probe, char *why, size_t size)
{
    if (!restore_rest(probe, why, size))
        return false;
    bool same = backup_compare_others(probe, why, size);
    probe->backup->fate.differs_beside |= !same;
    return same;
}

// ---- In a file ----

void backup_put_elements(const struct backup *backup, struct image_file *image)
{
    struct place place = {.region = NULL};
    image->more_count = 0;
    while (backup->rest && next_region(&backup->memory, &place)) {
        if (backup_region_is_usable(place.region) && image->more_count < IMAGE_ELEMENTS - 1)
            image->more[image->more_count++] = (struct image_element){
                place.region->address, size_of(place.region), backup->rest + place.at};
    }
}

// Over what is kept of one region, all of it; returns whether it can be written there.
static bool lay_over(struct backup *backup, uint8_t *bytes, const struct image_element *element)
{
    struct place place = {.region = NULL};
    while (next_region(&backup->memory, &place)) {
        const struct dfuse_region *region = place.region;
        uint32_t offset = element->address - region->address;
        if (backup_region_is_usable(region) && element->address >= region->address &&
            offset <= size_of(region) && element->length <= size_of(region) - offset) {
            memcpy(bytes + place.at + offset, element->bytes, element->length);
            return true;
        }
    }
    return false;
}

static bool lay_all_over(struct backup *backup, uint8_t *bytes)
{
    const struct image_file *image = backup->restore;
    const struct image_element first = {image->address, image->length, image->bytes};
    bool fits = true;
    for (size_t i = 0; i < image->more_count; i++)
        fits &= lay_over(backup, bytes, &image->more[i]);
    return lay_over(backup, bytes, &first) && fits;
}

// What a person wants to be written is compared.
static void expect_as_given(struct backup *backup, const uint8_t *bytes)
{
    struct sector sector = {.at = 0};
    while (next_sector(&backup->memory, &sector))
        backup->restless[sector.number - 1] &=
            memcmp(bytes + sector.at, backup->rest + sector.at, sector.length) == 0;
}

// What an interrupted run left is restored only where the page alone has changed. Other memory may
// have been written by a wrong loader, or by a person since.
static bool take_elements(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char difference[PROBE_WORDS / 2];
    size_t total = readable_size(&backup->memory);
    uint8_t *bytes = malloc(total);
    bool fits = bytes && memcpy(bytes, backup->rest, total) && lay_all_over(backup, bytes);
    bool own = backup->restore != &backup->file.left ||
               (fits && rest_is_same(backup, bytes, backup->rest, difference, sizeof difference));
    if (fits && backup->restore != &backup->file.left)
        expect_as_given(backup, bytes);
    free(fits && own ? backup->rest : bytes);
    if (fits && own)
        backup->rest = bytes;
    if (!fits)
        return backup_refuse(backup, "the file to restore names memory that cannot be written");
    if (!own)
        snprintf(backup->why, sizeof backup->why,
                 "beside the page, the backup of an earlier run is not what the device holds: "
                 "%.90s; give it with --restore, or delete it",
                 difference);
    return own;
}

bool backup_keep_rest(struct probe *probe)
{
    struct backup *backup = probe->backup;
    bool given = backup->restore && backup->restore->more_count > 0;
    if (backup->restore && !given)
        return true;
    read_rest(probe);
    if (given && !backup->rest)
        return backup_refuse(backup, "the memory that the file to restore names cannot be read");
    if (given && !take_elements(probe))
        return false;
    backup_keep_others(probe);
    return true;
}
