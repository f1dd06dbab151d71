// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <conformance/image_file.h>

static char path[] = "/tmp/dfurt-image-XXXXXX";

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void put(const uint8_t *bytes, size_t length)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    assert_int_equal(fclose(out), 0);
}

static size_t get(uint8_t *bytes, size_t size)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t length = fread(bytes, 1, size, in);
    fclose(in);
    return length;
}

// In the place of libc's: which folders were synchronised when they held the name of the file, and
// when they did not.
static unsigned synced_with, synced_without;

int fsync(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        ++*(access(path, F_OK) == 0 ? &synced_with : &synced_without);
    return 0;
}

static void assert_read(struct image_file *image)
{
    char error[200] = "";
    if (!image_file_read(image, path, error, sizeof error))
        fail_msg("%s", error);
}

static void assert_refused(const char *words)
{
    struct image_file image;
    char error[200] = "";
    assert_false(image_file_read(&image, path, error, sizeof error));
    if (!strstr(error, words))
        fail_msg("expected '%s' in '%s'", words, error);
}

static uint8_t firmware[] = {0x00, 0x20, 0x00, 0x20, 0xC1, 0x00, 0x00, 0x08, 0xAA};

static void bytes_without_a_suffix__are_the_firmware(void **state)
{
    (void)state;
    struct image_file image;
    put(firmware, sizeof firmware);

    assert_read(&image);

    assert_int_equal(image.length, sizeof firmware);
    assert_memory_equal(image.bytes, firmware, sizeof firmware);
    assert_false(image.has_suffix);
    assert_false(image.has_address);
    image_file_finish(&image);
}

// Made by hand of appendix B: the CRC is that of Ethernet without the final inversion.
static void suffix__is_checked_and_taken_off(void **state)
{
    (void)state;
    const uint8_t file[] = {'1',  '2',  '3',  '4',  '5',  '6',  '7',  '8',  '9',
                            0xFF, 0xFF, 0x02, 0x00, 0x09, 0x12, 0x00, 0x01, 'U',
                            'F',  'D',  16,   0x6E, 0x9A, 0xEB, 0xF8};
    struct image_file image;
    put(file, sizeof file);

    assert_read(&image);

    assert_int_equal(image.length, 9);
    assert_memory_equal(image.bytes, "123456789", 9);
    assert_true(image.has_suffix);
    assert_int_equal(image.idVendor, 0x1209);
    assert_int_equal(image.idProduct, 0x0002);
    image_file_finish(&image);
}

static void what_is_written__is_read_again(void **state)
{
    (void)state;
    for (int dfuse = 0; dfuse < 2; dfuse++) {
        const struct image_file image = {
            .bytes = firmware,
            .length = sizeof firmware,
            .idVendor = 0x0483,
            .idProduct = 0xDF11,
            .has_address = dfuse,
            .address = dfuse ? 0x0801F800 : 0,
        };
        struct image_file again;
        char error[200];

        assert_true(image_file_write(&image, path, error, sizeof error));
        assert_read(&again);

        assert_int_equal(again.length, sizeof firmware);
        assert_memory_equal(again.bytes, firmware, sizeof firmware);
        assert_int_equal(again.idVendor, 0x0483);
        assert_int_equal(again.idProduct, 0xDF11);
        assert_int_equal(again.has_address, dfuse);
        assert_int_equal(again.address, image.address);
        image_file_finish(&again);
    }
}

static void dfu_file_that_is_cut_off__is_not_taken_for_plain_bytes(void **state)
{
    (void)state;
    const struct image_file image = {
        .bytes = firmware, .length = sizeof firmware, .idVendor = 0x0483, .idProduct = 0xDF11};
    char named[sizeof path + 4];
    char error[200];
    struct image_file again;
    snprintf(named, sizeof named, "%s.dfu", path);
    assert_true(image_file_write(&image, named, error, sizeof error));
    assert_true(image_file_read(&again, named, error, sizeof error));
    image_file_finish(&again);

    for (off_t length = sizeof firmware + 15; length > 0; length--) {
        assert_int_equal(truncate(named, length), 0);
        assert_false(image_file_read(&again, named, error, sizeof error));
        assert_non_null(strstr(error, "without a DFU suffix"));
    }
    unlink(named);
}

// What a build leaves beside the plain bytes, or a file of nothing; a suffix says that the device
// wants it as it is.
static void file_that_is_no_firmware_as_it_is__needs_a_suffix(void **state)
{
    (void)state;
    static const struct {
        const char *begin;
        const char *says;
    } files[] = {
        {"\177ELF\1\1\1", "ELF"},
        {"UF2\nWQ]\x9E", "UF2"},
        {":020000040800F2\r\n:00000001FF\r\n", "a text"},
        {"S0030000FC\nS9030000FC\n", "a text"},
        {"\xFF\xFF\xFF\xFF\xFF", "each byte is the same"},
        {"\1", "each byte is the same"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)files[i].begin;
        const struct image_file with_suffix = {.bytes = bytes, .length = strlen(files[i].begin)};
        struct image_file image;
        char error[200];

        put(bytes, strlen(files[i].begin));
        assert_refused(files[i].says);

        assert_true(image_file_write(&with_suffix, path, error, sizeof error));
        assert_read(&image);
        assert_memory_equal(image.bytes, bytes, image.length);
        image_file_finish(&image);
    }
}

