// SPDX-License-Identifier: MIT
//
// The virtual board with firmware of a few instructions: when the boot loader in ROM takes over,
// the chips, pins and the UART, and what opening it refuses.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "little_firmware.h"
#include "plugged.h"
#include <usb/bytes.h>

// ---- Into the boot loader ----

// ldr r0, =ROM; ldr r1, [r0]; msr msp, r1; ldr r1, [r0, #4]; bx r1
#define JUMP 0x4807, 0x6801, 0xF381, 0x8808, 0x6841, 0x4708

static void rom__a_clean_jump_brings_up_the_boot_loader(void **state)
{
    (void)state;

    make_image(CODE_OF(JUMP), (uint32_t[8]){ROM_BASE});
    struct sim_host *host = plug_in_flash(NULL);
    assert_is_rom(host);
    assert_well(host);

    sim_host_close(host);
}

static void rom__a_jump_with_interrupts_masked_hangs_and_says_so(void **state)
{
    (void)state;

    make_image(CODE_OF(0xB672, // cpsid i
                       0x4807, 0x6801, 0xF381, 0x8808, 0x6841, 0x4708),
               (uint32_t[8]){ROM_BASE, ROM_BASE});
    struct sim_host *host = plug_in_flash(NULL);
    assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), USB_GONE);
    assert_trouble(host, "interrupts masked (PRIMASK)");

    sim_host_close(host);
}

static void rom__a_jump_with_its_stack_in_the_roms_own_ram_says_so(void **state)
{
    (void)state;

    make_image(CODE_OF(0x4807, 0x6841, 0x4708), (uint32_t[8]){ROM_BASE});
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 10);
    assert_trouble(host, "a main stack pointer below");

    sim_host_close(host);
}

static void rom__a_jump_on_the_firmwares_stack_above_the_roms_ram_starts_it(void **state)
{
    (void)state;

    make_image(CODE_OF(0x4807,         // ldr r0, =ROM_BASE
                       0x4908,         // ldr r1, =the end of SRAM
                       0xF381, 0x8808, // msr msp, r1
                       0x6841, 0x4708),
               (uint32_t[8]){ROM_BASE, 0x20004000});
    struct sim_host *host = plug_in_flash(NULL);
    assert_is_rom(host);
    assert_well(host);

    sim_host_close(host);
}

static void rom__a_jump_on_the_process_stack_says_so(void **state)
{
    (void)state;

    make_image(CODE_OF(0x2002,         // movs r0, #2: SPSEL
                       0xF380, 0x8814, // msr control, r0
                       0x4806,         // ldr r0, =ROM_BASE
                       0x6801, 0xF381, 0x8808, 0x6841, 0x4708),
               (uint32_t[8]){ROM_BASE, ROM_BASE});
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 10);
    assert_trouble(host, "the process stack pointer selected");

    sim_host_close(host);
}

static void rom__a_jump_elsewhere_into_it_says_so(void **state)
{
    (void)state;

    make_image(CODE_OF(0x4807, 0x4700), (uint32_t[8]){ROM_BASE | 1});
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 10);
    assert_trouble(host, "another address than its word 1");

    sim_host_close(host);
}

static void rom__an_exception_while_address_0_shows_the_rom_says_so(void **state)
{
    (void)state;

    make_image(CODE_OF(0x4807,  // ldr r0, =RCC_APB2ENR
                       0x2101,  // movs r1, #1
                       0x6001,  // str r1, [r0]
                       0x4807,  // ldr r0, =SYSCFG_CFGR1
                       0x6001,  // str r1, [r0]: MEM_MODE 1
                       0xDF00), // svc #0
               (uint32_t[8]){0x40021018, 0x40010000});
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 10);
    assert_trouble(host, "MEM_MODE");

    sim_host_close(host);
}

static void rom__starts_an_empty_board(void **state)
{
    (void)state;

    make_image(CODE_OF(0xE7FE), (uint32_t[8]){0});
    struct f072_board *erased = open_board(flash_file);
    memset(erased->flash.bytes, 0xFF, erased->flash.memory.size);
    erased->base.ops->close(&erased->base);
    struct sim_host *host = plug_in_flash(flash_file);
    assert_is_rom(host);
    assert_well(host);
    assert_false(((struct f072_board *)sim_host_device(host))->chip.boot0); // not at resets to come

    sim_host_close(host);
}

static void rom__a_running_watchdog_ends_it(void **state)
{
    (void)state;
    static const uint16_t code[] = {
        0x4807, // ldr r0, =IWDG
        0x4908, // ldr r1, =CCCCh
        0x6001, // str r1, [r0]
        0x4808, 0x6801, 0xF381, 0x8808, 0x6841, 0x4708,
    };

    make_image(code, sizeof code / 2, (uint32_t[8]){0x40003000, 0xCCCC, ROM_BASE});
    struct sim_host *host = plug_in_flash(NULL);
    struct f072_board *board = (struct f072_board *)sim_host_device(host);
    pass_ms(host, 400);
    assert_int_equal(board->who, F072_BOARD_ROM);
    pass_ms(host, 20); // 4096 counts of 4 / 40 kHz after the start: 409.6 ms
    assert_true(board->chip.rcc.csr & F072_RESET_IWDG);

    sim_host_close(host);
}

