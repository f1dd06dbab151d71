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

// The processor sleeps until then.
static void pass_to(struct fixture *f, uint64_t now_ns)
{
    f072_chip_skip_to(&f->chip, now_ns);
    f072_peripherals_advance(&f->chip, now_ns);
    f072_chip_update(&f->chip);
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

    write_bus(f, ADC_CR, UINT32_C(1) << 31); // ADCAL
    assert_int_equal(read_bus(f, ADC_CR), 0);
    write_bus(f, ADC_CR, 1); // ADEN
    assert_int_equal(read_bus(f, ADC_ISR), 1);
    write_bus(f, ADC_CHSELR, 1 << 5);
    write_bus(f, ADC_CR, 1 << 2); // ADSTART
    pass_to(f, CONVERSION_NS - 1);
    assert_int_equal(read_bus(f, ADC_ISR), 1);
    assert_int_equal(read_bus(f, ADC_CR), 5);
    pass_to(f, CONVERSION_NS);
    assert_int_equal(read_bus(f, ADC_ISR), 1 | EOSMP | EOC | EOS);
    assert_int_equal(read_bus(f, ADC_CR), 1); // it is over
    assert_int_equal(read_bus(f, ADC_DR), 2048);
    assert_int_equal(read_bus(f, ADC_ISR), 1 | EOSMP | EOS); // EOC is cleared

    write_bus(f, ADC_CFGR1, 2 << 3); // RES: 8 bits
    write_bus(f, ADC_CR, 1 << 2);
    pass_to(f, 2 * CONVERSION_NS);
    assert_int_equal(read_bus(f, ADC_DR), 128);
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

    write_bus(f, ADC_CR, 1);
    write_bus(f, ADC_CHSELR, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_bus(f, ADC_CFGR1, rows[i].cfgr1);
        write_bus(f, ADC_CFGR2, rows[i].cfgr2);
        write_bus(f, ADC_SMPR, rows[i].smpr);
        write_bus(f, ADC_CR, 1 << 2);
        assert_int_equal(f072_peripherals_next_event(&f->chip), rows[i].ns);
        write_bus(f, ADC_CR, 1 << 4); // ADSTP
        assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
    }
}

static void adc__sensors_read_their_calibration(void **state)
{
    struct fixture *f = *state;

    write_bus(f, ADC_CR, 1);
    write_bus(f, ADC_CHSELR, 3 << 16);
    write_bus(f, ADC_CR, 1 << 2);
    pass_to(f, CONVERSION_NS);
    assert_int_equal(read_bus(f, ADC_ISR) & EOS, 0); // one more to come
    assert_int_equal(read_bus(f, ADC_DR), read_bus(f, 0x1FFFF7B8) & 0xFFFF);
    pass_to(f, 2 * CONVERSION_NS);
    assert_int_equal(read_bus(f, ADC_ISR) & EOS, EOS);
    assert_int_equal(read_bus(f, ADC_DR), read_bus(f, 0x1FFFF7B8) >> 16);
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

    write_bus(f, ADC_CR, 1);
    write_bus(f, ADC_CHSELR, 3 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_bus(f, ADC_CFGR1, rows[i].cfgr1);
        write_bus(f, ADC_CR, 1 << 2);
        pass_to(f, now_ns += 2 * CONVERSION_NS);
        assert_int_equal(read_bus(f, ADC_ISR) & ADC_OVR, rows[i].overrun ? ADC_OVR : 0);
        assert_int_equal(read_bus(f, ADC_DR), rows[i].value);
        write_bus(f, ADC_CR, 1 << 4);
        write_bus(f, ADC_ISR, 0x1E);
    }
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
    write_bus(f, ADC_CR, 1 << 2);
    pass_to(f, 2 * CONVERSION_NS);
    assert_int_equal(read_bus(f, DMA_CCR1 + 4), 1);
    assert_false(line(f, 9));
    pass_to(f, 3 * CONVERSION_NS);
    assert_int_equal(read_bus(f, SRAM), 2048 | (uint32_t)F072_TS_CAL1 << 16);
    assert_int_equal(read_bus(f, SRAM + 4) & 0xFFFF, F072_VREFINT_CAL);
    assert_int_equal(read_bus(f, DMA_CCR1 + 4), 0);
    assert_int_equal(read_bus(f, DMA_ISR), 7); // GIF, TCIF, HTIF
    assert_true(line(f, 9));
    write_bus(f, DMA_IFCR, 1); // CGIF
    assert_int_equal(read_bus(f, DMA_ISR), 0);
    assert_false(line(f, 9));
}

