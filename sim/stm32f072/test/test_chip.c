// SPDX-License-Identifier: MIT
//
// The chip as the processor sees it: the bus, time, resets, interrupts. The firmware here is a few
// instructions, written as half-words with their meaning beside them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chip_fixture.h"
#include <usb/bytes.h>

enum {
    GPIOA = 0x48000000,
    USB = 0x40005C00,
    PMA = 0x40006000,
    SYSCFG_CFGR1 = 0x40010000,
    USBEN = 1 << 23,
    USBSW = 1 << 7,
    HSI48ON = 1 << 16,
};

enum { COUNTER = 0x20000800 };

// A firmware that does nothing: every vector leads to a branch to itself.
static int set_up(void **state)
{
    struct fixture *f = chip_fixture_open();

    PUT(f, CODE, 0xE7FE); // b .
    PUT(f, HANDLER, 0xE7FE);
    chip_fixture_power_on(f);
    *state = f;
    return 0;
}

static void run_to(struct fixture *f, uint64_t until_ns)
{
    assert_int_equal(f072_chip_run(&f->chip, until_ns), F072_RUNNING);
}

// ---- Time ----

static void time__is_8_mhz_until_the_clock_is_switched(void **state)
{
    struct fixture *f = *state;

    run_to(f, SIM_MS);
    assert_in_range(f->chip.cpu.cycles, 8000, 8004);
    write_word(f, FLASH_ACR, 1);
    write_word(f, RCC_CR2, HSI48ON);
    run_to(f, 2 * SIM_MS);
    write_word(f, RCC_CFGR, 3);
    uint64_t cycles = f->chip.cpu.cycles;
    run_to(f, 12 * SIM_MS);

    // The run before ended within an instruction of 3 cycles at 8 MHz: that is missing here.
    assert_in_range(f->chip.cpu.cycles - cycles, 480000 - 3 * 6, 480000 + 3);
    assert_string_equal(f->chip.report.trouble, "");
}

static void time__too_fast_for_the_flash_is_trouble(void **state)
{
    struct fixture *f = *state;

    write_word(f, RCC_CR2, HSI48ON);
    run_to(f, SIM_MS);
    write_word(f, RCC_CFGR, 3);

    assert_non_null(strstr(f->chip.report.trouble, "no wait state"));
}

static void time__a_timer_wakes_a_sleeping_processor(void **state)
{
    struct fixture *f = *state;

    PUT(f, CODE,
        0xBF30,  // wfi
        0xE7FD); // b CODE
    PUT(f, HANDLER,
        0x4803,  // ldr r0, =TIM2 + SR
        0x2100,  // movs r1, #0
        0x6001,  // str r1, [r0]
        0x4A03,  // ldr r2, =COUNTER
        0x6813,  // ldr r3, [r2]
        0x3301,  // adds r3, #1
        0x6013,  // str r3, [r2]
        0x4770); // bx lr
    store_le32(f->flash + 0x190, TIM2 + 0x10);
    store_le32(f->flash + 0x194, COUNTER);
    store_le32(f->chip.sram + 0x800, 0);
    write_word(f, RCC_APB1ENR, 1);
    write_word(f, TIM2 + 0x2C, 7999); // ARR: 1 ms at 8 MHz
    write_word(f, TIM2 + 0x0C, 1);    // DIER.UIE
    write_word(f, TIM2, 1);           // CR1.CEN
    f->chip.cpu.enabled |= UINT64_C(1) << (ARMV6M_IRQ0 + 15);
    run_to(f, 100 * SIM_MS + SIM_MS / 2);

    assert_int_equal(usbdev_load_le16(f->chip.sram + 0x800), 100);
}

// ---- The bus ----

static void bus__what_is_not_modelled_reads_zero_and_is_reported_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_word(f, 0x50000000), 0);
    assert_int_equal(read_word(f, 0x50000000), 0);
    assert_int_equal(f->chip.report.warning_count, 1);
    write_word(f, 0x40023000, 1);
    assert_int_equal(f->chip.report.warning_count, 2);
}

static void bus__outside_of_it_is_a_fault(void **state)
{
    struct fixture *f = *state;
    uint32_t value;

    assert_false(f072_bus_read(&f->chip, 0x20004000, 4, &value));
    assert_false(f072_bus_write(&f->chip, 0x60000000, 4, 0));
}

