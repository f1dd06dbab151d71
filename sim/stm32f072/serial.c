// SPDX-License-Identifier: MIT
//
// USART, SPI and I2C, as far as firmware depends on them with nothing connected: what is sent is
// gone at once; a USART receives nothing, an SPI receives ones, and on the I2C bus no address is
// acknowledged.

#include <stm32f072/serial.h>

// ---- USART (RM0091 27.8) ----

enum { USART_CR1 = 0x00, USART_CR3 = 0x08, USART_ISR = 0x1C, USART_ICR = 0x20, USART_TDR = 0x28 };
enum { USART_TC = 1 << 6, USART_TXE = 1 << 7, USART_UE_TE = 1 << 3 | 1 << 0, USART_DMAT = 1 << 7 };

static void write_usart(struct f072_stub *stub, uint32_t offset, uint32_t value, uint32_t old)
{
    uint32_t *words = stub->words;

    if (offset == USART_ISR)
        words[USART_ISR / 4] = old;
    if (offset == USART_ICR)
        words[USART_ISR / 4] &= ~(value & USART_TC);
    if (offset == USART_TDR)
        words[USART_ISR / 4] |= USART_TC;
}

// TCIE and TXEIE of CR1 stand where the flags stand in ISR; TXE is always set.
static bool usart_interrupts(const struct f072_stub *stub)
{
    uint32_t flags = (stub->words[USART_ISR / 4] & USART_TC) | USART_TXE;
    uint32_t cr1 = stub->words[USART_CR1 / 4];

    return (cr1 & 1) && (cr1 & flags);
}

// ---- SPI (RM0091 28.9) ----

enum { SPI_CR1 = 0x00, SPI_CR2 = 0x04, SPI_SR = 0x08, SPI_DR = 0x0C };
enum { SPI_SPE = 1 << 6, SPI_RXNE = 1 << 0, SPI_RXDMAEN = 1 << 0, SPI_TXDMAEN = 1 << 1 };
enum { SPI_FIFO = 4 };

// For each frame that goes out one comes in. Data that is not read overflows.
static void write_spi(struct f072_stub *stub, uint32_t offset)
{
    if (offset == SPI_DR && (stub->words[SPI_CR1 / 4] & SPI_SPE) && stub->received < SPI_FIFO)
        stub->received++;
    stub->words[SPI_SR / 4] = stub->received > 0 ? SPI_RXNE : 0;
}

static uint32_t read_spi(struct f072_stub *stub)
{
    if (stub->received > 0)
        stub->received--;
    stub->words[SPI_SR / 4] = stub->received > 0 ? SPI_RXNE : 0;
    return 0xFFFF;
}

static bool spi_interrupts(const struct f072_stub *stub)
{
    enum { RXNEIE = 1 << 6, TXEIE = 1 << 7 };
    uint32_t cr2 = stub->words[SPI_CR2 / 4];

    return (cr2 & TXEIE) || ((cr2 & RXNEIE) && stub->received > 0);
}

static bool spi_requests_dma(const struct f072_stub *stub, bool to_peripheral)
{
    uint32_t cr2 = stub->words[SPI_CR2 / 4];

    if (!(stub->words[SPI_CR1 / 4] & SPI_SPE))
        return false;
    if (!to_peripheral)
        return (cr2 & SPI_RXDMAEN) && stub->received > 0;
    return (cr2 & SPI_TXDMAEN) && !((cr2 & SPI_RXDMAEN) && stub->received > 0);
}

// ---- I2C (RM0091 26.7) ----

enum { I2C_CR1 = 0x00, I2C_CR2 = 0x04, I2C_ISR = 0x18, I2C_ICR = 0x1C };
enum { I2C_PE = 1 << 0, I2C_START = 1 << 13, I2C_STOP = 1 << 14 };
enum { I2C_NACKF = 1 << 4, I2C_STOPF = 1 << 5 };

// The address is not acknowledged: the master sends STOP by itself.
static void write_i2c(struct f072_stub *stub, uint32_t offset, uint32_t value, uint32_t old)
{
    uint32_t *words = stub->words;

    if (offset == I2C_ISR)
        words[I2C_ISR / 4] = old;
    if (offset == I2C_CR2)
        words[I2C_CR2 / 4] &= ~(uint32_t)(I2C_START | I2C_STOP);
    if (offset == I2C_CR2 && (value & I2C_START) && (words[I2C_CR1 / 4] & I2C_PE))
        words[I2C_ISR / 4] |= I2C_NACKF | I2C_STOPF;
    if (offset == I2C_ICR)
        words[I2C_ISR / 4] &= ~(value & (I2C_NACKF | I2C_STOPF));
}

// NACKIE and STOPIE of CR1 stand where the flags stand in ISR.
static bool i2c_interrupts(const struct f072_stub *stub)
{
    return stub->words[I2C_ISR / 4] & stub->words[I2C_CR1 / 4] & (I2C_NACKF | I2C_STOPF);
}

// ---- All of them ----

void f072_serial_written(
    struct f072_stub *stub, enum f072_stub_kind kind, uint32_t offset, uint32_t value, uint32_t old)
{
    if (kind == F072_STUB_USART)
        write_usart(stub, offset, value, old);
    if (kind == F072_STUB_SPI)
        write_spi(stub, offset);
    if (kind == F072_STUB_I2C)
        write_i2c(stub, offset, value, old);
}

bool f072_serial_read(struct f072_stub *stub,
                      enum f072_stub_kind kind,
                      uint32_t offset,
                      uint32_t *ret_value)
{
    if (kind != F072_STUB_SPI || offset != SPI_DR)
        return false;
    *ret_value = read_spi(stub);
    return true;
}

bool f072_serial_interrupt(const struct f072_stub *stub, enum f072_stub_kind kind)
{
    if (kind == F072_STUB_USART)
        return usart_interrupts(stub);
    return kind == F072_STUB_SPI ? spi_interrupts(stub) : i2c_interrupts(stub);
}

bool f072_serial_requests_dma(const struct f072_stub *stub,
                              enum f072_stub_kind kind,
                              uint32_t offset,
                              bool to_peripheral)
{
    if (kind == F072_STUB_USART)
        return to_peripheral && offset == USART_TDR && (stub->words[USART_CR3 / 4] & USART_DMAT) &&
               (stub->words[USART_CR1 / 4] & USART_UE_TE) == USART_UE_TE;
    return kind == F072_STUB_SPI && offset == SPI_DR && spi_requests_dma(stub, to_peripheral);
}
