// SPDX-License-Identifier: MIT
//
// When the start-up code jumps into the boot loader, and when it must not: the image runs on the
// emulated chip, without a bus. argv[1] is the image.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dfurt/usb_spec.h>

#include <stm32f072/chip.h>

#define MS UINT64_C(1000000)

// As boot_request.c and stm32f072.ld have them.
enum { REQUEST_AT = 0x20003FE0, REQUEST = 0x44465552 };

enum { CRS_TRIMS = 1 << 6 | 1 << 5 }; // AUTOTRIMEN and CEN (RM0091 7.6.1)

static const char *image;

struct rig {
    struct f072_chip chip;
    uint8_t flash[F072_FLASH_SIZE];
    uint8_t options[F072_OPTIONS_SIZE];
};

static struct rig *power_on(uint32_t noise)
{
    struct rig *rig = calloc(1, sizeof *rig);
    char error[200];

    assert_non_null(rig);
    memset(rig->options, 0xFF, sizeof rig->options);
    if (!f072_load_image(f072_models, 0, image, rig->flash, error, sizeof error))
        fail_msg("%s", error);
    f072_chip_init(&rig->chip, f072_models, rig->flash, rig->options, 1);
    f072_chip_power_on(&rig->chip, noise, 0);
    return rig;
}

static enum f072_stop run_for(struct rig *rig, uint64_t time_ns)
{
    return f072_chip_run(&rig->chip, f072_chip_now(&rig->chip) + time_ns);
}

static uint8_t *request(struct rig *rig)
{
    return rig->chip.sram + (REQUEST_AT - F072_SRAM_BASE);
}

static uint32_t load_request(struct rig *rig)
{
    return usbdev_load_le16(request(rig)) | (uint32_t)usbdev_load_le16(request(rig) + 2) << 16;
}

static void store_request(struct rig *rig, uint32_t value)
{
    usbdev_store_le16(request(rig), (uint16_t)value);
    usbdev_store_le16(request(rig) + 2, (uint16_t)(value >> 16));
}

// The application runs: main has come as far as the pull-up, and the tick interrupts.
static void assert_application(struct rig *rig, enum f072_stop stop)
{
    assert_int_equal(stop, F072_RUNNING);
    assert_true(rig->chip.usb.bcdr & F072_BCDR_DPPU);
    assert_true(rig->chip.cpu.systick.tickint);
}

static void boot_request__is_obeyed_after_a_software_reset(void **state)
{
    (void)state;
    struct rig *rig = power_on(1);
    assert_application(rig, run_for(rig, 110 * MS));

    store_request(rig, REQUEST);
    f072_chip_reset(&rig->chip, F072_RESET_SOFTWARE);

    assert_int_equal(run_for(rig, 110 * MS), F072_IN_ROM);
    free(rig);
}

// As the start-up code of an RTOS does, before it calls boot_request_obey().
static void take_process_stack(struct armv6m *cpu)
{
    assert_false(cpu->spsel);
    cpu->banked_sp = cpu->r[13];
    cpu->spsel = true;
}

// 4 us, 32 cycles, after the reset the start-up code has set the stack pointer, and has not jumped.
static void boot_request__is_obeyed_on_the_process_stack_too(void **state)
{
    (void)state;
    struct rig *rig = power_on(1);
    run_for(rig, 110 * MS);
    store_request(rig, REQUEST);
    f072_chip_reset(&rig->chip, F072_RESET_SOFTWARE);
    assert_int_equal(run_for(rig, 4000), F072_RUNNING);
    take_process_stack(&rig->chip.cpu);
    assert_int_equal(run_for(rig, 1000), F072_RUNNING);
    assert_true(rig->chip.cpu.spsel);

    assert_int_equal(run_for(rig, 110 * MS), F072_IN_ROM);
    assert_false(rig->chip.cpu.spsel);
    assert_int_equal(rig->chip.cpu.r[13], usbdev_load_le16(rig->chip.rom) |
                                              (uint32_t)usbdev_load_le16(rig->chip.rom + 2) << 16);
    free(rig);
}

// The ROM gets what a reset would have given it (AN2606; PM0215 2.1.3, 2.3).
static void boot_request__hands_over_a_chip_as_after_reset(void **state)
{
    (void)state;
    struct rig *rig = power_on(1);
    run_for(rig, 110 * MS);
    store_request(rig, REQUEST);
    f072_chip_reset(&rig->chip, F072_RESET_SOFTWARE);

    run_for(rig, 110 * MS);

    const struct armv6m *cpu = &rig->chip.cpu;
    uint32_t msp = usbdev_load_le16(rig->chip.rom) | (uint32_t)usbdev_load_le16(rig->chip.rom + 2)
                                                         << 16;
    uint32_t pc =
        usbdev_load_le16(rig->chip.rom + 4) | (uint32_t)usbdev_load_le16(rig->chip.rom + 6) << 16;
    assert_int_equal(cpu->r[13], msp);
    assert_int_equal(cpu->r[15], pc & ~1u);
    assert_false(cpu->primask);
    assert_false(cpu->spsel);
    assert_int_equal(cpu->enabled >> 16, 0);
    assert_false(cpu->systick.enable);
    assert_int_equal(rig->chip.hclk, 8000000);
    assert_int_equal(rig->chip.usb.bcdr, 0);
    assert_int_equal(load_request(rig), 0);
    assert_int_equal(rig->chip.rcc.csr & F072_RESET_SOFTWARE, 0);
    free(rig);
}

