// SPDX-License-Identifier: MIT
//
// little_firmware.h - for tests of the virtual board: firmware of a few instructions, written as
// half-words, on a board of its own, and what the board says of it.

#ifndef SIM_LITTLE_FIRMWARE_H
#define SIM_LITTLE_FIRMWARE_H

#include <stddef.h>
#include <stdint.h>

#include "f072_board_private.h"
#include <sim/devices.h>
#include <sim/host.h>

enum { STACK = 0x20001000, CODE = 0x40, LITERALS = 0x60, IMAGE = 0x80, BASE = 0x08000000 };
enum { ROM_BASE = 0x1FFFC800, FILE_NAME = 40 };

// Set-up and tear-down of a test: the names of its files, which are this process's own.
extern char firmware_file[FILE_NAME], flash_file[FILE_NAME], uart_file[FILE_NAME];
int name_files(void **state);
int remove_files(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, name_files, remove_files)

// The image: any bytes; or this code and these literals, with every other vector behind the code.
void write_file(const uint8_t *bytes, size_t size);
void make_image(const uint16_t *code, size_t count, const uint32_t literals[8]);

#define CODE_OF(...)                                                                               \
    (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t)

// The board with that image, alone or at a host. flash is the file of its flash, or NULL.
struct f072_board *open_board(const char *flash);
struct sim_host *plug_in_with(struct sim_options options);
struct sim_host *plug_in_flash(const char *flash);

// The board reports trouble with this text in it; or none.
void assert_trouble(struct sim_host *host, const char *part);
void assert_well(struct sim_host *host);

// The device that enumerates is the boot loader in ROM.
void assert_is_rom(struct sim_host *host);

#endif