static void bus__flash_takes_half_words_alone(void **state)
{
    struct fixture *f = *state;

    assert_false(f072_bus_write(&f->chip, 0x08000400, 4, 0));
    assert_false(f072_bus_write(&f->chip, 0x08000400, 1, 0));
    assert_int_equal(f->chip.report.warning_count, 0); // a bus error, not "no effect"
    assert_true(f072_bus_write(&f->chip, 0x08000400, 2, 0));
    assert_int_equal(f->chip.report.warning_count, 1);
}

static void bus__a_peripheral_without_clock_reads_zero_and_is_reported(void **state)
{
    struct fixture *f = *state;

    write_word(f, GPIOA + 0x14, 0x20);
    assert_int_equal(read_word(f, GPIOA + 0x00), 0);
    assert_int_equal(f->chip.report.warning_count, 1);

    write_word(f, RCC_AHBENR, 1 << 17);
    assert_int_equal(read_word(f, GPIOA + 0x00), 0x28000000);
    assert_int_equal(read_word(f, GPIOA + 0x14), 0);
}

static void bus__the_ahb_writes_lanes_and_the_apb_repeats_them(void **state)
{
    struct fixture *f = *state;

    write_word(f, RCC_AHBENR, 1 << 17 | 0x14);
    write_bus(f, GPIOA + 0x02, 1, 0x55);
    assert_int_equal(read_word(f, GPIOA), 0x28550000);
    assert_int_equal(read_bus(f, GPIOA + 0x02, 1), 0x55);

    write_word(f, RCC_APB1ENR, 1);
    write_bus(f, TIM2 + 0x34, 2, 0x1234); // CCR1
    assert_int_equal(read_word(f, TIM2 + 0x34), 0x12341234);
    write_bus(f, TIM2 + 0x34, 1, 0xAB);
    assert_int_equal(read_word(f, TIM2 + 0x34), 0xABABABAB);
}

static void bus__packet_memory_is_16_bits_wide(void **state)
{
    struct fixture *f = *state;

    write_word(f, RCC_APB1ENR, USBEN);
    write_word(f, PMA + 4, 0x44332211);
    assert_memory_equal(f->chip.usb.pma + 4, "\x11\x22\x33\x44", 4);
    write_bus(f, PMA + 6, 2, 0x6655);
    assert_memory_equal(f->chip.usb.pma + 4, "\x11\x22\x55\x66", 4);
    assert_int_equal(read_bus(f, PMA + 6, 2), 0x6655);

    write_bus(f, PMA + 4, 1, 0xAA); // both bytes of the half-word
    assert_memory_equal(f->chip.usb.pma + 4, "\xAA\xAA\x55\x66", 4);
}

static void bus__usb_registers_take_16_and_32_bits(void **state)
{
    struct fixture *f = *state;

    write_word(f, RCC_APB1ENR, USBEN);
    write_word(f, USB + 0x4C, 0xFFFF0085);
    assert_int_equal(read_bus(f, USB + 0x4C, 2), 0x85);
    write_bus(f, USB + 0x4C, 2, 0x86);
    assert_int_equal(read_word(f, USB + 0x4C), 0x86);
    write_bus(f, USB + 0x4E, 2, 0x11); // reserved
    assert_int_equal(read_word(f, USB + 0x4C), 0x86);
}

static void bus__flash_is_not_written_without_being_unlocked(void **state)
{
    struct fixture *f = *state;

    write_bus(f, 0x08000800, 2, 0x1234);
    assert_int_equal(usbdev_load_le16(f->flash + 0x800), 0xFFFF);
    write_bus(f, 0x00000000, 2, 0); // through a null pointer
    assert_int_equal(f->chip.report.warning_count, 2);
    assert_false(f072_bus_write(&f->chip, 0x08000800, 4, 0x1234));
}

static void bus__flash_is_programmed_and_executed(void **state)
{
    struct fixture *f = *state;

    write_word(f, 0x40022004, F072_FLASH_KEY1);
    write_word(f, 0x40022004, F072_FLASH_KEY2);
    write_word(f, 0x40022010, F072_FLASH_CR_PG);
    write_bus(f, CODE + 2, 2, 0x3001); // adds r0, #1
    run_to(f, SIM_MS);
    write_bus(f, CODE + 4, 2, 0xE7FD); // b CODE + 2
    run_to(f, 2 * SIM_MS);
    write_bus(f, CODE, 2, 0x0000); // over the loop: movs r0, r0
    run_to(f, 3 * SIM_MS);

    assert_true(f->chip.cpu.r[0] > 1000);
}

