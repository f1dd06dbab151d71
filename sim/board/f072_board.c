// SPDX-License-Identifier: MIT
//
// The pins are driven by the firmware (chip.h), by the boot loader in ROM, or, without power, by
// neither. A hand-over happens inside advance(), at the nanosecond at which it is due.

#include <sim/f072_board.h>

#include <errno.h>
#include <string.h>

#include "f072_board_private.h"
static struct f072_board *board_of(struct sim_device *device)
{
    return (struct f072_board *)device;
}

static const struct f072_board *const_board_of(const struct sim_device *device)
{
    return (const struct f072_board *)device;
}

void f072_board_trace(const struct f072_board *board, const char *what)
{
    f072_trace(&board->chip.report, SIM_TRACE_STATES, board->now_ns, "%s", what);
}

void f072_board_save(struct f072_board *board)
{
    if (!flash_save(&board->flash))
        f072_warn_once(&board->chip.report, F072_FLASH_BASE, "%s: cannot keep the flash in it: %s",
                       board->flash.file, strerror(errno));
}

// ---- Time ----

static void run_firmware(struct f072_board *board, uint64_t until_ns)
{
    enum f072_stop stop = f072_chip_run(&board->chip, until_ns);

    board->now_ns = f072_chip_now(&board->chip);
    switch (stop) {
    case F072_RUNNING:
        f072_board_look_for_endless_loop(board);
        f072_board_look_for_absence(board);
        break;
    case F072_LOCKUP:
        f072_board_lock_up(board);
        break;
    case F072_BKPT: // without a debugger it is a HardFault: let it run into that
        f072_board_breakpoint(board);
        break;
    case F072_IN_ROM:
        f072_board_enter_rom(board);
        break;
    case F072_HELD:
        board->held = true;
        break;
    }
}

// While no firmware runs, only a watchdog can cause a reset.
static void pass_time(struct f072_board *board, uint64_t until_ns)
{
    uint64_t iwdg_ns = f072_iwdg_expiry(&board->chip.iwdg);
    uint64_t wwdg_ns = f072_wwdg_expiry(&board->chip.wwdg);
    uint64_t expiry_ns = iwdg_ns < wwdg_ns ? iwdg_ns : wwdg_ns;
    bool expires = expiry_ns <= until_ns;

    board->now_ns = expires && expiry_ns > board->now_ns ? expiry_ns : until_ns;
    if (board->who == F072_BOARD_ROM)
        f072_board_advance_rom(board);
    if (board->leaving) {
        f072_board_leave_rom(board);
    } else if (expires) {
        board->who = F072_BOARD_FIRMWARE;
        board->locked_up = false;
        f072_chip_skip_to(&board->chip, board->now_ns);
        f072_chip_reset(&board->chip, iwdg_ns < wwdg_ns ? F072_RESET_IWDG : F072_RESET_WWDG);
    }
}

// ---- Pins that are driven from outside ----

static uint64_t next_pin_ns(const struct f072_board *board)
{
    if (board->who == F072_BOARD_NOBODY || board->next_pin == board->options.pin_count)
        return UINT64_MAX;
    return board->power_on_ns + board->options.pins[board->next_pin].at_ns;
}

static void drive_pins(struct f072_board *board)
{
    while (next_pin_ns(board) <= board->now_ns) {
        const struct f072_pin_level *level = &board->options.pins[board->next_pin++];
        uint16_t pin = (uint16_t)(1u << level->pin);
        uint16_t levels = (uint16_t)(board->ports[level->port].levels & ~pin);

        f072_board_wire(&board->base, level->port, board->ports[level->port].wired | pin,
                        level->high ? levels | pin : levels);
    }
}

static void board_advance(struct sim_device *device, uint64_t now_ns)
{
    struct f072_board *board = board_of(device);

    board->host_ns = now_ns;
    if (board->who == F072_BOARD_NOBODY && now_ns > board->now_ns)
        board->now_ns = now_ns;
    while (board->now_ns < now_ns && !board->held) {
        uint64_t pin_ns = next_pin_ns(board);
        uint64_t until_ns = pin_ns < now_ns ? pin_ns : now_ns;

        if (pin_ns <= board->now_ns)
            drive_pins(board);
        else if (board->who == F072_BOARD_FIRMWARE && !board->locked_up)
            run_firmware(board, until_ns);
        else
            pass_time(board, until_ns);
    }
}

