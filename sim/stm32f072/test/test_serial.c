// SPDX-License-Identifier: MIT
//
// The serial interfaces, alone and by DMA: when what is sent is on the line, and what comes in.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chip_fixture.h"

enum { USART1 = 0x40013800, SPI1 = 0x40013000, I2C1 = 0x40005400 };

static int set_up(void **state)
{
    struct fixture *f = chip_fixture_open();

    chip_fixture_power_on(f);
    write_word(f, RCC_AHBENR, 1);                  // DMA
    write_word(f, RCC_APB2ENR, 1 << 14 | 1 << 12); // USART1, SPI1
    write_word(f, RCC_APB1ENR, 1 << 21);           // I2C1
    *state = f;
    return 0;
}

// ---- USART ----

// A USART of 100,000 bit/s: HSI / 80, 100 us for each byte.
enum { USART_CR2 = USART1 + 4, USART_CR3 = USART1 + 8, USART_BRR = USART1 + 12 };
enum { USART_ISR = USART1 + 0x1C, USART_ICR = USART1 + 0x20, USART_TDR = USART1 + 0x28 };
enum { TC = 1 << 6, TXE = 1 << 7, BYTE_NS = 100000 };

static void enable_usart(struct fixture *f, uint32_t cr1)
{
    write_word(f, USART_BRR, 80);
    write_word(f, USART1, cr1 | 1 << 3 | 1); // TE, UE
}

static void dma__writes_what_a_usart_sends_as_fast_as_it_goes(void **state)
{
    struct fixture *f = *state;
    const uint32_t ch2 = DMA_CCR1 + 0x14;

    write_word(f, SRAM, 0x0A216948); // "Hi!\n"
    enable_usart(f, 0);
    write_word(f, ch2 + 4, 4);
    write_word(f, ch2 + 8, USART_TDR);
    write_word(f, ch2 + 12, SRAM);
    write_word(f, ch2, EN | TCIE | DIR | MINC);
    write_word(f, USART_CR3, 1 << 7);           // DMAT
    assert_int_equal(read_word(f, ch2 + 4), 2); // one is on the line, one waits behind it
    pass_to(f, BYTE_NS);
    assert_int_equal(read_word(f, ch2 + 4), 1);
    assert_false(line(f, 10));
    pass_to(f, 2 * BYTE_NS);
    assert_true(line(f, 10)); // the last one waits
    assert_int_equal(f->sent_count, 2);
    pass_to(f, 4 * BYTE_NS - 1);
    assert_int_equal(read_word(f, USART_ISR) & TC, 0);
    pass_to(f, 4 * BYTE_NS);
    assert_int_equal(read_word(f, USART_ISR) & TC, TC);
    assert_int_equal(f->sent_count, 4);
    assert_memory_equal(f->sent, "Hi!\n", 4);
}

static void dma__a_circular_buffer_is_sent_again_and_again(void **state)
{
    struct fixture *f = *state;
    const uint32_t ch2 = DMA_CCR1 + 0x14;

    write_word(f, SRAM, 0x6261); // "ab"
    enable_usart(f, 0);
    write_word(f, USART_CR3, 1 << 7);
    write_word(f, ch2 + 4, 2);
    write_word(f, ch2 + 8, USART_TDR);
    write_word(f, ch2 + 12, SRAM);
    write_word(f, ch2, EN | CIRC | DIR | MINC);
    for (unsigned i = 1; i <= 5; i++)
        pass_to(f, i * BYTE_NS);
    assert_int_equal(f->sent_count, 5);
    assert_memory_equal(f->sent, "ababa", 5);
}

