// SPDX-License-Identifier: MIT
//
// Plain DFU 1.1: the blocks of a download follow each other from the start of the image on, with
// any wBlockNum, and those of an upload too; unless the loader's choices say that a block is
// programmed at wBlockNum * wTransferSize.
//
// The first page is the boot loader's own: it holds a mark that says where the image is, how long
// it is and what its hash must be. The first block of a download erases it, manifestation
// programs it anew: an image that is not whole never counts as firmware. A loader with two banks
// downloads into the one that the mark does not name, and moves the mark at manifestation. One that
// judges content keeps the mark until manifestation: its firmware is valid when it is as marked.

#include <string.h>

#include "hash.h"
#include <sim/dfu_mode.h>
#include <usb/bytes.h>

enum {
    MARK_SIZE = 16,      // magic, address, length, hash, each little-endian
    MAGIC_LOW = 0x6664,  // "df"
    MAGIC_HIGH = 0x7572, // "ru"
};

struct image {
    uint32_t address;
    uint32_t length; // 0: there is none
};

static uint32_t first_bank(const struct memory *memory)
{
    return memory->base + memory->page_size;
}

static uint32_t second_bank(const struct memory *memory)
{
    return memory->base + memory->size / 2;
}

static uint32_t memory_end(const struct memory *memory)
{
    return memory->base + memory->size;
}

// ---- The mark ----

// Bytes that cannot be read read as 0.
static uint32_t image_hash(const struct memory *memory, struct image image)
{
    uint8_t bytes[256];
    uint32_t hash = HASH_START;
    uint32_t end = image.address + image.length;

    while (image.address < end) {
        size_t wanted = end - image.address < sizeof bytes ? end - image.address : sizeof bytes;
        int length = memory->read(memory->context, image.address, bytes, wanted);

        if (length <= 0)
            break;
        hash = sim_hash(hash, bytes, (size_t)length);
        image.address += (uint32_t)length;
    }
    return hash;
}

static void make_mark(uint8_t mark[MARK_SIZE], const struct memory *memory, struct image image)
{
    usbdev_store_le16(mark, MAGIC_LOW);
    usbdev_store_le16(mark + 2, MAGIC_HIGH);
    store_le32(mark + 4, image.address);
    store_le32(mark + 8, image.length);
    store_le32(mark + 12, image_hash(memory, image));
}

// The image that the mark names as complete.
static struct image marked_image(const struct memory *memory)
{
    uint8_t found[MARK_SIZE];
    uint8_t expected[MARK_SIZE];
    struct image image;

    if (memory->read(memory->context, memory->base, found, MARK_SIZE) != MARK_SIZE)
        return (struct image){.length = 0};
    image = (struct image){load_le32(found + 4), load_le32(found + 8)};
    if (image.address < memory->base || image.address >= memory_end(memory) ||
        image.length > memory_end(memory) - image.address)
        return (struct image){.length = 0};
    make_mark(expected, memory, image);
    return memcmp(found, expected, MARK_SIZE) == 0 ? image : (struct image){.length = 0};
}

static bool plain_valid(const struct memory *memory)
{
    return marked_image(memory).length > 0;
}

static uint32_t plain_firmware(const struct memory *memory, uint32_t *ret_address)
{
    struct image image = marked_image(memory);

    if (image.length > 0)
        *ret_address = image.address;
    return image.length;
}

// ---- Download ----

static const struct dfu_mode_choices *choices(const struct dfu_mode *dfu)
{
    return &dfu->config->choices;
}

static void plain_begin_download(struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;
    bool first_is_taken = marked_image(memory).address == first_bank(memory);

    dfu->image =
        choices(dfu)->two_banks && first_is_taken ? second_bank(memory) : first_bank(memory);
    dfu->address = dfu->image;
    dfu->has_carry = false;
}

static uint32_t download_end(const struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;

    return choices(dfu)->two_banks && dfu->image == first_bank(memory) ? second_bank(memory)
                                                                       : memory_end(memory);
}

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

