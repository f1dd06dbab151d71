// SPDX-License-Identifier: MIT
//
// Reading a file, telling its format, and the check that the processor can start from it. Each
// format puts its bytes into a copy of the flash, which becomes the flash when all is well.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_private.h"

bool image_fail(struct image_file *file, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(file->error, file->error_size, "%s: ", file->name);

    va_start(arguments, format);
    if (length >= 0 && (size_t)length < file->error_size)
        vsnprintf(file->error + length, file->error_size - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

// A byte of flash is programmed once (RM0091 3.2.2): two parts of a file may not want it to be two.
static bool contradicts(const uint8_t *there, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (there[i] != 0xFF && there[i] != bytes[i])
            return true;
    return false;
}

bool image_put(
    struct image_file *file, const char *what, uint32_t address, const uint8_t *bytes, size_t size)
{
    const struct image *image = file->image;
    uint32_t offset = address - image->flash_base;

    if (size == 0)
        return true;
    if (offset >= image->flash_size || size > image->flash_size - offset)
        return image_fail(file,
                          "%s of %zu bytes at %08Xh lies outside of the %s's flash, %08Xh..%08Xh",
                          what, size, address, image->chip, image->flash_base,
                          image->flash_base + image->flash_size - 1);
    if (contradicts(file->flash + offset, bytes, size))
        return image_fail(file,
                          "%s of %zu bytes at %08Xh overlaps what the file has put there before, "
                          "with other bytes",
                          what, size, address);
    memcpy(file->flash + offset, bytes, size);
    if (file->first == UINT32_MAX || address < file->first)
        file->first = address;
    if (address + size > file->end)
        file->end = address + (uint32_t)size;
    return true;
}

// ---- The vector table (ARMv6-M B1.5.3) ----

static bool check_stack_pointer(struct image_file *file, uint32_t word)
{
    const struct image *image = file->image;
    uint32_t used = word - image->sram_base; // the stack grows downwards from there

    if (used > 0 && used <= image->sram_size)
        return true;
    return image_fail(
        file,
        "no firmware image for the %s: the word at %08Xh, %08Xh, is not a stack pointer "
        "into its SRAM, %08Xh..%08Xh",
        image->chip, image->start, word, image->sram_base, image->sram_base + image->sram_size);
}

// Flash shows at address 0, too, and images may be linked for there.
static bool check_reset_vector(struct image_file *file, uint32_t word)
{
    const struct image *image = file->image;
    uint32_t address = word & ~UINT32_C(1);

    if (address < image->flash_size)
        address += image->flash_base;
    if ((word & 1) && address >= file->first && address < file->end)
        return true;
    return image_fail(
        file,
        "no firmware image for the %s: the reset vector at %08Xh, %08Xh, is not a Thumb "
        "address in the image, %08Xh..%08Xh",
        image->chip, image->start + 4, word, file->first, file->end - 1);
}

static bool check_start(struct image_file *file)
{
    const struct image *image = file->image;
    const uint8_t *vectors = file->flash + (image->start - image->flash_base);

    if (file->first == UINT32_MAX)
        return image_fail(file, "the file has no bytes for the flash");
    if (file->first <= image->start && file->end >= image->start + 8)
        return check_stack_pointer(file, image_load_le32(vectors)) &&
               check_reset_vector(file, image_load_le32(vectors + 4));
    if (file->first <= image->start && file->end > image->start)
        return image_fail(file, "no firmware image: the vector table at %08Xh has %u bytes of 8",
                          image->start, file->end - image->start);
    if (image->start != image->flash_base)
        return image_fail(file,
                          "no vector table at %08Xh, the address to boot from: the image is at "
                          "%08Xh..%08Xh",
                          image->start, file->first, file->end - 1);
    return image_fail(file,
                      "nothing at %08Xh, where the %s starts: the image is at %08Xh..%08Xh; if a "
                      "boot loader starts it, give the address of its vector table: --boot 0x%08X, "
                      "or boot=0x%08X in a target",
                      image->start, image->chip, file->first, file->end - 1, file->first,
                      file->first);
}

// ---- Formats ----

static bool is_elf(const struct image_file *file)
{
    static const uint8_t magic[] = {0x7F, 'E', 'L', 'F'};

    return file->size >= sizeof magic && memcmp(file->bytes, magic, sizeof magic) == 0;
}

// The first byte of a vector table is the low one of a stack pointer, a multiple of 4: no colon.
static bool is_hex(const struct image_file *file)
{
    return file->size > 0 && file->bytes[0] == ':';
}

static bool load_any(struct image_file *file)
{
    if (file->size == 0)
        return image_fail(file, "the file is empty");
    if (is_elf(file))
        return image_load_elf(file);
    if (is_hex(file))
        return image_load_hex(file);
    return image_load_dfu(file);
}

bool image_load(struct image *image,
                const char *name,
                const uint8_t *bytes,
                size_t size,
                char *error,
                size_t error_size)
{
    struct image_file file = {
        .name = name,
        .bytes = bytes,
        .size = size,
        .image = image,
        .flash = malloc(image->flash_size),
        .first = UINT32_MAX,
        .error = error,
        .error_size = error_size,
    };
    bool good;

    if (!file.flash)
        return image_fail(&file, "no memory to load it");
    memset(file.flash, 0xFF, image->flash_size);
    good = load_any(&file) && check_start(&file);
    if (good) {
        memcpy(image->flash, file.flash, image->flash_size);
        image->first = file.first;
        image->end = file.end;
    }
    free(file.flash);
    return good;
}

// ---- Files ----

// Read to the end: a pipe has no size to ask for. Returns NULL with errno set.
static uint8_t *read_whole(FILE *stream, size_t *ret_size)
{
    enum { FIRST_CAPACITY = 256 * 1024 };
    uint8_t *bytes = NULL;
    size_t capacity = 0;
    size_t size = 0;

    while (!feof(stream) && size <= IMAGE_MAX_FILE) {
        if (size == capacity) {
            capacity = capacity == 0 ? FIRST_CAPACITY : 2 * capacity;
            uint8_t *grown = realloc(bytes, capacity);
            if (!grown)
                break;
            bytes = grown;
        }
        size += fread(bytes + size, 1, capacity - size, stream);
        if (ferror(stream))
            break;
    }
    if (feof(stream) && size <= IMAGE_MAX_FILE) {
        *ret_size = size;
        return bytes;
    }
    if (size > IMAGE_MAX_FILE)
        errno = EFBIG;
    free(bytes);
    return NULL;
}

bool image_load_file(struct image *image, const char *path, char *error, size_t error_size)
{
    FILE *stream = fopen(path, "rb");
    size_t size = 0;
    uint8_t *bytes = stream ? read_whole(stream, &size) : NULL;
    bool good = false;

    if (!bytes)
        snprintf(error, error_size, "firmware %s: %s", path, strerror(errno));
    else
        good = image_load(image, path, bytes, size, error, error_size);
    free(bytes);
    if (stream)
        fclose(stream);
    return good;
}