static void boot_request__counts_after_no_other_reset(void **state)
{
    static const uint32_t causes[] = {F072_RESET_PIN, F072_RESET_IWDG, F072_RESET_WWDG,
                                      F072_RESET_OBL};
    (void)state;

    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        struct rig *rig = power_on(1);
        run_for(rig, 110 * MS);
        store_request(rig, REQUEST);

        f072_chip_reset(&rig->chip, causes[i]);
        assert_application(rig, run_for(rig, 110 * MS));

        assert_int_equal(load_request(rig), 0);
        free(rig);
    }
}

// The reset flags add up until software clears them (RM0091 6.4.10).
static void boot_request__counts_once_though_the_flags_add_up(void **state)
{
    (void)state;
    struct rig *rig = power_on(1);
    run_for(rig, 110 * MS);
    f072_chip_reset(&rig->chip, F072_RESET_SOFTWARE);
    assert_application(rig, run_for(rig, 110 * MS));

    store_request(rig, REQUEST);
    f072_chip_reset(&rig->chip, F072_RESET_PIN);

    assert_application(rig, run_for(rig, 110 * MS));
    free(rig);
}

static void boot_request__is_not_found_in_noise_at_power_on(void **state)
{
    (void)state;

    for (uint32_t noise = 0; noise < 8; noise++) {
        struct rig *rig = power_on(noise);
        assert_application(rig, run_for(rig, 110 * MS));
        free(rig);
    }
}

static void boot_request__is_not_obeyed_at_power_on_even_if_the_noise_is_the_word(void **state)
{
    (void)state;
    struct rig *rig = power_on(1);
    store_request(rig, REQUEST);

    assert_application(rig, run_for(rig, 110 * MS));
    free(rig);
}

static void software_reset__without_a_request_ends_in_the_application(void **state)
{
    (void)state;
    struct rig *rig = power_on(1);
    run_for(rig, 110 * MS);

    f072_chip_reset(&rig->chip, F072_RESET_SOFTWARE);

    assert_application(rig, run_for(rig, 110 * MS));
    free(rig);
}

// The worst a boot loader can leave behind when it jumps instead of resetting: address 0 shows the
// ROM, the clock is fast, every interrupt is enabled and pending, SysTick runs, the pull-up is on.
static void leave__ends_in_the_application_whatever_is_left(void **state)
{
    (void)state;
    struct rig *rig = power_on(1);
    struct armv6m *cpu = &rig->chip.cpu;
    f072_chip_map(&rig->chip, F072_MEMORY_ROM);
    f072_rcc_as_left_by_rom(&rig->chip.rcc, 0);
    f072_chip_clocks_changed(&rig->chip);
    cpu->enabled = UINT64_MAX;
    cpu->pending = UINT64_C(0xFFFFFFFF) << ARMV6M_IRQ0 | 1 << ARMV6M_SYSTICK | 1 << ARMV6M_PENDSV;
    cpu->systick.reload = 100;
    cpu->systick.tickint = true;
    cpu->systick.enable = true;
    take_process_stack(cpu);
    cpu->r[13] = F072_SRAM_BASE + 0x100; // amid .data
    cpu->primask = true;                 // or they would have been taken before the jump
    cpu->current_priority = 0;
    rig->chip.usb.bcdr = F072_BCDR_DPPU;
    rig->chip.usb.cntr = 0;

    run_for(rig, 10 * MS);
    for (int i = 0; i < 50; i++, run_for(rig, MS))
        assert_false(rig->chip.usb.bcdr & F072_BCDR_DPPU); // a host must see that it was away
    assert_application(rig, run_for(rig, 110 * MS));

    assert_false(cpu->spsel);
    assert_int_equal(rig->chip.syscfg_cfgr1 & 3, F072_MEMORY_FLASH);
    assert_int_equal(rig->chip.crs.cr & CRS_TRIMS, CRS_TRIMS);
    free(rig);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_request__is_obeyed_after_a_software_reset),
        cmocka_unit_test(boot_request__is_obeyed_on_the_process_stack_too),
        cmocka_unit_test(boot_request__hands_over_a_chip_as_after_reset),
        cmocka_unit_test(boot_request__counts_after_no_other_reset),
        cmocka_unit_test(boot_request__counts_once_though_the_flags_add_up),
        cmocka_unit_test(boot_request__is_not_found_in_noise_at_power_on),
        cmocka_unit_test(boot_request__is_not_obeyed_at_power_on_even_if_the_noise_is_the_word),
        cmocka_unit_test(leave__ends_in_the_application_whatever_is_left),
        cmocka_unit_test(software_reset__without_a_request_ends_in_the_application),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: %s IMAGE\n", argv[0]);
        return 2;
    }
    image = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
