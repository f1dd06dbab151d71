// SPDX-License-Identifier: MIT
//
// The memory of the alternate settings that checks do not work in: option bytes, one-time
// programmable memory, external flash. Nothing is ever written there, and nothing could be put
// back: option bytes set a chip's protection. So the first bytes of each region are kept, and
// compared when all else is put back: a loader that takes one memory for another one is found out.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>

enum {
    MOST_OF_REGION = 2048,
    MOST_OTHERS = PROBE_ALTERNATES * DFUSE_MAX_REGIONS,
};

struct backup_other {
    bool compared; // not what cannot be read, or changes by itself
    uint8_t bytes[MOST_OF_REGION];
};

// A region that can be read, and how much of it is.
struct other {
    size_t alternate;
    const struct dfuse_region *region;
    uint16_t length;
};

static uint16_t length_of(struct probe *probe, const struct dfuse_region *region)
{
    uint64_t length = (uint64_t)region->sectors * region->sector_size;
    uint16_t most =
        dfu_transfer_size(probe) < MOST_OF_REGION ? dfu_transfer_size(probe) : MOST_OF_REGION;
    return length < most ? (uint16_t)length : most;
}

static size_t list_others(struct probe *probe, struct other others[MOST_OTHERS])
{
    size_t count = 0;
    for (size_t i = 0; i < probe->loader.layout_count; i++) {
        const struct dfuse_layout *layout = &probe->loader.layouts[i];
        for (size_t j = 0; layout != dfuse_layout(probe) && j < layout->count; j++) {
            const struct dfuse_region *region = &layout->regions[j];
            if (region->access & DFUSE_READABLE)
                others[count++] = (struct other){i, region, length_of(probe, region)};
        }
    }
    return count;
}

static bool read_other(struct probe *probe, const struct other *other, uint8_t *bytes)
{
    char why[PROBE_WORDS];
    uint8_t number = probe->dfu_mode.dfu->bInterfaceNumber;
    if (probe_set_interface(probe, number, (uint8_t)other->alternate) != 0 || !dfu_to_idle(probe) ||
        !dfuse_point_at(probe, other->region->address, why, sizeof why) || !dfu_to_idle(probe))
        return false;
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, DFUSE_FIRST_BLOCK, other->length);
    return probe_control(probe, &setup, bytes) == other->length;
}

static bool reads_as(struct probe *probe, const struct other *other, const uint8_t *bytes)
{
    uint8_t again[MOST_OF_REGION];
    return read_other(probe, other, again) && memcmp(bytes, again, other->length) == 0;
}

static bool is_same(struct probe *probe,
                    const struct other *other,
                    const struct backup_other *kept,
                    char *why,
                    size_t size)
{
    uint8_t found[MOST_OF_REGION];
    char bytes[PROBE_WORDS / 2];
    if (!kept->compared || !read_other(probe, other, found) ||
        memcmp(kept->bytes, found, other->length) == 0 || !reads_as(probe, other, found))
        return true;
    backup_difference(bytes, sizeof bytes, other->region->address, kept->bytes, found,
                      other->length);
    snprintf(why, size, "%s, in alternate setting %zu, which no file holds", bytes,
             other->alternate);
    return false;
}

void backup_keep_others(struct probe *probe)
{
    struct backup *backup = probe->backup;
    struct other others[MOST_OTHERS];
    size_t count = list_others(probe, others);
    backup->others = count > 0 ? calloc(count, sizeof *backup->others) : NULL;
    backup->other_count = backup->others ? count : 0;
    for (size_t i = 0; i < backup->other_count; i++)
        backup->others[i].compared = read_other(probe, &others[i], backup->others[i].bytes);
    if (backup->others)
        dfuse_select(probe);
}

void backup_settle_others(struct probe *probe)
{
    struct backup *backup = probe->backup;
    struct other others[MOST_OTHERS];
    size_t count = list_others(probe, others);
    for (size_t i = 0; i < backup->other_count && i < count; i++) {
        struct backup_other *kept = &backup->others[i];
        kept->compared = kept->compared && reads_as(probe, &others[i], kept->bytes);
    }
    if (backup->others)
        dfuse_select(probe);
}

bool backup_compare_others(struct probe *probe, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    struct other others[MOST_OTHERS];
    size_t count = list_others(probe, others);
    bool same = true;
    for (size_t i = 0; same && i < backup->other_count && i < count; i++)
        same = is_same(probe, &others[i], &backup->others[i], why, size);
    if (backup->others)
        dfuse_select(probe);
    return same;
}
