// SPDX-License-Identifier: MIT
//
// fake_target.h - a device for the suite's own tests: dfurt's run-time class and the barest DFU
// mode behind the target seam, in time that only waiting moves. A test may answer any control
// transfer itself, and so be as wrong as it likes.

#ifndef CONFORMANCE_FAKE_TARGET_H
#define CONFORMANCE_FAKE_TARGET_H

#include <stdbool.h>

#include <dfurt/dfurt.h>

#include <conformance/target.h>

enum { FAKE_NOT_MINE = -100 };

struct fake_target {
    struct target base;

    // Called first for each control transfer; FAKE_NOT_MINE leaves it to the device.
    int (*script)(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data);
    unsigned controls; // control transfers so far
    unsigned power_cycles;
    bool never_returns;  // having left the bus
    bool hangs;          // answers nothing; it stays on the bus until its power is cycled
    bool died;           // does not respond at all, until its power is cycled
    const char *trouble; // that the target tells, until the power is cycled; or NULL

    // Private.
    struct dfurt_config config;
    struct dfurt dfurt;
    uint64_t now_us;
    bool dfu_mode;
    bool gone;
};

// A device at run time; bmAttributes as in the functional descriptor.
void fake_target_init(struct fake_target *fake, uint8_t bmAttributes);

#endif
