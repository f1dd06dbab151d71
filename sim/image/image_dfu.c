// SPDX-License-Identifier: MIT
//
// Raw binaries, with or without the suffix of DFU 1.1 appendix B, and ST's DfuSe files (UM0391).
//
// A DfuSe file is a prefix, a number of images, and the suffix. An image is a prefix and a number
// of elements, each an address, a size and its bytes.

#include <string.h>

#include "image_private.h"

enum {
    SUFFIX = 16, // bcdDevice, idProduct, idVendor, bcdDFU, "UFD", bLength, dwCRC
    SUFFIX_CRC = 4,
    PREFIX = 11,        // "DfuSe", bVersion, DFUImageSize, bTargets
    IMAGE_PREFIX = 274, // "Target", bAlternateSetting, bTargetNamed, szTargetName, sizes
    IMAGE_ELEMENTS = 270,
    ELEMENT_PREFIX = 8, // dwElementAddress, dwElementSize
};

// DFU 1.1 appendix B: the polynomial 04C11DB7h, reflected, from FFFFFFFFh, not inverted at the end.
static uint32_t crc32(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return crc;
}

static bool has_suffix(const struct image_file *file)
{
    return file->size >= SUFFIX && memcmp(file->bytes + file->size - 8, "UFD", 3) == 0;
}

static bool check_suffix(struct image_file *file)
{
    uint8_t bLength = file->bytes[file->size - 5];
    uint32_t dwCRC = image_load_le32(file->bytes + file->size - SUFFIX_CRC);
    uint32_t crc = crc32(file->bytes, file->size - SUFFIX_CRC);

    if (bLength < SUFFIX || bLength > file->size)
        return image_fail(file,
                          "its DFU suffix says that it is %u bytes long, in a file of %zu: the "
                          "file is damaged",
                          bLength, file->size);
    if (dwCRC != crc)
        return image_fail(file,
                          "its DFU suffix has the CRC %08Xh, and its bytes make it %08Xh: the "
                          "file is damaged",
                          dwCRC, crc);
    file->size -= bLength;
    return true;
}

// ---- DfuSe ----

static bool truncated(struct image_file *file, size_t at)
{
    return image_fail(file, "truncated: a DfuSe file that goes on behind byte %zu, where it ends",
                      at);
}

static bool load_elements(struct image_file *file, size_t *at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (file->size - *at < ELEMENT_PREFIX)
            return truncated(file, file->size);
        uint32_t address = image_load_le32(file->bytes + *at);
        uint32_t size = image_load_le32(file->bytes + *at + 4);
        *at += ELEMENT_PREFIX;
        if (file->size - *at < size)
            return truncated(file, file->size);
        if (!image_put(file, "an element", address, file->bytes + *at, size))
            return false;
        *at += size;
    }
    return true;
}

static bool load_dfuse(struct image_file *file)
{
    uint8_t targets = file->size < PREFIX ? 0 : file->bytes[PREFIX - 1];
    size_t at = PREFIX;

    if (file->size < PREFIX)
        return truncated(file, file->size);
    if (file->bytes[5] != 1)
        return image_fail(file, "a DfuSe file of version %u; only version 1 is known",
                          file->bytes[5]);
    for (unsigned i = 0; i < targets; i++) {
        if (file->size - at < IMAGE_PREFIX)
            return truncated(file, file->size);
        if (memcmp(file->bytes + at, "Target", 6) != 0)
            return image_fail(file,
                              "a DfuSe file whose image %u does not begin with \"Target\": the "
                              "file is damaged",
                              i);
        uint32_t elements = image_load_le32(file->bytes + at + IMAGE_ELEMENTS);
        at += IMAGE_PREFIX;
        if (!load_elements(file, &at, elements))
            return false;
    }
    return true;
}

// ---- A binary without addresses ----

static bool load_binary(struct image_file *file)
{
    const struct image *image = file->image;
    uint32_t place = image_linked_for(file);

    if (image->start == image->flash_base && place != image->start)
        return image_fail(file,
                          "a binary for %08Xh, behind a boot loader: the addresses in it, those of "
                          "its vector table among them, begin there; give that address: --boot "
                          "0x%08X, or boot=0x%08X in a target",
                          place, place, place);
    return image_put(file, "a binary", image->start, file->bytes, file->size);
}

// ---- Either ----

bool image_load_dfu(struct image_file *file)
{
    bool dfuse = file->size >= 5 && memcmp(file->bytes, "DfuSe", 5) == 0;

    if (has_suffix(file)) {
        if (!check_suffix(file))
            return false;
    } else if (dfuse) {
        return image_fail(file, "a DfuSe file without a DFU suffix at its end: truncated");
    }
    return dfuse ? load_dfuse(file) : load_binary(file);
}