static bool keeps_mark(const struct dfu_mode *dfu)
{
    return choices(dfu)->two_banks || choices(dfu)->judges_content;
}

// Pages are erased as the image reaches them; the mark's before all, but not where it outlasts the
// download.
static uint32_t first_page_to_erase(const struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;
    struct memory_page page = memory_page_at(memory, dfu->address);

    if (dfu->address == dfu->image && !keeps_mark(dfu))
        return memory->base;
    return page.address == dfu->address ? page.address : page.address + page.size;
}

static int plain_begin(struct dfu_mode *dfu)
{
    uint32_t with_carry;
    bool first;

    if (choices(dfu)->addresses_blocks)
        dfu->address = dfu->image + (uint32_t)dfu->block * dfu->config->wTransferSize;
    first = dfu->address == dfu->image;
    pair_bytes(dfu);
    with_carry = dfu->length + (dfu->has_carry ? 1U : 0U);
    if (dfu->address > download_end(dfu) || with_carry > download_end(dfu) - dfu->address)
        return DFURT_STATUS_errADDRESS;
    dfu->work.erase_from = first_page_to_erase(dfu);
    dfu->work.erase_to = dfu->address + with_carry;
    if (choices(dfu)->erases_first)
        dfu->work.erase_to = first ? download_end(dfu) : dfu->work.erase_from;
    dfu->work.address = dfu->address;
    dfu->work.data = dfu->buffer;
    dfu->work.length = dfu->length;
    dfu->address += dfu->length;
    return DFURT_STATUS_OK;
}

static int plain_manifest(struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;
    struct image image = {dfu->image, dfu->address - dfu->image};

    if (dfu->has_carry) {
        if (!memory->program(memory->context, dfu->address, (uint16_t)(0xFF00 | dfu->carry)))
            return DFURT_STATUS_errPROG;
        image.length++;
    }
    make_mark(dfu->mark, memory, image);
    if (keeps_mark(dfu)) {
        dfu->work.erase_from = memory->base;
        dfu->work.erase_to = first_bank(memory);
    }
    dfu->work.address = memory->base;
    dfu->work.data = dfu->mark;
    dfu->work.length = MARK_SIZE;
    return DFURT_STATUS_OK;
}

// ---- Upload ----

// An upload returns the image, or the whole memory where no image is complete.
static void plain_begin_upload(struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;
    struct image image = marked_image(memory);

    if (image.length == 0)
        image = (struct image){first_bank(memory), memory_end(memory) - first_bank(memory)};
    dfu->image = image.address;
    dfu->address = image.address;
    dfu->upload_end = image.address + image.length;
}

static int plain_upload(struct dfu_mode *dfu, uint16_t block, uint16_t length)
{
    const struct memory *memory = dfu->config->memory;
    uint32_t left;
    int read;

    if (choices(dfu)->addresses_blocks)
        dfu->address = dfu->image + (uint32_t)block * dfu->config->wTransferSize;
    left = dfu->address < dfu->upload_end ? dfu->upload_end - dfu->address : 0;
    if (length > left)
        length = (uint16_t)left;
    read = length > 0 ? memory->read(memory->context, dfu->address, dfu->buffer, length) : 0;
    if (read < 0)
        return -DFURT_STATUS_errADDRESS;
    dfu->address += (uint32_t)read;
    return read;
}

const struct dfu_dialect dfu_dialect_plain = {
    .begin_download = plain_begin_download,
    .begin_upload = plain_begin_upload,
    .begin = plain_begin,
    .upload = plain_upload,
    .manifest = plain_manifest,
    .valid = plain_valid,
    .firmware = plain_firmware,
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
        !program_all(memory, first_bank(memory), image, length))
        return false;
    make_mark(mark, memory, (struct image){first_bank(memory), (uint32_t)length});
    return program_all(memory, memory->base, mark, MARK_SIZE);
}
