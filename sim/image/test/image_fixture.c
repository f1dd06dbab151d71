// SPDX-License-Identifier: MIT

#include "image_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usb/bytes.h>

void make_code(uint8_t code[CODE_SIZE], uint32_t address)
{
    store_le32(code, SRAM + SRAM_SIZE);
    store_le32(code + 4, (address + 8) | 1);
    memcpy(code + 8, "\xFE\xE7rest of", CODE_SIZE - 8);
}

void make_binary(struct fixture *f, uint32_t address)
{
    make_code(f->file, address);
    f->size = CODE_SIZE;
}

int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    memset(f->flash, 0x55, sizeof f->flash);
    f->image = (struct image){"STM32F042", BASE, FLASH_SIZE, SRAM, SRAM_SIZE, BASE, f->flash, 0, 0};
    *state = f;
    return 0;
}

int tear_down(void **state)
{
    free(*state);
    return 0;
}

bool load(struct fixture *f, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    bool good;

    memcpy(copy, f->file, size);
    good = image_load(&f->image, "x", copy, size, f->error, sizeof f->error);
    free(copy);
    return good;
}

void assert_loads_at(struct fixture *f, uint32_t address)
{
    uint8_t code[CODE_SIZE];

    make_code(code, address);
    if (!load(f, f->size))
        fail_msg("%s", f->error);
    assert_memory_equal(f->flash + (address - BASE), code, CODE_SIZE);
    assert_int_equal(f->flash[address - BASE + CODE_SIZE], 0xFF);
    assert_int_equal(f->flash[FLASH_SIZE - 1], 0xFF);
    assert_int_equal(f->image.first, address);
    assert_int_equal(f->image.end, address + CODE_SIZE);
}

void assert_refused(struct fixture *f, const char *error)
{
    assert_false(load(f, f->size));
    if (strncmp(f->error, "x: ", 3) != 0 || !strstr(f->error, error))
        fail_msg("expected 'x: ... %s ...', got '%s'", error, f->error);
    assert_null(strchr(f->error, '\n'));
    for (size_t i = 0; i < FLASH_SIZE; i++)
        assert_int_equal(f->flash[i], 0x55);
}

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

void assert_survives_damage(struct fixture *f, void (*make)(struct fixture *, uint32_t))
{
    uint32_t x = 2463534242;
    unsigned refused = 0;

    for (unsigned round = 0; round < 7500; round++) {
        make(f, BASE);
        for (unsigned n = next_random(&x) % 4 + 1; n > 0; n--)
            f->file[next_random(&x) % f->size] = (uint8_t)next_random(&x);
        f->error[0] = '\0';
        bool good = load(f, next_random(&x) % 4 == 0 ? next_random(&x) % f->size : f->size);
        assert_true(good == (f->error[0] == '\0'));
        refused += !good;
    }
    assert_in_range(refused, 1, 7499);
}
