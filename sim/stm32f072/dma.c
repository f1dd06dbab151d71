// SPDX-License-Identifier: MIT
//
// f072_dma_serve() moves one item of each active channel in turn until no channel asks any more. An
// item is loaded and stored as the processor does it, so peripherals see ordinary accesses; a store
// to a peripheral that asks again is served by the same call.

#include <stm32f072/dma.h>

#include <armv6m/armv6m_debug.h>

#include "peripherals.h"

enum { ISR = 0x00, IFCR = 0x04, FIRST = 0x08, STEP = 0x14 };
enum { CCR = 0x00, CNDTR = 0x04, CPAR = 0x08, CMAR = 0x0C };

enum {
    EN = 1 << 0,
    DIR = 1 << 4, // from memory
    CIRC = 1 << 5,
    PINC = 1 << 6,
    MINC = 1 << 7,
    MEM2MEM = 1 << 14,

    // Of a channel in ISR; TCIE, HTIE and TEIE of CCR stand in the same places.
    GIF = 1 << 0,
    TCIF = 1 << 1,
    HTIF = 1 << 2,
    TEIF = 1 << 3,
};

void f072_dma_reset(struct f072_dma *dma)
{
    *dma = (struct f072_dma){0};
}

// ---- Registers ----

static bool find_register(uint32_t offset, unsigned *ret_channel, uint32_t *ret_register)
{
    if (offset < FIRST || offset >= FIRST + F072_DMA_CHANNELS * STEP)
        return false;
    *ret_channel = (offset - FIRST) / STEP;
    *ret_register = (offset - FIRST) % STEP;
    return true;
}

uint32_t f072_dma_read(const struct f072_dma *dma, uint32_t offset)
{
    unsigned n;
    uint32_t r;

    if (offset == ISR)
        return dma->isr;
    if (!find_register(offset, &n, &r))
        return 0;
    const struct f072_dma_channel *channel = &dma->channel[n];
    switch (r) {
    case CCR:
        return channel->ccr;
    case CNDTR:
        return channel->cndtr;
    case CPAR:
        return channel->cpar;
    case CMAR:
        return channel->cmar;
    default:
        return 0;
    }
}

// A channel begins at its addresses each time that it is enabled (RM0091 10.4.3).
static void write_ccr(struct f072_dma_channel *channel, uint32_t value)
{
    if (value & ~channel->ccr & EN) {
        channel->count = channel->cndtr;
        channel->done = 0;
    }
    channel->ccr = value & 0x7FFF;
}

// CNDTR, CPAR and CMAR are read-only while the channel is enabled.
static void write_channel(struct f072_dma_channel *channel, uint32_t r, uint32_t value)
{
    if (r == CCR)
        write_ccr(channel, value);
    else if (channel->ccr & EN)
        return;
    else if (r == CNDTR)
        channel->cndtr = value & 0xFFFF;
    else if (r == CPAR)
        channel->cpar = value;
    else if (r == CMAR)
        channel->cmar = value;
}

// Clearing GIF clears the others of the channel, too.
static void clear_flags(struct f072_dma *dma, uint32_t value)
{
    for (unsigned n = 0; n < F072_DMA_CHANNELS; n++)
        if (value >> 4 * n & GIF)
            value |= UINT32_C(0xF) << 4 * n;
    dma->isr &= ~value;
    for (unsigned n = 0; n < F072_DMA_CHANNELS; n++)
        if (!(dma->isr >> 4 * n & (TCIF | HTIF | TEIF)))
            dma->isr &= ~((uint32_t)GIF << 4 * n);
}

bool f072_dma_is_clear(uint32_t offset)
{
    return offset == IFCR;
}

void f072_dma_write(struct f072_dma *dma, uint32_t offset, uint32_t value)
{
    unsigned n;
    uint32_t r;

    if (offset == IFCR)
        clear_flags(dma, value);
    else if (find_register(offset, &n, &r))
        write_channel(&dma->channel[n], r, value);
}

