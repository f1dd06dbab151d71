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

#include <dfurt/usb_spec.h>
#include <sim/flash.h>
#include <sim/work.h>

static struct flash flash;

static int reset(void **state)
{
    (void)state;
    flash_finish(&flash);
    assert_true(flash_init(&flash, (struct flash_shape){.size = 0}));
    return 0;
}

static bool program(uint32_t address, uint16_t half_word)
{
    return flash.memory.program(flash.memory.context, address, half_word);
}

static bool erase(uint32_t address)
{
    return flash.memory.erase(flash.memory.context, address);
}

static int read_at(uint32_t address, uint8_t *data, size_t length)
{
    return flash.memory.read(flash.memory.context, address, data, length);
}

static void program__takes_an_erased_half_word_once(void **state)
{
    (void)state;

    assert_true(program(FLASH_BASE + 10, 0x1234));
    assert_false(program(FLASH_BASE + 10, 0x1234));
    assert_true(erase(FLASH_BASE + FLASH_PAGE_SIZE - 1));
    assert_true(program(FLASH_BASE + 10, 0x5678));

    assert_int_equal(flash.bytes[10], 0x78);
    assert_int_equal(flash.bytes[11], 0x56);
}

static void program__needs_an_even_address_in_the_memory(void **state)
{
    (void)state;

    assert_false(program(FLASH_BASE + 1, 0));
    assert_false(program(FLASH_BASE - 2, 0));
    assert_false(program(FLASH_BASE + FLASH_SIZE, 0));
    assert_true(program(FLASH_BASE + FLASH_SIZE - 2, 0));
    assert_false(erase(FLASH_BASE + FLASH_SIZE));
    assert_false(erase(0));
}

static void option_bytes__are_written_without_erasing(void **state)
{
    (void)state;
    uint8_t bytes[FLASH_OPTIONS_SIZE];

    assert_true(program(FLASH_OPTIONS_BASE + 2, 0x00FF));
    assert_true(program(FLASH_OPTIONS_BASE + 2, 0xFF00));

    assert_int_equal(read_at(FLASH_OPTIONS_BASE, bytes, 100), FLASH_OPTIONS_SIZE);
    assert_int_equal(bytes[2], 0x00);
    assert_int_equal(bytes[3], 0xFF);
}

static void read__is_cut_at_the_end_and_fails_outside(void **state)
{
    (void)state;
    uint8_t bytes[8];

    assert_int_equal(read_at(FLASH_BASE + FLASH_SIZE - 3, bytes, 8), 3);
    assert_int_equal(read_at(FLASH_BASE + FLASH_SIZE, bytes, 8), 0);
    assert_true(read_at(FLASH_BASE + FLASH_SIZE + 1, bytes, 8) < 0);
    assert_true(read_at(0, bytes, 8) < 0);
    assert_true(read_at(UINT32_MAX, bytes, 8) < 0);
}

static void work__takes_its_time_and_is_cut_where_the_power_goes(void **state)
{
    (void)state;
    static const uint8_t data[400];
    struct work work = {
        .memory = &flash.memory,
        .address = FLASH_BASE,
        .data = data,
        .length = sizeof data,
    };
    memset(flash.bytes, 0, FLASH_PAGE_SIZE);
    work.erase_from = FLASH_BASE;
    work.erase_to = FLASH_BASE + FLASH_PAGE_SIZE;

    // 30 ms for the page, 200 half-words of 54 us.
    assert_in_range(work_ms(&work), 40, 42);
    work_run(&work, 29);
    assert_int_equal(flash.bytes[0], 0);
    work_run(&work, 6);
    assert_int_equal(flash.bytes[0], 0);
    assert_int_equal(flash.bytes[100], 0);
    assert_int_equal(flash.bytes[399], 0xFF);
    work_run(&work, 6);

    assert_int_equal(flash.bytes[399], 0);
    assert_int_equal(flash.bytes[400], 0xFF);
    assert_int_equal(work.bStatus, 0);
}

static void work__reports_what_could_not_be_programmed(void **state)
{
    (void)state;
    struct work work = {
        .memory = &flash.memory,
        .address = FLASH_BASE + FLASH_SIZE - 2,
        .data = (const uint8_t *)"abcd",
        .length = 4,
    };

    work_run(&work, 10);

    assert_int_equal(work.bStatus, 6); // errPROG
    assert_int_equal(flash.bytes[FLASH_SIZE - 2], 'a');
}

