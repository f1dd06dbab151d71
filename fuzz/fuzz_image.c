// SPDX-License-Identifier: MIT
//
// Firmware image files, as the virtual board and as the conformance suite read them.

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <conformance/image_file.h>
#include <sim/image.h>
#include <usb/bytes.h>

#include "script.h"

enum { FLASH = 0x08000000, FLASH_SIZE = 0x8000, SRAM = 0x20000000, SRAM_SIZE = 0x1800 };

static bool is_one_line(const char *error)
{
    return error[0] != '\0' && !strchr(error, '\n');
}

// By memcmp, which costs less than a loop under sanitizers.
static bool is_all(const uint8_t *bytes, size_t length, uint8_t value)
{
    return length == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, length - 1) == 0);
}

// image.h: it starts from a vector table at start, and puts nothing beside itself.
static void check_image(const struct image *image)
{
    const uint8_t *table = image->flash + (image->start - FLASH);
    const uint32_t sp = load_le32(table);
    const uint32_t word = load_le32(table + 4);
    const uint32_t entry = word < FLASH_SIZE ? FLASH + word : word; // flash is at address 0 too

    assert(image->first >= FLASH && image->first < image->end && image->end <= FLASH + FLASH_SIZE);
    assert(sp > SRAM && sp <= SRAM + SRAM_SIZE);
    assert((entry & 1) && (entry & ~1u) >= image->first && (entry & ~1u) < image->end);
    assert(is_all(image->flash, image->first - FLASH, 0xFF));
    assert(is_all(image->flash + (image->end - FLASH), FLASH + FLASH_SIZE - image->end, 0xFF));
}

static void load_for_the_board(const uint8_t *file, size_t length, uint32_t start)
{
    uint8_t *flash = malloc(FLASH_SIZE);
    struct image image = {"STM32F042", FLASH, FLASH_SIZE, SRAM, SRAM_SIZE, start, flash, 0, 0};
    char error[300] = "";

    memset(flash, 0x55, FLASH_SIZE);
    if (image_load(&image, "seed", file, length, error, sizeof error)) {
        check_image(&image);
    } else {
        assert(is_one_line(error));
        assert(is_all(flash, FLASH_SIZE, 0x55));
    }
    free(flash);
}

static void load_for_the_suite(const uint8_t *file, size_t length)
{
    struct image_file image;
    char error[300] = "";
    char path[40];
    char symbol[40];
    int fd = memfd_create("seed", MFD_CLOEXEC);

    assert(fd >= 0 && write(fd, file, length) == (ssize_t)length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (image_file_read(&image, path, error, sizeof error)) {
        assert(image.length > 0 && image.length <= length);
        image_file_finish(&image);
    } else {
        assert(is_one_line(error));
    }
    if (image_symbol(path, FLASH + 0x10, symbol, sizeof symbol))
        for (const char *at = symbol; *at != '\0'; at++)
            assert(*at >= ' ' && *at <= '~');
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct script script = {bytes, length};
    const uint32_t start = script_u8(&script) & 1 ? FLASH + 0x2000 : FLASH;
    uint8_t *file = malloc(script.length > 0 ? script.length : 1); // ASan sees what is behind

    length = script_bytes(&script, file, script.length);
    load_for_the_board(file, length, start);
    load_for_the_suite(file, length);
    free(file);
    return 0;
}
