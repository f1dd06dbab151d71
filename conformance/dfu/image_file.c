// SPDX-License-Identifier: MIT
//
// A file is read whole. The suffix is recognised at its end and cut off, then the prefix is
// recognised at its beginning and cut off; what is left is the image, or the elements of a DfuSe
// file. Writing puts both around it again and computes the CRC over all of it.

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <conformance/image_file.h>
#include <usb/bytes.h>

enum {
    SUFFIX = 16, // bytes; a longer one says so in bLength
    PREFIX = 11, // "DfuSe", version, size, number of targets
    TARGET = 274,
    ELEMENT = 8,
    MOST_BYTES = 64 << 20,
};

static bool fail(char *error, size_t size, const char *path, const char *what)
{
    snprintf(error, size, "%s: %s", path, what);
    return false;
}

// Without the final inversion, as appendix B has it.
uint32_t image_file_crc(const uint8_t *bytes, size_t length)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return crc;
}

// ---- Reading ----

static bool take_suffix(struct image_file *image, const char *path, char *error, size_t size)
{
    const uint8_t *end = image->bytes + image->length;
    if (image->length < SUFFIX || memcmp(end - 8, "UFD", 3) != 0)
        return true;
    if (end[-5] < SUFFIX || end[-5] > image->length)
        return fail(error, size, path, "the DFU suffix has a wrong bLength");
    if (load_le32(end - 4) != image_file_crc(image->bytes, image->length - 4))
        return fail(error, size, path, "the CRC of the DFU suffix is wrong: the file is damaged");
    image->has_suffix = true;
    image->idProduct = usbdev_load_le16(end - 14);
    image->idVendor = usbdev_load_le16(end - 12);
    image->length -= end[-5];
    return true;
}

// The suffix is the last of a .dfu file, so that one without it is cut off.
static bool is_whole(const struct image_file *image, const char *path, char *error, size_t size)
{
    size_t length = strlen(path);
    bool is_dfu_file = length >= 4 && strcasecmp(path + length - 4, ".dfu") == 0;
    return image->has_suffix || !is_dfu_file ||
           fail(error, size, path,
                "a .dfu file without a DFU suffix: it is damaged, or plain bytes, which belong in "
                "a .bin file");
}

static bool begins_with(const struct image_file *image, const char *magic)
{
    return image->length >= strlen(magic) && memcmp(image->bytes, magic, strlen(magic)) == 0;
}

static bool is_text(const struct image_file *image)
{
    for (size_t i = 0; i < image->length; i++) {
        if (!isprint(image->bytes[i]) && !isspace(image->bytes[i]))
            return false;
    }
    return true;
}

// Erased flash, or a file that dd has made.
static bool is_blank(const struct image_file *image)
{
    return memcmp(image->bytes, image->bytes + 1, image->length - 1) == 0;
}

// Why the bytes of the file are not those of flash that a device starts from, or NULL.
static const char *no_firmware(const struct image_file *image)
{
    if (is_blank(image))
        return "each byte is the same one: this is no firmware; a DFU suffix says that it is meant";
    if (begins_with(image, "\177ELF"))
        return "an ELF file is not the bytes of flash: objcopy -O binary makes those";
    if (begins_with(image, "UF2\n"))
        return "a UF2 file is not the bytes of flash: give those";
    if (is_text(image))
        return "a text (Intel hex, S-records) is not the bytes of flash: objcopy -I ihex -O binary "
               "makes those";
    return NULL;
}

// A suffix says that the file is what its device wants, whatever it looks like.
static bool is_plain(const struct image_file *image, const char *path, char *error, size_t size)
{
    const char *problem = image->has_suffix || image->length == 0 ? NULL : no_firmware(image);
    return !problem || fail(error, size, path, problem);
}

// The elements of the target fill the file exactly.
static bool find_elements(const struct image_file *image,
                          struct image_element elements[IMAGE_ELEMENTS],
                          size_t count)
{
    size_t at = PREFIX + TARGET;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *element = image->bytes + at;
        if (image->length - at < ELEMENT || load_le32(element + 4) > image->length - at - ELEMENT)
            return false;
        elements[i] =
            (struct image_element){load_le32(element), load_le32(element + 4), element + ELEMENT};
        at += ELEMENT + elements[i].length;
    }
    return at == image->length;
}

static bool take_prefix(struct image_file *image, const char *path, char *error, size_t size)
{
    struct image_element elements[IMAGE_ELEMENTS];
    const uint8_t *bytes = image->bytes;
    if (image->length < PREFIX || memcmp(bytes, "DfuSe\1", 6) != 0)
        return true;
    if (bytes[10] != 1 || image->length < PREFIX + TARGET ||
        memcmp(bytes + PREFIX, "Target", 6) != 0)
        return fail(error, size, path, "only DfuSe files of one target are understood");
    uint32_t count = load_le32(bytes + PREFIX + 270);
    if (count < 1 || count > IMAGE_ELEMENTS)
        return fail(error, size, path, "only DfuSe files of 1 to 64 elements are understood");
    if (!find_elements(image, elements, count))
        return fail(error, size, path, "the sizes in the DfuSe prefix do not fit the file");
    image->has_address = true;
    image->address = elements[0].address;
    image->length = elements[0].length;
    image->more_count = count - 1;
    memcpy(image->more, elements + 1, image->more_count * sizeof *elements);
    memmove(image->bytes, elements[0].bytes, image->length);
    return true;
}

