// SPDX-License-Identifier: MIT
//
// ADC, CRC, DMA and the serial interfaces, by the registers that firmware writes and waits for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <armv6m/armv6m_debug.h>
#include <stm32f072/chip.h>

enum {
    RCC_AHBENR = 0x40021014,
    RCC_APB2ENR = 0x40021018,
    RCC_APB1ENR = 0x4002101C,
    ADC = 0x40012400,
    ADC_ISR = ADC,
    ADC_CR = ADC + 0x08,
    ADC_CFGR1 = ADC + 0x0C,
    ADC_CHSELR = ADC + 0x28,
    ADC_DR = ADC + 0x40,
    CRC_DR = 0x40023000,
    CRC_CR = CRC_DR + 0x08,
    CRC_INIT = CRC_DR + 0x10,
    CRC_POL = CRC_DR + 0x14,
    DMA_ISR = 0x40020000,
    DMA_IFCR = DMA_ISR + 0x04,
    DMA_CCR1 = DMA_ISR + 0x08,
    USART1 = 0x40013800,
    SPI1 = 0x40013000,
    I2C1 = 0x40005400,
    SRAM = F072_SRAM_BASE,
};

enum { EN = 1, TCIE = 2, DIR = 1 << 4, CIRC = 1 << 5, PINC = 1 << 6, MINC = 1 << 7 };
enum { SIZES_16 = 1 << 8 | 1 << 10, SIZES_32 = 2 << 8 | 2 << 10, MEM2MEM = 1 << 14 };

struct fixture {
    struct f072_chip chip;
    uint8_t flash[128 * 1024];
    uint8_t options[F072_OPTIONS_SIZE];
    char sent[32];
    size_t sent_count;
};

static void put(void *context, uint8_t byte)
{
    struct fixture *f = context;

    assert_true(f->sent_count < sizeof f->sent);
    f->sent[f->sent_count++] = (char)byte;
}

static uint32_t read_bus(struct fixture *f, uint32_t address)
{
    uint32_t value;

    assert_true(armv6m_load(&f->chip.cpu, address, 4, &value));
    return value;
}

static void write_bus(struct fixture *f, uint32_t address, uint32_t value)
{
    assert_true(armv6m_store(&f->chip.cpu, address, 4, value));
}

static void write_byte(struct fixture *f, uint32_t address, uint8_t value)
{
    assert_true(armv6m_store(&f->chip.cpu, address, 1, value));
}

