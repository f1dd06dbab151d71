// SPDX-License-Identifier: MIT
//
// Ports, CRS, EXTI, names of registers, stubs: what software relies on, register by register.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peripherals.h"
#include <stm32f072/gpio.h>
#include <stm32f072/small.h>

static void gpio__bsrr_and_brr_set_and_reset_pins(void **state)
{
    (void)state;
    struct f072_gpio gpio = {0};

    f072_gpio_reset(&gpio, 2);
    f072_gpio_write(&gpio, 0x00, 1u << 18, UINT32_MAX); // pin 9 is an output
    f072_gpio_write(&gpio, 0x18, 1u << 9 | 1u << 3, UINT32_MAX);
    assert_int_equal(f072_gpio_read(&gpio, 0x14), 1u << 9 | 1u << 3);
    assert_int_equal(f072_gpio_driven(&gpio), 1u << 9);
    assert_int_equal(f072_gpio_read(&gpio, 0x10), 1u << 9);

    f072_gpio_write(&gpio, 0x18, 1u << 25 | 1u << 9, UINT32_MAX); // set wins
    assert_int_equal(f072_gpio_driven(&gpio), 1u << 9);
    f072_gpio_write(&gpio, 0x28, 1u << 9, UINT32_MAX);
    assert_int_equal(f072_gpio_driven(&gpio), 0);
}

static void gpio__an_input_reads_its_pull_up(void **state)
{
    (void)state;
    struct f072_gpio gpio = {0};

    f072_gpio_reset(&gpio, 2);
    f072_gpio_write(&gpio, 0x0C, 1u << 26 | 2u << 24, UINT32_MAX); // pin 13 up, pin 12 down
    assert_int_equal(f072_gpio_read(&gpio, 0x10), 1u << 13);
}

static void gpio__an_input_reads_what_is_wired_to_it(void **state)
{
    (void)state;
    struct f072_gpio gpio = {.wired = 1u << 13 | 1u << 5, .levels = 1u << 5};

    f072_gpio_reset(&gpio, 2);
    f072_gpio_write(&gpio, 0x00, 1u << 10, UINT32_MAX); // pin 5 is an output, and low
    f072_gpio_write(&gpio, 0x0C, 1u << 26, UINT32_MAX); // pin 13 is pulled up
    assert_int_equal(f072_gpio_read(&gpio, 0x10), 0);

    f072_gpio_write(&gpio, 0x00, 0, UINT32_MAX);
    assert_int_equal(f072_gpio_read(&gpio, 0x10), 1u << 5);
}

static void gpio__a_byte_write_leaves_the_other_lanes(void **state)
{
    (void)state;
    struct f072_gpio gpio = {0};

    f072_gpio_reset(&gpio, 0);
    f072_gpio_write(&gpio, 0x00, 0x00550000, 0x00FF0000);
    assert_int_equal(f072_gpio_read(&gpio, 0x00), 0x28550000);
}

static void crs__a_sof_synchronises_when_enabled(void **state)
{
    (void)state;
    struct f072_crs crs;

    f072_crs_reset(&crs);
    f072_crs_sof(&crs);
    assert_int_equal(f072_crs_read(&crs, 0x08), 0);
    f072_crs_write(&crs, 0x00, 1 << 6 | 1 << 5 | 1 << 0); // AUTOTRIMEN, CEN, SYNCOKIE
    f072_crs_sof(&crs);
    assert_true(f072_crs_interrupt(&crs));

    f072_crs_write(&crs, 0x0C, 1);
    assert_false(f072_crs_interrupt(&crs));
}

static void exti__software_triggers_a_line(void **state)
{
    (void)state;
    struct f072_exti exti;

    f072_exti_reset(&exti);
    f072_exti_write(&exti, 0x00, 1 << 4);
    f072_exti_write(&exti, 0x10, 1 << 4);
    assert_true(f072_exti_interrupt(&exti, 0xFFF0));
    assert_false(f072_exti_interrupt(&exti, 0x0003));

    f072_exti_write(&exti, 0x14, 1 << 4);
    assert_false(f072_exti_interrupt(&exti, 0xFFF0));
}