static bool read_all(struct image_file *image, FILE *in, const char *path, char *error, size_t size)
{
    struct stat status;
    if (fstat(fileno(in), &status) == 0 && S_ISDIR(status.st_mode))
        return fail(error, size, path, strerror(EISDIR));
    long length = fseek(in, 0, SEEK_END) == 0 ? ftell(in) : -1;
    if (length < 0 || fseek(in, 0, SEEK_SET) != 0)
        return fail(error, size, path, strerror(errno));
    if (length > MOST_BYTES)
        return fail(error, size, path, "the file is larger than 64 MB");
    image->bytes = malloc((size_t)length + 1);
    if (!image->bytes)
        return fail(error, size, path, "out of memory");
    image->length = fread(image->bytes, 1, (size_t)length, in);
    return image->length == (size_t)length ||
           fail(error, size, path, ferror(in) ? strerror(errno) : "the file has become shorter");
}

bool image_file_load(struct image_file *ret_image, const char *path, char *error, size_t size)
{
    *ret_image = (struct image_file){.bytes = NULL};
    FILE *in = fopen(path, "rbe");
    if (!in)
        return fail(error, size, path, strerror(errno));
    bool read = read_all(ret_image, in, path, error, size);
    fclose(in);
    if (!read)
        image_file_finish(ret_image);
    return read;
}

bool image_file_read(struct image_file *ret_image, const char *path, char *error, size_t size)
{
    struct image_file image;
    bool read = image_file_load(&image, path, error, size) &&
                take_suffix(&image, path, error, size) && is_whole(&image, path, error, size) &&
                is_plain(&image, path, error, size) && take_prefix(&image, path, error, size);
    if (read && image.length == 0)
        read = fail(error, size, path, "the file holds no firmware");
    if (read)
        *ret_image = image;
    else
        free(image.bytes);
    return read;
}

// ---- Writing ----

static uint8_t *put_element(uint8_t *bytes, struct image_element element)
{
    store_le32(bytes, element.address);
    store_le32(bytes + 4, (uint32_t)element.length);
    memcpy(bytes + ELEMENT, element.bytes, element.length);
    return bytes + ELEMENT + element.length;
}

static size_t elements_size(const struct image_file *image)
{
    size_t total = ELEMENT + image->length;
    for (size_t i = 0; i < image->more_count; i++)
        total += ELEMENT + image->more[i].length;
    return total;
}

// The prefix, and the elements behind it.
static void put_target(uint8_t *bytes, const struct image_file *image)
{
    size_t elements = elements_size(image);
    memcpy(bytes, "DfuSe\1", 6);
    store_le32(bytes + 6, (uint32_t)(PREFIX + TARGET + elements));
    bytes[10] = 1;
    memcpy(bytes + PREFIX, "Target", 6);
    store_le32(bytes + PREFIX + 266, (uint32_t)elements);
    store_le32(bytes + PREFIX + 270, (uint32_t)(1 + image->more_count));
    bytes = put_element(bytes + PREFIX + TARGET,
                        (struct image_element){image->address, image->length, image->bytes});
    for (size_t i = 0; i < image->more_count; i++)
        bytes = put_element(bytes, image->more[i]);
}

static void put_suffix(uint8_t *suffix, const struct image_file *image)
{
    usbdev_store_le16(suffix, 0xFFFF); // bcdDevice: any
    usbdev_store_le16(suffix + 2, image->idProduct);
    usbdev_store_le16(suffix + 4, image->idVendor);
    usbdev_store_le16(suffix + 6, image->has_address ? 0x011A : 0x0100);
    memcpy(suffix + 8, "UFD", 3);
    suffix[11] = SUFFIX;
}

static bool write_all(const uint8_t *bytes, size_t length, const char *path)
{
    FILE *out = fopen(path, "wbe");
    if (!out)
        return false;
    bool written =
        fwrite(bytes, 1, length, out) == length && fflush(out) == 0 && fsync(fileno(out)) == 0;
    return fclose(out) == 0 && written;
}

// A name is in its folder: a power cut must not undo what was done to it. There are folders that
// cannot be opened, and file systems that cannot synchronise one.
static bool sync_folder(const char *path)
{
    char folder[512];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return true;
    bool synced = fsync(fd) == 0 || errno == EINVAL;
    close(fd);
    return synced;
}

bool image_file_write(const struct image_file *image, const char *path, char *error, size_t size)
{
    char part[512];
    size_t length =
        (image->has_address ? PREFIX + TARGET + elements_size(image) : image->length) + SUFFIX;
    uint8_t *bytes = calloc(1, length);
    if (!bytes)
        return fail(error, size, path, "out of memory");
    if (image->has_address)
        put_target(bytes, image);
    else
        memcpy(bytes, image->bytes, image->length);
    put_suffix(bytes + length - SUFFIX, image);
    store_le32(bytes + length - 4, image_file_crc(bytes, length - 4));

    int used = snprintf(part, sizeof part, "%s.part", path);
    bool renamed = used > 0 && (size_t)used < sizeof part && write_all(bytes, length, part) &&
                   rename(part, path) == 0;
    free(bytes);
    if (renamed && sync_folder(path))
        return true;
    fail(error, size, path, strerror(errno));
    unlink(renamed ? path : part);
    return false;
}

void image_file_remove(const char *path)
{
    if (unlink(path) == 0)
        sync_folder(path);
}

void image_file_finish(struct image_file *image)
{
    free(image->bytes);
    *image = (struct image_file){.bytes = NULL};
}