// ---- Power ----

static void power_off(struct f072_board *board)
{
    f072_board_trace(board, "power off");
    board->who = F072_BOARD_NOBODY;
    board->chip.usb.vbus = false;
    f072_board_save(board);
}

// Firmware is there where the first word of its vector table is programmed.
static bool has_firmware(const struct f072_board *board)
{
    uint32_t offset =
        board->chip.boot_address == 0 ? 0 : board->chip.boot_address - F072_FLASH_BASE;
    const uint8_t *word = board->flash.bytes + offset;

    return (word[0] & word[1] & word[2] & word[3]) != 0xFF;
}

static void let_go_of_pins(struct f072_board *board)
{
    board->next_pin = 0;
    board->power_on_ns = board->now_ns;
    for (unsigned port = 0; port < F072_GPIO_PORTS && board->options.pin_count > 0; port++)
        f072_board_wire(&board->base, port, 0, 0);
}

static void power_on(struct f072_board *board)
{
    bool boot0 = board->downloading || !has_firmware(board);

    f072_board_trace(board, boot0 ? "power on, BOOT0 held high" : "power on");
    board->who = F072_BOARD_FIRMWARE;
    board->locked_up = false;
    board->leaving = false;
    board->chip.usb.vbus = true;
    board->chip.boot0 = boot0;
    board->power_count++;
    board->absent.since_ns = board->now_ns;
    f072_report_power_on(&board->chip.report);
    let_go_of_pins(board);
    drive_pins(board);
    f072_chip_power_on(&board->chip, board->seed + board->power_count, board->now_ns);
}

static void board_power(struct sim_device *device, bool on)
{
    struct f072_board *board = board_of(device);

    f072_rest_disturb(board);
    if (on && board->who == F072_BOARD_NOBODY)
        power_on(board);
    if (!on && board->who != F072_BOARD_NOBODY)
        power_off(board);
}

// ---- The wire: to the firmware or the boot loader ----

static struct sim_device *rom_device(struct f072_board *board)
{
    return board->who == F072_BOARD_ROM && board->rom_up ? &board->rom.native.base : NULL;
}

static bool board_connected(const struct sim_device *device)
{
    const struct f072_board *board = const_board_of(device);
    const struct sim_device *rom = &board->rom.native.base;

    if (board->who == F072_BOARD_ROM)
        return board->rom_up && rom->ops->connected(rom);
    return board->who == F072_BOARD_FIRMWARE && f072_usbfs_connected(&board->chip.usb);
}

static bool board_waking(const struct sim_device *device)
{
    const struct f072_board *board = const_board_of(device);
    const struct sim_device *rom = &board->rom.native.base;

    if (board->who == F072_BOARD_ROM)
        return board->rom_up && rom->ops->waking(rom);
    return board->who == F072_BOARD_FIRMWARE && f072_usbfs_waking(&board->chip.usb);
}

// The lines are the chip's even while the ROM drives them.
static void board_bus_reset(struct sim_device *device, bool se0)
{
    struct f072_board *board = board_of(device);
    struct sim_device *rom = rom_device(board);

    f072_rest_disturb(board);
    f072_usbfs_bus_reset(&board->chip.usb, se0, board->now_ns);
    if (rom) {
        rom->ops->bus_reset(rom, se0);
    } else {
        f072_chip_update(&board->chip);
        if (!se0 && board->who == F072_BOARD_FIRMWARE)
            f072_chip_check_usb_clock(&board->chip);
    }
    if (board->leaving)
        f072_board_leave_rom(board);
}

