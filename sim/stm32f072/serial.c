// SPDX-License-Identifier: MIT
//
// USART and I2C, as far as firmware depends on them with nothing connected, and what all serial
// interfaces have in common. A USART receives nothing; on the I2C bus no address is acknowledged.
// SPI is in spi.c.

#include <stm32f072/serial.h>

#include <stm32f072/chip.h>

enum { NS_PER_S = 1000000000 };

// ---- USART (RM0091 27.8) ----
//
// TDR holds the byte that waits while TXE is 0; f072_stub.shifting is the one on the line.

enum {
    USART_CR1 = 0x00,
    USART_CR2 = 0x04,
    USART_CR3 = 0x08,
    USART_BRR = 0x0C,
    USART_ISR = 0x1C,
    USART_ICR = 0x20,
    USART_TDR = 0x28,
};
enum { USART_TC = 1 << 6, USART_TXE = 1 << 7, USART_UE_TE = 1 << 3 | 1 << 0, USART_DMAT = 1 << 7 };

static bool usart_sends(const struct f072_stub *stub)
{
    return (stub->words[USART_CR1 / 4] & USART_UE_TE) == USART_UE_TE;
}

// Start bit, data with parity (M), stop bits (STOP), in halves of a bit.
static unsigned usart_half_bits(const struct f072_stub *stub)
{
    enum { M0 = 1 << 12, M1 = 1 << 28 };
    static const uint8_t stop_bits[] = {2, 1, 4, 3};
    uint32_t cr1 = stub->words[USART_CR1 / 4];
    unsigned data_bits = cr1 & M1 ? 7 : cr1 & M0 ? 9 : 8;

    return 2 * (1 + data_bits) + stop_bits[stub->words[USART_CR2 / 4] >> 12 & 3];
}

// How long a frame takes; 0: the divider is below 16 or there is no clock, and nothing moves
// (RM0091 27.5.4).
static uint64_t usart_frame_ns(const struct f072_stub *stub)
{
    enum { OVER8 = 1 << 15 };
    uint32_t brr = stub->words[USART_BRR / 4] & 0xFFFF;
    bool over8 = stub->words[USART_CR1 / 4] & OVER8;
    uint64_t divider = over8 ? (brr & 0xFFF0) | (brr & 7) << 1 : brr;

    if (divider < 16 || stub->clock_hz == 0)
        return 0;
    return usart_half_bits(stub) * divider * NS_PER_S / (over8 ? 4 : 2) / stub->clock_hz;
}

// The byte in TDR goes into the shift register as soon as that is free.
static void usart_load(struct f072_stub *stub, uint64_t now_ns)
{
    uint64_t frame_ns = usart_frame_ns(stub);

    if (stub->end_ns != UINT64_MAX || (stub->words[USART_ISR / 4] & USART_TXE) || frame_ns == 0)
        return;
    stub->shifting = (uint8_t)stub->words[USART_TDR / 4];
    stub->end_ns = now_ns + frame_ns;
    stub->words[USART_ISR / 4] |= USART_TXE;
}

static void
usart_written(struct f072_stub *stub, const struct f072_serial_access *access, uint32_t old)
{
    uint32_t *isr = &stub->words[USART_ISR / 4];

    if (access->offset == USART_ISR)
        *isr = old;
    if (access->offset == USART_ICR)
        *isr &= ~(access->value & USART_TC);
    if (!(stub->words[USART_CR1 / 4] & 1)) { // UE: what was being sent is lost
        stub->end_ns = UINT64_MAX;
        *isr |= USART_TC | USART_TXE;
    }
    if (access->offset == USART_TDR && usart_sends(stub))
        *isr &= ~(uint32_t)(USART_TC | USART_TXE);
    if (usart_sends(stub))
        usart_load(stub, access->now_ns);
}

static void usart_end_frame(struct f072_stub *stub)
{
    uint64_t end_ns = stub->end_ns;

    stub->end_ns = UINT64_MAX;
    if (usart_sends(stub))
        usart_load(stub, end_ns);
    if (stub->end_ns == UINT64_MAX && (stub->words[USART_ISR / 4] & USART_TXE))
        stub->words[USART_ISR / 4] |= USART_TC;
}

// TCIE and TXEIE of CR1 stand where the flags stand in ISR.
static bool usart_interrupts(const struct f072_stub *stub)
{
    uint32_t flags = stub->words[USART_ISR / 4] & (USART_TC | USART_TXE);
    uint32_t cr1 = stub->words[USART_CR1 / 4];

    return (cr1 & 1) && (cr1 & flags);
}