static void bus__the_edge_of_a_chosen_pin_interrupts(void **state)
{
    struct fixture *f = *state;
    enum { GPIOC = 2, LINE_13 = 1 << 13, EXTICR4 = SYSCFG_CFGR1 + 0x14, EXTI = 0x40010400 };

    write_word(f, RCC_APB2ENR, 1);
    write_word(f, EXTICR4, GPIOC << 4); // line 13
    write_word(f, EXTI, LINE_13);
    write_word(f, EXTI + 0x0C, LINE_13); // FTSR
    f072_chip_wire(&f->chip, GPIOC + 1, LINE_13, LINE_13);
    f072_chip_wire(&f->chip, GPIOC + 1, LINE_13, 0);
    f072_chip_wire(&f->chip, GPIOC, LINE_13, LINE_13);
    assert_int_equal(f->chip.cpu.lines, 0);
    f072_chip_wire(&f->chip, GPIOC, LINE_13, 0);
    assert_int_equal(f->chip.cpu.lines, 1 << 7);

    write_word(f, EXTI + 0x14, LINE_13);
    assert_int_equal(f->chip.cpu.lines, 0);
}

// ---- USB and its clocks ----

static void usb__lives_only_with_its_clocks(void **state)
{
    struct fixture *f = *state;

    write_word(f, RCC_CFGR3, USBSW); // the PLL, which is off
    write_word(f, RCC_APB1ENR, USBEN);
    run_to(f, SIM_MS);
    assert_false(f->chip.usb.clocked);
    write_word(f, RCC_CFGR3, 0); // HSI48
    run_to(f, 2 * SIM_MS);
    assert_true(f->chip.usb.clocked);
    write_word(f, RCC_APB1ENR, 0);
    run_to(f, 3 * SIM_MS);
    assert_false(f->chip.usb.clocked);
}

static void usb__a_peripheral_reset_drops_the_pull_up(void **state)
{
    struct fixture *f = *state;

    f->chip.usb.vbus = true;
    write_word(f, RCC_APB1ENR, USBEN);
    write_word(f, USB + 0x40, 0);
    write_word(f, USB + 0x58, F072_BCDR_DPPU);
    assert_true(f072_usbfs_connected(&f->chip.usb));

    write_word(f, RCC_APB1RSTR, USBEN);
    assert_false(f072_usbfs_connected(&f->chip.usb));
    write_word(f, USB + 0x58, F072_BCDR_DPPU); // held in reset
    assert_false(f072_usbfs_connected(&f->chip.usb));
}

static void usb__interrupts_on_line_31(void **state)
{
    struct fixture *f = *state;

    write_word(f, RCC_APB1ENR, USBEN);
    write_word(f, USB + 0x40, F072_USB_RESET | F072_CNTR_FRES);
    write_word(f, USB + 0x44, 0);
    assert_int_equal(f->chip.cpu.lines, 0);
    write_word(f, USB + 0x40, F072_USB_RESET);
    write_word(f, USB + 0x40, F072_USB_RESET | F072_CNTR_FRES);
    assert_int_equal(f->chip.cpu.lines, UINT32_C(1) << 31);
}

// ---- Resets ----

static void reset__by_software_keeps_sram_and_sets_its_flag(void **state)
{
    struct fixture *f = *state;

    f->chip.usb.vbus = true;
    write_word(f, RCC_APB1ENR, USBEN);
    write_word(f, USB + 0x40, 0);
    write_word(f, USB + 0x58, F072_BCDR_DPPU);
    write_word(f, RCC_CSR, 1 << 24); // RMVF
    store_le32(f->chip.sram + 0x2000, 0xCAFEF00D);
    PUT(f, CODE,
        0x4801,  // ldr r0, =AIRCR
        0x4902,  // ldr r1, =key | SYSRESETREQ
        0x6001,  // str r1, [r0]
        0xE7FE); // b .
    store_le32(f->flash + 0x108, 0xE000ED0C);
    store_le32(f->flash + 0x10C, 0x05FA0004);
    run_to(f, 1000);
    PUT(f, CODE, 0xE7FE);
    run_to(f, 10000);

    assert_int_equal(read_word(f, RCC_CSR), F072_RESET_SOFTWARE | F072_RESET_PIN);
    assert_int_equal(usbdev_load_le16(f->chip.sram + 0x2000), 0xF00D);
    assert_false(f072_usbfs_connected(&f->chip.usb));
    assert_int_equal(read_word(f, RCC_APB1ENR), 0);
}