static void adc__a_circular_buffer_is_filled_again_and_again(void **state)
{
    struct fixture *f = *state;

    write_bus(f, ADC_CR, 1);
    write_bus(f, ADC_CHSELR, 1);
    write_bus(f, ADC_CFGR1, 1 | 2 | CONT); // DMAEN, DMACFG
    write_bus(f, DMA_CCR1 + 4, 2);
    write_bus(f, DMA_CCR1 + 8, ADC_DR);
    write_bus(f, DMA_CCR1 + 12, SRAM);
    write_bus(f, DMA_CCR1, EN | CIRC | MINC | SIZES_16);
    write_bus(f, ADC_CR, 1 << 2);
    for (unsigned round = 1; round <= 2; round++) {
        pass_to(f, (2 * round - 1) * CONVERSION_NS);
        assert_int_equal(read_bus(f, DMA_ISR), 5); // GIF, HTIF
        pass_to(f, 2 * round * CONVERSION_NS);
        assert_int_equal(read_bus(f, DMA_ISR), 7);
        write_bus(f, DMA_IFCR, 0xF);
        assert_int_equal(read_bus(f, DMA_ISR), 0); // to clear the flags starts nothing
    }
    assert_int_equal(read_bus(f, SRAM), 2048 | 2048 << 16);
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

// A USART of 100,000 bit/s: HSI / 80, 100 us for each byte.
enum { USART_CR2 = USART1 + 4, USART_CR3 = USART1 + 8, USART_BRR = USART1 + 12 };
enum { USART_ISR = USART1 + 0x1C, USART_ICR = USART1 + 0x20, USART_TDR = USART1 + 0x28 };
enum { TC = 1 << 6, TXE = 1 << 7, BYTE_NS = 100000 };

static void enable_usart(struct fixture *f, uint32_t cr1)
{
    write_bus(f, USART_BRR, 80);
    write_bus(f, USART1, cr1 | 1 << 3 | 1); // TE, UE
}

static void dma__writes_what_a_usart_sends_as_fast_as_it_goes(void **state)
{
    struct fixture *f = *state;
    const uint32_t ch2 = DMA_CCR1 + 0x14;

    write_bus(f, SRAM, 0x0A216948); // "Hi!\n"
    enable_usart(f, 0);
    write_bus(f, ch2 + 4, 4);
    write_bus(f, ch2 + 8, USART_TDR);
    write_bus(f, ch2 + 12, SRAM);
    write_bus(f, ch2, EN | TCIE | DIR | MINC);
    write_bus(f, USART_CR3, 1 << 7);           // DMAT
    assert_int_equal(read_bus(f, ch2 + 4), 2); // one is on the line, one waits behind it
    pass_to(f, BYTE_NS);
    assert_int_equal(read_bus(f, ch2 + 4), 1);
    assert_false(line(f, 10));
    pass_to(f, 2 * BYTE_NS);
    assert_true(line(f, 10)); // the last one waits
    assert_int_equal(f->sent_count, 2);
    pass_to(f, 4 * BYTE_NS - 1);
    assert_int_equal(read_bus(f, USART_ISR) & TC, 0);
    pass_to(f, 4 * BYTE_NS);
    assert_int_equal(read_bus(f, USART_ISR) & TC, TC);
    assert_int_equal(f->sent_count, 4);
    assert_memory_equal(f->sent, "Hi!\n", 4);
}

static void dma__a_circular_buffer_is_sent_again_and_again(void **state)
{
    struct fixture *f = *state;
    const uint32_t ch2 = DMA_CCR1 + 0x14;

    write_bus(f, SRAM, 0x6261); // "ab"
    enable_usart(f, 0);
    write_bus(f, USART_CR3, 1 << 7);
    write_bus(f, ch2 + 4, 2);
    write_bus(f, ch2 + 8, USART_TDR);
    write_bus(f, ch2 + 12, SRAM);
    write_bus(f, ch2, EN | CIRC | DIR | MINC);
    for (unsigned i = 1; i <= 5; i++)
        pass_to(f, i * BYTE_NS);
    assert_int_equal(f->sent_count, 5);
    assert_memory_equal(f->sent, "ababa", 5);
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

static void usart__a_byte_takes_its_frame(void **state)
{
    struct fixture *f = *state;

    enable_usart(f, 0);
    write_bus(f, USART_TDR, 'x');
    assert_int_equal(read_bus(f, USART_ISR) & (TXE | TC), TXE); // it is in the shift register
    write_bus(f, USART_TDR, 'y');
    assert_int_equal(read_bus(f, USART_ISR) & (TXE | TC), 0);
    assert_int_equal(f072_peripherals_next_event(&f->chip), BYTE_NS);
    pass_to(f, BYTE_NS - 1);
    assert_int_equal(f->sent_count, 0);
    pass_to(f, BYTE_NS);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(read_bus(f, USART_ISR) & (TXE | TC), TXE);
    pass_to(f, 2 * BYTE_NS);
    assert_int_equal(read_bus(f, USART_ISR) & (TXE | TC), TXE | TC);
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
        write_bus(f, USART1, 0);
        write_bus(f, USART_CR2, rows[i].cr2);
        write_bus(f, USART_BRR, rows[i].brr);
        write_bus(f, USART1, rows[i].cr1 | 1 << 3 | 1);
        write_bus(f, USART_TDR, 'x');
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
    write_bus(f, USART_TDR, 'x');
    write_bus(f, USART_TDR, 'y');
    assert_false(line(f, 27)); // full: until the first has gone
    pass_to(f, BYTE_NS);
    assert_true(line(f, 27));
    enable_usart(f, 1 << 6); // TCIE
    assert_false(line(f, 27));
    pass_to(f, 2 * BYTE_NS);
    assert_true(line(f, 27));
    write_bus(f, USART_ICR, 1 << 6); // TCCF
    assert_false(line(f, 27));
}

static void usart__without_a_bit_rate_is_a_warning(void **state)
{
    struct fixture *f = *state;

    write_bus(f, USART_BRR, 15);
    write_bus(f, USART1, 1 << 3 | 1);
    assert_int_equal(f->chip.report.warning_count, 0);
    write_bus(f, USART_TDR, 'x');
    assert_int_equal(f->chip.report.warning_count, 1);
    assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
    assert_int_equal(read_bus(f, USART_ISR) & TXE, 0);
    write_bus(f, USART_BRR, 80);
    assert_int_equal(f072_peripherals_next_event(&f->chip), BYTE_NS);
}

static void usart__its_clock_is_what_rcc_selects(void **state)
{
    struct fixture *f = *state;

    write_bus(f, 0x40021004, 8 << 4); // RCC_CFGR: HPRE, 4 MHz
    enable_usart(f, 0);
    write_bus(f, USART_TDR, 'x');
    assert_int_equal(f072_peripherals_next_event(&f->chip), 2 * BYTE_NS);
    pass_to(f, 2 * BYTE_NS);
    write_bus(f, 0x40021030, 3); // RCC_CFGR3: USART1SW, HSI
    write_bus(f, USART_TDR, 'x');
    assert_int_equal(f072_peripherals_next_event(&f->chip), 3 * BYTE_NS);
}

// ---- SPI at 1 MHz: 8 us for each frame of eight bits ----

enum { SPI_CR2 = SPI1 + 4, SPI_SR = SPI1 + 8, SPI_DR = SPI1 + 12, FRAME_NS = 8000 };
enum { RXNE = 1, SPI_TXE = 2, OVR = 1 << 6, BSY = 1 << 7, FRXTH = 1 << 12, DS_8 = 7 << 8 };
enum { FRLVL_1 = 1 << 9, FRLVL_2 = 2 << 9, FRLVL_4 = 3 << 9, FTLVL_1 = 1 << 11, FTLVL_4 = 3 << 11 };

static void enable_spi(struct fixture *f, uint32_t cr1, uint32_t cr2)
{
    write_bus(f, SPI_CR2, cr2);
    write_bus(f, SPI1, cr1 | 1 << 6 | 2 << 3 | 1 << 2); // SPE, BR / 8, MSTR
}

static void spi__receives_ones_for_what_it_sends(void **state)
{
    struct fixture *f = *state;

    enable_spi(f, 0, DS_8 | FRXTH);
    assert_int_equal(read_bus(f, SPI_SR), SPI_TXE);
    write_byte(f, SPI_DR, 0x9F);
    assert_int_equal(read_bus(f, SPI_SR), SPI_TXE | BSY);
    write_byte(f, SPI_DR, 0x9F);
    assert_int_equal(read_bus(f, SPI_SR), SPI_TXE | BSY | FTLVL_1);
    pass_to(f, FRAME_NS - 1);
    assert_int_equal(read_bus(f, SPI_SR) & RXNE, 0);
    pass_to(f, FRAME_NS);
    assert_int_equal(read_bus(f, SPI_SR), RXNE | SPI_TXE | BSY | FRLVL_1);
    pass_to(f, 2 * FRAME_NS);
    assert_int_equal(read_bus(f, SPI_SR), RXNE | SPI_TXE | FRLVL_2);
    assert_int_equal(read_bus(f, SPI_DR) & 0xFF, 0xFF); // 32 bits: both of them
    assert_int_equal(read_bus(f, SPI_SR), SPI_TXE);
}

// RM0091 28.5.9: an access of 16 bits is two frames; RXNE without FRXTH waits for two.
static void spi__packs_two_frames_into_an_access(void **state)
{
    struct fixture *f = *state;

    enable_spi(f, 0, DS_8);
    write_bus(f, SPI_DR, 0x1234);
    write_bus(f, SPI_DR, 0x5678);
    write_byte(f, SPI_DR, 0x9A);
    assert_int_equal(read_bus(f, SPI_SR), BSY | FTLVL_4);
    pass_to(f, FRAME_NS);
    assert_int_equal(read_bus(f, SPI_SR) & RXNE, 0);
    pass_to(f, 2 * FRAME_NS);
    assert_int_equal(read_bus(f, SPI_SR) & RXNE, RXNE);
    for (unsigned i = 3; i <= 5; i++)
        pass_to(f, i * FRAME_NS);
    assert_int_equal(read_bus(f, SPI_SR), RXNE | SPI_TXE | FRLVL_4 | OVR); // the fifth is lost
    read_bus(f, SPI_DR);
    assert_int_equal(read_bus(f, SPI_SR) & OVR, 0);
}

static void spi__a_slave_waits_for_a_clock(void **state)
{
    struct fixture *f = *state;

    write_bus(f, SPI_CR2, DS_8);
    write_bus(f, SPI1, 1 << 6); // SPE
    write_byte(f, SPI_DR, 1);
    assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
    assert_int_equal(read_bus(f, SPI_SR), SPI_TXE | FTLVL_1);
}

static void spi__a_master_that_only_receives_goes_on_by_itself(void **state)
{
    struct fixture *f = *state;

    enable_spi(f, 1 << 10, DS_8 | FRXTH); // RXONLY
    pass_to(f, FRAME_NS);
    pass_to(f, 2 * FRAME_NS);
    assert_int_equal(read_bus(f, SPI_SR), RXNE | SPI_TXE | BSY | FRLVL_2);
    write_bus(f, SPI1, 1 << 10);
    assert_int_equal(f072_peripherals_next_event(&f->chip), UINT64_MAX);
}

static void spi__full_duplex_by_dma_loses_nothing(void **state)
{
    struct fixture *f = *state;
    const uint32_t ch2 = DMA_CCR1 + 0x14;
    const uint32_t ch3 = ch2 + 0x14;

    for (unsigned i = 0; i < 2; i++) {
        write_bus(f, ch2 + 0x14 * i + 4, 9);
        write_bus(f, ch2 + 0x14 * i + 8, SPI_DR);
        write_bus(f, ch2 + 0x14 * i + 12, SRAM + 0x100 * i);
        write_bus(f, ch2 + 0x14 * i, EN | MINC | (i == 1 ? DIR : 0));
    }
    enable_spi(f, 0, DS_8 | FRXTH | 3); // TXDMAEN, RXDMAEN
    for (unsigned i = 1; i < 9; i++)
        pass_to(f, i * FRAME_NS);
    assert_int_equal(read_bus(f, ch3 + 4), 0);
    assert_int_equal(read_bus(f, ch2 + 4), 1);
    pass_to(f, 9 * FRAME_NS);
    assert_int_equal(read_bus(f, ch2 + 4), 0);
    assert_int_equal(read_bus(f, SPI_SR), SPI_TXE);
    assert_int_equal(read_bus(f, SRAM), 0xFFFFFFFF);
}

// ---- I2C at 100 kHz: 8 MHz / 2 / (20 + 20) ----

static void i2c__no_address_is_acknowledged(void **state)
{
    struct fixture *f = *state;

    write_bus(f, I2C1 + 0x10, 1 << 28 | 19 << 8 | 19);
    write_bus(f, I2C1, 1 << 4 | 1);              // NACKIE, PE
    write_bus(f, I2C1 + 4, 1 << 13 | 0x50 << 1); // START
    assert_int_equal(read_bus(f, I2C1 + 4) >> 13 & 1, 1);
    assert_int_equal(read_bus(f, I2C1 + 0x18) & 0x8030, 0x8000); // BUSY
    pass_to(f, 99999);
    assert_false(line(f, 23));
    pass_to(f, 101000);
    assert_int_equal(read_bus(f, I2C1 + 4) >> 13 & 1, 0);
    assert_int_equal(read_bus(f, I2C1 + 0x18) & 0x8030, 0x8010); // NACKF
    assert_true(line(f, 23));
    pass_to(f, 111000);
    assert_int_equal(read_bus(f, I2C1 + 0x18) & 0x8030, 0x30); // NACKF, STOPF, not BUSY
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
        TEST(adc__a_conversion_takes_its_clocks),
        TEST(adc__sensors_read_their_calibration),
        TEST(adc__an_overrun_keeps_the_first_unless_told_otherwise),
        TEST(adc__a_sequence_goes_into_memory_by_dma),
        TEST(adc__a_circular_buffer_is_filled_again_and_again),
        TEST(dma__copies_memory),
        TEST(dma__an_address_without_memory_is_an_error),
        TEST(dma__for_a_peripheral_that_never_asks_is_a_warning),
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
        TEST(crc__has_the_published_check_values),
        TEST(crc__a_word_is_four_bytes_from_the_top),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