static void register_names__are_those_of_the_manual(void **state)
{
    static const struct {
        const char *peripheral;
        uint32_t offset;
        const char *name;
    } rows[] = {
        {"USB", 0x1C, "EP7R"},   {"USB", 0x44, "ISTR"},       {"USB", 0x58, "BCDR"},
        {"GPIOF", 0x28, "BRR"},  {"TIM14", 0x2C, "ARR"},      {"RCC", 0x34, "CR2"},
        {"FLASH", 0x20, "WRPR"}, {"SYSCFG", 0x14, "EXTICR4"}, {"USB", 0x20, NULL},
        {"USB", 0x5C, NULL},     {"USB", 0x46, NULL},         {"USB_PMA", 0x00, NULL},
        {"unknown", 0x00, NULL}, {"USART3", 0x1C, "ISR"},     {"I2C2", 0x18, "ISR"},
        {"SPI1", 0x08, "SR"},    {"ADC", 0x40, "DR"},         {"DMA", 0x8C, "CMAR7"},
        {"RTC", 0x60, "BKP4R"},  {"PWR", 0x04, "CSR"},        {"CAN", 0x0C, "RF0R"},
        {"DAC", 0x34, "SR"},     {"TSC", 0x0C, "ISR"},        {"CEC", 0x10, "ISR"},
        {"CRC", 0x14, "POL"},    {"DMA", 0x18, NULL},         {"SYSCFG", 0x1C, "COMP_CSR"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = f072_register_name(rows[i].peripheral, rows[i].offset);
        if (!rows[i].name)
            assert_null(name);
        else
            assert_string_equal(name, rows[i].name);
    }
}

static void stubs__say_ready_where_drivers_wait(void **state)
{
    (void)state;
    struct f072_stub stub;

    f072_stub_reset(&stub, F072_STUB_CAN);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x04) & 3, 2); // SLAK
    f072_stub_write(&stub, F072_STUB_CAN, 0x00, 1);                      // INRQ
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x04) & 3, 1); // INAK

    f072_stub_write(&stub, F072_STUB_CAN, 0x00, 1 << 15 | 1); // RESET: as after a reset
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x00), 0x00010002);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x04) & 3, 2);

    f072_stub_reset(&stub, F072_STUB_CAN);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x04), 0x00000C02); // RM0091 29.9.2
    assert_int_equal(f072_stub_read(&stub, F072_STUB_CAN, 0x200), 0x2A1C0E01);

    f072_stub_reset(&stub, F072_STUB_USART);
    f072_stub_write(&stub, F072_STUB_USART, 0x00, 1 << 3 | 1);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_USART, 0x1C), 1 << 21 | 0xC0);
}

static void stubs__name_what_they_do_not_do(void **state)
{
    (void)state;
    struct f072_stub stub;

    f072_stub_reset(&stub, F072_STUB_CAN);
    assert_null(f072_stub_write(&stub, F072_STUB_CAN, 0x180, 0x80));
    assert_string_equal(f072_stub_write(&stub, F072_STUB_CAN, 0x180, 0x81), "a CAN transmission");
    f072_stub_reset(&stub, F072_STUB_CEC);
    assert_null(f072_stub_write(&stub, F072_STUB_CEC, 0x00, 1));
    assert_string_equal(f072_stub_write(&stub, F072_STUB_CEC, 0x00, 3), "a CEC transmission");
}

// RM0091 16.6
static void tsc__an_acquisition_ends_at_once(void **state)
{
    enum { CR = 0x00, IER = 0x04, ICR = 0x08, ISR = 0x0C, IOGCSR = 0x30, IOG3CR = 0x3C };
    enum { TSCE = 1, START = 2, MCV_1023 = 2 << 5, EOAF = 1 };
    (void)state;
    struct f072_stub stub;

    f072_stub_reset(&stub, F072_STUB_TSC);
    f072_stub_write(&stub, F072_STUB_TSC, IOGCSR, 1 << 2); // G3E
    f072_stub_write(&stub, F072_STUB_TSC, CR, MCV_1023 | START);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_TSC, ISR), 0); // without TSCE
    f072_stub_write(&stub, F072_STUB_TSC, CR, MCV_1023 | TSCE | START);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_TSC, CR), MCV_1023 | TSCE);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_TSC, ISR), EOAF);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_TSC, IOGCSR), 1 << 18 | 1 << 2);
    assert_in_range(f072_stub_read(&stub, F072_STUB_TSC, IOG3CR), 1, 1022);
    assert_int_equal(f072_stub_read(&stub, F072_STUB_TSC, IOG3CR + 4), 0);

    assert_false(f072_tsc_interrupt(&stub));
    f072_stub_write(&stub, F072_STUB_TSC, IER, EOAF);
    assert_true(f072_tsc_interrupt(&stub));
    f072_stub_write(&stub, F072_STUB_TSC, ICR, EOAF);
    assert_false(f072_tsc_interrupt(&stub));
    assert_int_equal(f072_stub_read(&stub, F072_STUB_TSC, ISR), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpio__bsrr_and_brr_set_and_reset_pins),
        cmocka_unit_test(gpio__an_input_reads_its_pull_up),
        cmocka_unit_test(gpio__an_input_reads_what_is_wired_to_it),
        cmocka_unit_test(gpio__a_byte_write_leaves_the_other_lanes),
        cmocka_unit_test(crs__a_sof_synchronises_when_enabled),
        cmocka_unit_test(exti__software_triggers_a_line),
        cmocka_unit_test(register_names__are_those_of_the_manual),
        cmocka_unit_test(stubs__say_ready_where_drivers_wait),
        cmocka_unit_test(stubs__name_what_they_do_not_do),
        cmocka_unit_test(tsc__an_acquisition_ends_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
