// SPDX-License-Identifier: MIT
//
// What the virtual board says of firmware that goes wrong.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "little_firmware.h"
#include "plugged.h"
#include <usb/bytes.h>

// ---- Firmware that goes wrong ----

// A SysTick of `reload` cycles whose handler makes so many jumps and returns. scr is what SCR is
// set to before; idle is the instruction that the main program repeats.
enum { WFI = 0xBF30, B_ITSELF = 0xE7FE, SLEEPONEXIT = 1 << 1 };
enum { HANDLER = LITERALS + 12, MOST_JUMPS = 20 };
static void make_ticks_that_jump(uint16_t reload, uint8_t scr, uint16_t idle, unsigned jumps)
{
    uint8_t image[HANDLER + 2 * MOST_JUMPS + 2];
    const uint16_t code[] = {
        0x4808,       // ldr r0, =SCR
        0x2100 | scr, // movs r1, #scr
        0x6001,       // str r1, [r0]
        0x4806,       // ldr r0, =SYST_CSR
        0x4907,       // ldr r1, =reload
        0x6041,       // str r1, [r0, #4]: SYST_RVR
        0x2107,       // movs r1, #7: ENABLE, TICKINT, CLKSOURCE
        0x6001,       // str r1, [r0]
        idle,
        0xE7FD, // and b to it
        jumps > 0 ? 0xE00A /* b HANDLER */ : 0x4770 /* bx lr */,
    };
    const uint16_t to_the_next = 0xE7FF, bx_lr = 0x4770;

    memset(image, 0xFF, sizeof image);
    store_le32(image, STACK);
    store_le32(image + 4, (BASE + CODE) | 1);
    store_le32(image + 4 * ARMV6M_SYSTICK, (BASE + CODE + 20) | 1);
    for (size_t i = 0; i < sizeof code / 2; i++)
        usbdev_store_le16(image + CODE + 2 * i, code[i]);
    store_le32(image + LITERALS, 0xE000E010);
    store_le32(image + LITERALS + 4, 0xE000ED10);
    store_le32(image + LITERALS + 8, reload);
    for (unsigned i = 0; i < jumps; i++)
        usbdev_store_le16(image + HANDLER + 2 * i, to_the_next);
    usbdev_store_le16(image + HANDLER + 2 * jumps, bx_lr);
    write_file(image, sizeof image);
}

static void make_ticks(uint16_t reload, uint8_t scr, uint16_t idle)
{
    make_ticks_that_jump(reload, scr, idle, 0);
}

static void trouble__an_undefined_instruction_without_handler_is_a_lockup(void **state)
{
    (void)state;

    make_image(CODE_OF(0xDE00), (uint32_t[8]){0}); // udf
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 10);
    assert_trouble(host, "locked up");
    pass_ms(host, 10000); // and stays so, at no cost

    sim_host_close(host);
}

static void trouble__a_lockup_ends_by_a_watchdog(void **state)
{
    (void)state;
    static const uint16_t code[] = {
        0x4807, // ldr r0, =RCC_APB1ENR
        0x4908, // ldr r1, =WWDGEN
        0x6001, // str r1, [r0]
        0x4808, // ldr r0, =WWDG_CR
        0x21FF, // movs r1, #FFh: on, 64 counts
        0x6001, // str r1, [r0]
        0xDE00, // udf
    };

    make_image(code, sizeof code / 2, (uint32_t[8]){0x4002101C, 1 << 11, 0x40002C00});
    struct sim_host *host = plug_in_flash(NULL);
    struct f072_board *board = (struct f072_board *)sim_host_device(host);
    pass_ms(host, 32); // 64 counts of 4096 clocks at 8 MHz: 32.8 ms
    assert_true(board->locked_up);
    assert_false(board->chip.rcc.csr & F072_RESET_WWDG);
    pass_ms(host, 1);
    assert_true(board->chip.rcc.csr & F072_RESET_WWDG);

    sim_host_close(host);
}

static void trouble__a_breakpoint_is_named(void **state)
{
    (void)state;

    make_image(CODE_OF(0xBF00, 0xBE00), (uint32_t[8]){0}); // nop; bkpt
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 10);
    assert_trouble(host, "BKPT at 08000042h");

    sim_host_close(host);
}