static void folder__is_named_as_one(void **state)
{
    (void)state;
    struct image_file image;
    char error[200];

    assert_false(image_file_read(&image, "/tmp", error, sizeof error));

    assert_string_equal(error, "/tmp: Is a directory");
}

static void file_that_cannot_be_written__leaves_nothing(void **state)
{
    (void)state;
    const struct image_file image = {.bytes = firmware, .length = sizeof firmware};
    char folder[sizeof path + 4], part[sizeof path + 16];
    char error[200];
    snprintf(folder, sizeof folder, "%s.d", path);
    snprintf(part, sizeof part, "%s.part", folder);
    assert_int_equal(mkdir(folder, 0700), 0); // no file can have its name

    assert_false(image_file_write(&image, folder, error, sizeof error));

    assert_int_not_equal(access(part, F_OK), 0);
    rmdir(folder);
}

static void elements__are_written_and_read_in_their_order(void **state)
{
    (void)state;
    static const uint8_t second[] = {1, 2, 3};
    static const uint8_t third[] = {4};
    const struct image_file image = {
        .bytes = firmware,
        .length = sizeof firmware,
        .has_address = true,
        .address = 0x0801F800,
        .more = {{0x08000000, sizeof second, second}, {0x08008000, sizeof third, third}},
        .more_count = 2,
    };
    struct image_file again;
    char error[200];

    assert_true(image_file_write(&image, path, error, sizeof error));
    assert_read(&again);

    assert_int_equal(again.address, 0x0801F800);
    assert_int_equal(again.length, sizeof firmware);
    assert_memory_equal(again.bytes, firmware, sizeof firmware);
    assert_int_equal(again.more_count, 2);
    assert_int_equal(again.more[0].address, 0x08000000);
    assert_int_equal(again.more[0].length, sizeof second);
    assert_memory_equal(again.more[0].bytes, second, sizeof second);
    assert_int_equal(again.more[1].address, 0x08008000);
    assert_memory_equal(again.more[1].bytes, third, sizeof third);
    image_file_finish(&again);
}

static void each_changed_byte__is_found(void **state)
{
    (void)state;
    const struct image_file image = {
        .bytes = firmware, .length = sizeof firmware, .idVendor = 0x0483, .idProduct = 0xDF11};
    uint8_t file[200];
    char error[200];
    assert_true(image_file_write(&image, path, error, sizeof error));
    size_t length = get(file, sizeof file);

    for (size_t i = 0; i < length; i++) {
        bool signature = i + 8 >= length && i + 5 < length; // without it these are plain bytes
        bool size = i + 5 == length;
        file[i] ^= 0x40;
        put(file, length);
        if (!signature)
            assert_refused(size ? "bLength" : "CRC");
        file[i] ^= 0x40;
    }
}

static void dfuse_file_with_a_wrong_size__is_refused(void **state)
{
    (void)state;
    uint8_t file[11 + 274 + 8 + 4] = "DfuSe\1";
    file[10] = 1;
    memcpy(file + 11, "Target", 6);
    file[11 + 270] = 1;
    file[11 + 274 + 4] = 5; // four bytes follow
    put(file, sizeof file);
    assert_refused("sizes");

    file[11 + 270] = 2; // and no second element
    file[11 + 274 + 4] = 4;
    put(file, sizeof file);
    assert_refused("sizes");

    file[11 + 270] = 65;
    put(file, sizeof file);
    assert_refused("1 to 64 elements");

    file[10] = 2;
    put(file, sizeof file);
    assert_refused("one target");

    put(file, 20);
    assert_refused("one target");
}

static void file_without_firmware__is_refused(void **state)
{
    (void)state;
    put(firmware, 0);
    assert_refused("no firmware");
}

static void name__is_on_the_disk_and_off_it_again(void **state)
{
    (void)state;
    char error[200];
    uint8_t bytes[] = {1, 2, 3};
    const struct image_file image = {.bytes = bytes, .length = sizeof bytes};

    synced_with = synced_without = 0;
    assert_true(image_file_write(&image, path, error, sizeof error));
    assert_int_equal(synced_with, 1);
    image_file_remove(path);
    assert_int_equal(synced_without, 1);

    put(bytes, sizeof bytes); // for the tests behind this one
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_without_a_suffix__are_the_firmware),
        cmocka_unit_test(suffix__is_checked_and_taken_off),
        cmocka_unit_test(what_is_written__is_read_again),
        cmocka_unit_test(dfu_file_that_is_cut_off__is_not_taken_for_plain_bytes),
        cmocka_unit_test(elements__are_written_and_read_in_their_order),
        cmocka_unit_test(each_changed_byte__is_found),
        cmocka_unit_test(dfuse_file_with_a_wrong_size__is_refused),
        cmocka_unit_test(file_without_firmware__is_refused),
        cmocka_unit_test(file_that_is_no_firmware_as_it_is__needs_a_suffix),
        cmocka_unit_test(folder__is_named_as_one),
        cmocka_unit_test(file_that_cannot_be_written__leaves_nothing),
        cmocka_unit_test(name__is_on_the_disk_and_off_it_again),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
