// SPDX-License-Identifier: MIT
//
// Into the boot loader in ROM and out of it. The ROM is the model of bootloader.h on the board's
// own flash. It drives the pins from when the processor's PC reaches its entry in a state that the
// real one can run in.

#include <stdio.h>

#include "f072_board_private.h"
#include <usb/bytes.h>

// From the jump into the boot loader to its pull-up.
static const uint64_t rom_start_ns = 10 * SIM_MS;

// What the ROM relies on when firmware jumps to it (AN2606): it enables no interrupts by itself,
// and runs on the stack it is given, which must not be in the RAM that it uses for itself: firmware
// that jumps right after a reset may keep its own. Returns what is wrong, or NULL.
static const char *why_rom_fails(const struct f072_chip *chip)
{
    const struct armv6m *cpu = &chip->cpu;

    if (cpu->exception != 0)
        return "by an exception: address 0 shows the ROM, not the firmware's vectors "
               "(SYSCFG_CFGR1.MEM_MODE)";
    if (cpu->r[15] != chip->model->rom_base + F072_ROM_ENTRY)
        return "at another address than its word 1 gives";
    if (cpu->primask)
        return "with interrupts masked (PRIMASK), so that its USB does not work";
    if (cpu->spsel)
        return "with the process stack pointer selected (CONTROL.SPSEL), not the main one";
    if (cpu->r[13] < F072_ROM_STACK || cpu->r[13] > F072_SRAM_BASE + chip->model->sram_size)
        return "with a main stack pointer below the one that its word 0 gives, in the RAM that it "
               "uses itself, or outside SRAM";
    return NULL;
}

// On some chips the boot loader looks at the pin and at the first word of flash (AN2606, the note
// on the empty check of STM32F04xxx and STM32F070x6): firmware must drive the pin high before it
// jumps.
static bool returns_to_firmware(const struct f072_board *board)
{
    enum { PORT_B = 1, PORT_F = 5 };
    const struct f072_chip *chip = &board->chip;
    const uint8_t *word = board->flash.bytes;
    bool boot0 = f072_chip_boot_memory(chip) == F072_MEMORY_ROM ||
                 f072_gpio_read(&chip->gpio[PORT_F], F072_GPIO_IDR) >> 11 & 1 ||
                 f072_gpio_read(&chip->gpio[PORT_B], F072_GPIO_IDR) >> 8 & 1;

    return chip->model->checks_boot0 && !boot0 && (word[0] & word[1] & word[2] & word[3]) != 0xFF;
}

void f072_board_enter_rom(struct f072_board *board)
{
    const char *wrong = why_rom_fails(&board->chip);

    if (wrong) {
        f072_trouble(&board->chip.report, "jump into the boot loader's ROM, %08Xh, %s",
                     board->chip.cpu.r[15], wrong);
        f072_board_report(board);
        board->locked_up = true;
        return;
    }
    if (returns_to_firmware(board)) {
        f072_trouble(
            &board->chip.report,
            "the %s's boot loader finds BOOT0 (PF11 or PB8) low and firmware in flash, and "
            "jumps back to it (AN2606): drive the pin high before the jump",
            board->chip.model->title);
        board->locked_up = !f072_chip_leave_rom(&board->chip, F072_FLASH_BASE, board->now_ns);
        return;
    }
    board->who = F072_BOARD_ROM;
    board->chip.boot0 = false; // BOOT0 is released
    board->rom_up = false;
    board->rom_up_ns = board->now_ns + rom_start_ns;
    f072_chip_enter_rom(&board->chip, board->seed + board->power_count);
    f072_board_trace(board, "the boot loader in ROM takes over");
}

static void on_leave(void *context, uint32_t address)
{
    struct f072_board *board = context;

    board->leaving = true;
    board->leave_address = address;
}

static void start_rom(struct f072_board *board)
{
    const struct bootloader_board rom_board = {
        .memory = &board->memory,
        .serial = board->serial,
        .leave = on_leave,
        .context = board,
    };

    bootloader_init(&board->rom, &board->rom_identity, &rom_board, board->now_ns);
    board->rom_up = true;
}

void f072_board_leave_rom(struct f072_board *board)
{
    board->leaving = false;
    board->downloading = false;
    board->who = F072_BOARD_FIRMWARE;
    board->absent.since_ns = board->now_ns;
    f072_board_save(board);
    f072_board_trace(board, "the boot loader leaves for the firmware");
    if (f072_chip_leave_rom(&board->chip, board->leave_address, board->now_ns))
        return;
    f072_trouble(&board->chip.report,
                 "the boot loader was told to start the firmware at %08Xh, where there is none",
                 board->leave_address);
    board->locked_up = true;
}

// An erase may begin a download that a power cut interrupts, so it is recorded.
static bool rom_erase(void *context, uint32_t address)
{
    struct f072_board *board = context;

    board->downloading = true;
    return board->flash.memory.erase(board->flash.memory.context, address);
}

static bool rom_program(void *context, uint32_t address, uint16_t half_word)
{
    struct f072_board *board = context;

    return board->flash.memory.program(board->flash.memory.context, address, half_word);
}

static int rom_read(void *context, uint32_t address, uint8_t *data, size_t length)
{
    struct f072_board *board = context;

    return board->flash.memory.read(board->flash.memory.context, address, data, length);
}

void f072_board_advance_rom(struct f072_board *board)
{
    if (!board->rom_up && board->rom_up_ns <= board->now_ns)
        start_rom(board);
    if (board->rom_up)
        board->rom.native.base.ops->advance(&board->rom.native.base, board->now_ns);
}

// The serial number that the ROM makes of the unique id: the first and the last word added, then
// half of the middle one.
static void make_serial(struct f072_board *board)
{
    const struct f072_model *model = board->chip.model;
    const uint8_t *id = board->chip.rom + (model->unique_id - model->rom_base);
    uint32_t words[3];

    for (int i = 0; i < 3; i++)
        words[i] = load_le32(id + 4 * i);
    snprintf(board->serial, sizeof board->serial, "%08X%04X", words[0] + words[2], words[1] >> 16);
    if (model->rom_serial)
        snprintf(board->serial, sizeof board->serial, "%s", model->rom_serial);
}

void f072_board_rom_init(struct f072_board *board)
{
    make_serial(board);
    board->rom_identity = bootloader_st_rom;
    board->rom_identity.alternates[0] = board->chip.model->flash_layout;
    board->memory = board->flash.memory;
    board->memory.read = rom_read;
    board->memory.erase = rom_erase;
    board->memory.program = rom_program;
    board->memory.context = board;
}
