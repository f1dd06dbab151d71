// SPDX-License-Identifier: MIT
//
// serial.h - what registers of USART, SPI and I2C do beyond keeping what is written (small.h).

#ifndef F072_SERIAL_H
#define F072_SERIAL_H

#include <stm32f072/small.h>

// A register has been written; old is what it held.
void f072_serial_written(struct f072_stub *stub,
                         enum f072_stub_kind kind,
                         uint32_t offset,
                         uint32_t value,
                         uint32_t old);

// A register whose reading does something: true, and what it reads. Else false.
bool f072_serial_read(struct f072_stub *stub,
                      enum f072_stub_kind kind,
                      uint32_t offset,
                      uint32_t *ret_value);

bool f072_serial_interrupt(const struct f072_stub *stub, enum f072_stub_kind kind);

// Does the register at this offset ask to be written, or to be read?
bool f072_serial_requests_dma(const struct f072_stub *stub,
                              enum f072_stub_kind kind,
                              uint32_t offset,
                              bool to_peripheral);

#endif
