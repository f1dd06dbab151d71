// SPDX-License-Identifier: MIT
//
// The virtual chip executes random code after random accesses to its registers, between random
// packets: nothing outside its memory (ASan watches), and each run comes to its end in time.

#include <assert.h>
#include <stdlib.h>

#include <stm32f072/chip.h>
#include <usb/bytes.h>

#include "script.h"

enum { STACK = 0x20001000, CODE = 0x08000100, SLICE_NS = 10000, MAX_SLICES = 20 };

// Where accesses go: the bus's peripherals by 1 KB, the packet memory, the system control space.
static uint32_t choose_address(struct script *script)
{
    static const uint32_t bases[] = {0x40005C00, 0x40006000, 0x40021000, 0x40022000,
                                     0x40010000, 0x48000000, 0x40000000, 0x40003000};
    const uint8_t choice = script_u8(script);
    const uint16_t offset = script_u16(script);

    if (choice & 0x80)
        return 0x40000000 + (uint32_t)(choice & 0x7F) * 0x400 + (offset & 0x3FF);
    if (choice & 0x40)
        return script_u32(script);
    return bases[choice & 7] + (offset & 0x3FF);
}

static void access(struct f072_chip *chip, struct script *script)
{
    const uint8_t shape = script_u8(script);
    const unsigned size = 1u << shape % 3;
    const uint32_t address = choose_address(script) & ~(size - 1);
    uint32_t value = script_u32(script);

    if (shape & 0x80)
        f072_bus_read(chip, address, size, &value);
    else
        f072_bus_write(chip, address, size, value);
    f072_chip_update(chip);
}

static void move_packet(struct f072_chip *chip, struct script *script)
{
    const uint8_t kind = script_u8(script);
    const uint8_t endpoint = script_u8(script) & 15;
    const uint64_t now_ns = f072_chip_now(chip);
    uint8_t packet[SIM_MAX_PACKET] = {0};
    bool data1 = kind & 0x80;
    uint8_t *exact;
    size_t length;
    int result;

    switch (kind & 7) {
    case 0:
        f072_usbfs_bus_reset(&chip->usb, data1, now_ns);
        break;
    case 1:
        f072_usbfs_sof(&chip->usb, script_u16(script) & 0x7FF, now_ns);
        break;
    case 2:
        f072_usbfs_resume(&chip->usb, now_ns);
        break;
    case 3:
        script_bytes(script, packet, USBDEV_SETUP_SIZE);
        f072_usbfs_setup(&chip->usb, 0, endpoint, packet, now_ns);
        break;
    case 4:
    case 5:
        length = script_bytes(script, packet, script_u16(script) % (SIM_MAX_PACKET + 1));
        exact = malloc(length > 0 ? length : 1);
        memcpy(exact, packet, length);
        f072_usbfs_out(&chip->usb, 0, endpoint, data1, exact, length, now_ns);
        free(exact);
        break;
    default:
        result = f072_usbfs_in(&chip->usb, 0, endpoint, &data1, packet, now_ns);
        assert(result <= SIM_MAX_PACKET);
        break;
    }
    f072_chip_update(chip);
}

// Returns whether the processor can go on.
static bool run(struct f072_chip *chip)
{
    const uint64_t end_ns = f072_chip_now(chip) + SLICE_NS;

    switch (f072_chip_run(chip, end_ns)) {
    case F072_RUNNING:
        assert(f072_chip_now(chip) >= end_ns);
        return true;
    case F072_IN_ROM:
        f072_chip_enter_rom(chip, 1);
        return f072_chip_leave_rom(chip, F072_FLASH_BASE, f072_chip_now(chip));
    case F072_BKPT:
    case F072_LOCKUP:
    case F072_HELD:
        f072_chip_reset(chip, F072_RESET_PIN);
        return true;
    }
    return false;
}

// A vector table, and behind it the script's code.
static void make_firmware(struct script *script, uint8_t *flash, uint32_t size)
{
    memset(flash, 0xFF, size);
    store_le32(flash, STACK);
    for (uint32_t i = 1; i < 48; i++)
        store_le32(flash + 4 * i, (CODE + 2 * i) | 1);
    script_bytes(script, flash + (CODE - F072_FLASH_BASE), script_u16(script) % 2048);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct f072_chip chip;
    struct script script = {bytes, length};
    const struct f072_model *model = &f072_models[script_u8(&script) & 1];
    uint8_t *flash = malloc(model->flash_size);
    uint8_t *options = malloc(F072_OPTIONS_SIZE);

    memset(options, 0xFF, F072_OPTIONS_SIZE);
    make_firmware(&script, flash, model->flash_size);
    f072_chip_init(&chip, model, flash, options, 1);
    chip.report.quiet = true;
    f072_chip_power_on(&chip, 1, 0);
    chip.usb.vbus = true;
    for (int slice = 0; slice < MAX_SLICES && run(&chip) && script.length > 0; slice++) {
        for (uint8_t left = script_u8(&script) & 7; left > 0; left--)
            access(&chip, &script);
        move_packet(&chip, &script);
    }
    free(flash);
    free(options);
    return 0;
}
