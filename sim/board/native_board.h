// SPDX-License-Identifier: MIT
//
// native_board.h - a native board: a run-time device, a boot loader and flash, one of them on the
// bus at a time.
//
// They alternate as on real hardware: the running one drops the pull-up, the board resets, which
// takes 100 ms, and the other one starts, or the boot loader where the flash holds no valid
// firmware. Power off does the same at once; flash survives it.
//
// Before it starts its firmware the board tests whether it is complete (firmware.h). If it is not,
// the board has crashed: it does not connect, and reports trouble. At the next power-on the button
// of its boot loader is held.

#ifndef SIM_NATIVE_BOARD_H
#define SIM_NATIVE_BOARD_H

#include <sim/devices.h>

#include <sim/board_model.h>
#include <sim/defect.h>

// A board and its differences from the model's parts: its own behaviour, and defects. Each may be
// NULL.
struct board_choice {
    const struct board_model *model;
    const struct sim_defect *way;
    const struct sim_defect *defects[2];
};

// As sim_open().
struct sim_device *board_open(const struct board_choice *choice,
                              const struct sim_options *options,
                              char *error,
                              size_t error_size);

#endif
