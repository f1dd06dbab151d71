// SPDX-License-Identifier: MIT
//
// board.h - a native board: a run-time device, a boot loader and flash, one of them on the bus at a
// time.
//
// They change into each other as on real hardware: the one that goes drops the pull-up, the board
// resets, which takes 100 ms, and the other comes up, or the boot loader where the flash holds no
// valid firmware. Power off does the same without a time; flash survives it.

#ifndef SIM_BOARD_H
#define SIM_BOARD_H

#include <sim/devices.h>

#include <sim/bootloader.h>
#include <sim/defect.h>

struct board_model {
    const char *name;
    const char *summary;
    const struct bootloader_identity *bootloader;
    bool composite;
    bool starts_in_bootloader; // at the first power-on, as with a button held
};

// As sim_open(). defect may be NULL.
struct sim_device *board_open(const struct board_model *model,
                              const struct sim_options *options,
                              const struct sim_defect *defect,
                              char *error,
                              size_t error_size);

#endif
