// SPDX-License-Identifier: MIT
//
// ADC, CRC and DMA, by the registers that firmware writes and waits for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chip_fixture.h"

enum {
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
};

static int set_up(void **state)
{
    struct fixture *f = chip_fixture_open();

    chip_fixture_power_on(f);
    write_word(f, RCC_AHBENR, 0x41);    // CRC, DMA
    write_word(f, RCC_APB2ENR, 1 << 9); // ADC
    *state = f;
    return 0;
}

// ---- ADC ----

// With HSI14 and the shortest sampling a conversion takes 14 clocks: 1 us.
enum { EOSMP = 2, EOC = 4, EOS = 8, ADC_OVR = 16, CONVERSION_NS = 1000 };
enum {
    ADC_CFGR2 = ADC + 0x10,
    ADC_SMPR = ADC + 0x14,
    OVRMOD = 1 << 12,
    CONT = 1 << 13,
    WAIT = 1 << 14
};

static void adc__converts_what_software_starts(void **state)
{
    struct fixture *f = *state;

    write_word(f, ADC_CR, UINT32_C(1) << 31); // ADCAL
    assert_int_equal(read_word(f, ADC_CR), 0);
    write_word(f, ADC_CR, 1); // ADEN
    assert_int_equal(read_word(f, ADC_ISR), 1);
    write_word(f, ADC_CHSELR, 1 << 5);
    write_word(f, ADC_CR, 1 << 2); // ADSTART
    pass_to(f, CONVERSION_NS - 1);
    assert_int_equal(read_word(f, ADC_ISR), 1);
    assert_int_equal(read_word(f, ADC_CR), 5);
    pass_to(f, CONVERSION_NS);
    assert_int_equal(read_word(f, ADC_ISR), 1 | EOSMP | EOC | EOS);
    assert_int_equal(read_word(f, ADC_CR), 1); // it is over
    assert_int_equal(read_word(f, ADC_DR), 2048);
    assert_int_equal(read_word(f, ADC_ISR), 1 | EOSMP | EOS); // EOC is cleared

    write_word(f, ADC_CFGR1, 2 << 3); // RES: 8 bits
    write_word(f, ADC_CR, 1 << 2);
    pass_to(f, 2 * CONVERSION_NS);
    assert_int_equal(read_word(f, ADC_DR), 128);
}

// RM0091 13.4.7 and 13.5.1: sampling of SMPR, 12.5 clocks less 2 for each step of RES.
static void adc__a_conversion_takes_its_clocks(void **state)
{
    static const struct {
        uint32_t cfgr1;
        uint32_t cfgr2;
        uint32_t smpr;
        uint64_t ns;
    } rows[] = {
        {0, 0, 0, 1000},                  // 14 clocks of HSI14
        {0, 0, 7, 18000},                 // 252
        {3 << 3, 0, 0, 571},              // 8: six bits
        {0, UINT32_C(1) << 30, 0, 3500},  // PCLK / 2, 4 MHz
        {0, UINT32_C(2) << 30, 1, 10000}, // PCLK / 4, 20 clocks
    };
    struct fixture *f = *state;

    write_word(f, ADC_CR, 1);
    write_word(f, ADC_CHSELR, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_word(f, ADC_CFGR1, rows[i].cfgr1);
        write_word(f, ADC_CFGR2, rows[i].cfgr2);
        write_word(f, ADC_SMPR, rows[i].smpr);
        write_word(f, ADC_CR, 1 << 2);
        assert_int_equal(f072_peripherals_next_event(&f->chip), rows[i].ns);
        write_word(f, ADC_CR, 1 << 4); // ADSTP
        assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
    }
}

static void adc__sensors_read_their_calibration(void **state)
{
    struct fixture *f = *state;

    write_word(f, ADC_CR, 1);
    write_word(f, ADC_CHSELR, 3 << 16);
    write_word(f, ADC_CR, 1 << 2);
    pass_to(f, CONVERSION_NS);
    assert_int_equal(read_word(f, ADC_ISR) & EOS, 0); // one more to come
    assert_int_equal(read_word(f, ADC_DR), read_word(f, 0x1FFFF7B8) & 0xFFFF);
    pass_to(f, 2 * CONVERSION_NS);
    assert_int_equal(read_word(f, ADC_ISR) & EOS, EOS);
    assert_int_equal(read_word(f, ADC_DR), read_word(f, 0x1FFFF7B8) >> 16);
}

