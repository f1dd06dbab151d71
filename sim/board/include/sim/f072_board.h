// SPDX-License-Identifier: MIT
//
// f072_board.h - the virtual board: an STM32F072 that executes a firmware image, behind the wire.
//
// It is a device like any other (sim/wire.h). Its flash is programmed by the firmware itself or by
// the boot loader in ROM, which is the model of bootloader.h: a jump into system memory hands it
// the pins, and its "leave" gives the chip back to the firmware in the state the real ROM leaves.
//
// BOOT0 is low, so the firmware starts, except where a person would hold it high: when the flash is
// empty, or when a download was cut off by the power.

#ifndef F072_BOARD_H
#define F072_BOARD_H

#include <stdint.h>

#include <sim/devices.h>
#include <sim/wire.h>

// A board with options->firmware in its flash, or with what options->flash keeps from an earlier
// run. On failure returns NULL and writes one line into error.
struct sim_device *
f072_board_open(const struct sim_options *options, char *error, size_t error_size);

// The levels of the output pins of a port, 0 for GPIOA. To read an LED.
uint16_t f072_board_pins(const struct sim_device *device, unsigned port);

// Wire pins of a port to levels, as a button does; the other pins of the port are not driven.
void f072_board_wire(struct sim_device *device, unsigned port, uint16_t pins, uint16_t levels);

// Cycles of the processor so far, those it slept included. For benchmarks.
uint64_t f072_board_cycles(const struct sim_device *device);

#endif
