// SPDX-License-Identifier: MIT
//
// Erasing sets a page to FFh. A half-word is programmed only if it is erased, as the chip does
// (RM0091 3.2.2); option bytes are written as they come. Each change is reported to the watch after
// it was made.
//
// A flash file is written as a whole under another name and then renamed, so that a power cut
// leaves the old contents or the new ones.

#include <sim/flash.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    if (address >= FLASH_BASE && address - FLASH_BASE <= flash->memory.size) {
        *ret_bytes = flash->bytes + (address - FLASH_BASE);
        return (long)(flash->memory.size - (address - FLASH_BASE));
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

// Before the first change: a copy of the factory's file, of which the system copies the pages that
// are written to.
static bool own(struct flash *flash)
{
    uint8_t *bytes;

    if (flash->factory < 0)
        return true;
    bytes = mmap(NULL, flash->memory.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, flash->factory, 0);
    if (bytes == MAP_FAILED)
        return false;
    flash->bytes = bytes;
    flash->factory = -1;
    flash->mapped = true;
    return true;
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
    struct memory_page page = memory_page_at(&flash->memory, address);

    if (page.size == 0 || page.read_only || !own(flash))
        return false;
    memset(flash->bytes + (page.address - FLASH_BASE), 0xFF, page.size);
    flash_tell(flash, (struct sim_flash_event){SIM_FLASH_ERASED, page.address, page.size});
    return true;
}

static bool flash_program(void *context, uint32_t address, uint16_t half_word)
{
    struct flash *flash = context;
    uint8_t *bytes = NULL;

    if (address % 2 != 0 || !own(flash) || find(flash, address, &bytes) < 2)
        return false;
    if (!is_option(address) &&
        (usbdev_load_le16(bytes) != 0xFFFF || memory_page_at(&flash->memory, address).read_only))
        return false;
    usbdev_store_le16(bytes, half_word);
    flash_tell(flash, (struct sim_flash_event){SIM_FLASH_PROGRAMMED, address, 2});
    return true;
}

void flash_tell(const struct flash *flash, struct sim_flash_event event)
{
    event.bytes = flash->bytes;
    event.size = flash->memory.size;
    if (flash->watch)
        flash->watch->event(flash->watch->context, &event);
}

static uint32_t size_of_groups(const struct memory_group *groups)
{
    uint32_t size = 0;

    for (; groups->pages; groups++)
        size += groups->pages * groups->page_size;
    return size;
}

static void init(struct flash *flash, struct flash_shape shape)
{
    if (shape.groups)
        shape = (struct flash_shape){size_of_groups(shape.groups), shape.groups->page_size,
                                     shape.groups};
    *flash =
        (struct flash){.memory =
                           {
                               .read = flash_read,
                               .erase = flash_erase,
                               .program = flash_program,
                               .context = flash,
                               .base = FLASH_BASE,
                               .size = shape.size > 0 ? shape.size : FLASH_SIZE,
                               .page_size = shape.page_size > 0 ? shape.page_size : FLASH_PAGE_SIZE,
                               .groups = shape.groups,
                               .erase_ms = 30,   // 20 to 40 ms in the STM32F072's data sheet
                               .program_us = 54, // 40 to 60 us
                           },
                       .factory = -1};
    memcpy(flash->options, factory_options, sizeof flash->options);
}

bool flash_init(struct flash *flash, struct flash_shape shape)
{
    init(flash, shape);
    flash->bytes = malloc(flash->memory.size);
    if (flash->bytes)
        memset(flash->bytes, 0xFF, flash->memory.size);
    return flash->bytes;
}

void flash_finish(struct flash *flash)
{
    if (flash->mapped)
        munmap(flash->bytes, flash->memory.size);
    else if (flash->factory < 0)
        free(flash->bytes);
    flash->bytes = NULL;
}

bool flash_factory_init(struct flash_factory *factory, struct flash_shape shape)
{
    uint8_t *bytes = MAP_FAILED;

    init(&factory->flash, shape);
    factory->file = memfd_create("flash", MFD_CLOEXEC);
    if (factory->file >= 0 && ftruncate(factory->file, factory->flash.memory.size) == 0)
        bytes = mmap(NULL, factory->flash.memory.size, PROT_READ | PROT_WRITE, MAP_SHARED,
                     factory->file, 0);
    if (bytes == MAP_FAILED) {
        if (factory->file >= 0)
            close(factory->file);
        return false;
    }
    memset(bytes, 0xFF, factory->flash.memory.size);
    factory->flash.bytes = bytes;
    factory->flash.mapped = true;
    factory->flash.memory.context = &factory->flash;
    return true;
}

void flash_factory_finish(struct flash_factory *factory)
{
    flash_finish(&factory->flash);
    close(factory->file);
}

void flash_take(struct flash *flash, const struct flash_factory *factory)
{
    *flash = factory->flash;
    flash->memory.context = flash;
    flash->factory = factory->file;
    flash->mapped = false;
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

// What flash_save() will write first; NULL if there is no memory.
static char *new_file_of(const char *file)
{
    char *name;

    return asprintf(&name, "%s.new", file) < 0 ? NULL : name;
}

static void remove_file(const char *name)
{
    int error = errno;

    unlink(name);
    errno = error;
}

static bool can_save(const char *file)
{
    char *name = new_file_of(file);
    bool well = name && write_file(name, (const uint8_t *)"", 0);

    if (well)
        remove_file(name);
    free(name);
    return well;
}

bool flash_load(struct flash *flash, const char *file, char *error, size_t error_size)
{
    FILE *stream = fopen(file, "rb");
    size_t length;
    bool whole;

    flash->file = file;
    if (!stream && errno == ENOENT) {
        if (can_save(file))
            return true;
        snprintf(error, error_size, "cannot write flash file %s: %s", file, strerror(errno));
        return false;
    }
    if (!stream) {
        snprintf(error, error_size, "cannot read flash file %s: %s", file, strerror(errno));
        return false;
    }
    length = own(flash) ? fread(flash->bytes, 1, flash->memory.size, stream) : 0;
    whole = length == flash->memory.size && fgetc(stream) == EOF && !ferror(stream);
    fclose(stream);
    if (!whole)
        snprintf(error, error_size,
                 "flash file %s is not %u bytes long: not of this board; name a new file", file,
                 (unsigned)flash->memory.size);
    return whole;
}

bool flash_save(const struct flash *flash)
{
    char *name;
    bool well;

    if (!flash->file)
        return true;
    name = new_file_of(flash->file);
    if (!name)
        return false;
    well = write_file(name, flash->bytes, flash->memory.size) && rename(name, flash->file) == 0;
    if (!well)
        remove_file(name);
    free(name);
    return well;
}