static void trouble__a_loop_that_never_connects_is_seen_after_a_while(void **state)
{
    (void)state;

    make_image(CODE_OF(0xE7FE), (uint32_t[8]){0}); // b .
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 8500);
    assert_well(host);
    pass_ms(host, 1000);
    assert_trouble(host, "off the bus for over 9 s (USB_BCDR.DPPU is 0): an endless loop at "
                         "08000040h");

    sim_host_close(host);
}

static void trouble__waiting_for_ever_on_one_register_is_seen(void **state)
{
    (void)state;

    make_image(CODE_OF(0x4807,  // ldr r0, =RCC_CR
                       0x6801,  // ldr r1, [r0]
                       0xE7FD), // b the read: HSE is never switched on
               (uint32_t[8]){0x40021000});
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 11000);
    assert_trouble(host, "an endless loop at 0800004");
    assert_trouble(host, ", which reads RCC_CR, 00008083h");

    sim_host_close(host);
}

static void absent__a_sleep_that_nothing_ends_is_named(void **state)
{
    (void)state;

    make_image(CODE_OF(0xBF30, 0xE7FD), (uint32_t[8]){0}); // wfi; b
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 8900);
    assert_well(host);
    pass_ms(host, 1000);
    assert_trouble(host, "off the bus for over 9 s (USB_BCDR.DPPU is 0): the processor sleeps by "
                         "WFI before 08000042h, and nothing wakes it");

    sim_host_close(host);
}

static void absent__a_sleep_that_interrupts_end_is_another(void **state)
{
    (void)state;

    make_ticks(7999, 0, WFI);
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 9500);
    assert_trouble(host, "sleeps by WFI before 08000052h, wakes and sleeps again");

    sim_host_close(host);
}

static void absent__sleeponexit_is_named(void **state)
{
    (void)state;

    make_ticks(100, SLEEPONEXIT, B_ITSELF);
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 9500);
    assert_trouble(host, "SCR.SLEEPONEXIT is set, so that the processor sleeps again after the "
                         "handler of SysTick, and the main program does not go on at 08000050h");

    sim_host_close(host);
}

// The exception is no longer among the jumps that are remembered.
static void absent__sleeponexit_is_named_after_a_long_handler(void **state)
{
    (void)state;

    make_ticks_that_jump(1000, SLEEPONEXIT, B_ITSELF, MOST_JUMPS);
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 9500);
    assert_trouble(host, "sleeps again after a handler, and the main program");

    sim_host_close(host);
}

static void absent__firmware_that_is_reset_again_and_again_says_so(void **state)
{
    (void)state;

    make_image(CODE_OF(0x4807, 0x4908, // ldr r0, =IWDG_KR; ldr r1, =CCCCh
                       0x6001,         // str r1, [r0]: 410 ms
                       0xE7FE),        // b .
               (uint32_t[8]){0x40003000, 0xCCCC});
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 9500);
    assert_trouble(host, "USB_BCDR.DPPU is 0, reset again and again, the last time by: "
                         "independent watchdog)");

    sim_host_close(host);
}

static void absent__standby_mode_is_named(void **state)
{
    (void)state;

    make_image(CODE_OF(0x4807, 0x4908, // ldr r0, =RCC_APB1ENR; ldr r1, =PWREN
                       0x6001,         // str r1, [r0]
                       0x4808, 0x2102, // ldr r0, =PWR_CR; movs r1, #PDDS
                       0x6001,         // str r1, [r0]
                       0x4807, 0x2104, // ldr r0, =SCR; movs r1, #SLEEPDEEP
                       0x6001,         // str r1, [r0]
                       0xBF30),        // wfi
               (uint32_t[8]){0x4002101C, 1 << 28, 0x40007000, 0xE000ED10});
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 9500);
    assert_trouble(host, "the chip is in Standby mode since 08000054h");

    sim_host_close(host);
}

// Firmware that polls once in a while finds an interrupt pending each time.
static void trouble__usb_must_be_unserved_for_a_while(void **state)
{
    (void)state;

    make_image(CODE_OF(0xE7FE), (uint32_t[8]){0}); // b .
    struct sim_host *host = plug_in_flash(NULL);
    struct f072_board *board = (struct f072_board *)sim_host_device(host);
    pass_ms(host, 3000);
    board->chip.usb.cntr |= F072_USB_SUSP;
    board->chip.usb.istr |= F072_USB_SUSP;

    pass_ms(host, 1000);
    assert_well(host);
    pass_ms(host, 1500);
    assert_trouble(host, "an endless loop at 08000040h, and the USB interrupt is not served");

    sim_host_close(host);
}

