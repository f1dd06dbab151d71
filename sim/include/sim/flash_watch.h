// SPDX-License-Identifier: MIT
//
// flash_watch.h - reports each change of a native device's flash, for tests.
//
// A watch is given to sim_open() and is told of each operation after it was done. `bytes` is the
// whole main flash as it is then; it stays valid during the call. An erase or a program operation
// that the flash refused is not told. The flash is told once when the device is opened and once
// when it is closed, so a test has the bytes before and after whatever it did.
//
//     static void count(void *context, const struct sim_flash_event *event) { ... }
//     const struct sim_flash_watch watch = {.event = count, .context = &log};
//     struct sim_device *device = sim_open(&(struct sim_options){.watch = &watch}, ...);

#ifndef SIM_FLASH_WATCH_H
#define SIM_FLASH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_flash_event {
    enum sim_flash_event_kind {
        SIM_FLASH_OPENED,     // the device was opened; its firmware is at `address`
        SIM_FLASH_ERASED,     // the page of `length` bytes at `address`
        SIM_FLASH_PROGRAMMED, // `length` bytes at `address`
        SIM_FLASH_STARTED,    // the firmware at `address` was started; `whole` says what it was
        SIM_FLASH_CLOSED,     // the device is about to be closed; its firmware is at `address`
    } kind;
    uint32_t address;
    size_t length; // of firmware: 0 where the boot loader does not keep it
    bool whole;    // the firmware that was started is complete
    const uint8_t *bytes;
    size_t size;
};

struct sim_flash_watch {
    void (*event)(void *context, const struct sim_flash_event *event);
    void *context;
};

#endif
