// SPDX-License-Identifier: MIT
//
// board_model.h - the parts of a native board: a product, a boot loader, flash.

#ifndef SIM_BOARD_MODEL_H
#define SIM_BOARD_MODEL_H

#include <sim/flash.h>
#include <sim/runtime.h>

struct board_model {
    const char *name;
    const char *summary;
    const struct bootloader_identity *bootloader;
    const struct product_shape *product; // NULL: DFU alone
    bool starts_in_bootloader;           // at the first power-on, as with a button held
    bool button_held;                    // at all times: every start is one of the boot loader
    bool blank;                          // shipped without firmware
    enum sim_speed speed;                // at run time
    enum sim_speed loader_speed;         // in DFU mode
    struct flash_shape flash;
    uint32_t image_length; // of the firmware it is shipped with; 0: 4096
};

#endif