static void trouble__a_handler_that_loops_is_named(void **state)
{
    (void)state;
    uint8_t image[IMAGE];

    memset(image, 0xFF, sizeof image);
    store_le32(image, STACK);
    store_le32(image + 4, (BASE + CODE) | 1);
    store_le32(image + 4 * ARMV6M_HARDFAULT, (BASE + CODE + 2) | 1);
    usbdev_store_le16(image + CODE, 0xDE00);     // udf
    usbdev_store_le16(image + CODE + 2, 0xE7FE); // b .
    write_file(image, sizeof image);
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 3000);
    assert_trouble(host, "endless loop at 08000042h in the handler of HardFault");

    sim_host_close(host);
}

static void trouble__interrupts_that_leave_the_main_program_no_time_are_seen(void **state)
{
    (void)state;

    make_ticks(1, 0, B_ITSELF);
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 8000);
    assert_well(host);
    pass_ms(host, 1500);
    assert_trouble(host, "the main program has executed nothing for 9 s: interrupts follow each "
                         "other without a pause, now at 08000054h in the handler of SysTick");

    sim_host_close(host);
}

// A HardFault handler that blinks touches something new each time, and never gives back.
static void trouble__a_hardfault_handler_that_blinks_is_seen(void **state)
{
    (void)state;
    uint8_t image[IMAGE];
    const uint16_t code[] = {
        0xDE00, // udf
        0x4807, // ldr r0, =GPIOA
        0x6181, // str r1, [r0, #18h]: BSRR
        0x3101, // adds r1, #1
        0xE7FC, // b the store
    };

    memset(image, 0xFF, sizeof image);
    store_le32(image, STACK);
    store_le32(image + 4, (BASE + CODE) | 1);
    store_le32(image + 4 * ARMV6M_HARDFAULT, (BASE + CODE + 2) | 1);
    for (size_t i = 0; i < sizeof code / 2; i++)
        usbdev_store_le16(image + CODE + 2 * i, code[i]);
    store_le32(image + LITERALS, 0x48000000);
    write_file(image, sizeof image);
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 1500);
    assert_well(host);
    pass_ms(host, 1000);
    assert_trouble(host,
                   "the main program has executed nothing for 2 s: a handler does not return");

    sim_host_close(host);
}

// Nor are they an endless loop, whatever a look finds the processor in.
static void trouble__interrupts_that_leave_it_some_are_not_told(void **state)
{
    (void)state;

    make_ticks(50, 0, B_ITSELF);
    struct sim_host *host = plug_in_flash(NULL);
    pass_ms(host, 30000);
    assert_trouble(host, "USB_BCDR.DPPU is 0): an endless loop at 0800005");

    sim_host_close(host);
}

// An image that faults: its code, the literal that it loads, and the one instruction of its
// HardFault handler.
static void make_fault(const uint16_t *code, size_t count, uint32_t literal, uint16_t handler)
{
    uint8_t image[IMAGE];

    memset(image, 0xFF, sizeof image);
    store_le32(image, STACK);
    store_le32(image + 4, (BASE + CODE) | 1);
    store_le32(image + 4 * ARMV6M_HARDFAULT, (BASE + LITERALS - 4) | 1);
    for (size_t i = 0; i < count; i++)
        usbdev_store_le16(image + CODE + 2 * i, code[i]);
    usbdev_store_le16(image + LITERALS - 4, handler);
    store_le32(image + LITERALS, literal);
    write_file(image, sizeof image);
}

