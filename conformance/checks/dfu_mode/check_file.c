// SPDX-License-Identifier: MIT
//
// A firmware file for the device (--file): the suffix of DFU (DFU 1.1 appendix B), and for DfuSe
// ST's prefix, its targets and elements (UM0391 2). Nothing of it is sent.

#include <stdio.h>
#include <string.h>

#include <conformance/check_common.h>
#include <conformance/image_file.h>
#include <usb/bytes.h>

enum {
    SUFFIX_SIZE = 16,
    PREFIX_SIZE = 11,
    TARGET_SIZE = 274,
    ELEMENT_SIZE = 8,
    ANY_ID = 0xFFFF,
};

// ---- The suffix ----

// Its 16 bytes, as appendix B lays them out from the end of the file.
static const uint8_t *suffix_of(const struct probe *probe)
{
    return probe->options.file + probe->options.file_length - SUFFIX_SIZE;
}

static bool expect_suffix(struct probe *probe)
{
    if (!expect(probe, probe->options.file_length >= SUFFIX_SIZE, "a DFU suffix of 16 bytes",
                "a file of %zu bytes", probe->options.file_length))
        return false;
    const uint8_t *suffix = suffix_of(probe);
    return expect(probe, memcmp(suffix + 8, "UFD", 3) == 0, "the signature 55h 46h 44h",
                  "%02Xh %02Xh %02Xh, 8 bytes before the end: dfu-suffix adds one", suffix[8],
                  suffix[9], suffix[10]) &&
           expect(probe, suffix[11] >= SUFFIX_SIZE && suffix[11] <= probe->options.file_length,
                  "bLength of at least 16, and no more than the file", "%u", suffix[11]);
}

static void has_suffix(struct probe *probe)
{
    expect_suffix(probe);
}

static void crc_is_right(struct probe *probe)
{
    if (!given(probe, expect_suffix(probe)))
        return;
    uint32_t found = load_le32(suffix_of(probe) + 12);
    uint32_t right = image_file_crc(probe->options.file, probe->options.file_length - 4);
    char expected[32];
    snprintf(expected, sizeof expected, "dwCRC %08Xh", (unsigned)right);
    expect(probe, found == right, expected, "%08Xh", (unsigned)found);
}

static const struct device *device_of_file(const struct probe *probe)
{
    return probe->dfu_mode.seen ? &probe->dfu_mode : &probe->run_time;
}

static void version_is_right(struct probe *probe)
{
    bool dfuse = device_is_dfuse(device_of_file(probe));
    if (!given(probe, expect_suffix(probe)))
        return;
    expect_number(probe, "bcdDFU", usbdev_load_le16(suffix_of(probe) + 6), dfuse ? 0x011A : 0x0100);
}

static bool names(const struct device *device, uint16_t idVendor, uint16_t idProduct)
{
    return device->seen && (idVendor == ANY_ID || idVendor == device_vendor(device)) &&
           (idProduct == ANY_ID || idProduct == device_product(device));
}

static void is_for_device(struct probe *probe)
{
    const struct device *device = device_of_file(probe);
    char expected[64];
    if (!given(probe, expect_suffix(probe)))
        return;
    uint16_t idProduct = usbdev_load_le16(suffix_of(probe) + 2);
    uint16_t idVendor = usbdev_load_le16(suffix_of(probe) + 4);
    snprintf(expected, sizeof expected, "idVendor:idProduct %04x:%04x, or FFFFh for any",
             device_vendor(device), device_product(device));
    expect(probe,
           names(&probe->dfu_mode, idVendor, idProduct) ||
               names(&probe->run_time, idVendor, idProduct),
           expected, "%04x:%04x", idVendor, idProduct);
}

// ---- The prefix of DfuSe ----

typedef bool
look_at_element(struct probe *probe, uint8_t bAlternateSetting, uint32_t address, uint32_t size);

static bool expect_room(struct probe *probe, size_t at, size_t size, size_t end, const char *what)
{
    return expect(probe, size <= end - at, what, "the image ends at byte %zu", end);
}