static void usart__a_byte_takes_its_frame(void **state)
{
    struct fixture *f = *state;

    enable_usart(f, 0);
    write_word(f, USART_TDR, 'x');
    assert_int_equal(read_word(f, USART_ISR) & (TXE | TC), TXE); // it is in the shift register
    write_word(f, USART_TDR, 'y');
    assert_int_equal(read_word(f, USART_ISR) & (TXE | TC), 0);
    assert_int_equal(f072_peripherals_next_event(&f->chip), BYTE_NS);
    pass_to(f, BYTE_NS - 1);
    assert_int_equal(f->sent_count, 0);
    pass_to(f, BYTE_NS);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(read_word(f, USART_ISR) & (TXE | TC), TXE);
    pass_to(f, 2 * BYTE_NS);
    assert_int_equal(read_word(f, USART_ISR) & (TXE | TC), TXE | TC);
    assert_memory_equal(f->sent, "xy", 2);
    assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
}

// RM0091 27.5.4 and 27.8: M, STOP, OVER8 and BRR.
static void usart__the_length_of_a_frame_follows_from_its_registers(void **state)
{
    static const struct {
        uint32_t cr1;
        uint32_t cr2;
        uint32_t brr;
        uint64_t ns;
    } rows[] = {
        {0, 0, 80, 100000},                 // 8 bits, 1 stop bit
        {1 << 12, 0, 80, 110000},           // 9 bits
        {1 << 28, 0, 80, 90000},            // 7 bits
        {0, 1 << 12, 80, 95000},            // half a stop bit
        {0, 2 << 12, 80, 110000},           // 2 stop bits
        {0, 3 << 12, 80, 105000},           // one and a half
        {1 << 15, 0, 0x50 | 4, 55000},      // OVER8: 88 / 2 clocks for each bit
        {0, 0, 0xFFFF, UINT64_C(81918750)}, // the slowest
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_word(f, USART1, 0);
        write_word(f, USART_CR2, rows[i].cr2);
        write_word(f, USART_BRR, rows[i].brr);
        write_word(f, USART1, rows[i].cr1 | 1 << 3 | 1);
        write_word(f, USART_TDR, 'x');
        assert_int_equal(f072_peripherals_next_event(&f->chip) - f072_chip_now(&f->chip),
                         rows[i].ns);
    }
}

static void usart__interrupts_while_it_can_send(void **state)
{
    struct fixture *f = *state;

    enable_usart(f, 0);
    assert_false(line(f, 27));
    enable_usart(f, 1 << 7); // TXEIE
    assert_true(line(f, 27));
    write_word(f, USART_TDR, 'x');
    write_word(f, USART_TDR, 'y');
    assert_false(line(f, 27)); // full: until the first has gone
    pass_to(f, BYTE_NS);
    assert_true(line(f, 27));
    enable_usart(f, 1 << 6); // TCIE
    assert_false(line(f, 27));
    pass_to(f, 2 * BYTE_NS);
    assert_true(line(f, 27));
    write_word(f, USART_ICR, 1 << 6); // TCCF
    assert_false(line(f, 27));
}

static void usart__without_a_bit_rate_is_a_warning(void **state)
{
    struct fixture *f = *state;

    write_word(f, USART_BRR, 15);
    write_word(f, USART1, 1 << 3 | 1);
    assert_int_equal(f->chip.report.warning_count, 0);
    write_word(f, USART_TDR, 'x');
    assert_int_equal(f->chip.report.warning_count, 1);
    assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
    assert_int_equal(read_word(f, USART_ISR) & TXE, 0);
    write_word(f, USART_BRR, 80);
    assert_int_equal(f072_peripherals_next_event(&f->chip), BYTE_NS);
}

static void usart__its_clock_is_what_rcc_selects(void **state)
{
    struct fixture *f = *state;

    write_word(f, 0x40021004, 8 << 4); // RCC_CFGR: HPRE, 4 MHz
    enable_usart(f, 0);
    write_word(f, USART_TDR, 'x');
    assert_int_equal(f072_peripherals_next_event(&f->chip), 2 * BYTE_NS);
    pass_to(f, 2 * BYTE_NS);
    write_word(f, 0x40021030, 3); // RCC_CFGR3: USART1SW, HSI
    write_word(f, USART_TDR, 'x');
    assert_int_equal(f072_peripherals_next_event(&f->chip), 3 * BYTE_NS);
}

