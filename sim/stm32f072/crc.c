// SPDX-License-Identifier: MIT
//
// The remainder is updated bit by bit, from the highest bit of the data to the lowest, at the width
// of CR.POLYSIZE. Data is reversed before that as CR.REV_IN says, and DR when it is read.

#include <stm32f072/crc.h>

enum { DR = 0x00, IDR = 0x04, CR = 0x08, INIT = 0x10, POL = 0x14 };
enum { RESET = 1 << 0, POLYSIZE_SHIFT = 3, REV_IN_SHIFT = 5, REV_OUT = 1 << 7 };

void f072_crc_reset(struct f072_crc *crc)
{
    *crc = (struct f072_crc){.value = UINT32_MAX, .init = UINT32_MAX, .pol = 0x04C11DB7};
}

// CR.POLYSIZE
static unsigned width(const struct f072_crc *crc)
{
    static const uint8_t widths[] = {32, 16, 8, 7};

    return widths[crc->cr >> POLYSIZE_SHIFT & 3];
}

static uint32_t mask(unsigned bits)
{
    return UINT32_MAX >> (32 - bits);
}

// The bits of each piece in the opposite order.
static uint32_t reverse(uint32_t value, unsigned bits, unsigned piece)
{
    uint32_t reversed = 0;

    for (unsigned i = 0; i < bits; i++)
        reversed |= (value >> i & 1) << (i / piece * piece + (piece - 1 - i % piece));
    return reversed;
}

// CR.REV_IN: by byte, by half-word, by word, but not more than comes.
static uint32_t reversed_input(const struct f072_crc *crc, uint32_t value, unsigned bits)
{
    unsigned rev_in = crc->cr >> REV_IN_SHIFT & 3;
    unsigned piece = 4u << rev_in;

    return rev_in == 0 ? value : reverse(value, bits, piece < bits ? piece : bits);
}

static void add(struct f072_crc *crc, uint32_t data, unsigned bits)
{
    unsigned top = width(crc) - 1;

    for (unsigned i = bits; i-- > 0;) {
        uint32_t out = (crc->value >> top ^ data >> i) & 1;
        crc->value = (crc->value << 1 ^ (out ? crc->pol : 0)) & mask(width(crc));
    }
}

uint32_t f072_crc_read(const struct f072_crc *crc, uint32_t offset)
{
    switch (offset) {
    case DR:
        return crc->cr & REV_OUT ? reverse(crc->value, width(crc), width(crc)) : crc->value;
    case IDR:
        return crc->idr;
    case CR:
        return crc->cr;
    case INIT:
        return crc->init;
    case POL:
        return crc->pol;
    default:
        return 0;
    }
}

void f072_crc_write(struct f072_crc *crc, uint32_t offset, uint32_t value, unsigned size)
{
    switch (offset) {
    case DR:
        add(crc, reversed_input(crc, value & mask(8 * size), 8 * size), 8 * size);
        break;
    case IDR:
        crc->idr = value & 0xFF;
        break;
    case CR: // RESET clears itself
        crc->cr = value & 0xF8;
        if (value & RESET)
            crc->value = crc->init & mask(width(crc));
        break;
    case INIT:
        crc->init = value;
        crc->value = value & mask(width(crc));
        break;
    case POL:
        crc->pol = value;
        break;
    default:
        break;
    }
}