bool f072_dma_interrupt(const struct f072_dma *dma, unsigned first, unsigned last)
{
    for (unsigned n = first - 1; n < last; n++)
        if (dma->isr >> 4 * n & dma->channel[n].ccr & (TCIF | HTIF | TEIF))
            return true;
    return false;
}

// ---- Transfers ----

static void set_flag(struct f072_dma *dma, unsigned n, uint32_t flag)
{
    dma->isr |= (flag | GIF) << 4 * n;
}

static bool is_active(const struct f072_dma_channel *channel)
{
    return (channel->ccr & EN) && channel->cndtr > 0;
}

static bool asks(const struct f072_chip *chip, const struct f072_dma_channel *channel)
{
    const struct f072_peripheral *p = f072_find_peripheral(chip, channel->cpar);

    if (channel->ccr & MEM2MEM)
        return true;
    return p && p->requests_dma &&
           p->requests_dma(chip, p, channel->cpar & 0x3FC, channel->ccr & DIR);
}

unsigned f072_dma_waiting_for_nobody(const struct f072_chip *chip)
{
    for (unsigned n = 0; n < F072_DMA_CHANNELS; n++) {
        const struct f072_dma_channel *channel = &chip->dma.channel[n];
        const struct f072_peripheral *p = f072_find_peripheral(chip, channel->cpar);
        if (is_active(channel) && !(channel->ccr & MEM2MEM) && (!p || !p->requests_dma))
            return n + 1;
    }
    return 0;
}

// PSIZE and MSIZE: 1, 2 or 4 bytes.
static unsigned item_size(const struct f072_dma_channel *channel, unsigned shift)
{
    return 1u << (channel->ccr >> shift & 3) & 7;
}

// One item; what is narrower takes its low part, what is wider has zeros (RM0091 10.4.4).
static bool move_item(struct f072_chip *chip, const struct f072_dma_channel *channel)
{
    enum { PSIZE = 8, MSIZE = 10 };
    unsigned psize = item_size(channel, PSIZE);
    unsigned msize = item_size(channel, MSIZE);
    uint32_t peripheral = channel->cpar + (channel->ccr & PINC ? channel->done * psize : 0);
    uint32_t memory = channel->cmar + (channel->ccr & MINC ? channel->done * msize : 0);
    uint32_t value;

    if (psize == 0 || msize == 0)
        return false;
    if (channel->ccr & DIR)
        return armv6m_load(&chip->cpu, memory, msize, &value) &&
               armv6m_store(&chip->cpu, peripheral, psize, value);
    return armv6m_load(&chip->cpu, peripheral, psize, &value) &&
           armv6m_store(&chip->cpu, memory, msize, value);
}

// Returns whether the channel may go on.
static bool transfer(struct f072_chip *chip, unsigned n)
{
    struct f072_dma_channel *channel = &chip->dma.channel[n];

    if (!move_item(chip, channel)) { // an error disables the channel
        set_flag(&chip->dma, n, TEIF);
        channel->ccr &= ~(uint32_t)EN;
        return false;
    }
    channel->done++;
    channel->cndtr--;
    if (channel->done == channel->count / 2)
        set_flag(&chip->dma, n, HTIF);
    if (channel->cndtr > 0)
        return true;
    set_flag(&chip->dma, n, TCIF);
    if (channel->ccr & CIRC) {
        channel->cndtr = channel->count;
        channel->done = 0;
    }
    return false;
}

void f072_dma_serve(struct f072_chip *chip)
{
    uint32_t at_end = 0; // channels that have gone through their buffer
    bool moved = true;

    if (chip->dma_serving) // a transfer has written to a peripheral that asks again
        return;
    chip->dma_serving = true;
    while (moved) {
        moved = false;
        for (unsigned n = 0; n < F072_DMA_CHANNELS; n++) {
            const struct f072_dma_channel *channel = &chip->dma.channel[n];
            if ((at_end >> n & 1) || !is_active(channel) || !asks(chip, channel))
                continue;
            moved = true;
            at_end |= (uint32_t)!transfer(chip, n) << n;
        }
    }
    chip->dma_serving = false;
}
