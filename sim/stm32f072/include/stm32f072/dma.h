// SPDX-License-Identifier: MIT
//
// dma.h - the DMA controller (RM0091 chapter 10).
//
// Transfers take no time, but a peripheral asks for one only when it is ready: USARTs that send and
// SPIs are paced by their frames, the ADC by its conversions. Memory to memory is whole.

#ifndef F072_DMA_H
#define F072_DMA_H

#include <stdbool.h>
#include <stdint.h>

enum { F072_DMA_CHANNELS = 7 };

struct f072_chip;

struct f072_dma {
    uint32_t isr;
    struct f072_dma_channel {
        uint32_t ccr;
        uint32_t cndtr; // items that are left
        uint32_t cpar;
        uint32_t cmar;
        uint32_t count; // what CNDTR was when the channel was enabled
        uint32_t done;  // items of this round
    } channel[F072_DMA_CHANNELS];
};

void f072_dma_reset(struct f072_dma *dma);
uint32_t f072_dma_read(const struct f072_dma *dma, uint32_t offset);
void f072_dma_write(struct f072_dma *dma, uint32_t offset, uint32_t value);

// Is this the register that clears flags? It starts nothing.
bool f072_dma_is_clear(uint32_t offset);

// Whoever asks for transfers gets them, by the bus as the processor reads and writes it.
void f072_dma_serve(struct f072_chip *chip);

// A channel, 1 to 7, that is enabled for a peripheral which asks for no transfers; 0: none.
unsigned f072_dma_waiting_for_nobody(const struct f072_chip *chip);

// Do channels first to last, 1 to 7, interrupt?
bool f072_dma_interrupt(const struct f072_dma *dma, unsigned first, unsigned last);

#endif