static void board_sof(struct sim_device *device, uint16_t frame)
{
    struct f072_board *board = board_of(device);
    struct sim_device *rom = rom_device(board);

    f072_usbfs_sof(&board->chip.usb, frame, board->now_ns);
    if (rom) {
        rom->ops->sof(rom, frame);
        return;
    }
    if (board->chip.usb.clocked)
        f072_crs_sof(&board->chip.crs);
    f072_chip_update(&board->chip);
    f072_rest_look(board);
}

static void board_resume(struct sim_device *device)
{
    struct f072_board *board = board_of(device);
    struct sim_device *rom = rom_device(board);

    f072_rest_disturb(board);
    f072_usbfs_resume(&board->chip.usb, board->now_ns);
    if (rom)
        rom->ops->resume(rom);
    else
        f072_chip_update(&board->chip);
}

static int board_setup(struct sim_device *device,
                       uint8_t address,
                       uint8_t endpoint,
                       const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct f072_board *board = board_of(device);
    struct sim_device *rom = rom_device(board);

    f072_rest_disturb(board);
    if (rom)
        return rom->ops->setup(rom, address, endpoint, setup);
    int result = f072_usbfs_setup(&board->chip.usb, address, endpoint, setup, board->now_ns);
    f072_chip_update(&board->chip);
    return result;
}

static int board_out(struct sim_device *device,
                     uint8_t address,
                     uint8_t endpoint,
                     bool data1,
                     const uint8_t *data,
                     size_t length)
{
    struct f072_board *board = board_of(device);
    struct sim_device *rom = rom_device(board);

    f072_rest_disturb(board);
    if (rom)
        return rom->ops->out(rom, address, endpoint, data1, data, length);
    int result =
        f072_usbfs_out(&board->chip.usb, address, endpoint, data1, data, length, board->now_ns);
    f072_chip_update(&board->chip);
    return result;
}

static int board_in(struct sim_device *device,
                    uint8_t address,
                    uint8_t endpoint,
                    bool *ret_data1,
                    uint8_t data[SIM_MAX_PACKET])
{
    struct f072_board *board = board_of(device);
    struct sim_device *rom = rom_device(board);

    f072_rest_disturb(board);
    if (rom)
        return rom->ops->in(rom, address, endpoint, ret_data1, data);
    int result = f072_usbfs_in(&board->chip.usb, address, endpoint, ret_data1, data, board->now_ns);
    f072_chip_update(&board->chip);
    return result;
}

static int board_lpm(struct sim_device *device, uint8_t address, uint16_t bmAttributes)
{
    struct f072_board *board = board_of(device);

    f072_rest_disturb(board);
    if (rom_device(board))
        return SIM_NO_RESPONSE;
    int result = f072_usbfs_lpm(&board->chip.usb, address, bmAttributes);
    f072_chip_update(&board->chip);
    return result;
}

static const char *board_trouble(const struct sim_device *device)
{
    const struct f072_report *report = &const_board_of(device)->chip.report;

    return report->trouble[0] != '\0' ? report->trouble : NULL;
}

static void board_close(struct sim_device *device)
{
    f072_board_save(board_of(device));
    f072_report_close(&board_of(device)->chip.report);
    f072_board_free(board_of(device));
}

const struct sim_device_ops f072_board_ops = {
    .advance = board_advance,
    .power = board_power,
    .connected = board_connected,
    .bus_reset = board_bus_reset,
    .sof = board_sof,
    .rest = f072_rest,
    .resume = board_resume,
    .waking = board_waking,
    .setup = board_setup,
    .out = board_out,
    .in = board_in,
    .lpm = board_lpm,
    .trouble = board_trouble,
    .close = board_close,
};

uint16_t f072_board_pins(const struct sim_device *device, unsigned port)
{
    return f072_gpio_driven(&const_board_of(device)->chip.gpio[port]);
}

void f072_board_wire(struct sim_device *device, unsigned port, uint16_t pins, uint16_t levels)
{
    struct f072_board *board = board_of(device);

    f072_rest_disturb(board);
    board->ports[port].wired = pins;
    board->ports[port].levels = levels;
    f072_chip_wire(&board->chip, port, pins, levels);
}

uint64_t f072_board_cycles(const struct sim_device *device)
{
    return const_board_of(device)->chip.cpu.cycles;
}