// ---- Chips ----

static void chip__the_stm32f042_has_its_rom_elsewhere_and_smaller_pages(void **state)
{
    (void)state;
    static const char layout[] = "@Internal Flash  /0x08000000/032*0001Kg";
    const struct usbdev_setup_packet get_string = {0x80, USBDEV_GET_DESCRIPTOR, 0x0304, 0x0409,
                                                   255};
    static const uint16_t code[] = {
        0x4807, // ldr r0, =RCC_AHBENR
        0x4908, // ldr r1, =GPIOFEN, and an output in MODER
        0x6001, // str r1, [r0]
        0x4808, // ldr r0, =GPIOF
        0x6001, // str r1, [r0]: PF11, which is BOOT0
        0x0AC9, // lsrs r1, #11
        0x6141, // str r1, [r0, #14h]: high
        JUMP,
    };
    uint8_t descriptor[255];

    make_image(code, sizeof code / 2, (uint32_t[8]){0x40021014, 1 << 22, 0x48001400, 0x1FFFC400});
    struct sim_host *host = plug_in_with((struct sim_options){.chip = "STM32F042"});
    assert_is_rom(host);
    assert_well(host);
    assert_int_equal(sim_host_control(host, &get_string, descriptor, 0), 2 * sizeof layout);
    for (size_t i = 0; i < sizeof layout - 1; i++)
        assert_int_equal(descriptor[2 + 2 * i], layout[i]);

    sim_host_close(host);
}

static void chip__the_rom_of_the_stm32f042_returns_to_firmware_while_boot0_is_low(void **state)
{
    (void)state;

    make_image(CODE_OF(JUMP), (uint32_t[8]){0x1FFFC400});
    struct sim_host *host = plug_in_with((struct sim_options){.chip = "f042"});
    pass_ms(host, 5);
    assert_trouble(host, "finds BOOT0 (PF11 or PB8) low");

    sim_host_close(host);
}

static void chip__a_jump_to_the_rom_of_another_chip_faults(void **state)
{
    (void)state;

    make_image(CODE_OF(JUMP), (uint32_t[8]){0x1FFFC400});
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 10);
    assert_trouble(host, "locked up");

    sim_host_close(host);
}

// ---- Behind a boot loader ----

static void boot__starts_at_the_vector_table_that_is_named_after_every_reset(void **state)
{
    (void)state;
    enum { START = BASE + 0x2000 };
    uint8_t image[IMAGE] = {0};

    store_le32(image, STACK);
    store_le32(image + 4, (START + CODE) | 1);
    usbdev_store_le16(image + CODE, 0xE7FE); // b .
    write_file(image, sizeof image);
    struct sim_host *host = plug_in_with((struct sim_options){.boot = "0x08002000"});
    struct f072_board *board = (struct f072_board *)sim_host_device(host);
    for (int i = 0; i < 2; i++) {
        pass_ms(host, 1);
        assert_int_equal(board->chip.cpu.r[15], START + CODE);
        assert_int_equal(board->chip.cpu.r[13], STACK);
        assert_int_equal(board->chip.syscfg_cfgr1 & 3, F072_MEMORY_FLASH);
        f072_chip_reset(&board->chip, F072_RESET_SOFTWARE);
    }

    sim_host_close(host);
}

// ---- Pins and the UART ----

static bool pin_is_high(struct sim_host *host, unsigned port, unsigned pin)
{
    struct f072_board *board = (struct f072_board *)sim_host_device(host);

    return f072_gpio_read(&board->chip.gpio[port], F072_GPIO_IDR) >> pin & 1;
}

static void pins__have_their_levels_from_power_on_and_change_in_time(void **state)
{
    (void)state;

    make_image(CODE_OF(0xBF30, 0xE7FD), (uint32_t[8]){0}); // wfi; b
    struct sim_host *host =
        plug_in_with((struct sim_options){.pins = "pa1=1,PC13=0@600+PC13=1@500"});
    for (int i = 0; i < 2; i++) {
        assert_true(pin_is_high(host, 0, 1));
        pass_ms(host, 499);
        assert_false(pin_is_high(host, 2, 13));
        pass_ms(host, 2);
        assert_true(pin_is_high(host, 2, 13));
        pass_ms(host, 100);
        assert_false(pin_is_high(host, 2, 13));
        assert_true(pin_is_high(host, 0, 1));
        sim_host_power(host, false);
        sim_host_power(host, true);
    }

    sim_host_close(host);
}