static bool usart_requests_dma(const struct f072_stub *stub)
{
    return (stub->words[USART_CR3 / 4] & USART_DMAT) && usart_sends(stub) &&
           (stub->words[USART_ISR / 4] & USART_TXE);
}

bool f072_serial_is_stuck(const struct f072_stub *stub)
{
    return usart_sends(stub) && !(stub->words[USART_ISR / 4] & USART_TXE) &&
           usart_frame_ns(stub) == 0;
}

// ---- I2C (RM0091 26.7) ----

enum { I2C_CR1 = 0x00, I2C_CR2 = 0x04, I2C_TIMINGR = 0x10, I2C_ISR = 0x18, I2C_ICR = 0x1C };
enum { I2C_PE = 1 << 0, I2C_START = 1 << 13, I2C_STOP = 1 << 14 };
enum { I2C_NACKF = 1 << 4, I2C_STOPF = 1 << 5, I2C_BUSY = 1 << 15 };

// Periods of SCL (RM0091 26.7.5); 0: there is no clock.
static uint64_t i2c_bits_ns(const struct f072_stub *stub, unsigned bits)
{
    uint32_t timing = stub->words[I2C_TIMINGR / 4];
    uint64_t low_and_high = (timing & 0xFF) + 1 + (timing >> 8 & 0xFF) + 1;
    uint64_t prescaler = (timing >> 28) + 1;

    if (stub->clock_hz == 0)
        return 0;
    return bits * low_and_high * prescaler * NS_PER_S / stub->clock_hz + 1;
}

// START, seven bits, direction and the acknowledge that does not come.
static void i2c_start(struct f072_stub *stub, uint64_t now_ns)
{
    enum { ADDRESS_BITS = 10 };
    uint64_t address_ns = i2c_bits_ns(stub, ADDRESS_BITS);

    if (address_ns == 0 || stub->end_ns != UINT64_MAX)
        return;
    stub->end_ns = now_ns + address_ns;
    stub->words[I2C_ISR / 4] |= I2C_BUSY;
}

static void
i2c_written(struct f072_stub *stub, const struct f072_serial_access *access, uint32_t old)
{
    uint32_t *words = stub->words;

    if (access->offset == I2C_ISR)
        words[I2C_ISR / 4] = old;
    if (access->offset == I2C_ICR)
        words[I2C_ISR / 4] &= ~(access->value & (I2C_NACKF | I2C_STOPF));
    if (access->offset == I2C_CR2) // set by software, cleared by hardware
        words[I2C_CR2 / 4] |= old & I2C_START;
    words[I2C_CR2 / 4] &= ~(uint32_t)I2C_STOP;
    if (!(words[I2C_CR1 / 4] & I2C_PE)) { // a reset of all but the configuration (RM0091 26.4.6)
        stub->end_ns = UINT64_MAX;
        words[I2C_CR2 / 4] &= ~(uint32_t)I2C_START;
        words[I2C_ISR / 4] &= ~(uint32_t)(I2C_NACKF | I2C_STOPF | I2C_BUSY);
    } else if (words[I2C_CR2 / 4] & I2C_START) {
        i2c_start(stub, access->now_ns);
    }
}

// The address is not acknowledged: the master sends STOP by itself.
static void i2c_end(struct f072_stub *stub)
{
    bool address = stub->words[I2C_CR2 / 4] & I2C_START;

    if (address) {
        stub->words[I2C_CR2 / 4] &= ~(uint32_t)I2C_START;
        stub->words[I2C_ISR / 4] |= I2C_NACKF;
        stub->end_ns += i2c_bits_ns(stub, 1);
    } else {
        stub->words[I2C_ISR / 4] &= ~(uint32_t)I2C_BUSY;
        stub->words[I2C_ISR / 4] |= I2C_STOPF;
        stub->end_ns = UINT64_MAX;
    }
}

// NACKIE and STOPIE of CR1 stand where the flags stand in ISR.
static bool i2c_interrupts(const struct f072_stub *stub)
{
    return stub->words[I2C_ISR / 4] & stub->words[I2C_CR1 / 4] & (I2C_NACKF | I2C_STOPF);
}

// ---- Each of them ----