static bool line(const struct fixture *f, unsigned number)
{
    return f->chip.cpu.lines >> number & 1;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    memset(f->flash, 0xFF, sizeof f->flash);
    memset(f->options, 0xFF, sizeof f->options);
    f072_chip_init(&f->chip, f072_models, f->flash, f->options, 1);
    f->chip.report.quiet = true;
    f->chip.uart = (struct f072_uart_sink){put, f};
    f072_chip_power_on(&f->chip, 1, 0);
    write_bus(f, RCC_AHBENR, 0x41);                        // CRC, DMA
    write_bus(f, RCC_APB2ENR, 1 << 14 | 1 << 12 | 1 << 9); // USART1, SPI1, ADC
    write_bus(f, RCC_APB1ENR, 1 << 21);                    // I2C1
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

// ---- ADC ----

static void adc__converts_what_software_starts(void **state)
{
    struct fixture *f = *state;

    write_bus(f, ADC_CR, UINT32_C(1) << 31); // ADCAL
    assert_int_equal(read_bus(f, ADC_CR), 0);
    write_bus(f, ADC_CR, 1); // ADEN
    assert_int_equal(read_bus(f, ADC_ISR), 1);
    write_bus(f, ADC_CHSELR, 1 << 5);
    write_bus(f, ADC_CR, 1 << 2); // ADSTART
    assert_int_equal(read_bus(f, ADC_ISR), 1 | 2 | 4 | 8);
    assert_int_equal(read_bus(f, ADC_CR), 1); // it is over
    assert_int_equal(read_bus(f, ADC_DR), 2048);
    assert_int_equal(read_bus(f, ADC_ISR), 1 | 2 | 8); // EOC is cleared

    write_bus(f, ADC_CFGR1, 2 << 3); // RES: 8 bits
    write_bus(f, ADC_CR, 1 << 2);
    assert_int_equal(read_bus(f, ADC_DR), 128);
}

static void adc__sensors_read_their_calibration(void **state)
{
    struct fixture *f = *state;

    write_bus(f, ADC_CR, 1);
    write_bus(f, ADC_CHSELR, 3 << 16);
    write_bus(f, ADC_CR, 1 << 2);
    assert_int_equal(read_bus(f, ADC_ISR) & 8, 0); // EOS: one more to come
    assert_int_equal(read_bus(f, ADC_DR), read_bus(f, 0x1FFFF7B8) & 0xFFFF);
    assert_int_equal(read_bus(f, ADC_ISR) & 8, 8);
    assert_int_equal(read_bus(f, ADC_DR), read_bus(f, 0x1FFFF7B8) >> 16);
}

static void adc__a_sequence_goes_into_memory_by_dma(void **state)
{
    struct fixture *f = *state;

    write_bus(f, ADC_CR, 1);
    write_bus(f, ADC_CHSELR, 1 << 17 | 1 << 16 | 1);
    write_bus(f, ADC_CFGR1, 1); // DMAEN
    write_bus(f, DMA_CCR1 + 4, 3);
    write_bus(f, DMA_CCR1 + 8, ADC_DR);
    write_bus(f, DMA_CCR1 + 12, SRAM);
    write_bus(f, DMA_CCR1, EN | TCIE | MINC | SIZES_16);
    assert_int_equal(read_bus(f, DMA_ISR), 0);
    write_bus(f, ADC_CR, 1 << 2);
    assert_int_equal(read_bus(f, SRAM), 2048 | (uint32_t)F072_TS_CAL1 << 16);
    assert_int_equal(read_bus(f, SRAM + 4) & 0xFFFF, F072_VREFINT_CAL);
    assert_int_equal(read_bus(f, DMA_CCR1 + 4), 0);
    assert_int_equal(read_bus(f, DMA_ISR), 7); // GIF, TCIF, HTIF
    assert_true(line(f, 9));
    write_bus(f, DMA_IFCR, 1); // CGIF
    assert_int_equal(read_bus(f, DMA_ISR), 0);
    assert_false(line(f, 9));
}

static void adc__a_circular_buffer_is_filled_once_for_each_start(void **state)
{
    struct fixture *f = *state;

    write_bus(f, ADC_CR, 1);
    write_bus(f, ADC_CHSELR, 1);
    write_bus(f, ADC_CFGR1, 1 | 2 | 1 << 13); // DMAEN, DMACFG, CONT
    write_bus(f, DMA_CCR1 + 4, 2);
    write_bus(f, DMA_CCR1 + 8, ADC_DR);
    write_bus(f, DMA_CCR1 + 12, SRAM);
    write_bus(f, DMA_CCR1, EN | CIRC | MINC | SIZES_16);
    write_bus(f, ADC_CR, 1 << 2);
    assert_int_equal(read_bus(f, SRAM), 2048 | 2048 << 16);
    assert_int_equal(read_bus(f, DMA_CCR1 + 4), 2);
    write_bus(f, DMA_IFCR, 0xF);
    assert_int_equal(read_bus(f, DMA_ISR), 0); // to clear the flags starts nothing
}

// ---- DMA ----

static void dma__copies_memory(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 4; i++)
        write_bus(f, SRAM + 4 * i, 0x11111111 * i);
    write_bus(f, DMA_CCR1 + 4, 4);
    write_bus(f, DMA_CCR1 + 8, SRAM);
    write_bus(f, DMA_CCR1 + 12, SRAM + 0x100);
    write_bus(f, DMA_CCR1, EN | PINC | MINC | SIZES_32 | MEM2MEM);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(read_bus(f, SRAM + 0x100 + 4 * i), 0x11111111 * i);
    assert_int_equal(read_bus(f, DMA_ISR), 7);
}

static void dma__an_address_without_memory_is_an_error(void **state)
{
    struct fixture *f = *state;

    write_bus(f, DMA_CCR1 + 4, 4);
    write_bus(f, DMA_CCR1 + 8, SRAM);
    write_bus(f, DMA_CCR1 + 12, 0x60000000);
    write_bus(f, DMA_CCR1, EN | MINC | SIZES_32 | MEM2MEM);
    assert_int_equal(read_bus(f, DMA_ISR), 9); // GIF, TEIF
    assert_int_equal(read_bus(f, DMA_CCR1) & EN, 0);
}

static void dma__writes_what_a_usart_sends(void **state)
{
    struct fixture *f = *state;
    const uint32_t ch2 = DMA_CCR1 + 0x14;

    write_bus(f, SRAM, 0x0A216948); // "Hi!\n"
    write_bus(f, USART1, 1 << 3 | 1);
    write_bus(f, ch2 + 4, 4);
    write_bus(f, ch2 + 8, USART1 + 0x28);
    write_bus(f, ch2 + 12, SRAM);
    write_bus(f, ch2, EN | TCIE | DIR | MINC);
    assert_int_equal(f->sent_count, 0);
    write_bus(f, USART1 + 0x08, 1 << 7); // DMAT
    assert_int_equal(f->sent_count, 4);
    assert_memory_equal(f->sent, "Hi!\n", 4);
    assert_true(line(f, 10));
}

