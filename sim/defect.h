// SPDX-License-Identifier: MIT
//
// defect.h - devices that are wrong on purpose, to test the conformance suite by.
//
// A defect is a row of data: a name, one line for a person, and the few places where the device
// goes wrong. Every hook may be NULL; the device is a good one in all that no hook touches. Hooks
// are called in both modes of a board and look at view->runtime or view->bootloader where they mean
// one.
//
// A new defect is a new row in the table of defects.c, with its hooks above it.

#ifndef SIM_DEFECT_H
#define SIM_DEFECT_H

#include <sim/devices.h>

#include "bootloader.h"
#include "runtime.h"

enum { DEFECT_REPLY_SIZE = 4096 + 64 };

// The device as a hook sees it. All of it may be changed.
struct defect_view {
    struct native *native;         // the USB peripheral of the present mode
    struct runtime *runtime;       // at run time, else NULL
    struct bootloader *bootloader; // in DFU mode, else NULL
    uint8_t *device_descriptor;
    uint8_t *configuration; // wTotalLength bytes; RUNTIME_MAX_CONFIGURATION there is room for at
                            // run time, BOOTLOADER_MAX_CONFIGURATION in DFU mode
    uint8_t interface;      // number of the DFU interface
    uint8_t *reply;         // DEFECT_REPLY_SIZE bytes for the setup hook
    void (*enter_dfu)(void *board); // leave the bus for DFU mode, now
    void *board;
    uint32_t scratch; // a defect's own memory; 0 whenever the device comes up
};

struct sim_defect {
    const char *name;
    const char *summary;

    // The device is about to come up: rewrite its descriptors, or change anything else.
    void (*describe)(struct defect_view *view);

    // A SETUP arrived. Returns what native_override returns: the length of a reply at view->reply,
    // sent as it is even beyond wLength; 0 to acknowledge; NATIVE_STALL; NATIVE_SILENT;
    // NATIVE_PASS to leave it to the good device.
    int (*setup)(struct defect_view *view, const struct usb_setup *setup);

    // A bus reset begins; called before the good device sees it.
    void (*bus_reset)(struct defect_view *view);

    // A millisecond has passed; called after the good device has dealt with it.
    void (*tick)(struct defect_view *view);

    // How long the board is off the bus when it changes from one mode into the other; 0: as long as
    // a good one.
    uint32_t reset_ms;

    // The board changes from one mode into the other at once and with the pull-up on: the host sees
    // no disconnect.
    bool keeps_pull_up;
};

// Terminated by a NULL name.
extern const struct sim_defect sim_defects[];

// NULL: no such defect.
const struct sim_defect *sim_find_defect(const char *name);

#endif