static void trouble__a_hardfault_is_told_with_its_access_and_its_place(void **state)
{
    (void)state;
    static const struct {
        uint16_t access; // after ldr r0, =literal
        uint32_t literal;
        uint16_t handler;
        const char *trouble;
    } rows[] = {
        {0x6801, 0x1FFFC400, 0xE7FE, // ldr r1, [r0]; b .
         "an endless loop at 0800005Ch in the handler of HardFault, which was taken at 08000042h "
         "by a "
         "read of 1FFFC400h"},
        {0x6001, 0x1FFFC400, 0xBE00, // str r1, [r0]; bkpt
         "BKPT at 0800005Ch in the handler of HardFault, which was taken at 08000042h by a write "
         "to "
         "1FFFC400h"},
        {0x6801, 0x20000002, 0xE7FE, // ldr r1, [r0]; b .
         "which was taken at 08000042h by an unaligned read of 20000002h"},
        {0x8001, 0x20000001, 0xE7FE, // strh r1, [r0]; b .
         "which was taken at 08000042h by an unaligned write to 20000001h"},
        {0xC002, 0x20000002, 0xE7FE, // stm r0!, {r1}; b .
         "which was taken at 08000042h by an unaligned write to 20000002h"},
        {0x6001, 0x08000400, 0xE7FE, // str r1, [r0]; b . (RM0091 3.2.2)
         "which was taken at 08000042h by a write to 08000400h, flash takes half-words alone"},
        {0x7001, 0x1FFFF800, 0xE7FE, // strb r1, [r0]; b . (RM0091 3.2.3)
         "which was taken at 08000042h by a write to 1FFFF800h, flash takes half-words alone"},
        {0xDE00, 0, 0xDE00, // udf; udf
         "the processor locked up at 0800005Ch: a fault within the HardFault that was taken at "
         "08000042h"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_fault((uint16_t[]){0x4807, rows[i].access}, 2, rows[i].literal, rows[i].handler);
        struct sim_host *host = plug_in_flash(NULL);
        pass_ms(host, 3000);
        assert_trouble(host, rows[i].trouble);
        sim_host_close(host);
    }
}

// It stops at a BKPT, whose HardFault resets the chip; from then on at another one, again and
// again.
static void trouble__after_a_reset_is_told_once(void **state)
{
    (void)state;
    static const uint16_t code[] = {
        0x4807, // 40 ldr  r0, =flag
        0x6801, // 42 ldr  r1, [r0]
        0x2955, // 44 cmp  r1, #0x55
        0xD000, // 46 beq  4a
        0xBE01, // 48 bkpt 1
        0xBE02, // 4a bkpt 2
        0x4804, // 4c ldr  r0, =flag        ; HardFault
        0x2155, // 4e movs r1, #0x55
        0x6001, // 50 str  r1, [r0]
        0x4804, // 52 ldr  r0, =AIRCR
        0x4904, // 54 ldr  r1, =SYSRESETREQ
        0x6001, // 56 str  r1, [r0]
        0xE7FE, // 58 b    .
    };
    uint8_t image[IMAGE];

    memset(image, 0xFF, sizeof image);
    store_le32(image, STACK);
    store_le32(image + 4, (BASE + CODE) | 1);
    store_le32(image + 4 * ARMV6M_HARDFAULT, (BASE + CODE + 0xC) | 1);
    for (size_t i = 0; i < sizeof code / sizeof code[0]; i++)
        usbdev_store_le16(image + CODE + 2 * i, code[i]);
    store_le32(image + CODE + 0x20, 0x20001000);
    store_le32(image + CODE + 0x24, 0xE000ED0C);
    store_le32(image + CODE + 0x28, 0x05FA0004);
    write_file(image, sizeof image);
    struct sim_host *host = plug_in_flash(NULL);
    struct f072_board *board = (struct f072_board *)sim_host_device(host);

    pass_ms(host, 10);
    assert_trouble(host, "BKPT at 0800004Ah");
    assert_int_equal(board->chip.report.trouble_count, 2);
    assert_int_equal(board->chip.report.told_count, 2);
    assert_int_equal(board->chip.report.told[0].times, 1);
    assert_true(board->chip.report.told[1].times > 1);

    sim_host_close(host);
}

static void trouble__is_told_again_after_a_power_cycle(void **state)
{
    (void)state;

    make_image(CODE_OF(0xBE00), (uint32_t[8]){0}); // bkpt
    struct sim_host *host = plug_in_flash(NULL);
    struct f072_board *board = (struct f072_board *)sim_host_device(host);
    pass_ms(host, 1);
    assert_true(board->chip.report.in_trouble);
    sim_host_power(host, false);
    sim_host_power(host, true);
    assert_false(board->chip.report.in_trouble);
    assert_well(host);
    pass_ms(host, 1);
    assert_true(board->chip.report.in_trouble);
    assert_trouble(host, "BKPT at 08000040h");
    assert_int_equal(board->chip.report.told_count, 1);
    assert_int_equal(board->chip.report.told[0].times, 2);

    sim_host_close(host);
}

// USBSW is 0 after reset: HSI48, which comes by itself where the chip has it.
static void trouble__a_connected_usb_without_its_clock_is_named(void **state)
{
    (void)state;
    static const uint16_t code[] = {
        0x4807, // ldr r0, =RCC_APB1ENR
        0x4908, // ldr r1, =USBEN
        0x6001, // str r1, [r0]
        0x4808, // ldr r0, =USB_CNTR
        0x2100, // movs r1, #0
        0x8001, // strh r1, [r0]
        0x4907, // ldr r1, =DPPU
        0x8301, // strh r1, [r0, #24]: USB_BCDR
        0xE7FE, // b .
    };

    make_image(code, sizeof code / 2, (uint32_t[8]){0x4002101C, 1 << 23, 0x40005C40, 0x8000});
    struct sim_host *host = plug_in_flash(NULL);
    assert_true(sim_host_enumerate(host, 1000 * SIM_MS) < 0); // it serves no request
    assert_well(host);
    sim_host_close(host);

    host = plug_in_with((struct sim_options){.chip = "f070"});
    pass_ms(host, 200);
    assert_well(host);
    assert_true(sim_host_enumerate(host, 1000 * SIM_MS) < 0);
    assert_trouble(host, "USB has no 48 MHz clock: RCC_CFGR3.USBSW is 0: HSI48, which this chip");

    sim_host_close(host);
}

// Code of random instructions, with a bias to those that reach peripherals: r0..r7 point at them.
static void make_noise(uint32_t seed)
{
    static const uint32_t bases[8] = {0x40021000, 0x40005C00, 0x40006000, 0x40022000,
                                      0x48000000, 0xE000E100, 0x20000100, 0x40010000};
    uint8_t image[1024];
    uint32_t x = seed + 1;

    for (size_t i = 0; i < sizeof image; i++) {
        x = x * UINT32_C(1664525) + UINT32_C(1013904223);
        image[i] = (uint8_t)(x >> 24);
    }
    store_le32(image, STACK);
    store_le32(image + 4, (BASE + CODE) | 1);
    for (unsigned i = 0; i < 8; i++)
        usbdev_store_le16(image + CODE + 2 * i,
                          (uint16_t)(0x4807 + (i + 1) / 2 + (i << 8))); // ldr ri
    for (unsigned i = 0; i < 8; i++)
        store_le32(image + LITERALS + 4 * i, bases[i]);
    write_file(image, sizeof image);
}

static void trouble__noise_for_firmware_does_no_harm_to_the_simulator(void **state)
{
    (void)state;

    for (uint32_t seed = 0; seed < 200; seed++) {
        make_noise(seed);
        struct sim_host *host = plug_in_flash(NULL);
        uint64_t start_ns = sim_host_now(host);
        sim_host_enumerate(host, 300 * SIM_MS);
        pass_ms(host, 20);
        assert_true(sim_host_now(host) >= start_ns + 20 * SIM_MS);
        sim_host_close(host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(trouble__an_undefined_instruction_without_handler_is_a_lockup),
        TEST(trouble__a_lockup_ends_by_a_watchdog),
        TEST(trouble__a_breakpoint_is_named),
        TEST(trouble__a_loop_that_never_connects_is_seen_after_a_while),
        TEST(trouble__waiting_for_ever_on_one_register_is_seen),
        TEST(absent__a_sleep_that_nothing_ends_is_named),
        TEST(absent__a_sleep_that_interrupts_end_is_another),
        TEST(absent__sleeponexit_is_named),
        TEST(absent__sleeponexit_is_named_after_a_long_handler),
        TEST(absent__firmware_that_is_reset_again_and_again_says_so),
        TEST(absent__standby_mode_is_named),
        TEST(trouble__usb_must_be_unserved_for_a_while),
        TEST(trouble__a_handler_that_loops_is_named),
        TEST(trouble__interrupts_that_leave_the_main_program_no_time_are_seen),
        TEST(trouble__a_hardfault_handler_that_blinks_is_seen),
        TEST(trouble__interrupts_that_leave_it_some_are_not_told),
        TEST(trouble__a_hardfault_is_told_with_its_access_and_its_place),
        TEST(trouble__after_a_reset_is_told_once),
        TEST(trouble__is_told_again_after_a_power_cycle),
        TEST(trouble__a_connected_usb_without_its_clock_is_named),
        TEST(trouble__noise_for_firmware_does_no_harm_to_the_simulator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
