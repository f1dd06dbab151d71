// SPDX-License-Identifier: MIT
//
// Each option is parsed whole or refused with a line that says what was expected. Pin levels are
// inserted in order of their time, so that the board only looks at the next one.

#include "f072_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stm32f072/chip.h>

#define FAIL(error, size, ...) (snprintf(error, size, __VA_ARGS__), false)

// ---- Chip and boot address ----

static bool parse_chip(struct f072_options *ret, const char *text, char *error, size_t size)
{
    ret->model = !text ? f072_models : f072_find_model(text);
    return ret->model ||
           FAIL(error, size, "chip '%s': expected f072, f042, f070 (the xB) or f070x6", text);
}

static bool parse_boot(struct f072_options *ret, const char *text, char *error, size_t size)
{
    const uint32_t end = F072_FLASH_BASE + ret->model->flash_size;
    char *behind;

    if (!text)
        return true;
    errno = 0;
    unsigned long address = strtoul(text, &behind, 0);
    if (!isdigit((unsigned char)text[0]) || *behind != '\0' || errno != 0 || address % 4 != 0 ||
        address < F072_FLASH_BASE || address > end - 8)
        return FAIL(error, size,
                    "boot address '%s': expected the address of a vector table in the %s's flash, "
                    "0x%08X to 0x%08X, a multiple of 4",
                    text, ret->model->title, F072_FLASH_BASE, end - 8);
    ret->boot_address = (uint32_t)address;
    return true;
}

// ---- Pins ----

static bool pin_error(const char *text, size_t length, char *error, size_t size)
{
    return FAIL(
        error, size,
        "pin '%.*s': expected PIN=LEVEL or PIN=LEVEL@MS, as PA1=0 or PC13=1@500: ports A to F, "
        "pins 0 to 15, level 0 or 1, milliseconds after power-on",
        (int)length, text);
}

// Decimal digits up to a limit. Returns what stands behind them, NULL where there are none.
static const char *parse_number(const char *text, unsigned long limit, unsigned long *ret_number)
{
    char *behind;

    if (!isdigit((unsigned char)*text))
        return NULL;
    *ret_number = strtoul(text, &behind, 10);
    return *ret_number <= limit ? behind : NULL;
}

// "PA1=0" or "PA1=0@500", up to end.
static bool parse_pin(struct f072_pin_level *ret, const char *text, const char *end)
{
    enum { MAX_MS = 1000 * 1000 * 1000 };
    int port = toupper((unsigned char)text[0]) == 'P' ? toupper((unsigned char)text[1]) - 'A' : -1;
    unsigned long pin;
    unsigned long level;
    unsigned long ms = 0;

    if (port < 0 || port >= F072_GPIO_PORTS)
        return false;
    const char *at = parse_number(text + 2, 15, &pin);
    if (!at || *at != '=')
        return false;
    at = parse_number(at + 1, 1, &level);
    if (at && *at == '@')
        at = parse_number(at + 1, MAX_MS, &ms);
    *ret = (struct f072_pin_level){ms * SIM_MS, (uint8_t)port, (uint8_t)pin, level == 1};
    return at == end;
}

// In order of time; of two at the same time the one that was named later comes later.
static void insert(struct f072_options *options, const struct f072_pin_level *level)
{
    size_t i = options->pin_count++;

    for (; i > 0 && options->pins[i - 1].at_ns > level->at_ns; i--)
        options->pins[i] = options->pins[i - 1];
    options->pins[i] = *level;
}

static bool parse_pins(struct f072_options *ret, const char *text, char *error, size_t size)
{
    while (text) {
        size_t length = strcspn(text, ",+");
        struct f072_pin_level level;

        if (!parse_pin(&level, text, text + length))
            return pin_error(text, length, error, size);
        if (ret->pin_count == F072_MAX_PIN_LEVELS)
            return FAIL(error, size, "more than %d pin levels", F072_MAX_PIN_LEVELS);
        insert(ret, &level);
        text = text[length] == '\0' ? NULL : text + length + 1;
    }
    return true;
}

bool f072_options_parse(struct f072_options *ret_options,
                        const struct sim_options *options,
                        char *error,
                        size_t error_size)
{
    memset(ret_options, 0, sizeof *ret_options);
    return parse_chip(ret_options, options->chip, error, error_size) &&
           parse_boot(ret_options, options->boot, error, error_size) &&
           parse_pins(ret_options, options->pins, error, error_size);
}
