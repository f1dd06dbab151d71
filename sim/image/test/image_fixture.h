// SPDX-License-Identifier: MIT
//
// image_fixture.h - for tests of image files: a file that a test makes, and an STM32F042 to load
// it.

#ifndef IMAGE_FIXTURE_H
#define IMAGE_FIXTURE_H

#include <sim/image.h>

enum { BASE = 0x08000000, FLASH_SIZE = 0x8000, SRAM = 0x20000000, SRAM_SIZE = 0x1800 };
enum { OFFSET = 0x2000, CODE_SIZE = 16, MAX_FILE = 2048 };

struct fixture {
    uint8_t file[MAX_FILE];
    size_t size;
    uint8_t flash[FLASH_SIZE];
    struct image image;
    char error[300];
};

int set_up(void **state);
int tear_down(void **state);

// A vector table for this address and a little behind it.
void make_code(uint8_t code[CODE_SIZE], uint32_t address);

// A raw binary of it.
void make_binary(struct fixture *f, uint32_t address);

// Loads a copy of the first bytes of the file that ends where they do, so that a sanitizer sees an
// overrun.
bool load(struct fixture *f, size_t size);

// The file holds what make_code() makes for this address: it goes there, and all else is erased.
void assert_loads_at(struct fixture *f, uint32_t address);

// The error begins with the file's name, has these words, and nothing is programmed.
void assert_refused(struct fixture *f, const char *error);

// Files that make() has made, with some bytes changed or the end cut off: each is loaded or refused
// with an error, and some are refused.
void assert_survives_damage(struct fixture *f, void (*make)(struct fixture *, uint32_t));

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
