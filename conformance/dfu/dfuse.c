// SPDX-License-Identifier: MIT
//
// Each function first brings the device to dfuIDLE. An erase is one command; a read or a write
// sends Set Address Pointer and then transfers blocks from wBlockNum 2 on, because blocks 0 and 1
// have other meanings (AN3156 5.1). The device is back in dfuIDLE between the pointer and an
// UPLOAD, because UPLOAD is not accepted in dfuDNLOAD-IDLE.

#include <stdio.h>

#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>

static bool to_idle(struct probe *probe, char *why, size_t size)
{
    dfuse_select(probe);
    if (dfu_to_idle(probe))
        return true;
    snprintf(why, size, "dfuIDLE was not reached");
    return false;
}

bool dfuse_read(
    struct probe *probe, uint32_t address, uint8_t *bytes, size_t length, char *why, size_t size)
{
    uint16_t block_size = dfu_transfer_size(probe);
    uint16_t block = DFUSE_FIRST_BLOCK;
    if (!to_idle(probe, why, size) || !dfuse_point_at(probe, address, why, size) ||
        !to_idle(probe, why, size))
        return false;
    for (size_t at = 0; at < length; at += block_size, block++) {
        uint16_t part = length - at < block_size ? (uint16_t)(length - at) : block_size;
        int result = dfu_upload(probe, block, bytes + at, part);
        if (result == part)
            continue;
        snprintf(why, size, "UPLOAD at %08zXh: %s", address + at,
                 result < 0 ? usb_result_text(result) : "a short block");
        return false;
    }
    return to_idle(probe, why, size);
}

static bool is_there(struct probe *probe, const struct dfuse_region *region, uint32_t sector)
{
    uint8_t bytes[DEVICE_MOST_PACKET0];
    char why[PROBE_WORDS];
    uint16_t least = device_max_packet0(&probe->dfu_mode); // some loaders read no less
    bool read =
        dfuse_read(probe, region->address + sector * region->sector_size, bytes,
                   region->sector_size < least ? region->sector_size : least, why, sizeof why);
    return dfu_to_idle(probe) && read;
}

uint32_t dfuse_sectors_there(struct probe *probe, const struct dfuse_region *region)
{
    uint32_t there = 0;
    uint32_t absent = region->sectors;
    if (absent == 0 || is_there(probe, region, absent - 1))
        return absent;
    absent--;
    while (there < absent) {
        uint32_t middle = there + (absent - there) / 2;
        if (is_there(probe, region, middle))
            there = middle + 1;
        else
            absent = middle;
    }
    return there;
}

// A download of one block that must end in dfuDNLOAD-IDLE.
static bool expect_done(
    struct probe *probe, int result, const char *what, uint32_t address, char *why, size_t size)
{
    char words[PROBE_WORDS / 2];
    if (dfu_finish_block(probe, result, words, sizeof words))
        return true;
    snprintf(why, size, "%s at %08Xh: %s", what, (unsigned)address, words);
    return false;
}

bool dfuse_erase(struct probe *probe, uint32_t address, char *why, size_t size)
{
    return to_idle(probe, why, size) &&
           expect_done(probe, dfuse_command(probe, DFUSE_ERASE, address), "erase", address, why,
                       size);
}

bool dfuse_write(struct probe *probe,
                 uint32_t address,
                 const uint8_t *bytes,
                 size_t length,
                 char *why,
                 size_t size)
{
    uint16_t block_size = dfu_transfer_size(probe);
    uint16_t block = DFUSE_FIRST_BLOCK;
    if (!to_idle(probe, why, size) || !dfuse_point_at(probe, address, why, size))
        return false;
    for (size_t at = 0; at < length; at += block_size, block++) {
        uint16_t part = length - at < block_size ? (uint16_t)(length - at) : block_size;
        if (!expect_done(probe, dfu_dnload(probe, block, bytes + at, part), "write",
                         address + (uint32_t)at, why, size))
            return false;
    }
    return true;
}
