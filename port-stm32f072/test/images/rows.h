// SPDX-License-Identifier: MIT
//
// rows.h - the two rows of the buffer table that an endpoint register has (RM0091 30.6.2), for
// drivers that use both for one direction: row 0 is ADDR_TX with COUNT_TX, row 1 ADDR_RX with
// COUNT_RX.

#ifndef TEST_ROWS_H
#define TEST_ROWS_H

#include "regs/usb.h"

static inline volatile uint16_t *row_buffer(unsigned endpoint, unsigned row)
{
    const struct stm32_usb_buffers *buffers = &USB_BUFFERS[endpoint];

    return USB_PMA + (row == 0 ? buffers->ADDR_TX : buffers->ADDR_RX) / 2;
}

static inline volatile uint16_t *row_count(unsigned endpoint, unsigned row)
{
    struct stm32_usb_buffers *buffers = &USB_BUFFERS[endpoint];

    return row == 0 ? &buffers->COUNT_TX : &buffers->COUNT_RX;
}

// The packet that a row of one endpoint received, into the row of another.
static inline void
copy_row(unsigned from_endpoint, unsigned from_row, unsigned to_endpoint, unsigned to_row)
{
    const volatile uint16_t *from = row_buffer(from_endpoint, from_row);
    volatile uint16_t *to = row_buffer(to_endpoint, to_row);
    uint16_t length = *row_count(from_endpoint, from_row) & USB_COUNT_RX_MASK;

    for (unsigned i = 0; i < length; i += 2)
        *to++ = *from++;
    *row_count(to_endpoint, to_row) = length;
}

#endif
