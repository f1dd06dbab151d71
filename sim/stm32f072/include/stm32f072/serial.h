// SPDX-License-Identifier: MIT
//
// serial.h - what USART, SPI and I2C do beyond keeping what is written (small.h).
//
// Frames take their time on the wire: the bit rate follows from the registers and from the clock of
// the interface. A frame under way ends at f072_stub.end_ns, and flags, interrupts and requests for
// DMA change there.

#ifndef F072_SERIAL_H
#define F072_SERIAL_H

#include <stm32f072/small.h>

struct f072_chip;

// An access by the processor or by DMA.
struct f072_serial_access {
    uint32_t offset;
    uint32_t value; // that is written
    unsigned size;  // 1, 2 or 4 bytes: data registers of an SPI tell them apart
    uint64_t now_ns;
};

// A register has been written; old is what it held.
void f072_serial_written(struct f072_stub *stub,
                         enum f072_stub_kind kind,
                         const struct f072_serial_access *access,
                         uint32_t old);

// A register whose reading does something: true, and what it reads. Else false.
bool f072_serial_read(struct f072_stub *stub,
                      enum f072_stub_kind kind,
                      const struct f072_serial_access *access,
                      uint32_t *ret_value);

// Does the register at this offset ask to be written, or to be read?
bool f072_serial_requests_dma(const struct f072_stub *stub,
                              enum f072_stub_kind kind,
                              uint32_t offset,
                              bool to_peripheral);

// Is this a USART that holds a byte to send but has no bit rate?
bool f072_serial_is_stuck(const struct f072_stub *stub);

// ---- All of the chip ----

// Their clocks follow from the clock tree.
void f072_serials_set_clocks(struct f072_chip *chip);

// When the next frame ends, UINT64_MAX: none is under way.
uint64_t f072_serials_next_event(const struct f072_chip *chip);

// End the frames that are over; DMA gets what it asks for in between.
void f072_serials_advance(struct f072_chip *chip, uint64_t now_ns);

// The clocks have stood still for so long.
void f072_serials_delay(struct f072_chip *chip, uint64_t ns);

// Interrupt lines that are active, a bit each.
uint32_t f072_serials_lines(const struct f072_chip *chip);

// ---- spi.c ----

void f072_spi_written(struct f072_stub *stub,
                      const struct f072_serial_access *access,
                      uint32_t old);
uint32_t f072_spi_read_data(struct f072_stub *stub, unsigned size);
void f072_spi_end_frame(struct f072_stub *stub);
bool f072_spi_interrupts(const struct f072_stub *stub);
bool f072_spi_requests_dma(const struct f072_stub *stub, bool to_peripheral);

#endif
