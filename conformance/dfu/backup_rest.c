// SPDX-License-Identifier: MIT
//
// The memory of a DfuSe device beside the page that checks write. No request addresses it, but a
// wrong loader may use another address. So all readable memory is read as well, twice, with a start
// of the firmware between, stored in the file, compared afterwards, and restored sector by sector
// where it differs. A sector that changes by itself is neither compared nor written.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_sectors.h"
#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>

enum {
    MOST_REST = 2 << 20, // bytes: more take minutes to read
    WHOLE = DFUSE_READABLE | DFUSE_ERASABLE | DFUSE_WRITABLE,
};

// ---- Read and put back ----

// Returns false with the reason in why.
static bool read_all(struct probe *probe, uint8_t *bytes, char *why, size_t size)
{
    struct backup_place place = {.region = NULL};
    while (backup_next_region(&probe->backup->memory, &place)) {
        if (place.region->sectors > 0 && !dfuse_read(probe, place.region->address, bytes + place.at,
                                                     backup_region_size(place.region), why, size))
            return false;
    }
    return true;
}

static bool note_restless(struct backup *backup, const uint8_t *again)
{
    struct backup_sector sector = {.at = 0};
    backup->restless = calloc(backup_count_sectors(&backup->memory), sizeof *backup->restless);
    while (backup->restless && backup_next_sector(&backup->memory, &sector))
        backup->restless[sector.number - 1] =
            memcmp(backup->rest + sector.at, again + sector.at, sector.length) != 0;
    return backup->restless;
}

static void forget_rest(struct backup *backup)
{
    free(backup->rest);
    backup->rest = NULL;
}

static void read_rest(struct probe *probe)
{
    enum { READINGS = 8 }; // in a run of all checks
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    size_t total = backup_readable_size(&backup->memory);
    uint64_t start_us = probe_now_us(probe);
    if (total == 0 || total > MOST_REST)
        return;
    backup->rest = malloc(total);
    if (backup->rest && !read_all(probe, backup->rest, why, sizeof why))
        forget_rest(backup);
    else if (backup->rest)
        backup_foretell(probe, "upload", total, probe_now_us(probe) - start_us, READINGS);
}

static void settle_rest(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    if (!backup->rest)
        return;
    uint8_t *again = malloc(backup_readable_size(&backup->memory));
    if (!again || !read_all(probe, again, why, sizeof why) || !note_restless(backup, again))
        forget_rest(backup);
    free(again);
}

// A firmware may count its starts in flash, or write its settings into the page that was blank.
// What an interrupted run has left is not started.
static bool pass_a_start(struct probe *probe)
{
    struct backup *backup = probe->backup;
    char why[PROBE_WORDS];
    if (backup->restore)
        return true;
    if (!backup_starts_between(probe))
        return backup_refuse(backup, "the device left DFU mode and was not found in it again");
    if (backup_compare_page(probe, why, sizeof why))
        return true;
    backup->fate.differs = false;
    return backup_refuse(backup, "the page that checks would write changes by itself; name another "
                                 "one with --scratch");
}

static bool put_back_sector(struct probe *probe,
                            const struct backup_sector *sector,
                            const uint8_t *bytes,
                            char *why,
                            size_t size)
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

// Nothing is erased, and nobody blamed, because of a byte that was misread: the sector is read
// again, into found.
static bool read_sector_again(
    struct probe *probe, const struct backup_sector *sector, uint8_t *found, char *why, size_t size)
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
    struct backup_sector sector = {.at = 0};
    while (backup_next_difference(backup, backup->rest, found, &sector)) {
        if (!read_sector_again(probe, &sector, found, why, size))
            return false;
    }
    return true;
}

static bool put_back_all(struct probe *probe, const uint8_t *found, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    struct backup_sector sector = {.at = 0};
    while (backup_next_difference(backup, backup->rest, found, &sector)) {
        const uint8_t *bytes = backup->rest + sector.at;
        backup_difference(why, size, sector.address, bytes, found + sector.at, sector.length);
        if (!put_back_sector(probe, &sector, bytes, why, size))
            return false;
    }
    return true;
}

bool backup_compare_rest(struct probe *probe, bool *ret_same, char *why, size_t size)
{
    const struct backup *backup = probe->backup;
    uint8_t *found = malloc(backup_readable_size(&backup->memory));
    bool read = found && read_all(probe, found, why, size) && confirm(probe, found, why, size);
    if (read)
        *ret_same = backup_same_beside(backup, backup->rest, found, why, size) &&
                    backup_compare_others(probe, why, size);
    free(found);
    return read;
}

static bool all_is_same(const struct backup *backup, const uint8_t *found)
{
    struct backup_sector sector = {.at = 0};
    return !backup_next_difference(backup, backup->rest, found, &sector);
}

// What could not be read is not known to differ, and is not written.
static bool restore_rest(struct probe *probe, char *why, size_t size)
{
    struct backup *backup = probe->backup;
    if (!backup->rest)
        return true;
    uint8_t *found = malloc(backup_readable_size(&backup->memory));
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

bool backup_keep_rest(struct probe *probe)
{
    struct backup *backup = probe->backup;
    bool given = backup->restore && backup->restore->more_count > 0;
    if (backup->restore && !given)
        return true;
    read_rest(probe);
    backup_keep_others(probe);
    if (!pass_a_start(probe))
        return false;
    settle_rest(probe);
    backup_settle_others(probe);
    if (given && !backup->rest)
        return backup_refuse(backup, "the memory that the file to restore names cannot be read");
    return !given || backup_take_elements(probe);
}
