// SPDX-License-Identifier: MIT

#include <sim/flash.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dfurt/usb_spec.h>

// nRST_STOP, nRST_STDBY and the rest of the user byte set, RDP level 0, each with its complement
// (RM0091 4).
static const uint8_t factory_options[FLASH_OPTIONS_SIZE] = {
    0xAA, 0x55, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00,
};

// Finds the memory at an address. Returns how many bytes there are from there on, 0 right behind
// its end, negative where there is none.
static long find(struct flash *flash, uint32_t address, uint8_t **ret_bytes)
{
    if (address >= FLASH_BASE && address <= FLASH_BASE + FLASH_SIZE) {
        *ret_bytes = flash->bytes + (address - FLASH_BASE);
        return FLASH_BASE + FLASH_SIZE - (long)address;
    }
    if (address >= FLASH_OPTIONS_BASE && address <= FLASH_OPTIONS_BASE + FLASH_OPTIONS_SIZE) {
        *ret_bytes = flash->options + (address - FLASH_OPTIONS_BASE);
        return FLASH_OPTIONS_BASE + FLASH_OPTIONS_SIZE - (long)address;
    }
    return -1;
}

static bool is_option(uint32_t address)
{
    return address >= FLASH_OPTIONS_BASE;
}

static int flash_read(void *context, uint32_t address, uint8_t *data, size_t length)
{
    uint8_t *bytes = NULL;
    long left = find(context, address, &bytes);

    if (left < 0)
        return -1;
    if (length > (size_t)left)
        length = (size_t)left;
    memcpy(data, bytes, length);
    return (int)length;
}

static bool flash_erase(void *context, uint32_t address)
{
    struct flash *flash = context;

    if (address < FLASH_BASE || address >= FLASH_BASE + FLASH_SIZE)
        return false;
    memset(flash->bytes + (address - FLASH_BASE) / FLASH_PAGE_SIZE * FLASH_PAGE_SIZE, 0xFF,
           FLASH_PAGE_SIZE);
    return true;
}

static bool flash_program(void *context, uint32_t address, uint16_t half_word)
{
    uint8_t *bytes = NULL;

    if (address % 2 != 0 || find(context, address, &bytes) < 2)
        return false;
    if (!is_option(address) && usbdev_load_le16(bytes) != 0xFFFF)
        return false;
    usbdev_store_le16(bytes, half_word);
    return true;
}

void flash_init(struct flash *flash)
{
    flash->memory = (struct memory){
        .read = flash_read,
        .erase = flash_erase,
        .program = flash_program,
        .context = flash,
        .base = FLASH_BASE,
        .size = FLASH_SIZE,
        .page_size = FLASH_PAGE_SIZE,
        .erase_ms = 30,   // 20 to 40 ms in the STM32F072's data sheet
        .program_us = 54, // 40 to 60 us
    };
    memset(flash->bytes, 0xFF, sizeof flash->bytes);
    memcpy(flash->options, factory_options, sizeof flash->options);
    flash->file = NULL;
}

bool flash_load(struct flash *flash, const char *file, char *error, size_t error_size)
{
    FILE *stream = fopen(file, "rb");
    size_t length;
    bool whole;

    flash->file = file;
    if (!stream && errno == ENOENT)
        return true;
    if (!stream) {
        snprintf(error, error_size, "cannot read flash file %s: %s", file, strerror(errno));
        return false;
    }
    length = fread(flash->bytes, 1, FLASH_SIZE, stream);
    whole = length == FLASH_SIZE && fgetc(stream) == EOF && !ferror(stream);
    fclose(stream);
    if (!whole)
        snprintf(error, error_size,
                 "flash file %s is not %d bytes long: not one of this board; name a new file", file,
                 FLASH_SIZE);
    return whole;
}

static bool write_file(const char *name, const uint8_t *bytes, size_t length)
{
    FILE *stream = fopen(name, "wb");
    bool well;

    if (!stream)
        return false;
    well = fwrite(bytes, 1, length, stream) == length && fflush(stream) == 0 &&
           fsync(fileno(stream)) == 0;
    return fclose(stream) == 0 && well;
}

bool flash_save(const struct flash *flash)
{
    char *name = NULL;
    bool well;

    if (!flash->file)
        return true;
    if (asprintf(&name, "%s.new", flash->file) < 0)
        return false;
    well = write_file(name, flash->bytes, FLASH_SIZE) && rename(name, flash->file) == 0;
    if (!well)
        unlink(name);
    free(name);
    return well;
}