static void uart__what_is_sent_goes_to_a_file(void **state)
{
    (void)state;
    static const uint16_t code[] = {
        0x4807, // ldr r0, =RCC_APB2ENR
        0x4908, // ldr r1, =USART1EN
        0x6001, // str r1, [r0]
        0x4808, // ldr r0, =USART1
        0x2141, // movs r1, #'A'
        0x6281, // str r1, [r0, #28h]: TDR, but not yet enabled
        0x60C1, // str r1, [r0, #0Ch]: BRR, 123 kbaud
        0x2209, // movs r2, #UE | TE
        0x6002, // str r2, [r0]
        0x6281, // str r1, [r0, #28h]
        0x3101, // adds r1, #1
        0x6281, // str r1, [r0, #28h]
        0xBF30, // wfi
        0xE7FD, // b the wfi
    };
    char text[8] = "";

    make_image(code, sizeof code / 2, (uint32_t[8]){0x40021018, 1 << 14, 0x40013800});
    struct sim_host *host = plug_in_with((struct sim_options){.uart = uart_file});
    pass_ms(host, 1);
    sim_host_close(host);
    FILE *file = fopen(uart_file, "rb");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), 2);
    assert_string_equal(text, "AB");
    fclose(file);
}

// ---- Opening ----

static void open__says_what_is_wrong(void **state)
{
    (void)state;
    const struct {
        struct sim_options options;
        const char *error;
    } rows[] = {
        {{.firmware = "/no/such/file"}, "firmware /no/such/file: No such file or directory"},
        {{.firmware = firmware_file, .device = "composite"}, "name only one"},
        {{.firmware = firmware_file, .defect = "x"}, "own defects"},
        {{.device = "f072"}, "name its firmware"},
        {{.firmware = "/etc/passwd"}, "/etc/passwd: no firmware image for the STM32F072"},
        {{.firmware = firmware_file, .chip = "f103"}, "chip 'f103': expected f072, f042"},
        {{.firmware = firmware_file, .boot = "x"}, "boot address 'x': expected the address"},
        {{.firmware = firmware_file, .boot = "0x08020000"}, "0x08000000 to 0x0801FFF8"},
        {{.firmware = firmware_file, .boot = "0x08002002"}, "a multiple of 4"},
        {{.firmware = firmware_file, .chip = "f042", .boot = "0x08008000"},
         "the STM32F042's flash"},
        {{.firmware = firmware_file, .pins = ""}, "pin '': expected PIN=LEVEL"},
        {{.firmware = firmware_file, .pins = "PG1=0"}, "pin 'PG1=0': expected"},
        {{.firmware = firmware_file, .pins = "PA1=0,PA16=1"}, "pin 'PA16=1': expected"},
        {{.firmware = firmware_file, .pins = "PA1=2"}, "pin 'PA1=2': expected"},
        {{.firmware = firmware_file, .pins = "PA1=1@"}, "pin 'PA1=1@': expected"},
        {{.firmware = firmware_file, .pins = "PA1=1x"}, "pin 'PA1=1x': expected"},
        {{.firmware = firmware_file, .uart = "/no/such/file"}, "/no/such/file: cannot write"},
    };

    make_image(CODE_OF(0xE7FE), (uint32_t[8]){0});
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[300] = "";
        assert_null(sim_open(&rows[i].options, error, sizeof error));
        if (!strstr(error, rows[i].error))
            fail_msg("expected '%s', got '%s'", rows[i].error, error);
    }
}

static void open__the_flash_file_comes_before_the_image(void **state)
{
    (void)state;

    make_image(CODE_OF(0xE7FE), (uint32_t[8]){0});
    struct f072_board *board = open_board(flash_file);
    usbdev_store_le16(board->flash.bytes + CODE, 0xBF30);
    board->base.ops->close(&board->base);
    board = open_board(flash_file);
    assert_int_equal(usbdev_load_le16(board->flash.bytes + CODE), 0xBF30);
    board->base.ops->close(&board->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rom__a_clean_jump_brings_up_the_boot_loader),
        TEST(rom__a_jump_with_interrupts_masked_hangs_and_says_so),
        TEST(rom__a_jump_with_its_stack_in_the_roms_own_ram_says_so),
        TEST(rom__a_jump_on_the_firmwares_stack_above_the_roms_ram_starts_it),
        TEST(rom__a_jump_on_the_process_stack_says_so),
        TEST(rom__a_jump_elsewhere_into_it_says_so),
        TEST(rom__an_exception_while_address_0_shows_the_rom_says_so),
        TEST(rom__starts_an_empty_board),
        TEST(rom__a_running_watchdog_ends_it),
        TEST(chip__the_stm32f042_has_its_rom_elsewhere_and_smaller_pages),
        TEST(chip__the_rom_of_the_stm32f042_returns_to_firmware_while_boot0_is_low),
        TEST(chip__a_jump_to_the_rom_of_another_chip_faults),
        TEST(boot__starts_at_the_vector_table_that_is_named_after_every_reset),
        TEST(pins__have_their_levels_from_power_on_and_change_in_time),
        TEST(uart__what_is_sent_goes_to_a_file),
        TEST(open__says_what_is_wrong),
        TEST(open__the_flash_file_comes_before_the_image),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
