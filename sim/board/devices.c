// SPDX-License-Identifier: MIT
//
// A name is looked up among the models of this file, then in the fleet and among the shipped
// models; a firmware image always runs on the virtual board. The device that is found may be
// wrapped: by a cable, which unplugs or delays it, and by a packet trace.

#include <sim/devices.h>

#include <stdio.h>
#include <string.h>

#include <sim/defect.h>
#include <sim/f072_board.h>
#include <sim/fleet.h>
#include <sim/models.h>

#include "cable.h"
#include "f072_debug.h"
#include "native_board.h"
#include "packet_trace.h"

static const struct product_shape composite = {.loopback = true};
static const struct product_shape small = {.small = true};

static const struct board_model models[] = {
    {
        .name = "will-detach",
        .summary = "DFU run time that leaves by itself (bitWillDetach=1), ST's DfuSe boot loader",
        .bootloader = &bootloader_st_rom,
    },
    {
        .name = "wait-reset",
        .summary =
            "DFU run time that waits for the bus reset (bitWillDetach=0), plain DFU 1.1 boot "
            "loader",
        .bootloader = &bootloader_plain_wait_reset,
    },
    {
        .name = "small-wait-reset",
        .summary = "wait-reset on the device layer without endpoints, alternates and OUT data",
        .bootloader = &bootloader_plain_wait_reset,
        .product = &small,
    },
    {
        .name = "composite",
        .summary = "a vendor loopback with bulk and interrupt endpoints beside DFU run time",
        .bootloader = &bootloader_st_rom,
        .product = &composite,
    },
    {
        .name = "dfu-mode",
        .summary = "starts in ST's DfuSe boot loader (0483:df11)",
        .bootloader = &bootloader_st_rom,
        .starts_in_bootloader = true,
    },
    {
        .name = "dfu-plain",
        .summary = "starts in a plain DFU 1.1 boot loader (1209:0002), manifestation tolerant",
        .bootloader = &bootloader_plain_tolerant,
        .starts_in_bootloader = true,
    },
};

// What a firmware image runs on.
static const char virtual_board[] = "f072";

enum { MODEL_COUNT = sizeof models / sizeof *models };

static const struct board_model *find_model(const char *name)
{
    for (size_t i = 0; i < MODEL_COUNT; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return NULL;
}

const struct sim_name *sim_list_devices(void)
{
    static struct sim_name names[MODEL_COUNT + 1];

    for (size_t i = 0; i < MODEL_COUNT; i++)
        names[i] = (struct sim_name){models[i].name, models[i].summary};
    return names;
}

const struct sim_name *sim_list_variations(void)
{
    return fleet_names();
}

const struct sim_name *sim_list_models(void)
{
    return models_names();
}

const struct sim_name *sim_list_defects(void)
{
    return defect_names();
}

// A firmware image brings its own descriptors and faults, so devices and defects are refused with
// it.
static struct sim_device *
open_firmware(const struct sim_options *options, char *error, size_t error_size)
{
    if (options->device && strcmp(options->device, virtual_board) != 0) {
        snprintf(error, error_size, "firmware runs on the device '%s', not on '%s': name only one",
                 virtual_board, options->device);
        return NULL;
    }
    if (!options->firmware) {
        snprintf(error, error_size,
                 "device '%s' is a virtual board: name its firmware, an image file", virtual_board);
        return NULL;
    }
    if (options->defect) {
        snprintf(error, error_size,
                 "a firmware image has its own defects: '%s' is for native devices",
                 options->defect);
        return NULL;
    }
    struct sim_device *board = f072_board_open(options, error, error_size);

    if (board && options->gdb)
        return f072_debug_open(board, options->gdb, error, error_size);
    return board;
}

// A board of this name, good, legal or shipped; model NULL: there is none.
static struct board_choice choose(const char *name)
{
    const struct variation *variation = fleet_find(name);
    const struct shipped_model *shipped = models_find(name);

    if (variation)
        return (struct board_choice){.model = &variation->model, .way = &variation->way};
    if (shipped)
        return (struct board_choice){.model = &shipped->model, .way = &shipped->way};
    return (struct board_choice){.model = find_model(name)};
}

static void explain_no_device(const char *name, char *error, size_t error_size)
{
    const char *device = strncmp(name, "firmware=", 9) == 0 ? virtual_board : models[0].name;

    if (sim_find_defect(name))
        snprintf(error, error_size,
                 "'%s' is a defect, not a device: %s,defect=%s in a target, --defect %s of dfu-sim",
                 name, device, name, name);
    else if (strchr(name, '='))
        snprintf(error, error_size, "'%s' is not a device; one comes first: %s,%s", name, device,
                 name);
    else
        snprintf(error, error_size, "unknown device '%s': `dfu-sim list` shows the devices", name);
}

static void explain_no_defect(const char *name, char *error, size_t error_size)
{
    if (choose(name).model)
        snprintf(error, error_size, "'%s' is a device, not a defect: name it in place of a device",
                 name);
    else
        snprintf(error, error_size, "unknown defect '%s': `dfu-sim list` shows the defects", name);
}

// One name, or two with a '+' between them.
static bool
choose_defects(const char *names, struct board_choice *choice, char *error, size_t error_size)
{
    char first[64];
    size_t length = strcspn(names, "+");
    const char *second = names[length] ? names + length + 1 : NULL;

    snprintf(first, sizeof first, "%.*s", (int)length, names);
    choice->defects[0] = sim_find_defect(first);
    choice->defects[1] = second ? sim_find_defect(second) : NULL;
    if (choice->defects[0] && (choice->defects[1] || !second))
        return true;
    explain_no_defect(choice->defects[0] ? second : first, error, error_size);
    return false;
}

static struct sim_device *
open_device(const struct sim_options *options, char *error, size_t error_size)
{
    const char *name = options->device ? options->device : models[0].name;
    struct board_choice choice = choose(name);

    if (options->firmware || strcmp(name, virtual_board) == 0)
        return open_firmware(options, error, error_size);
    if (options->chip || options->boot || options->pins || options->uart || options->gdb) {
        snprintf(error, error_size,
                 "chip, boot, pin, uart and gdb are for the virtual board: name its firmware, or "
                 "leave them out");
        return NULL;
    }
    if (!choice.model) {
        explain_no_device(name, error, error_size);
        return NULL;
    }
    if (options->defect && !choose_defects(options->defect, &choice, error, error_size))
        return NULL;
    return board_open(&choice, options, error, error_size);
}

// `outer` stands before the device; without memory for it the device is closed.
static struct sim_device *
stand_before(struct sim_device *device, struct sim_device *outer, char *error, size_t error_size)
{
    if (!outer) {
        snprintf(error, error_size, "no memory for the device");
        device->ops->close(device);
    }
    return outer;
}

struct sim_device *sim_open(const struct sim_options *options, char *error, size_t error_size)
{
    struct sim_device *device = open_device(options, error, error_size);

    if (device && (options->cable.unplug_at > 0 || options->cable.away_ms > 0))
        device = stand_before(device, cable_open(device, &options->cable), error, error_size);
    if (device && (options->trace & SIM_TRACE_PACKETS))
        device = stand_before(device, packet_trace_open(device, stderr), error, error_size);
    return device;
}
