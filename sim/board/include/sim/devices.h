// SPDX-License-Identifier: MIT
//
// devices.h - the devices of the simulator, by name.
//
// A device is chosen by name (`will-detach`, `wait-reset`, `composite`, `dfu-mode`, `dfu-plain`),
// or is a firmware image on the virtual STM32F072. Each is a *board*: its run-time device, its
// boot loader and its flash, changing into each other as a product's would.

#ifndef SIM_DEVICES_H
#define SIM_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include <sim/flash_watch.h>
#include <sim/name.h>
#include <sim/trace.h>
#include <sim/wire.h>

// Faults of the connection of any device. Zeroed: none.
struct sim_cable {
    // Unplugged, and not plugged in again, at this control request, counted from 1.
    uint32_t unplug_at;

    // Each time the device leaves the bus it stays off the bus for so long.
    uint32_t away_ms;
};

// What sim_open() is asked for. Zeroed means the default device without defects.
struct sim_options {
    const char *device;   // a name of sim_list_devices(); NULL: will-detach
    const char *firmware; // image for the virtual board: device is then "f072" or NULL
    const char *defect;   // a name of sim_list_defects(), or two with a '+' between them, or NULL
    const char *flash;    // file that keeps the flash between runs, or NULL: in memory only
    const char *serial;   // serial number string, or NULL: the device's own
    struct sim_cable cable;
    const struct sim_flash_watch *watch; // of the flash of a native device, or NULL
    uint32_t seed;                       // of whatever is random (RAM noise at power-on)
    unsigned trace;                      // SIM_TRACE_... bits: lines on stderr

    // The virtual board.
    const char *chip; // f072, f042, f070 or f070x6; NULL: f072
    const char *boot; // address of the vector table that a boot loader would jump to, or NULL
    const char *pins; // levels that drive pins from outside: "PA1=0,PC13=1@500" (ms), or NULL
    const char *uart; // file for what the USARTs send, "-" for stdout, or NULL
    const char *gdb;  // port of 127.0.0.1 for a debugger, "0" for a free one, or NULL
};

// Build the device. On failure returns NULL and writes one line that says what was wrong and what
// to do into error.
struct sim_device *sim_open(const struct sim_options *options, char *error, size_t error_size);

// Terminated by a NULL name.
const struct sim_name *sim_list_devices(void);
const struct sim_name *sim_list_variations(void); // legal devices, each with an unusual choice
const struct sim_name *sim_list_models(void);     // devices as they were shipped, with their faults
const struct sim_name *sim_list_defects(void);

#endif
