// SPDX-License-Identifier: MIT

#include <stm32f072/loader.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dfurt/usb_spec.h>

#if HAVE_LIBELF
#include <libelf.h>
#endif

enum {
    MAX_FILE = 64 * 1024 * 1024, // an ELF with all its debug information
    SUFFIX_SIZE = 16,            // DFU 1.1 appendix B
};

#define FAIL(error, size, ...) (snprintf(error, size, __VA_ARGS__), false)

// ---- Raw binaries ----

// The suffix stands in reverse order at the end: "UFD", its length, a checksum.
static size_t without_suffix(const uint8_t *image, size_t size)
{
    const uint8_t *end = image + size;

    if (size < SUFFIX_SIZE || memcmp(end - 8, "UFD", 3) != 0 || end[-5] < SUFFIX_SIZE ||
        end[-5] > size)
        return size;
    return size - end[-5];
}

static bool load_binary(const char *name,
                        const uint8_t *image,
                        size_t size,
                        uint8_t flash[F072_FLASH_SIZE],
                        char *error,
                        size_t error_size)
{
    if (size >= 5 && memcmp(image, "DfuSe", 5) == 0)
        return FAIL(error, error_size, "%s: a DfuSe container; give the ELF or the binary", name);
    size = without_suffix(image, size);
    if (size == 0)
        return FAIL(error, error_size, "%s: the file is empty", name);
    if (size > F072_FLASH_SIZE)
        return FAIL(error, error_size, "%s: %zu bytes, but the STM32F072 has %d of flash", name,
                    size, F072_FLASH_SIZE);
    memset(flash, 0xFF, F072_FLASH_SIZE);
    memcpy(flash, image, size);
    return true;
}

// ---- ELF ----

#if HAVE_LIBELF
static bool is_executable(Elf *elf)
{
    const Elf32_Ehdr *header = elf_kind(elf) == ELF_K_ELF ? elf32_getehdr(elf) : NULL;

    // libelf hands out the program headers where they are in the image: they must be aligned.
    return header != NULL && header->e_machine == EM_ARM && header->e_type == ET_EXEC &&
           header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_phoff % 4 == 0;
}

static bool check_segment(
    const char *name, const Elf32_Phdr *segment, size_t size, char *error, size_t error_size)
{
    uint32_t offset = segment->p_paddr - F072_FLASH_BASE;

    if (segment->p_offset > size || segment->p_filesz > size - segment->p_offset)
        return FAIL(error, error_size, "%s: truncated: a segment ends beyond the file", name);
    if (offset > F072_FLASH_SIZE || segment->p_filesz > F072_FLASH_SIZE - offset)
        return FAIL(error, error_size,
                    "%s: a segment of %u bytes loads at %08Xh, outside of the flash "
                    "08000000h..0801FFFFh",
                    name, segment->p_filesz, segment->p_paddr);
    return true;
}

static bool is_loaded(const Elf32_Phdr *segment)
{
    return segment->p_type == PT_LOAD && segment->p_filesz > 0;
}

static bool check_segments(const char *name,
                           const Elf32_Phdr *segments,
                           size_t count,
                           size_t size,
                           char *error,
                           size_t error_size)
{
    size_t loaded = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_loaded(&segments[i]))
            continue;
        if (!check_segment(name, &segments[i], size, error, error_size))
            return false;
        loaded++;
    }
    return loaded > 0 || FAIL(error, error_size, "%s: nothing in it loads into flash", name);
}

static bool load_segments(const char *name,
                          Elf *elf,
                          const uint8_t *image,
                          size_t size,
                          uint8_t flash[F072_FLASH_SIZE],
                          char *error,
                          size_t error_size)
{
    const Elf32_Phdr *segments = elf32_getphdr(elf);
    size_t count = 0;

    if (segments == NULL || elf_getphdrnum(elf, &count) != 0)
        return FAIL(error, error_size, "%s: truncated: no program headers", name);
    if (!check_segments(name, segments, count, size, error, error_size))
        return false;
    memset(flash, 0xFF, F072_FLASH_SIZE);
    for (size_t i = 0; i < count; i++)
        if (is_loaded(&segments[i]))
            memcpy(flash + (segments[i].p_paddr - F072_FLASH_BASE), image + segments[i].p_offset,
                   segments[i].p_filesz);
    return true;
}

static bool load_elf(const char *name,
                     uint8_t *image,
                     size_t size,
                     uint8_t flash[F072_FLASH_SIZE],
                     char *error,
                     size_t error_size)
{
    Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_memory((char *)image, size);
    bool fine = elf != NULL && is_executable(elf);

    if (!fine)
        snprintf(error, error_size, "%s: not a 32-bit little-endian ARM executable", name);
    fine = fine && load_segments(name, elf, image, size, flash, error, error_size);
    elf_end(elf);
    return fine;
}
#else
static bool load_elf(const char *name,
                     uint8_t *image,
                     size_t size,
                     uint8_t flash[F072_FLASH_SIZE],
                     char *error,
                     size_t error_size)
{
    (void)image;
    (void)size;
    (void)flash;
    return FAIL(error, error_size, "%s: an ELF, but this build has no libelf; give a .bin", name);
}
#endif

bool f072_load_image(const char *name,
                     uint8_t *image,
                     size_t size,
                     uint8_t flash[F072_FLASH_SIZE],
                     char *error,
                     size_t error_size)
{
    if (size >= 4 && memcmp(image,
                            "\x7F"
                            "ELF",
                            4) == 0)
        return load_elf(name, image, size, flash, error, error_size);
    return load_binary(name, image, size, flash, error, error_size);
}

// ---- Files ----

static uint8_t *read_whole(FILE *file, size_t *ret_size)
{
    uint8_t *bytes = NULL;

    if (fseek(file, 0, SEEK_END) != 0)
        return NULL;
    long size = ftell(file);
    if (size < 0 || fseek(file, 0, SEEK_SET) != 0)
        return NULL;
    if (size > MAX_FILE) {
        errno = EFBIG;
        return NULL;
    }
    bytes = malloc((size_t)size + 1);
    if (bytes == NULL)
        return NULL;
    *ret_size = fread(bytes, 1, (size_t)size, file);
    return bytes;
}

bool f072_load_file(const char *path,
                    uint8_t flash[F072_FLASH_SIZE],
                    char *error,
                    size_t error_size)
{
    FILE *file = fopen(path, "rb");
    size_t size = 0;
    uint8_t *image = file == NULL ? NULL : read_whole(file, &size);
    bool fine;

    if (image == NULL)
        fine = FAIL(error, error_size, "%s: %s", path, strerror(errno));
    else
        fine = f072_load_image(path, image, size, flash, error, error_size);
    free(image);
    if (file != NULL)
        fclose(file);
    return fine;
}