static void reset__power_on_fills_sram_with_noise_of_its_seed(void **state)
{
    struct fixture *f = *state;
    static uint8_t first[F072_SRAM_SIZE];

    memcpy(first, f->chip.sram, sizeof first);
    f072_chip_power_on(&f->chip, 2, 0);
    assert_memory_not_equal(f->chip.sram, first, sizeof first);
    f072_chip_power_on(&f->chip, 1, 0);
    assert_memory_equal(f->chip.sram, first, sizeof first);
    assert_int_equal(read_word(f, RCC_CSR), F072_RESET_POWER_ON | F072_RESET_PIN);
}

static void reset__by_the_watchdog_on_time(void **state)
{
    struct fixture *f = *state;

    write_word(f, RCC_CSR, 1 << 24);
    write_word(f, IWDG, 0x5555);
    write_word(f, IWDG + 8, 99);
    write_word(f, IWDG, 0xCCCC); // 100 counts of 4 / 40 kHz: 10 ms
    f->chip.sram[0] = 0x5A;
    run_to(f, 9900000);
    assert_int_equal(read_word(f, RCC_CSR), 0);
    run_to(f, 10100000);

    assert_int_equal((int)read_word(f, RCC_CSR), F072_RESET_IWDG | F072_RESET_PIN);
    assert_int_equal(f->chip.sram[0], 0x5A);
    assert_int_equal(f072_iwdg_expiry(&f->chip.iwdg) == UINT64_MAX, true);
}

// ---- Flags that firmware waits for at its start ----

static void vrefint__is_ready_but_on_a_value_line(void **state)
{
    enum { PWREN = 1 << 28, PWR_CSR = 0x40007004, VREFINTRDYF = 1 << 3 };
    struct fixture *f = *state;

    write_word(f, RCC_APB1ENR, PWREN);
    assert_int_equal(read_word(f, PWR_CSR), VREFINTRDYF);
    write_word(f, PWR_CSR, 0);
    assert_int_equal(read_word(f, PWR_CSR), VREFINTRDYF);

    f->chip.model = f072_find_model("f070");
    f072_chip_power_on(&f->chip, 1, 0);
    write_word(f, RCC_APB1ENR, PWREN);
    assert_int_equal(read_word(f, PWR_CSR), 0);
}

static void syscfg__locks_stay_and_comparators_are_warned_of(void **state)
{
    enum {
        SYSCFGEN = 1,
        CFGR2 = 0x40010018,
        COMP_CSR = 0x4001001C,
        COMP1EN = 1,
        COMP1OUT = 1 << 14
    };
    struct fixture *f = *state;

    write_word(f, RCC_APB2ENR, SYSCFGEN);
    write_word(f, CFGR2, 5);
    write_word(f, CFGR2, 0);
    assert_int_equal(read_word(f, CFGR2), 5);
    assert_int_equal(f->chip.report.warning_count, 0);
    write_word(f, COMP_CSR, COMP1EN | COMP1OUT);
    assert_int_equal(read_word(f, COMP_CSR), COMP1EN);
    assert_int_equal(f->chip.report.warning_count, 1);
}

static void clock__ready_interrupt_wakes_the_processor(void **state)
{
    enum { RCC_CIR = 0x40021008, HSI48RDYIE = 1 << 14, RCC_IRQ = 4 };
    struct fixture *f = *state;

    write_word(f, RCC_CIR, HSI48RDYIE);
    write_word(f, RCC_CR2, HSI48ON);
    run_to(f, 1000);
    assert_false(f->chip.cpu.lines >> RCC_IRQ & 1);
    run_to(f, SIM_MS);
    assert_true(f->chip.cpu.lines >> RCC_IRQ & 1);
}

// ---- What was read last ----