// RM0091 13.5.2 and 13.5.4: VREFINT follows the temperature unread. What stays in DR?
static void adc__an_overrun_keeps_the_first_unless_told_otherwise(void **state)
{
    static const struct {
        uint32_t cfgr1;
        bool overrun;
        uint32_t value;
    } rows[] = {
        {0, true, F072_TS_CAL1},
        {OVRMOD, true, F072_VREFINT_CAL},
        {WAIT, false, F072_TS_CAL1},
    };
    struct fixture *f = *state;
    uint64_t now_ns = 0;

    write_word(f, ADC_CR, 1);
    write_word(f, ADC_CHSELR, 3 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_word(f, ADC_CFGR1, rows[i].cfgr1);
        write_word(f, ADC_CR, 1 << 2);
        pass_to(f, now_ns += 2 * CONVERSION_NS);
        assert_int_equal(read_word(f, ADC_ISR) & ADC_OVR, rows[i].overrun ? ADC_OVR : 0);
        assert_int_equal(read_word(f, ADC_DR), rows[i].value);
        write_word(f, ADC_CR, 1 << 4);
        write_word(f, ADC_ISR, 0x1E);
    }
}

static void adc__a_sequence_goes_into_memory_by_dma(void **state)
{
    struct fixture *f = *state;

    write_word(f, ADC_CR, 1);
    write_word(f, ADC_CHSELR, 1 << 17 | 1 << 16 | 1);
    write_word(f, ADC_CFGR1, 1); // DMAEN
    write_word(f, DMA_CCR1 + 4, 3);
    write_word(f, DMA_CCR1 + 8, ADC_DR);
    write_word(f, DMA_CCR1 + 12, SRAM);
    write_word(f, DMA_CCR1, EN | TCIE | MINC | SIZES_16);
    write_word(f, ADC_CR, 1 << 2);
    pass_to(f, 2 * CONVERSION_NS);
    assert_int_equal(read_word(f, DMA_CCR1 + 4), 1);
    assert_false(line(f, 9));
    pass_to(f, 3 * CONVERSION_NS);
    assert_int_equal(read_word(f, SRAM), 2048 | (uint32_t)F072_TS_CAL1 << 16);
    assert_int_equal(read_word(f, SRAM + 4) & 0xFFFF, F072_VREFINT_CAL);
    assert_int_equal(read_word(f, DMA_CCR1 + 4), 0);
    assert_int_equal(read_word(f, DMA_ISR), 7); // GIF, TCIF, HTIF
    assert_true(line(f, 9));
    write_word(f, DMA_IFCR, 1); // CGIF
    assert_int_equal(read_word(f, DMA_ISR), 0);
    assert_false(line(f, 9));
}

static void adc__a_circular_buffer_is_filled_again_and_again(void **state)
{
    struct fixture *f = *state;

    write_word(f, ADC_CR, 1);
    write_word(f, ADC_CHSELR, 1);
    write_word(f, ADC_CFGR1, 1 | 2 | CONT); // DMAEN, DMACFG
    write_word(f, DMA_CCR1 + 4, 2);
    write_word(f, DMA_CCR1 + 8, ADC_DR);
    write_word(f, DMA_CCR1 + 12, SRAM);
    write_word(f, DMA_CCR1, EN | CIRC | MINC | SIZES_16);
    write_word(f, ADC_CR, 1 << 2);
    for (unsigned round = 1; round <= 2; round++) {
        pass_to(f, (2 * round - 1) * CONVERSION_NS);
        assert_int_equal(read_word(f, DMA_ISR), 5); // GIF, HTIF
        pass_to(f, 2 * round * CONVERSION_NS);
        assert_int_equal(read_word(f, DMA_ISR), 7);
        write_word(f, DMA_IFCR, 0xF);
        assert_int_equal(read_word(f, DMA_ISR), 0); // to clear the flags starts nothing
    }
    assert_int_equal(read_word(f, SRAM), 2048 | 2048 << 16);
}

