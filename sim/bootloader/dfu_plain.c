// SPDX-License-Identifier: MIT
//
// DFU 1.1 and nothing else: the blocks of a download follow each other from the start of the image
// on, whatever wBlockNum says, and those of an upload too.
//
// The first page is the boot loader's own: it holds a mark that says how long the image behind it
// is and what its CRC-32 must be. The first block of a download erases it, manifestation programs
// it anew: an image that is not whole never counts as firmware.

#include <string.h>

#include <sim/dfu_mode.h>

enum {
    MARK_SIZE = 12,      // magic, length, CRC-32, each little-endian
    MAGIC_LOW = 0x6664,  // "df"
    MAGIC_HIGH = 0x7572, // "ru"
};

struct image {
    uint32_t address;
    uint32_t length;
};

static uint32_t load_le32(const uint8_t *bytes)
{
    return usbdev_load_le16(bytes) | (uint32_t)usbdev_load_le16(bytes + 2) << 16;
}

static void store_le32(uint8_t *bytes, uint32_t value)
{
    usbdev_store_le16(bytes, (uint16_t)value);
    usbdev_store_le16(bytes + 2, (uint16_t)(value >> 16));
}

static uint32_t image_base(const struct memory *memory)
{
    return memory->base + memory->page_size;
}

static uint32_t image_limit(const struct memory *memory)
{
    return memory->base + memory->size;
}

// ---- The mark ----

// CRC-32 as in Ethernet; bytes that cannot be read count as nothing.
static uint32_t crc32(const struct memory *memory, struct image image)
{
    uint8_t bytes[256];
    uint32_t crc = 0xFFFFFFFF;
    uint32_t end = image.address + image.length;

    while (image.address < end) {
        size_t wanted = end - image.address < sizeof bytes ? end - image.address : sizeof bytes;
        int length = memory->read(memory->context, image.address, bytes, wanted);

        if (length <= 0)
            break;
        for (int i = 0; i < length; i++) {
            crc ^= bytes[i];
            for (int bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
        }
        image.address += (uint32_t)length;
    }
    return ~crc;
}

static void make_mark(uint8_t mark[MARK_SIZE], const struct memory *memory, uint32_t length)
{
    usbdev_store_le16(mark, MAGIC_LOW);
    usbdev_store_le16(mark + 2, MAGIC_HIGH);
    store_le32(mark + 4, length);
    store_le32(mark + 8, crc32(memory, (struct image){image_base(memory), length}));
}

// The length of the image that the mark says is whole; 0 if there is none.
static uint32_t marked_length(const struct memory *memory)
{
    uint8_t found[MARK_SIZE];
    uint8_t expected[MARK_SIZE];
    uint32_t length;

    if (memory->read(memory->context, memory->base, found, MARK_SIZE) != MARK_SIZE)
        return 0;
    length = load_le32(found + 4);
    if (length > memory->size - memory->page_size)
        return 0;
    make_mark(expected, memory, length);
    return memcmp(found, expected, MARK_SIZE) == 0 ? length : 0;
}

static bool plain_valid(const struct memory *memory)
{
    return marked_length(memory) > 0;
}

// An upload gives the image, or all there is where none is whole.
static void plain_rewind(struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;
    uint32_t length = marked_length(memory);

    dfu->address = image_base(memory);
    dfu->upload_end = length > 0 ? dfu->address + length : image_limit(memory);
    dfu->has_carry = false;
}

// ---- Download ----

// Flash takes half-words: an odd byte waits for the next block.
static void pair_bytes(struct dfu_mode *dfu)
{
    if (dfu->has_carry) {
        memmove(dfu->buffer + 1, dfu->buffer, dfu->length);
        dfu->buffer[0] = dfu->carry;
        dfu->length++;
    }
    dfu->has_carry = dfu->length % 2 != 0;
    if (dfu->has_carry)
        dfu->carry = dfu->buffer[--dfu->length];
}

// Pages are erased as the image reaches them; the mark's before all.
static uint32_t first_page_to_erase(const struct memory *memory, uint32_t address)
{
    uint32_t page_size = memory->page_size;

    if (address == image_base(memory))
        return memory->base;
    return memory->base + (address - memory->base + page_size - 1) / page_size * page_size;
}

static int plain_begin(struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;
    uint32_t with_carry;

    pair_bytes(dfu);
    with_carry = dfu->length + (dfu->has_carry ? 1U : 0U);
    if (with_carry > image_limit(memory) - dfu->address)
        return DFURT_STATUS_errADDRESS;
    dfu->work.erase_from = first_page_to_erase(memory, dfu->address);
    dfu->work.erase_to = dfu->address + with_carry;
    dfu->work.address = dfu->address;
    dfu->work.data = dfu->buffer;
    dfu->work.length = dfu->length;
    dfu->address += dfu->length;
    return DFURT_STATUS_OK;
}

static int plain_manifest(struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;
    uint32_t length = dfu->address - image_base(memory);

    if (dfu->has_carry) {
        if (!memory->program(memory->context, dfu->address, (uint16_t)(0xFF00 | dfu->carry)))
            return DFURT_STATUS_errPROG;
        length++;
    }
    make_mark(dfu->mark, memory, length);
    dfu->work.address = memory->base;
    dfu->work.data = dfu->mark;
    dfu->work.length = MARK_SIZE;
    return DFURT_STATUS_OK;
}

// ---- Upload ----

static int plain_upload(struct dfu_mode *dfu, uint16_t block, uint16_t length)
{
    const struct memory *memory = dfu->config->memory;
    int read;

    (void)block;
    if (length > dfu->upload_end - dfu->address)
        length = (uint16_t)(dfu->upload_end - dfu->address);
    read = memory->read(memory->context, dfu->address, dfu->buffer, length);
    if (read < 0)
        return -DFURT_STATUS_errADDRESS;
    dfu->address += (uint32_t)read;
    return read;
}

const struct dfu_dialect dfu_dialect_plain = {
    .rewind = plain_rewind,
    .begin = plain_begin,
    .upload = plain_upload,
    .manifest = plain_manifest,
    .valid = plain_valid,
    .reports_corrupt = true,
};

// ---- The factory ----

static bool
program_all(const struct memory *memory, uint32_t address, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += 2) {
        uint16_t high = i + 1 < length ? bytes[i + 1] : 0xFF;

        if (!memory->program(memory->context, address + (uint32_t)i,
                             (uint16_t)(bytes[i] | high << 8)))
            return false;
    }
    return true;
}

bool dfu_plain_install(const struct memory *memory, const uint8_t *image, size_t length)
{
    uint8_t mark[MARK_SIZE];

    if (length > memory->size - memory->page_size ||
        !program_all(memory, image_base(memory), image, length))
        return false;
    make_mark(mark, memory, (uint32_t)length);
    return program_all(memory, memory->base, mark, MARK_SIZE);
}
