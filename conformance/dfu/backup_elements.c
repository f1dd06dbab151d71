// SPDX-License-Identifier: MIT
//
// The elements of the backup's file: a region of the memory beside the page each.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_sectors.h"

void backup_put_elements(const struct backup *backup, struct image_file *image)
{
    struct backup_place place = {.region = NULL};
    image->more_count = 0;
    while (backup->rest && backup_next_region(&backup->memory, &place)) {
        if (backup_region_is_usable(place.region) && image->more_count < IMAGE_ELEMENTS - 1)
            image->more[image->more_count++] = (struct image_element){
                place.region->address, backup_region_size(place.region), backup->rest + place.at};
    }
}

// Over what is kept of one region, all of it; returns whether it can be written there.
static bool lay_over(struct backup *backup, uint8_t *bytes, const struct image_element *element)
{
    struct backup_place place = {.region = NULL};
    while (backup_next_region(&backup->memory, &place)) {
        const struct dfuse_region *region = place.region;
        uint32_t offset = element->address - region->address;
        if (backup_region_is_usable(region) && element->address >= region->address &&
            offset <= backup_region_size(region) &&
            element->length <= backup_region_size(region) - offset) {
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
    struct backup_sector sector = {.at = 0};
    while (backup_next_sector(&backup->memory, &sector))
        backup->restless[sector.number - 1] &=
            memcmp(bytes + sector.at, backup->rest + sector.at, sector.length) == 0;
}

// What an interrupted run left is restored only where the page alone has changed. Other memory may
// have been written by a wrong loader, or by a person since.
bool backup_take_elements(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char difference[PROBE_WORDS / 2];
    size_t total = backup_readable_size(&backup->memory);
    uint8_t *bytes = malloc(total);
    bool fits = bytes && memcpy(bytes, backup->rest, total) && lay_all_over(backup, bytes);
    bool own =
        backup->restore != &backup->file.left ||
        (fits && backup_same_beside(backup, bytes, backup->rest, difference, sizeof difference));
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