static void polled__is_the_register_that_a_loop_reads(void **state)
{
    struct fixture *f = *state;
    char text[F072_POLLED_SIZE];

    PUT(f, CODE, 0x4803, // ldr r0, =RCC_CR
        0x6801,          // ldr r1, [r0]
        0xE7FD,          // b the read
        0xBF00, 0xBF00, 0xBF00, 0xBF00, 0xBF00, 0x1000, 0x4002);
    f072_chip_power_on(&f->chip, 1, 0);
    run_to(f, SIM_MS);
    assert_true(f072_chip_polled(&f->chip, text));
    assert_string_equal(text, "RCC_CR, 00008083h");

    PUT(f, CODE + 4, 0xE7FE); // b .: the read was the last one
    run_to(f, 3000 * SIM_MS);
    assert_false(f072_chip_polled(&f->chip, text));
}

// ---- The RTC domain (RM0091 6.1.3) ----

static void rtc__backup_registers_are_protected_and_survive_a_reset(void **state)
{
    enum { APB1ENR = 0x4002101C, PWREN = 1 << 28, PWR_CR = 0x40007000, DBP = 1 << 8 };
    enum { BDCR = 0x40021020, BDRST = 1 << 16, BKP0R = 0x40002850 };
    struct fixture *f = *state;

    write_word(f, BKP0R, 0x12345678);
    assert_int_equal(read_word(f, BKP0R), 0);
    write_word(f, APB1ENR, PWREN);
    write_word(f, PWR_CR, DBP);
    write_word(f, BKP0R, 0x12345678);
    f072_chip_reset(&f->chip, F072_RESET_SOFTWARE);
    assert_int_equal(read_word(f, BKP0R), 0x12345678);

    write_word(f, BDCR, BDRST);
    assert_int_equal(read_word(f, BKP0R), 0);
    write_word(f, BDCR, 0);
    write_word(f, APB1ENR, PWREN);
    write_word(f, PWR_CR, DBP);
    write_word(f, BKP0R, 1);
    f072_chip_power_on(&f->chip, 1, f072_chip_now(&f->chip));
    assert_int_equal(read_word(f, BKP0R), 0);
}

// ---- Memory map and boot loader ----

static void map__mem_mode_moves_address_0_if_syscfg_has_a_clock(void **state)
{
    struct fixture *f = *state;
    uint16_t half_word;

    usbdev_store_le16(f->chip.sram, 0x5AA5);
    write_word(f, SYSCFG_CFGR1, F072_MEMORY_SRAM);
    assert_true(armv6m_peek16(&f->chip.cpu, 0, &half_word));
    assert_int_equal(half_word, STACK & 0xFFFF);

    write_word(f, RCC_APB2ENR, 1);
    write_word(f, SYSCFG_CFGR1, F072_MEMORY_SRAM);
    assert_true(armv6m_peek16(&f->chip.cpu, 0, &half_word));
    assert_int_equal(half_word, 0x5AA5);
    write_word(f, SYSCFG_CFGR1, F072_MEMORY_ROM);
    assert_true(armv6m_peek16(&f->chip.cpu, 4, &half_word));
    assert_int_equal(half_word, ((f072_models->rom_base + F072_ROM_ENTRY) & 0xFFFF) | 1);
}

static void rom__boot0_starts_it(void **state)
{
    struct fixture *f = *state;

    f->chip.boot0 = true;
    f072_chip_power_on(&f->chip, 1, 0);
    assert_int_equal(f072_chip_run(&f->chip, SIM_MS), F072_IN_ROM);
    assert_int_equal(f->chip.cpu.r[15], f072_models->rom_base + F072_ROM_ENTRY);
    assert_int_equal(f->chip.cpu.r[13], F072_ROM_STACK);
}

