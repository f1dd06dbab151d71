// SPDX-License-Identifier: MIT

#include "chip_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <armv6m/armv6m_debug.h>
#include <usb/bytes.h>

struct fixture *chip_fixture_open(void)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    memset(f->flash, 0xFF, sizeof f->flash);
    for (int i = 0; i < F072_OPTIONS_SIZE; i += 2)
        usbdev_store_le16(f->options + i, 0x00FF);
    store_le32(f->flash, STACK);
    store_le32(f->flash + 4, CODE | 1);
    for (unsigned i = 2; i < 48; i++)
        store_le32(f->flash + 4 * i, HANDLER | 1);
    return f;
}

int chip_fixture_close(void **state)
{
    free(*state);
    return 0;
}

static void put(void *context, uint8_t byte)
{
    struct fixture *f = context;

    assert_true(f->sent_count < sizeof f->sent);
    f->sent[f->sent_count++] = (char)byte;
}

void chip_fixture_power_on(struct fixture *f)
{
    f072_chip_init(&f->chip, f072_models, f->flash, f->options, 1);
    f->chip.report.quiet = true;
    f->chip.uart = (struct f072_uart_sink){put, f};
    f072_chip_power_on(&f->chip, 1, 0);
}

void put_code(struct fixture *f, uint32_t address, const uint16_t *code, size_t count)
{
    for (size_t i = 0; i < count; i++)
        usbdev_store_le16(f->flash + (address - F072_FLASH_BASE) + 2 * i, code[i]);
}

uint32_t read_bus(struct fixture *f, uint32_t address, unsigned size)
{
    uint32_t value = 0xDEADBEEF;

    assert_true(armv6m_load(&f->chip.cpu, address, size, &value));
    return value;
}

void write_bus(struct fixture *f, uint32_t address, unsigned size, uint32_t value)
{
    assert_true(armv6m_store(&f->chip.cpu, address, size, value));
}

uint32_t read_word(struct fixture *f, uint32_t address)
{
    return read_bus(f, address, 4);
}

void write_word(struct fixture *f, uint32_t address, uint32_t value)
{
    write_bus(f, address, 4, value);
}

void pass_to(struct fixture *f, uint64_t now_ns)
{
    f072_chip_skip_to(&f->chip, now_ns);
    f072_peripherals_advance(&f->chip, now_ns);
    f072_chip_update(&f->chip);
}

bool line(const struct fixture *f, unsigned number)
{
    return f->chip.cpu.lines >> number & 1;
}