// Two boards of one model: what one of them writes is its own, and the factory's stays.
static void factory__is_shared_until_a_board_writes(void **state)
{
    (void)state;
    struct flash_factory factory;
    struct flash one, other;
    assert_true(flash_factory_init(&factory, (struct flash_shape){.size = 0}));
    assert_true(factory.flash.memory.program(&factory.flash, FLASH_BASE, 0x1234));
    flash_take(&one, &factory);
    flash_take(&other, &factory);
    assert_ptr_equal(one.bytes, other.bytes);

    assert_false(one.memory.program(&one, FLASH_BASE, 0x1111)); // not erased
    assert_true(one.memory.erase(&one, FLASH_BASE));
    assert_true(one.memory.program(&one, FLASH_BASE + 2, 0x5678));

    assert_int_equal(usbdev_load_le16(one.bytes), 0xFFFF);
    assert_int_equal(usbdev_load_le16(one.bytes + 2), 0x5678);
    assert_int_equal(usbdev_load_le16(other.bytes), 0x1234);
    assert_int_equal(usbdev_load_le16(other.bytes + 2), 0xFFFF);
    flash_finish(&one);
    flash_take(&one, &factory);
    assert_int_equal(usbdev_load_le16(one.bytes), 0x1234);
    flash_finish(&one);
    flash_finish(&other);
    flash_factory_finish(&factory);
}

// ---- A file of the flash ----

static char name[64], beside[sizeof name + 4]; // the file, and where a new one is written

static void load_anew(void)
{
    char error[200] = "";

    reset(NULL);
    if (!flash_load(&flash, name, error, sizeof error))
        fail_msg("%s", error);
}

static int load_no_file(void **state)
{
    int file;

    (void)state;
    strcpy(name, "/tmp/dfurt-flash-XXXXXX");
    file = mkstemp(name);
    assert_true(file >= 0);
    close(file);
    unlink(name);
    snprintf(beside, sizeof beside, "%s.new", name);
    load_anew();
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    rmdir(beside);
    unlink(name);
    return 0;
}

static void file__is_written_whole_and_leaves_nothing_beside_it(void **state)
{
    (void)state;

    assert_true(program(FLASH_BASE, 0xBEEF));
    assert_true(flash_save(&flash));
    load_anew();

    assert_int_equal(flash.bytes[0], 0xEF);
    assert_int_equal(access(beside, F_OK), -1);
}

static void file__that_cannot_be_written_stays_as_it_was(void **state)
{
    (void)state;

    assert_true(flash_save(&flash));
    assert_int_equal(mkdir(beside, 0700), 0); // where the new file would go

    assert_true(program(FLASH_BASE, 0xBEEF));
    assert_false(flash_save(&flash));

    load_anew();
    assert_int_equal(flash.bytes[0], 0xFF);
}

static void file__in_no_directory_is_an_error(void **state)
{
    (void)state;
    char error[200] = "";

    assert_false(flash_load(&flash, "/nonexistent/flash", error, sizeof error));
    assert_string_equal(error,
                        "cannot write flash file /nonexistent/flash: No such file or directory");
    assert_false(flash_load(&flash, "/dev/null/flash", error, sizeof error));
    assert_non_null(strstr(error, "/dev/null/flash"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(program__takes_an_erased_half_word_once, reset),
        cmocka_unit_test_setup(program__needs_an_even_address_in_the_memory, reset),
        cmocka_unit_test_setup(option_bytes__are_written_without_erasing, reset),
        cmocka_unit_test_setup(read__is_cut_at_the_end_and_fails_outside, reset),
        cmocka_unit_test_setup(work__takes_its_time_and_is_cut_where_the_power_goes, reset),
        cmocka_unit_test_setup(work__reports_what_could_not_be_programmed, reset),
        cmocka_unit_test(factory__is_shared_until_a_board_writes),
        cmocka_unit_test_setup_teardown(file__is_written_whole_and_leaves_nothing_beside_it,
                                        load_no_file, remove_files),
        cmocka_unit_test_setup_teardown(file__that_cannot_be_written_stays_as_it_was, load_no_file,
                                        remove_files),
        cmocka_unit_test_setup(file__in_no_directory_is_an_error, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