static void dma__for_a_peripheral_that_never_asks_is_a_warning(void **state)
{
    struct fixture *f = *state;

    write_bus(f, DMA_CCR1 + 4, 4);
    write_bus(f, DMA_CCR1 + 8, 0x48000018); // GPIOA_BSRR, for a timer to pace
    write_bus(f, DMA_CCR1 + 12, SRAM);
    assert_int_equal(f->chip.report.warning_count, 0);
    write_bus(f, DMA_CCR1, EN | DIR | MINC | SIZES_32);
    assert_int_equal(f->chip.report.warning_count, 1);
    assert_int_equal(read_bus(f, DMA_CCR1 + 4), 4);
}

// ---- Serial interfaces ----

static void usart__interrupts_while_it_can_send(void **state)
{
    struct fixture *f = *state;

    write_bus(f, USART1, 1 << 3 | 1);
    assert_false(line(f, 27));
    write_bus(f, USART1, 1 << 7 | 1 << 3 | 1); // TXEIE
    assert_true(line(f, 27));
    write_bus(f, USART1, 1 << 6 | 1 << 3 | 1); // TCIE
    write_bus(f, USART1 + 0x20, 1 << 6);       // TCCF
    assert_false(line(f, 27));
    write_bus(f, USART1 + 0x28, 'x');
    assert_true(line(f, 27));
    assert_int_equal(f->sent[0], 'x');
}

static void spi__receives_ones_for_what_it_sends(void **state)
{
    struct fixture *f = *state;

    write_bus(f, SPI1, 1 << 6 | 1 << 2); // SPE, MSTR
    assert_int_equal(read_bus(f, SPI1 + 0x08) & 3, 2);
    write_byte(f, SPI1 + 0x0C, 0x9F);
    assert_int_equal(read_bus(f, SPI1 + 0x08) & 3, 3);
    assert_int_equal(read_bus(f, SPI1 + 0x0C) & 0xFF, 0xFF);
    assert_int_equal(read_bus(f, SPI1 + 0x08) & 3, 2);
}

static void i2c__no_address_is_acknowledged(void **state)
{
    struct fixture *f = *state;

    write_bus(f, I2C1, 1 << 4 | 1);              // NACKIE, PE
    write_bus(f, I2C1 + 4, 1 << 13 | 0x50 << 1); // START
    assert_int_equal(read_bus(f, I2C1 + 4) >> 13 & 1, 0);
    assert_int_equal(read_bus(f, I2C1 + 0x18) & 0x8030, 0x30); // NACKF, STOPF, not BUSY
    assert_true(line(f, 23));
    write_bus(f, I2C1 + 0x1C, 0x30);
    assert_int_equal(read_bus(f, I2C1 + 0x18) & 0x30, 0);
    assert_false(line(f, 23));
}

// ---- CRC: the check values that each algorithm is published with, of "123456789" ----

static uint32_t crc_of_digits(struct fixture *f)
{
    for (uint8_t digit = '1'; digit <= '9'; digit++)
        write_byte(f, CRC_DR, digit);
    return read_bus(f, CRC_DR);
}

static void crc__has_the_published_check_values(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(crc_of_digits(f), 0x0376E6E7);        // CRC-32/MPEG-2
    write_bus(f, CRC_CR, 1 << 7 | 1 << 5 | 1);             // REV_OUT, REV_IN by byte, RESET
    assert_int_equal(crc_of_digits(f), (int)~0xCBF43926u); // CRC-32, before its last step
    write_bus(f, CRC_CR, 1 << 3 | 1);                      // 16 bits
    write_bus(f, CRC_POL, 0x1021);
    write_bus(f, CRC_INIT, 0xFFFF);
    assert_int_equal(crc_of_digits(f), 0x29B1); // CRC-16/CCITT-FALSE
}

static void crc__a_word_is_four_bytes_from_the_top(void **state)
{
    struct fixture *f = *state;

    write_bus(f, CRC_DR, 0x31323334);
    uint32_t word = read_bus(f, CRC_DR);
    write_bus(f, CRC_CR, 1);
    for (uint8_t digit = '1'; digit <= '4'; digit++)
        write_byte(f, CRC_DR, digit);
    assert_int_equal(read_bus(f, CRC_DR), word);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(adc__converts_what_software_starts),
        TEST(adc__sensors_read_their_calibration),
        TEST(adc__a_sequence_goes_into_memory_by_dma),
        TEST(adc__a_circular_buffer_is_filled_once_for_each_start),
        TEST(dma__copies_memory),
        TEST(dma__an_address_without_memory_is_an_error),
        TEST(dma__for_a_peripheral_that_never_asks_is_a_warning),
        TEST(dma__writes_what_a_usart_sends),
        TEST(usart__interrupts_while_it_can_send),
        TEST(spi__receives_ones_for_what_it_sends),
        TEST(i2c__no_address_is_acknowledged),
        TEST(crc__has_the_published_check_values),
        TEST(crc__a_word_is_four_bytes_from_the_top),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
