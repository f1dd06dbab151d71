// SPDX-License-Identifier: MIT
//
// The memory of a DfuSe device beside the page that checks write. No request addresses it, but a
// wrong loader may use another address. So all readable memory is read as well, stored in the file,
// compared afterwards, and restored sector by sector where it differs.

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

static size_t readable_size(const struct dfuse_layout *layout)
{
    size_t total = 0;
    for (size_t i = 0; i < layout->count; i++)
        total += layout->regions[i].access & DFUSE_READABLE ? size_of(&layout->regions[i]) : 0;
    return total;
}

// One region after the other. Returns false with the reason in why.
static bool read_all(struct probe *probe, uint8_t *bytes, char *why, size_t size)
{
    const struct dfuse_layout *layout = &probe->backup->memory;
    for (size_t i = 0; i < layout->count; i++) {
        const struct dfuse_region *region = &layout->regions[i];
        if (!(region->access & DFUSE_READABLE) || region->sectors == 0)
            continue;
        if (!dfuse_read(probe, region->address, bytes, size_of(region), why, size))
            return false;
        bytes += size_of(region);
    }
    return true;
}

static void read_rest(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    size_t total = readable_size(&backup->memory);
    if (total == 0 || total > MOST_REST)
        return;
    backup->rest = malloc(total);
    if (backup->rest && read_all(probe, backup->rest, why, sizeof why))
        return;
    free(backup->rest);
    backup->rest = NULL;
}

static bool put_back_sector(struct probe *probe,
                            uint32_t address,
                            const uint8_t *bytes,
                            size_t length,
                            char *why,
                            size_t size)
{
    gate_keep_page(&probe->gate, address, length);
    bool done =
        dfuse_erase(probe, address, why, size) &&
        (backup_is_blank(bytes, length) || dfuse_write(probe, address, bytes, length, why, size));
    gate_keep_page(&probe->gate, probe->backup->address, probe->backup->length);
    return done;
}

static bool put_back_region(struct probe *probe,
                            const struct dfuse_region *region,
                            const uint8_t *kept,
                            const uint8_t *found,
                            char *why,
                            size_t size)
{
    const size_t length = region->sector_size;
    for (size_t at = 0; at < size_of(region); at += length) {
        if (memcmp(kept + at, found + at, length) == 0)
            continue;
        backup_difference(why, size, region->address + (uint32_t)at, kept + at, found + at, length);
        if ((region->access & WHOLE) != WHOLE ||
            !put_back_sector(probe, region->address + (uint32_t)at, kept + at, length, why, size))
            return false;
    }
    return true;
}

static bool put_back_all(struct probe *probe, const uint8_t *found, char *why, size_t size)
{
    const struct dfuse_layout *layout = &probe->backup->memory;
    const uint8_t *kept = probe->backup->rest;
    for (size_t i = 0; i < layout->count; i++) {
        const struct dfuse_region *region = &layout->regions[i];
        if (!(region->access & DFUSE_READABLE))
            continue;
        if (!put_back_region(probe, region, kept, found, why, size))
            return false;
        kept += size_of(region);
        found += size_of(region);
    }
    return true;
}

// ---- Compared alone, the page aside ----

static bool is_page(const struct backup *backup, uint32_t address)
{
    return address >= backup->address && address - backup->address < backup->length;
}

static bool region_is_same(const struct backup *backup,
                           const struct dfuse_region *region,
                           const uint8_t *kept,
                           const uint8_t *found,
                           char *why,
                           size_t size)
{
    const size_t length = region->sector_size;
    for (size_t at = 0; at < size_of(region); at += length) {
        uint32_t address = region->address + (uint32_t)at;
        if (is_page(backup, address) || memcmp(kept + at, found + at, length) == 0)
            continue;
        backup_difference(why, size, address, kept + at, found + at, length);
        return false;
    }
    return true;
}

static bool rest_is_same(
    const struct backup *backup, const uint8_t *kept, const uint8_t *found, char *why, size_t size)
{
    for (size_t i = 0; i < backup->memory.count; i++) {
        const struct dfuse_region *region = &backup->memory.regions[i];
        if (!(region->access & DFUSE_READABLE))
            continue;
        if (!region_is_same(backup, region, kept, found, why, size))
            return false;
        kept += size_of(region);
        found += size_of(region);
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

static bool restore_rest(struct probe *probe, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    if (!backup->rest)
        return true;
    size_t total = readable_size(&backup->memory);
    uint8_t *found = malloc(total);
    bool same =
        found && read_all(probe, found, why, size) && memcmp(found, backup->rest, total) == 0;
    if (found && !same)
        same = put_back_all(probe, found, why, size) && read_all(probe, found, why, size) &&
               memcmp(found, backup->rest, total) == 0;
    free(found);
    return same;
}

bool backup_restore_rest(struct probe *probe, char *why, size_t size)
{
    return restore_rest(probe, why, size) && backup_compare_others(probe, why, size);
}

// ---- In a file ----

void backup_put_elements(const struct backup *backup, struct image_file *image)
{
    const uint8_t *bytes = backup->rest;
    image->more_count = 0;
    for (size_t i = 0; bytes && i < backup->memory.count; i++) {
        const struct dfuse_region *region = &backup->memory.regions[i];
        if (backup_region_is_usable(region) && image->more_count < IMAGE_ELEMENTS - 1)
            image->more[image->more_count++] =
                (struct image_element){region->address, size_of(region), bytes};
        bytes += region->access & DFUSE_READABLE ? size_of(region) : 0;
    }
}

// Over what is kept of one region, all of it; returns whether it can be written there.
static bool lay_over(struct backup *backup, uint8_t *bytes, const struct image_element *element)
{
    for (size_t i = 0; i < backup->memory.count; i++) {
        const struct dfuse_region *region = &backup->memory.regions[i];
        uint32_t offset = element->address - region->address;
        if (backup_region_is_usable(region) && element->address >= region->address &&
            offset <= size_of(region) && element->length <= size_of(region) - offset) {
            memcpy(bytes + offset, element->bytes, element->length);
            return true;
        }
        bytes += region->access & DFUSE_READABLE ? size_of(region) : 0;
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

// What an interrupted run left is restored only where the page alone has changed. Other memory may
// have been written by a wrong loader, or by a person since.
static bool take_elements(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char difference[PROBE_WORDS / 2];
    size_t total = readable_size(&backup->memory);
    uint8_t *bytes = malloc(total);
    bool fits = bytes && memcpy(bytes, backup->rest, total) && lay_all_over(backup, bytes);
    bool own = backup->restore != &backup->left ||
               (fits && rest_is_same(backup, bytes, backup->rest, difference, sizeof difference));
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
