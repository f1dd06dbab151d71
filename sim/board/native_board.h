// SPDX-License-Identifier: MIT
//
// board.h - a native board: a run-time device, a boot loader and flash, one of them on the bus at a
// time.
//
// They change into each other as on real hardware: the one that goes drops the pull-up, the board
// resets, which takes 100 ms, and the other comes up, or the boot loader where the flash holds no
// valid firmware. Power off does the same without a time; flash survives it.
//
// Before it starts its firmware the board looks at it as a processor would (firmware.h). Where that
// is not whole, whoever let it be started, the board is dead: it does not come to the bus, and says
// so. At the next power-on somebody holds the button of its boot loader.

#ifndef SIM_BOARD_H
#define SIM_BOARD_H

#include <sim/devices.h>

#include <sim/board_model.h>
#include <sim/defect.h>

// A board and in what it differs from the model's parts: its own way, and a defect. Each may be
// NULL.
struct board_choice {
    const struct board_model *model;
    const struct sim_defect *way;
    const struct sim_defect *defect;
};

// As sim_open().
struct sim_device *board_open(const struct board_choice *choice,
                              const struct sim_options *options,
                              char *error,
                              size_t error_size);

#endif