// RM0091 2.5, table of boot modes; the option bits BOOT_SEL, nBOOT1 and nBOOT0 are 7, 4 and 3 of
// the user byte.
static void rom__option_bits_start_it(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *model;
        bool pin;
        uint8_t user;
        enum f072_memory memory;
    } rows[] = {
        {"f042", false, 0xFF, F072_MEMORY_FLASH},
        {"f042", true, 0xFF, F072_MEMORY_ROM},
        {"f042", true, 0xEF, F072_MEMORY_SRAM},
        {"f042", false, 0x77, F072_MEMORY_ROM},
        {"f042", true, 0x77, F072_MEMORY_ROM},
        {"f042", false, 0x67, F072_MEMORY_SRAM},
        {"f042", true, 0x7F, F072_MEMORY_FLASH},
        {"f072", false, 0x77, F072_MEMORY_FLASH}, // has no BOOT_SEL
        {"f072", true, 0x77, F072_MEMORY_ROM},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        f072_chip_init(&f->chip, f072_find_model(rows[i].model), f->flash, f->options, 1);
        f->chip.report.quiet = true;
        f->chip.boot0 = rows[i].pin;
        f->options[2] = rows[i].user;
        f->options[3] = (uint8_t)~rows[i].user;
        f072_chip_power_on(&f->chip, 1, 0);
        write_bus(f, RCC_APB2ENR, 4, 1);
        assert_int_equal(read_bus(f, SYSCFG_CFGR1, 4) & 3, rows[i].memory);
        if (rows[i].memory == F072_MEMORY_ROM)
            assert_int_equal(f072_chip_run(&f->chip, SIM_MS), F072_IN_ROM);
    }
}

static void rom__leaves_the_chip_without_a_reset(void **state)
{
    struct fixture *f = *state;

    store_le32(f->flash + 0x1000, 0x20003000);
    store_le32(f->flash + 0x1004, CODE | 1);
    f072_chip_enter_rom(&f->chip, 7);
    f->chip.sram[F072_ROM_RAM_SIZE] = 0x5A;
    assert_true(f072_chip_leave_rom(&f->chip, 0x08001000, 5 * SIM_MS));

    assert_int_equal(f->chip.cpu.r[13], 0x20003000);
    assert_int_equal(f->chip.cpu.r[15], CODE);
    assert_int_equal(f->chip.sram[F072_ROM_RAM_SIZE], 0x5A);
    assert_int_equal(read_word(f, SYSCFG_CFGR1) & 3, F072_MEMORY_ROM);
    assert_int_equal(read_word(f, RCC_CFGR) & 0xF, 0xF); // HSI48
    assert_int_equal(read_word(f, RCC_CSR), F072_RESET_POWER_ON | F072_RESET_PIN);
    run_to(f, 6 * SIM_MS);
    assert_int_equal(f072_chip_now(&f->chip) / SIM_MS, 6);
}

static void rom__cannot_leave_for_where_nothing_is(void **state)
{
    struct fixture *f = *state;

    assert_false(f072_chip_leave_rom(&f->chip, 0x08020000, 0));
    assert_true(f072_chip_leave_rom(&f->chip, 0x0801FFF8, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, chip_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(time__is_8_mhz_until_the_clock_is_switched),
        TEST(time__too_fast_for_the_flash_is_trouble),
        TEST(time__a_timer_wakes_a_sleeping_processor),
        TEST(bus__what_is_not_modelled_reads_zero_and_is_reported_once),
        TEST(bus__outside_of_it_is_a_fault),
        TEST(bus__flash_takes_half_words_alone),
        TEST(bus__a_peripheral_without_clock_reads_zero_and_is_reported),
        TEST(bus__the_ahb_writes_lanes_and_the_apb_repeats_them),
        TEST(bus__packet_memory_is_16_bits_wide),
        TEST(bus__usb_registers_take_16_and_32_bits),
        TEST(bus__flash_is_not_written_without_being_unlocked),
        TEST(bus__flash_is_programmed_and_executed),
        TEST(bus__the_edge_of_a_chosen_pin_interrupts),
        TEST(usb__lives_only_with_its_clocks),
        TEST(usb__a_peripheral_reset_drops_the_pull_up),
        TEST(usb__interrupts_on_line_31),
        TEST(reset__by_software_keeps_sram_and_sets_its_flag),
        TEST(reset__power_on_fills_sram_with_noise_of_its_seed),
        TEST(reset__by_the_watchdog_on_time),
        TEST(vrefint__is_ready_but_on_a_value_line),
        TEST(syscfg__locks_stay_and_comparators_are_warned_of),
        TEST(clock__ready_interrupt_wakes_the_processor),
        TEST(polled__is_the_register_that_a_loop_reads),
        TEST(rtc__backup_registers_are_protected_and_survive_a_reset),
        TEST(map__mem_mode_moves_address_0_if_syscfg_has_a_clock),
        TEST(rom__boot0_starts_it),
        TEST(rom__option_bits_start_it),
        TEST(rom__leaves_the_chip_without_a_reset),
        TEST(rom__cannot_leave_for_where_nothing_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
