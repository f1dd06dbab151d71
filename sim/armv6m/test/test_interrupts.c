// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "armv6m_private.h"
#include "test_interrupts.h"

struct machine machine;

void poke(uint32_t address, uint32_t value)
{
    assert_true(armv6m_write(&machine.cpu, address, 4, value));
}

uint32_t peek(uint32_t address)
{
    uint32_t value = 0;
    assert_true(armv6m_read(&machine.cpu, address, 4, &value));
    return value;
}

int start_interrupts(void **state)
{
    (void)state;
    machine_start(&machine);
    PUT(&machine, CODE, 0xE7FE);
    poke(ISER, 1u << 3 | 1u << 5);
    return 0;
}

void set_priority(unsigned line, uint32_t priority)
{
    const uint32_t address = IPR0 + (line & ~3u), shift = 8 * (line % 4) + 6;
    poke(address, (peek(address) & ~(3u << shift)) | priority << shift);
}

void assert_in(unsigned exception)
{
    assert_int_equal(machine.cpu.exception, exception);
    assert_int_equal(machine.cpu.r[15], HANDLER(exception));
}
