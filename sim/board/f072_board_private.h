// SPDX-License-Identifier: MIT
//
// f072_board_private.h - what the files of the virtual board share: f072_board.c has power, reset
// and the wire, f072_rom.c the boot loader, f072_trouble.c the diagnosis of firmware in trouble.

#ifndef F072_BOARD_PRIVATE_H
#define F072_BOARD_PRIVATE_H

#include <stdio.h>

#include <sim/f072_board.h>

#include <sim/bootloader.h>
#include <sim/flash.h>
#include <stm32f072/chip.h>

#include "f072_options.h"

// Who drives the pins.
enum f072_board_who {
    F072_BOARD_NOBODY, // no power
    F072_BOARD_FIRMWARE,
    F072_BOARD_ROM,
};

struct f072_board {
    struct sim_device base;
    enum f072_board_who who;
    struct f072_chip chip;
    struct flash flash;
    struct f072_options options;
    FILE *uart; // or NULL

    // The image that flash began with: where functions have their names from.
    char *image_path;
    uint8_t *image_flash; // a copy of flash
    uint64_t now_ns;
    uint32_t seed;
    uint32_t power_count;
    bool locked_up;     // no instruction until a reset
    uint64_t served_ns; // when no USB interrupt was pending for the last time
    struct {
        uint64_t since_ns;         // when the device was connected for the last time
        struct armv6m_branch jump; // the processor's last one when that was looked at,
        uint64_t taken;            // and its last exception
    } absent;
    bool held; // a debugger has stopped it: advance() ends before its time

    // Frames in which nothing happens (f072_rest.c). Times are the host's.
    uint64_t host_ns; // of the last advance()
    struct {
        bool steady;            // each frame is like the last
        uint64_t sof_ns;        // of the last SOF
        uint64_t remembered_ns; // UINT64_MAX: nothing is remembered
        uint64_t cycles;        // then; where it is steady, of a frame
        unsigned pause;
        unsigned wait; // frames until the chip is remembered
        struct f072_rest *chips;
    } rest;

    // What drives pins from outside.
    uint64_t power_on_ns;
    size_t next_pin; // of options.pins: those before it are applied
    struct {
        uint16_t wired;
        uint16_t levels;
    } ports[F072_GPIO_PORTS];

    // The boot loader in ROM.
    struct bootloader rom;
    struct bootloader_identity rom_identity;
    struct memory memory; // flash, as the boot loader writes it
    char serial[13];
    bool rom_up;        // it takes a moment to come up,
    uint64_t rom_up_ns; // until here
    bool downloading;   // flash has been erased and no firmware been started since
    bool leaving;       // it has called leave
    uint32_t leave_address;
};

extern const struct sim_device_ops f072_board_ops;

void f072_board_trace(const struct f072_board *board, const char *what);

// Write the flash file, if there is one.
void f072_board_save(struct f072_board *board);

// ---- f072_open.c ----

// Give back all that the board holds, and the board.
void f072_board_free(struct f072_board *board);

// ---- f072_rest.c ----

// Behind a SOF.
void f072_rest_look(struct f072_board *board);

// Something has come that is not a SOF.
void f072_rest_disturb(struct f072_board *board);

// As rest() in sim/wire.h.
bool f072_rest(struct sim_device *device, uint64_t now_ns);

void f072_rest_free(struct f072_board *board);

// ---- f072_trouble.c ----

// Registers and last instructions, on stderr, if states are traced.
void f072_board_report(struct f072_board *board);

// Where HardFault was taken, and by which access if it was one: " at 08000042h by a read of
// 00000001h".
enum { F072_FAULT_SIZE = 240 };
void f072_board_describe_fault(const struct f072_board *board, char text[F072_FAULT_SIZE]);

// An address, with its function and line where the image is an ELF and flash still holds that code:
// "08001786h (unexpected+2h, startup.c:30)". Returns text.
enum { F072_PLACE_SIZE = 196 };
const char *
f072_board_place(const struct f072_board *board, uint32_t address, char text[F072_PLACE_SIZE]);

// The name of an exception: "SysTick".
const char *f072_board_exception(unsigned number);

void f072_board_breakpoint(struct f072_board *board);
void f072_board_lock_up(struct f072_board *board);
void f072_board_look_for_endless_loop(struct f072_board *board);

// ---- f072_absent.c ----

// Has the firmware left the device off the bus for longer than a host waits?
void f072_board_look_for_absence(struct f072_board *board);

// ---- f072_rom.c ----

// Prepare the memory that the boot loader writes, and the serial number that it shows.
void f072_board_rom_init(struct f072_board *board);

// PC is in system memory: the boot loader takes over, or would fail to.
void f072_board_enter_rom(struct f072_board *board);

// Advance the boot loader to board->now_ns.
void f072_board_advance_rom(struct f072_board *board);

// It has called leave: back to the firmware.
void f072_board_leave_rom(struct f072_board *board);

#endif
