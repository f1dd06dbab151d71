// SPDX-License-Identifier: MIT
//
// Erasing and writing in ST's dialect of DFU mode (AN3156 5.1, 5.3).
//
// What is written is the one page that is kept (backup.h), and it is put back before the check
// ends.

#include <stdlib.h>
#include <string.h>

#include "dfuse_steps.h"
#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>

static bool erase(struct probe *probe)
{
    const struct backup *backup = probe->backup;
    for (size_t at = 0; at < backup->length; at += backup->sector_size) {
        if (!dfuse_begin(probe) ||
            !expect_command(probe, DFUSE_ERASE, backup->address + (uint32_t)at))
            return false;
    }
    return true;
}

// Each byte differs from the byte in memory.
static bool write_pattern(struct probe *probe, uint8_t *bytes)
{
    const struct backup *backup = probe->backup;
    uint16_t size = dfu_transfer_size(probe);
    uint16_t block = DFUSE_FIRST_BLOCK;
    for (size_t i = 0; i < backup->length; i++)
        bytes[i] = (uint8_t)(backup->bytes[i] ^ (1 + i % 255));
    // that the pointer can be set is DS-CMD-01's
    if (!erase(probe) || !given(probe, expect_command(probe, DFUSE_SET_ADDRESS, backup->address)))
        return false;
    for (size_t at = 0; at < backup->length; at += size, block++) {
        uint16_t part = backup->length - at < size ? (uint16_t)(backup->length - at) : size;
        int result = dfu_dnload(probe, block, bytes + at, part);
        if (!expect_downloaded(probe, result, part, "dfuDNLOAD-IDLE after the block"))
            return false;
    }
    return true;
}

static bool expect_page(struct probe *probe, const uint8_t *bytes, const char *expected)
{
    const struct backup *backup = probe->backup;
    uint8_t *found = malloc(backup->length);
    char why[PROBE_WORDS] = "out of memory";
    bool read = found, equal = false;
    for (int i = 0; i < DFUSE_READINGS && read && !equal; i++) {
        read = dfuse_read(probe, backup->address, found, backup->length, why, sizeof why);
        equal = read && memcmp(found, bytes, backup->length) == 0;
    }
    free(found);
    if (!read)
        return probe_inconclusive(probe, "%s", why);
    return expect(probe, equal, expected, "others");
}

// Write the pattern, then what the check does with it; the page is restored in every case.
static bool with_page(struct probe *probe,
                      bool judges_writing,
                      bool (*then)(struct probe *probe, uint8_t *bytes))
{
    char why[PROBE_WORDS] = "";
    if (!backup_given(probe))
        return false;
    uint8_t *bytes = malloc(probe->backup->length);
    if (!bytes)
        return probe_inconclusive(probe, "out of memory");
    bool met = write_pattern(probe, bytes);
    met = (judges_writing ? met : given(probe, met)) && then(probe, bytes);
    free(bytes);
    backup_restore(probe, why, sizeof why);
    return met;
}

static bool reads_as_written(struct probe *probe, uint8_t *bytes)
{
    return expect_page(probe, bytes, "the bytes that were written");
}

static bool reads_as_erased(struct probe *probe, uint8_t *bytes)
{
    memset(bytes, 0xFF, probe->backup->length);
    return erase(probe) && expect_page(probe, bytes, "FFh throughout");
}

// Before the page is put back, and the rest with it.
static bool rest_is_as_it_was(struct probe *probe, uint8_t *bytes)
{
    char why[PROBE_WORDS] = "";
    bool same;
    (void)bytes;
    if (!backup_compare_rest(probe, &same, why, sizeof why))
        return probe_inconclusive(probe, "%s", why);
    return expect(probe, same, "the memory beside the page as it was", "%s", why);
}

static bool nothing_more(struct probe *probe, uint8_t *bytes)
{
    (void)probe, (void)bytes;
    return true;
}

static void write_and_read(struct probe *probe)
{
    with_page(probe, true, reads_as_written);
}

// The page that an earlier check wrote could not be put back, and the device may be back since.
static bool is_lost(const struct probe *probe)
{
    return probe->backup && probe->backup->is_page && probe->backup->fate.lost;
}

// Only on a page that is not blank; a page that an earlier erase did not change counts as such. A
// page that was blank is put back by an erase alone.
static void erase_page(struct probe *probe)
{
    char why[PROBE_WORDS] = "";
    const struct backup *backup = probe->backup;
    if (is_lost(probe) && backup_is_blank(backup->bytes, backup->length)) {
        backup_restore(probe, why, sizeof why);
        expect_page(probe, backup->bytes, "FFh throughout");
        return;
    }
    if (backup_given(probe) && probe->gate.dirty) {
        uint8_t *bytes = malloc(probe->backup->length);
        if (bytes)
            reads_as_erased(probe, bytes);
        free(bytes);
        return;
    }
    with_page(probe, true, reads_as_erased);
}

static void write_nowhere_else(struct probe *probe)
{
    if (!backup_given(probe))
        return;
    if (probe->backup->rest)
        with_page(probe, false, rest_is_as_it_was);
    else
        probe_skip(probe, "needs memory that is read within a minute");
}

static void page_restored(struct probe *probe)
{
    char why[PROBE_WORDS] = "";
    bool written = is_lost(probe) || with_page(probe, false, nothing_more);
    backup_restore(probe, why, sizeof why);
    if (written)
        expect_step(probe, !probe->gate.dirty, "the bytes that were there before",
                    probe->backup->fate.loss);
}

#define WRITING                                                                                    \
    (NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_DFUSE | NEED_CAN_DNLOAD | NEED_CAN_UPLOAD |         \
     NEED_WRITE)

// clang-format off
static const struct check checks[] = {
    {"DS-WRITE-01", "AN3156 5.1", LEVEL_MUST,
     "an upload returns what was downloaded",
     WRITING, write_and_read},
    {"DS-WRITE-02", "AN3156 5.3", LEVEL_MUST,
     "an erased page reads FFh",
     WRITING, erase_page},
    {"DS-WRITE-03", "AN3156 5.1", LEVEL_MUST,
     "a page can be written over and put back",
     WRITING, page_restored},
    {"DS-WRITE-04", "AN3156 5.3", LEVEL_MUST,
     "erasing and writing a page leaves the rest of memory as it was",
     WRITING, write_nowhere_else},
};
// clang-format on

const struct check_group check_dfuse_page = {
    .title = "DfuSe: erase and write",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