// ---- DMA ----

static void dma__copies_memory(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 4; i++)
        write_word(f, SRAM + 4 * i, 0x11111111 * i);
    write_word(f, DMA_CCR1 + 4, 4);
    write_word(f, DMA_CCR1 + 8, SRAM);
    write_word(f, DMA_CCR1 + 12, SRAM + 0x100);
    write_word(f, DMA_CCR1, EN | PINC | MINC | SIZES_32 | MEM2MEM);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(read_word(f, SRAM + 0x100 + 4 * i), 0x11111111 * i);
    assert_int_equal(read_word(f, DMA_ISR), 7);
}

static void dma__an_address_without_memory_is_an_error(void **state)
{
    struct fixture *f = *state;

    write_word(f, DMA_CCR1 + 4, 4);
    write_word(f, DMA_CCR1 + 8, SRAM);
    write_word(f, DMA_CCR1 + 12, 0x60000000);
    write_word(f, DMA_CCR1, EN | MINC | SIZES_32 | MEM2MEM);
    assert_int_equal(read_word(f, DMA_ISR), 9); // GIF, TEIF
    assert_int_equal(read_word(f, DMA_CCR1) & EN, 0);
}

static void dma__for_a_peripheral_that_never_asks_is_a_warning(void **state)
{
    struct fixture *f = *state;

    write_word(f, DMA_CCR1 + 4, 4);
    write_word(f, DMA_CCR1 + 8, 0x48000018); // GPIOA_BSRR, for a timer to pace
    write_word(f, DMA_CCR1 + 12, SRAM);
    assert_int_equal(f->chip.report.warning_count, 0);
    write_word(f, DMA_CCR1, EN | DIR | MINC | SIZES_32);
    assert_int_equal(f->chip.report.warning_count, 1);
    assert_int_equal(read_word(f, DMA_CCR1 + 4), 4);
}

// ---- CRC: the check values that each algorithm is published with, of "123456789" ----

static uint32_t crc_of_digits(struct fixture *f)
{
    for (uint8_t digit = '1'; digit <= '9'; digit++)
        write_bus(f, CRC_DR, 1, digit);
    return read_word(f, CRC_DR);
}

static void crc__has_the_published_check_values(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(crc_of_digits(f), 0x0376E6E7);        // CRC-32/MPEG-2
    write_word(f, CRC_CR, 1 << 7 | 1 << 5 | 1);            // REV_OUT, REV_IN by byte, RESET
    assert_int_equal(crc_of_digits(f), (int)~0xCBF43926u); // CRC-32, before its last step
    write_word(f, CRC_CR, 1 << 3 | 1);                     // 16 bits
    write_word(f, CRC_POL, 0x1021);
    write_word(f, CRC_INIT, 0xFFFF);
    assert_int_equal(crc_of_digits(f), 0x29B1); // CRC-16/CCITT-FALSE
}

static void crc__a_word_is_four_bytes_from_the_top(void **state)
{
    struct fixture *f = *state;

    write_word(f, CRC_DR, 0x31323334);
    uint32_t word = read_word(f, CRC_DR);
    write_word(f, CRC_CR, 1);
    for (uint8_t digit = '1'; digit <= '4'; digit++)
        write_bus(f, CRC_DR, 1, digit);
    assert_int_equal(read_word(f, CRC_DR), word);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, chip_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(adc__converts_what_software_starts),
        TEST(adc__a_conversion_takes_its_clocks),
        TEST(adc__sensors_read_their_calibration),
        TEST(adc__an_overrun_keeps_the_first_unless_told_otherwise),
        TEST(adc__a_sequence_goes_into_memory_by_dma),
        TEST(adc__a_circular_buffer_is_filled_again_and_again),
        TEST(dma__copies_memory),
        TEST(dma__an_address_without_memory_is_an_error),
        TEST(dma__for_a_peripheral_that_never_asks_is_a_warning),
        TEST(crc__has_the_published_check_values),
        TEST(crc__a_word_is_four_bytes_from_the_top),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
