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

enum { MOST_OF_REGION = 2048 };

static uint16_t length_of(const struct probe *probe, const struct dfuse_region *region)
{
    uint64_t length = (uint64_t)region->sectors * region->sector_size;
    uint16_t most =
        dfu_transfer_size(probe) < MOST_OF_REGION ? dfu_transfer_size(probe) : MOST_OF_REGION;
    return length < most ? (uint16_t)length : most;
}

static bool read_region(struct probe *probe,
                        size_t alternate,
                        const struct dfuse_region *region,
                        uint8_t *bytes)
{
    char why[PROBE_WORDS];
    uint8_t number = probe->dfu_mode.dfu->bInterfaceNumber;
    uint16_t length = length_of(probe, region);
    if (probe_set_interface(probe, number, (uint8_t)alternate) != 0 || !dfu_to_idle(probe) ||
        !dfuse_point_at(probe, region->address, why, sizeof why) || !dfu_to_idle(probe))
        return false;
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, DFUSE_FIRST_BLOCK, length);
    return probe_control(probe, &setup, bytes) == length;
}

typedef bool look_at_region(struct probe *probe,
                            size_t alternate,
                            const struct dfuse_region *region,
                            uint8_t *kept,
                            void *context);

// What is kept of a region: whether it is compared, then its bytes. Each region that can be read,
// with its place in kept; until look returns false.
static bool for_each_region(struct probe *probe, uint8_t *kept, look_at_region *look, void *context)
{
    for (size_t i = 0; i < probe->loader.layout_count; i++) {
        const struct dfuse_layout *layout = &probe->loader.layouts[i];
        for (size_t j = 0; layout != dfuse_layout(probe) && j < layout->count; j++) {
            const struct dfuse_region *region = &layout->regions[j];
            if (!(region->access & DFUSE_READABLE))
                continue;
            if (!look(probe, i, region, kept, context))
                return false;
            kept += kept ? 1 + length_of(probe, region) : 0;
        }
    }
    return true;
}

static bool count(struct probe *probe,
                  size_t alternate,
                  const struct dfuse_region *region,
                  uint8_t *kept,
                  void *context)
{
    (void)alternate, (void)kept;
    *(size_t *)context += 1u + length_of(probe, region);
    return true;
}

// What cannot be read, or changes by itself, is not compared.
static bool keep(struct probe *probe,
                 size_t alternate,
                 const struct dfuse_region *region,
                 uint8_t *kept,
                 void *context)
{
    uint8_t again[MOST_OF_REGION];
    (void)context;
    kept[0] = read_region(probe, alternate, region, kept + 1) &&
              read_region(probe, alternate, region, again) &&
              memcmp(kept + 1, again, length_of(probe, region)) == 0;
    return true;
}

struct difference {
    char *why;
    size_t size;
};

static bool compare(struct probe *probe,
                    size_t alternate,
                    const struct dfuse_region *region,
                    uint8_t *kept,
                    void *context)
{
    const struct difference *difference = context;
    uint8_t found[MOST_OF_REGION];
    if (!kept[0] || !read_region(probe, alternate, region, found) ||
        memcmp(kept + 1, found, length_of(probe, region)) == 0)
        return true;
    char bytes[PROBE_WORDS / 2];
    backup_difference(bytes, sizeof bytes, region->address, kept + 1, found,
                      length_of(probe, region));
    snprintf(difference->why, difference->size, "%s, in alternate setting %zu, which no file holds",
             bytes, alternate);
    return false;
}

void backup_keep_others(struct probe *probe)
{
    struct backup *backup = probe->backup;
    size_t total = 0;
    for_each_region(probe, NULL, count, &total);
    if (total == 0)
        return;
    backup->others = malloc(total);
    if (backup->others)
        for_each_region(probe, backup->others, keep, NULL);
    dfuse_select(probe);
}

bool backup_compare_others(struct probe *probe, char *why, size_t size)
{
    struct difference difference = {why, size};
    if (!probe->backup->others)
        return true;
    bool same = for_each_region(probe, probe->backup->others, compare, &difference);
    dfuse_select(probe);
    return same;
}
