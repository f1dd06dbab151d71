// SPDX-License-Identifier: MIT
//
// SPI (RM0091 28.9) as a master with nothing connected: for each frame that it sends it receives
// ones. Both FIFOs hold four bytes (28.5.9); a frame of up to eight bits is one of them, a longer
// one is two. An access of 16 bits moves two frames of up to eight (28.5.9, data packing).
//
// What a chip does in two steps is one here: OVR is cleared by reading DR alone.

#include <stm32f072/serial.h>

enum { CR1 = 0x00, CR2 = 0x04, SR = 0x08 };

enum {
    CR1_MSTR = 1 << 2,
    CR1_SPE = 1 << 6,
    CR1_RXONLY = 1 << 10,
    CR1_BIDIOE = 1 << 14,
    CR1_BIDIMODE = 1 << 15,

    CR2_RXDMAEN = 1 << 0,
    CR2_TXDMAEN = 1 << 1,
    CR2_ERRIE = 1 << 5,
    CR2_RXNEIE = 1 << 6,
    CR2_TXEIE = 1 << 7,
    CR2_FRXTH = 1 << 12,

    SR_RXNE = 1 << 0,
    SR_TXE = 1 << 1,
    SR_OVR = 1 << 6,
    SR_BSY = 1 << 7,
    SR_FRLVL = 9,
    SR_FTLVL = 11,

    FIFO_SIZE = 4,
};

// DS; values below 4 bits mean 8.
static unsigned frame_bits(const struct f072_stub *stub)
{
    unsigned ds = stub->words[CR2 / 4] >> 8 & 0xF;

    return ds < 3 ? 8 : ds + 1;
}

static unsigned frame_size(const struct f072_stub *stub)
{
    return frame_bits(stub) <= 8 ? 1 : 2;
}

static uint64_t frame_ns(const struct f072_stub *stub)
{
    uint64_t clocks = (uint64_t)frame_bits(stub) << ((stub->words[CR1 / 4] >> 3 & 7) + 1);

    return clocks * 1000000000 / stub->clock_hz;
}

static bool drives_clock(const struct f072_stub *stub)
{
    enum { ON = CR1_SPE | CR1_MSTR };

    return (stub->words[CR1 / 4] & ON) == ON && stub->clock_hz != 0;
}

static bool is_half_duplex(const struct f072_stub *stub)
{
    return stub->words[CR1 / 4] & CR1_BIDIMODE;
}

static bool receives(const struct f072_stub *stub)
{
    return !(is_half_duplex(stub) && (stub->words[CR1 / 4] & CR1_BIDIOE));
}

// Such a master drives the clock as long as it is enabled (28.5.5).
static bool only_receives(const struct f072_stub *stub)
{
    if (is_half_duplex(stub))
        return receives(stub);
    return stub->words[CR1 / 4] & CR1_RXONLY;
}

static uint32_t level(unsigned bytes)
{
    return bytes < 3 ? bytes : 3;
}

static void show_status(struct f072_stub *stub)
{
    unsigned threshold = stub->words[CR2 / 4] & CR2_FRXTH ? 1 : 2;
    uint32_t status = stub->words[SR / 4] & SR_OVR;

    status |= stub->received >= threshold ? SR_RXNE : 0;
    status |= stub->waiting <= FIFO_SIZE / 2 ? SR_TXE : 0;
    status |= stub->end_ns != UINT64_MAX ? SR_BSY : 0;
    stub->words[SR / 4] =
        status | level(stub->received) << SR_FRLVL | level(stub->waiting) << SR_FTLVL;
}

// The next frame, if there is one and none is under way.
static void load(struct f072_stub *stub, uint64_t now_ns)
{
    if (stub->end_ns != UINT64_MAX || !drives_clock(stub))
        return;
    if (!only_receives(stub)) {
        if (stub->waiting == 0)
            return;
        stub->waiting -= stub->waiting < frame_size(stub) ? stub->waiting : frame_size(stub);
    }
    stub->end_ns = now_ns + frame_ns(stub);
}

static unsigned bytes_of_access(const struct f072_stub *stub, unsigned size)
{
    return frame_size(stub) == 2 || size > 1 ? 2 : 1;
}

void f072_spi_written(struct f072_stub *stub, const struct f072_serial_access *access, uint32_t old)
{
    unsigned bytes = bytes_of_access(stub, access->size);

    if (access->offset == SR)
        stub->words[SR / 4] = old;
    if (access->offset == F072_SPI_DR && stub->waiting + bytes <= FIFO_SIZE)
        stub->waiting += bytes;
    if (!(stub->words[CR1 / 4] & CR1_SPE))
        stub->end_ns = UINT64_MAX;
    load(stub, access->now_ns);
    show_status(stub);
}

uint32_t f072_spi_read_data(struct f072_stub *stub, unsigned size)
{
    unsigned bytes = bytes_of_access(stub, size);

    stub->received -= stub->received < bytes ? stub->received : bytes;
    stub->words[SR / 4] &= ~(uint32_t)SR_OVR;
    show_status(stub);
    return frame_bits(stub) <= 8 ? 0xFFFF : (UINT32_C(1) << frame_bits(stub)) - 1;
}

void f072_spi_end_frame(struct f072_stub *stub)
{
    uint64_t end_ns = stub->end_ns;

    stub->end_ns = UINT64_MAX;
    if (receives(stub) && stub->received + frame_size(stub) > FIFO_SIZE)
        stub->words[SR / 4] |= SR_OVR;
    else if (receives(stub))
        stub->received += frame_size(stub);
    load(stub, end_ns);
    show_status(stub);
}

bool f072_spi_interrupts(const struct f072_stub *stub)
{
    uint32_t cr2 = stub->words[CR2 / 4];
    uint32_t sr = stub->words[SR / 4];

    return ((cr2 & CR2_TXEIE) && (sr & SR_TXE)) || ((cr2 & CR2_RXNEIE) && (sr & SR_RXNE)) ||
           ((cr2 & CR2_ERRIE) && (sr & SR_OVR));
}

bool f072_spi_requests_dma(const struct f072_stub *stub, bool to_peripheral)
{
    uint32_t cr2 = stub->words[CR2 / 4];
    uint32_t sr = stub->words[SR / 4];

    if (!(stub->words[CR1 / 4] & CR1_SPE))
        return false;
    if (!to_peripheral)
        return (cr2 & CR2_RXDMAEN) && (sr & SR_RXNE);
    return (cr2 & CR2_TXDMAEN) && (sr & SR_TXE);
}