void f072_serial_written(struct f072_stub *stub,
                         enum f072_stub_kind kind,
                         const struct f072_serial_access *access,
                         uint32_t old)
{
    if (kind == F072_STUB_USART)
        usart_written(stub, access, old);
    if (kind == F072_STUB_SPI)
        f072_spi_written(stub, access, old);
    if (kind == F072_STUB_I2C)
        i2c_written(stub, access, old);
}

bool f072_serial_read(struct f072_stub *stub,
                      enum f072_stub_kind kind,
                      const struct f072_serial_access *access,
                      uint32_t *ret_value)
{
    if (kind != F072_STUB_SPI || access->offset != F072_SPI_DR)
        return false;
    *ret_value = f072_spi_read_data(stub, access->size);
    return true;
}

bool f072_serial_requests_dma(const struct f072_stub *stub,
                              enum f072_stub_kind kind,
                              uint32_t offset,
                              bool to_peripheral)
{
    if (kind == F072_STUB_USART)
        return to_peripheral && offset == USART_TDR && usart_requests_dma(stub);
    return kind == F072_STUB_SPI && offset == F072_SPI_DR &&
           f072_spi_requests_dma(stub, to_peripheral);
}

// ---- All of the chip: by their index among the stubs ----

static const struct serial {
    uint8_t index;
    uint8_t kind;
    uint8_t number;
    uint8_t line; // RM0091 11.1.3
} serials[] = {
    {5, F072_STUB_I2C, 1, 23},   {6, F072_STUB_I2C, 2, 24},    {12, F072_STUB_SPI, 1, 25},
    {1, F072_STUB_SPI, 2, 26},   {13, F072_STUB_USART, 1, 27}, {2, F072_STUB_USART, 2, 28},
    {3, F072_STUB_USART, 3, 29}, {4, F072_STUB_USART, 4, 29},
};

enum { SERIALS = sizeof serials / sizeof serials[0] };

void f072_serials_set_clocks(struct f072_chip *chip)
{
    for (unsigned i = 0; i < SERIALS; i++) {
        uint32_t *clock_hz = &chip->stub[serials[i].index].clock_hz;
        if (serials[i].kind == F072_STUB_USART)
            *clock_hz = f072_rcc_usart_clock(&chip->rcc, serials[i].number);
        else if (serials[i].kind == F072_STUB_I2C)
            *clock_hz = f072_rcc_i2c_clock(&chip->rcc, serials[i].number);
        else
            *clock_hz = f072_rcc_pclk(&chip->rcc);
    }
}

// The one whose frame ends first.
static const struct serial *first_to_end(const struct f072_chip *chip)
{
    const struct serial *first = &serials[0];

    for (unsigned i = 1; i < SERIALS; i++)
        if (chip->stub[serials[i].index].end_ns < chip->stub[first->index].end_ns)
            first = &serials[i];
    return first;
}

uint64_t f072_serials_next_event(const struct f072_chip *chip)
{
    return chip->others_used ? chip->stub[first_to_end(chip)->index].end_ns : UINT64_MAX;
}

static void end_frame(struct f072_chip *chip, const struct serial *serial)
{
    struct f072_stub *stub = &chip->stub[serial->index];

    if (serial->kind == F072_STUB_I2C) {
        i2c_end(stub);
    } else if (serial->kind == F072_STUB_SPI) {
        f072_spi_end_frame(stub);
    } else {
        if (chip->uart.put)
            chip->uart.put(chip->uart.context, stub->shifting);
        usart_end_frame(stub);
    }
}

void f072_serials_advance(struct f072_chip *chip, uint64_t now_ns)
{
    while (f072_serials_next_event(chip) <= now_ns) {
        end_frame(chip, first_to_end(chip));
        f072_dma_serve(chip);
    }
}

void f072_serials_delay(struct f072_chip *chip, uint64_t ns)
{
    for (unsigned i = 0; i < SERIALS; i++)
        if (chip->stub[serials[i].index].end_ns != UINT64_MAX)
            chip->stub[serials[i].index].end_ns += ns;
}

static bool interrupts(const struct f072_stub *stub, uint8_t kind)
{
    if (kind == F072_STUB_USART)
        return usart_interrupts(stub);
    return kind == F072_STUB_SPI ? f072_spi_interrupts(stub) : i2c_interrupts(stub);
}

uint32_t f072_serials_lines(const struct f072_chip *chip)
{
    uint32_t active = 0;

    for (unsigned i = 0; i < SERIALS; i++)
        active |= (uint32_t)interrupts(&chip->stub[serials[i].index], serials[i].kind)
                  << serials[i].line;
    return active;
}
