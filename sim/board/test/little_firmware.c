// SPDX-License-Identifier: MIT

#include "little_firmware.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugged.h"
#include <usb/bytes.h>

char firmware_file[FILE_NAME], flash_file[FILE_NAME], uart_file[FILE_NAME];

void write_file(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(firmware_file, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

void make_image(const uint16_t *code, size_t count, const uint32_t literals[8])
{
    uint8_t image[IMAGE];

    memset(image, 0xFF, sizeof image);
    store_le32(image, STACK);
    store_le32(image + 4, (BASE + CODE) | 1);
    for (size_t i = 0; i < count; i++)
        usbdev_store_le16(image + CODE + 2 * i, code[i]);
    for (size_t i = 0; i < 8; i++)
        store_le32(image + LITERALS + 4 * i, literals[i]);
    write_file(image, sizeof image);
}

static struct f072_board *open_with(struct sim_options options)
{
    options.firmware = firmware_file;
    options.seed = 3;
    struct f072_board *board = (struct f072_board *)open_device(&options);

    board->chip.report.quiet = true;
    return board;
}

struct f072_board *open_board(const char *flash)
{
    return open_with((struct sim_options){.flash = flash});
}

struct sim_host *plug_in_with(struct sim_options options)
{
    struct sim_host *host = sim_host_open(&open_with(options)->base, NULL, NULL);

    assert_non_null(host);
    return host;
}

struct sim_host *plug_in_flash(const char *flash)
{
    return plug_in_with((struct sim_options){.flash = flash});
}

void assert_trouble(struct sim_host *host, const char *part)
{
    struct sim_device *device = sim_host_device(host);
    const char *trouble = device->ops->trouble(device);

    if (!trouble || !strstr(trouble, part))
        fail_msg("expected trouble with '%s', there is: %s", part, trouble ? trouble : "none");
}

void assert_well(struct sim_host *host)
{
    struct sim_device *device = sim_host_device(host);
    const char *trouble = device->ops->trouble(device);

    if (trouble)
        fail_msg("expected no trouble, there is: %s", trouble);
}

void assert_is_rom(struct sim_host *host)
{
    const struct usbdev_setup_packet get_device = {0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, 18};
    uint8_t descriptor[18];

    assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), 0);
    assert_int_equal(sim_host_control(host, &get_device, descriptor, 0), 18);
    assert_memory_equal(descriptor + 8, "\x83\x04\x11\xDF", 4);
}

int name_files(void **state)
{
    (void)state;
    snprintf(firmware_file, sizeof firmware_file, "test_board-%ld.bin", (long)getpid());
    snprintf(flash_file, sizeof flash_file, "test_board-%ld.flash", (long)getpid());
    snprintf(uart_file, sizeof uart_file, "test_board-%ld.uart", (long)getpid());
    return 0;
}

int remove_files(void **state)
{
    (void)state;
    unlink(firmware_file);
    unlink(flash_file);
    unlink(uart_file);
    return 0;
}
