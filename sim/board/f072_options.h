// SPDX-License-Identifier: MIT
//
// f072_options.h - what struct sim_options says of the virtual board, parsed.

#ifndef F072_OPTIONS_H
#define F072_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim/devices.h>
#include <stm32f072/model.h>

enum { F072_MAX_PIN_LEVELS = 64 };

// From this time after power-on something outside drives this pin to this level.
struct f072_pin_level {
    uint64_t at_ns;
    uint8_t port; // 0 for GPIOA
    uint8_t pin;
    bool high;
};

struct f072_options {
    const struct f072_model *model;
    uint32_t boot_address;                           // 0: the start of flash
    struct f072_pin_level pins[F072_MAX_PIN_LEVELS]; // in order of time
    size_t pin_count;
};

// Returns false, and one line in error, where an option is malformed.
bool f072_options_parse(struct f072_options *ret_options,
                        const struct sim_options *options,
                        char *error,
                        size_t error_size);

#endif
