// SPDX-License-Identifier: MIT
//
// The page of a DfuSe device that checks write: in a region of alternate setting 0 that can be
// read, erased and written.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>

enum {
    WHOLE = DFUSE_READABLE | DFUSE_ERASABLE | DFUSE_WRITABLE,
    MOST_SECTOR = 256 * 1024, // a larger one takes too long
    MOST_LOOKED_AT = 64,      // sectors, from the end of a region
};

bool backup_is_blank(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0xFF && memcmp(bytes, bytes + 1, length - 1) == 0;
}

// Sectors enough for a block and a byte more, so that a block that is too long has room.
static uint32_t sectors_of_scratch(struct probe *probe, const struct dfuse_region *region)
{
    uint32_t sectors = dfu_transfer_size(probe) / region->sector_size + 1;
    return sectors < region->sectors ? sectors : region->sectors;
}

// Two uploads that are equal.
static bool read_twice(struct probe *probe, uint32_t address, uint8_t *bytes, size_t length)
{
    char why[PROBE_WORDS];
    uint8_t *again = malloc(length);
    bool equal = again && dfuse_read(probe, address, bytes, length, why, sizeof why) &&
                 dfuse_read(probe, address, again, length, why, sizeof why) &&
                 memcmp(bytes, again, length) == 0;
    free(again);
    return equal;
}

static bool
keep(struct probe *probe, uint32_t address, uint8_t *bytes, size_t length, uint32_t sector_size)
{
    struct backup *backup = probe->backup;
    backup->sector_size = sector_size;
    backup->bytes = bytes;
    backup->length = length;
    backup->is_page = true;
    backup->address = address;
    backup->fate.verified = true;
    return true;
}

static bool keep_named(struct probe *probe, const struct dfuse_region *region)
{
    struct backup *backup = probe->backup;
    uint32_t offset = (backup->options.scratch - region->address) % region->sector_size;
    uint8_t *bytes = malloc(region->sector_size);
    if (bytes && read_twice(probe, backup->options.scratch - offset, bytes, region->sector_size))
        return keep(probe, backup->options.scratch - offset, bytes, region->sector_size,
                    region->sector_size);
    free(bytes);
    return backup_refuse(backup, "two reads of the page that --scratch names differ");
}

static bool keep_blank(struct probe *probe, const struct dfuse_region *region)
{
    uint32_t count = sectors_of_scratch(probe, region);
    size_t length = (size_t)count * region->sector_size;
    uint32_t looked_at = region->sectors < MOST_LOOKED_AT ? region->sectors : MOST_LOOKED_AT;
    uint8_t *bytes = malloc(length);
    for (uint32_t i = count; bytes && i <= looked_at; i++) {
        uint32_t address = region->address + (region->sectors - i) * region->sector_size;
        if (read_twice(probe, address, bytes, length) && backup_is_blank(bytes, length))
            return keep(probe, address, bytes, length, region->sector_size);
    }
    free(bytes);
    return false;
}

// What stands in the sectors of the image besides it: it is erased with them, and so put back too.
static bool read_around(
    struct probe *probe, uint8_t *bytes, size_t length, uint32_t before, uint32_t sector_size)
{
    const struct image_file *image = probe->backup->restore;
    uint32_t begin = image->address - before;
    size_t last = length - sector_size;
    bool first_is_whole = before == 0 && image->length >= sector_size;
    bool last_is_whole = last == 0 || before + image->length == length;
    return (first_is_whole || read_twice(probe, begin, bytes, sector_size)) &&
           (last_is_whole || read_twice(probe, begin + (uint32_t)last, bytes + last, sector_size));
}

static bool keep_given(struct probe *probe, const struct dfuse_region *region)
{
    struct backup *backup = probe->backup;
    const struct image_file *image = backup->restore;
    uint32_t sector_size = region->sector_size;
    uint32_t before = (image->address - region->address) % sector_size;
    uint64_t room = (uint64_t)region->sectors * sector_size - (image->address - region->address);
    size_t length = (before + image->length + sector_size - 1) / sector_size * sector_size;
    if (image->length > room)
        return backup_refuse(backup,
                             "the file to restore is larger than the memory at its address");
    uint8_t *bytes = malloc(length);
    if (!bytes)
        return backup_refuse(backup, "out of memory for the page");
    if (!read_around(probe, bytes, length, before, sector_size)) {
        free(bytes);
        return backup_refuse(backup, "two reads of what stands beside the file to restore differ");
    }
    memcpy(bytes + before, image->bytes, image->length);
    return keep(probe, image->address - before, bytes, length, sector_size);
}

bool backup_region_is_usable(const struct dfuse_region *region)
{
    return (region->access & WHOLE) == WHOLE && region->sectors > 0 &&
           region->sector_size <= MOST_SECTOR;
}

static void find_memory(struct probe *probe)
{
    struct dfuse_layout *memory = &probe->backup->memory;
    *memory = *dfuse_layout(probe);
    for (size_t i = 0; i < memory->count; i++) {
        struct dfuse_region *region = &memory->regions[i];
        if (region->access & DFUSE_READABLE)
            region->sectors = dfuse_sectors_there(probe, region);
    }
}

bool backup_keep_page(struct probe *probe)
{
    struct backup *backup = probe->backup;
    const struct dfuse_layout *layout = &backup->memory;
    if (!backup_given_whole_blocks(probe))
        return false;
    if (!(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD))
        return backup_refuse(backup, "the device cannot upload what would be overwritten");
    find_memory(probe);
    if (backup->restore) {
        const struct dfuse_region *region =
            backup->restore->has_address ? dfuse_layout_find(layout, backup->restore->address)
                                         : NULL;
        if (region && backup_region_is_usable(region))
            return keep_given(probe, region);
        return backup_refuse(backup, "the file to restore names no address that can be written; a "
                                     "DfuSe file does: dfuse-pack -b ADDRESS:FILE OUT.dfu");
    }
    if (backup->options.scratch_given) {
        const struct dfuse_region *region = dfuse_layout_find(layout, backup->options.scratch);
        if (region && backup_region_is_usable(region))
            return keep_named(probe, region);
        return backup_refuse(backup,
                             "--scratch names no page that can be read, erased and written");
    }
    for (size_t i = layout->count; i-- > 0;) {
        if (backup_region_is_usable(&layout->regions[i]) && keep_blank(probe, &layout->regions[i]))
            return true;
    }
    return backup_refuse(backup, "no page is blank; name one that may be written with --scratch");
}

// Memory that needs no erasing may keep what it holds when it is told to.
bool backup_put_page(struct probe *probe, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    for (size_t at = 0; at < backup->length; at += backup->sector_size) {
        if (!dfuse_erase(probe, backup->address + (uint32_t)at, why, size))
            return false;
    }
    return (backup_is_blank(backup->bytes, backup->length) &&
            backup_compare_page(probe, why, size)) ||
           dfuse_write(probe, backup->address, backup->bytes, backup->length, why, size);
}

bool backup_compare_page(struct probe *probe, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    uint8_t *found = malloc(backup->length);
    bool read = found && dfuse_read(probe, backup->address, found, backup->length, why, size);
    bool equal = read && memcmp(found, backup->bytes, backup->length) == 0;
    probe->backup->fate.differs = read && !equal;
    if (read && !equal)
        backup_difference(why, size, backup->address, backup->bytes, found, backup->length);
    free(found);
    return equal;
}