// ---- SPI at 1 MHz: 8 us for each frame of eight bits ----

enum { SPI_CR2 = SPI1 + 4, SPI_SR = SPI1 + 8, SPI_DR = SPI1 + 12, FRAME_NS = 8000 };
enum { RXNE = 1, SPI_TXE = 2, OVR = 1 << 6, BSY = 1 << 7, FRXTH = 1 << 12, DS_8 = 7 << 8 };
enum { FRLVL_1 = 1 << 9, FRLVL_2 = 2 << 9, FRLVL_4 = 3 << 9, FTLVL_1 = 1 << 11, FTLVL_4 = 3 << 11 };

static void enable_spi(struct fixture *f, uint32_t cr1, uint32_t cr2)
{
    write_word(f, SPI_CR2, cr2);
    write_word(f, SPI1, cr1 | 1 << 6 | 2 << 3 | 1 << 2); // SPE, BR / 8, MSTR
}

static void spi__receives_ones_for_what_it_sends(void **state)
{
    struct fixture *f = *state;

    enable_spi(f, 0, DS_8 | FRXTH);
    assert_int_equal(read_word(f, SPI_SR), SPI_TXE);
    write_bus(f, SPI_DR, 1, 0x9F);
    assert_int_equal(read_word(f, SPI_SR), SPI_TXE | BSY);
    write_bus(f, SPI_DR, 1, 0x9F);
    assert_int_equal(read_word(f, SPI_SR), SPI_TXE | BSY | FTLVL_1);
    pass_to(f, FRAME_NS - 1);
    assert_int_equal(read_word(f, SPI_SR) & RXNE, 0);
    pass_to(f, FRAME_NS);
    assert_int_equal(read_word(f, SPI_SR), RXNE | SPI_TXE | BSY | FRLVL_1);
    pass_to(f, 2 * FRAME_NS);
    assert_int_equal(read_word(f, SPI_SR), RXNE | SPI_TXE | FRLVL_2);
    assert_int_equal(read_word(f, SPI_DR) & 0xFF, 0xFF); // 32 bits: both of them
    assert_int_equal(read_word(f, SPI_SR), SPI_TXE);
}

// RM0091 28.5.9: an access of 16 bits is two frames; RXNE without FRXTH waits for two.
static void spi__packs_two_frames_into_an_access(void **state)
{
    struct fixture *f = *state;

    enable_spi(f, 0, DS_8);
    write_word(f, SPI_DR, 0x1234);
    write_word(f, SPI_DR, 0x5678);
    write_bus(f, SPI_DR, 1, 0x9A);
    assert_int_equal(read_word(f, SPI_SR), BSY | FTLVL_4);
    pass_to(f, FRAME_NS);
    assert_int_equal(read_word(f, SPI_SR) & RXNE, 0);
    pass_to(f, 2 * FRAME_NS);
    assert_int_equal(read_word(f, SPI_SR) & RXNE, RXNE);
    for (unsigned i = 3; i <= 5; i++)
        pass_to(f, i * FRAME_NS);
    assert_int_equal(read_word(f, SPI_SR), RXNE | SPI_TXE | FRLVL_4 | OVR); // the fifth is lost
    read_word(f, SPI_DR);
    assert_int_equal(read_word(f, SPI_SR) & OVR, 0);
}

static void spi__a_slave_waits_for_a_clock(void **state)
{
    struct fixture *f = *state;

    write_word(f, SPI_CR2, DS_8);
    write_word(f, SPI1, 1 << 6); // SPE
    write_bus(f, SPI_DR, 1, 1);
    assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
    assert_int_equal(read_word(f, SPI_SR), SPI_TXE | FTLVL_1);
}