// The elements of a target, up to the end of the image. Moves *at behind them.
static bool walk_target(struct probe *probe, size_t *at, size_t end, look_at_element *look)
{
    if (!expect_room(probe, *at, TARGET_SIZE, end, "a target prefix of 274 bytes"))
        return false;
    const uint8_t *target = probe->options.file + *at;
    uint32_t target_size = load_le32(target + 266);
    *at += TARGET_SIZE;
    if (!expect(probe, memcmp(target, "Target", 6) == 0, "a target that begins with \"Target\"",
                "others, at byte %zu", *at - TARGET_SIZE) ||
        !expect_room(probe, *at, target_size, end, "dwTargetSize within the image"))
        return false;
    size_t target_end = *at + target_size;
    for (uint32_t left = load_le32(target + 270); left > 0; --left) {
        if (!expect_room(probe, *at, ELEMENT_SIZE, target_end, "an element within its target"))
            return false;
        const uint8_t *element = probe->options.file + *at;
        uint32_t size = load_le32(element + 4);
        *at += ELEMENT_SIZE;
        if (!expect_room(probe, *at, size, target_end, "dwElementSize within the target") ||
            (look && !look(probe, target[6], load_le32(element), size)))
            return false;
        *at += size;
    }
    return expect(probe, *at == target_end, "elements that fill dwTargetSize exactly",
                  "they end at byte %zu, the target at %zu", *at, target_end);
}

static bool has_prefix(const struct probe *probe)
{
    return probe->options.file_length >= PREFIX_SIZE &&
           memcmp(probe->options.file, "DfuSe", 5) == 0;
}

// The whole file. That there is a suffix behind the image is judged by itself.
static bool walk_file(struct probe *probe, look_at_element *look)
{
    if (!given(probe, expect_suffix(probe)))
        return false;
    size_t end = probe->options.file_length - suffix_of(probe)[11];
    if (!expect(probe, has_prefix(probe) && end >= PREFIX_SIZE && probe->options.file[5] == 1,
                "the prefix \"DfuSe\", version 1", "another beginning") ||
        !expect_number(probe, "DFUImageSize", load_le32(probe->options.file + 6), (unsigned)end))
        return false;
    size_t at = PREFIX_SIZE;
    for (uint8_t left = probe->options.file[10]; left > 0; --left) {
        if (!walk_target(probe, &at, end, look))
            return false;
    }
    return expect(probe, at == end, "targets that fill the image exactly",
                  "they end at byte %zu, the image at %zu", at, end);
}

static void prefix_is_whole(struct probe *probe)
{
    walk_file(probe, NULL);
}

static bool holds(const struct dfuse_layout *layout, uint32_t address, uint32_t size)
{
    while (size > 0) {
        const struct dfuse_region *region = dfuse_layout_find(layout, address);
        if (!region || !(region->access & DFUSE_WRITABLE))
            return false;
        uint64_t left =
            (uint64_t)region->sectors * region->sector_size - (address - region->address);
        if (left >= size)
            return true;
        address += (uint32_t)left;
        size -= (uint32_t)left;
    }
    return true;
}

static bool fits_memory(struct probe *probe, uint8_t setting, uint32_t address, uint32_t size)
{
    return expect(probe,
                  setting < probe->loader.layout_count &&
                      holds(&probe->loader.layouts[setting], address, size),
                  "elements in memory that their alternate setting names, and can be written",
                  "%u bytes at %08Xh, alternate setting %u", (unsigned)size, (unsigned)address,
                  setting);
}

static void elements_fit(struct probe *probe)
{
    if (given(probe, walk_file(probe, NULL)))
        walk_file(probe, fits_memory);
}

static void has_no_prefix(struct probe *probe)
{
    expect(probe, !has_prefix(probe), "no prefix of DfuSe: this device would program it",
           "\"DfuSe\"");
}

// clang-format off
static const struct check checks[] = {
    {"FILE-SUFFIX-01", "DFU 1.1 B", LEVEL_MUST,
     "the file ends in a DFU suffix",
     0, has_suffix},
    {"FILE-SUFFIX-02", "DFU 1.1 B", LEVEL_MUST,
     "dwCRC of the suffix is that of the file",
     0, crc_is_right},
    {"FILE-SUFFIX-03", "DFU 1.1 B", LEVEL_MUST,
     "bcdDFU of the suffix is 0100h, or 011Ah for DfuSe",
     NEED_FUNCTIONAL, version_is_right},
    {"FILE-SUFFIX-04", "DFU 1.1 B", LEVEL_MUST,
     "idVendor and idProduct of the suffix are those of the device, or any",
     NEED_DFU_MODE, is_for_device},
    {"FILE-DFUSE-01", "UM0391 2", LEVEL_MUST,
     "the prefix, targets and elements of a file for DfuSe fill it exactly",
     NEED_DFU_MODE | NEED_DFUSE, prefix_is_whole},
    {"FILE-DFUSE-02", "UM0391 2", LEVEL_MUST,
     "the elements of a file for DfuSe lie in memory that the device has",
     NEED_DFU_MODE | NEED_DFUSE, elements_fit},
    {"FILE-PLAIN-01", "DFU 1.1 B", LEVEL_MUST,
     "a file for a device without DfuSe has no prefix of DfuSe",
     NEED_DFU_MODE | NEED_PLAIN, has_no_prefix},
};
// clang-format on

const struct check_group check_file = {
    .title = "Firmware file",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
