// SPDX-License-Identifier: MIT
//
// Devices that meet a limit exactly; sim/defects/defects_limits.c has those that exceed it by one.

#include <sim/fleet.h>

#define POLLS(mode, state, ms)                                                                     \
    {                                                                                              \
        mode, .states = 1 << (state), .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,      \
              .action = DO_REPLY, BYTES(DFURT_STATUS_OK, (ms)&0xFF, (ms) >> 8, 0, state, 0)        \
    }

const struct variation fleet_of_limits[] = {
    {
        .model = {.name = "polls-100-ms",
                  .summary = "bwPollTimeout is 100 ms in appIDLE and in appDETACH",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "DFU 1.1 6.1.2: bwPollTimeout is the device's; a host ignores it there",
        .way = {.rules = RULES(POLLS(AT_RUN_TIME, DFURT_STATE_appIDLE, 100),
                               POLLS(AT_RUN_TIME, DFURT_STATE_appDETACH, 100))},
    },
    {
        .model = {.name = "polls-1000-ms-in-idle",
                  .summary = "bwPollTimeout is 1000 ms in dfuIDLE",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "DFU 1.1 6.1.2: bwPollTimeout is the device's",
        .way = {.rules = RULES(POLLS(IN_DFU_MODE, DFURT_STATE_dfuIDLE, 1000))},
    },
    {
        .model = {.name = "fewest-commands",
                  .summary = "DfuSe; UPLOAD of block 0 lists the three commands that each has",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "AN3156 4.2: Get, Set Address Pointer, Erase; Read Unprotect where there is "
                      "a protection",
        .way = {.rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE,
                                .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                                .wValue_mask = 0xFFFF, .wValue = 0, .action = DO_REPLY,
                                BYTES(0x00, 0x21, 0x41)})},
    },
    {.allowed_by = NULL},
};