static void spi__a_master_that_only_receives_goes_on_by_itself(void **state)
{
    struct fixture *f = *state;

    enable_spi(f, 1 << 10, DS_8 | FRXTH); // RXONLY
    pass_to(f, FRAME_NS);
    pass_to(f, 2 * FRAME_NS);
    assert_int_equal(read_word(f, SPI_SR), RXNE | SPI_TXE | BSY | FRLVL_2);
    write_word(f, SPI1, 1 << 10);
    assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
}

static void spi__full_duplex_by_dma_loses_nothing(void **state)
{
    struct fixture *f = *state;
    const uint32_t ch2 = DMA_CCR1 + 0x14;
    const uint32_t ch3 = ch2 + 0x14;

    for (unsigned i = 0; i < 2; i++) {
        write_word(f, ch2 + 0x14 * i + 4, 9);
        write_word(f, ch2 + 0x14 * i + 8, SPI_DR);
        write_word(f, ch2 + 0x14 * i + 12, SRAM + 0x100 * i);
        write_word(f, ch2 + 0x14 * i, EN | MINC | (i == 1 ? DIR : 0));
    }
    enable_spi(f, 0, DS_8 | FRXTH | 3); // TXDMAEN, RXDMAEN
    for (unsigned i = 1; i < 9; i++)
        pass_to(f, i * FRAME_NS);
    assert_int_equal(read_word(f, ch3 + 4), 0);
    assert_int_equal(read_word(f, ch2 + 4), 1);
    pass_to(f, 9 * FRAME_NS);
    assert_int_equal(read_word(f, ch2 + 4), 0);
    assert_int_equal(read_word(f, SPI_SR), SPI_TXE);
    assert_int_equal(read_word(f, SRAM), 0xFFFFFFFF);
}

// ---- I2C at 100 kHz: 8 MHz / 2 / (20 + 20) ----

static void i2c__no_address_is_acknowledged(void **state)
{
    struct fixture *f = *state;

    write_word(f, I2C1 + 0x10, 1 << 28 | 19 << 8 | 19);
    write_word(f, I2C1, 1 << 4 | 1);              // NACKIE, PE
    write_word(f, I2C1 + 4, 1 << 13 | 0x50 << 1); // START
    assert_int_equal(read_word(f, I2C1 + 4) >> 13 & 1, 1);
    assert_int_equal(read_word(f, I2C1 + 0x18) & 0x8030, 0x8000); // BUSY
    pass_to(f, 99999);
    assert_false(line(f, 23));
    pass_to(f, 101000);
    assert_int_equal(read_word(f, I2C1 + 4) >> 13 & 1, 0);
    assert_int_equal(read_word(f, I2C1 + 0x18) & 0x8030, 0x8010); // NACKF
    assert_true(line(f, 23));
    pass_to(f, 111000);
    assert_int_equal(read_word(f, I2C1 + 0x18) & 0x8030, 0x30); // NACKF, STOPF, not BUSY
    write_word(f, I2C1 + 0x1C, 0x30);
    assert_int_equal(read_word(f, I2C1 + 0x18) & 0x30, 0);
    assert_false(line(f, 23));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, chip_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dma__writes_what_a_usart_sends_as_fast_as_it_goes),
        TEST(dma__a_circular_buffer_is_sent_again_and_again),
        TEST(usart__a_byte_takes_its_frame),
        TEST(usart__the_length_of_a_frame_follows_from_its_registers),
        TEST(usart__interrupts_while_it_can_send),
        TEST(usart__without_a_bit_rate_is_a_warning),
        TEST(usart__its_clock_is_what_rcc_selects),
        TEST(spi__receives_ones_for_what_it_sends),
        TEST(spi__packs_two_frames_into_an_access),
        TEST(spi__a_slave_waits_for_a_clock),
        TEST(spi__a_master_that_only_receives_goes_on_by_itself),
        TEST(spi__full_duplex_by_dma_loses_nothing),
        TEST(i2c__no_address_is_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
