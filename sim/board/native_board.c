// SPDX-License-Identifier: MIT
//
// `current` is the device that has the pins: the run-time device or the boot loader, or NULL while
// the board is in reset or has no power. The wire is forwarded to it. A hand-over is only noted
// when a device asks for it, from inside itself, and happens in a later advance().

#include "native_board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim/flash.h>
#include <usb/names.h>

enum {
    POWER_UP_MS = 10,
    RESET_MS = 100, // longer than a bus reset hides the pull-up
    FACTORY_IMAGE_SIZE = 4096,
};

enum mode {
    RUN_TIME,
    DFU_MODE,
};

struct board {
    struct sim_device base;
    const struct board_model *model;
    const struct sim_defect *defect;
    struct defect_view view;
    unsigned starts; // how often a device has come up
    struct sim_device *current;
    enum mode mode; // of current; or, while that is NULL, of what comes next
    bool powered;
    bool started_before;
    unsigned trace;
    uint8_t traced_bState;
    uint64_t now_ns;
    uint64_t up_at_ns;
    uint64_t defect_ticked_ns;
    char serial[128];
    struct flash flash;
    struct runtime runtime;
    struct bootloader bootloader;
    uint8_t reply[DEFECT_REPLY_SIZE];
};

static struct board *board_of(struct sim_device *device)
{
    return (struct board *)device;
}

static const struct board *const_board_of(const struct sim_device *device)
{
    return (const struct board *)device;
}

static void trace(const struct board *board, const char *text)
{
    if (board->trace & SIM_TRACE_STATES)
        fprintf(stderr, "%13.6f ms  %s\n", (double)board->now_ns / 1e6, text);
}

static uint8_t dfu_state(const struct board *board)
{
    return board->mode == RUN_TIME ? board->runtime.dfurt.bState : board->bootloader.dfu.bState;
}

static void trace_dfu_state(struct board *board)
{
    if (!(board->trace & SIM_TRACE_STATES) || !board->current)
        return;
    if (dfu_state(board) != board->traced_bState)
        trace(board, usb_dfu_state_name(dfu_state(board)));
    board->traced_bState = dfu_state(board);
}

static void save(const struct board *board)
{
    if (!flash_save(&board->flash))
        fprintf(stderr, "cannot write flash file %s: %s; what was flashed is lost when this ends\n",
                board->flash.file, strerror(errno));
}

// ---- Hand-overs ----

static uint32_t reset_ms(const struct board *board)
{
    return board->defect && board->defect->reset_ms ? board->defect->reset_ms : RESET_MS;
}

static void reset_into(struct board *board, enum mode mode)
{
    board->mode = mode;
    board->up_at_ns = board->now_ns + reset_ms(board) * SIM_MS;
    if (board->defect && board->defect->keeps_pull_up)
        board->up_at_ns = board->now_ns;
    else
        board->current = NULL;
}

static void enter_dfu(void *context)
{
    struct board *board = context;

    trace(board, "detach: the board resets into its boot loader");
    reset_into(board, DFU_MODE);
}

static void leave(void *context, uint32_t address)
{
    struct board *board = context;

    (void)address;
    trace(board, "the boot loader leaves: the board resets into its firmware");
    save(board);
    reset_into(board, RUN_TIME);
}

static bool firmware_valid(const struct board *board)
{
    return board->model->bootloader->dialect->valid(&board->flash.memory);
}

static void start_runtime(struct board *board)
{
    const struct runtime_product product = {
        .bootloader = board->model->bootloader,
        .composite = board->model->composite,
        .serial = board->serial,
        .enter_dfu = enter_dfu,
        .context = board,
    };

    runtime_init(&board->runtime, &product, board->now_ns);
    board->view = (struct defect_view){
        .native = &board->runtime.native,
        .runtime = &board->runtime,
        .device_descriptor = board->runtime.device_descriptor,
        .configuration = board->runtime.configuration,
        .interface = board->runtime.dfurt_config.bInterfaceNumber,
    };
    trace(board, "run time: the pull-up is on");
}

static void start_bootloader(struct board *board)
{
    const struct bootloader_board under = {
        .memory = &board->flash.memory,
        .serial = board->serial,
        .leave = leave,
        .context = board,
    };

    bootloader_init(&board->bootloader, board->model->bootloader, &under, board->now_ns);
    board->view = (struct defect_view){
        .native = &board->bootloader.native,
        .bootloader = &board->bootloader,
        .device_descriptor = board->bootloader.device_descriptor,
        .configuration = board->bootloader.configuration,
    };
    trace(board, "DFU mode: the pull-up is on");
}

static int
defect_setup(void *context, const struct usbdev_setup_packet *setup, const uint8_t **ret_reply)
{
    struct board *board = context;

    *ret_reply = board->reply;
    return defect_answer(board->defect, &board->view, setup);
}

static void apply_defect(struct board *board)
{
    board->view.reply = board->reply;
    board->view.enter_dfu = enter_dfu;
    board->view.board = board;
    board->view.starts = ++board->starts;
    board->defect_ticked_ns = board->now_ns;
    board->view.native->override = defect_setup;
    board->view.native->override_context = board;
}

static void come_up(struct board *board)
{
    if (board->mode == RUN_TIME && !firmware_valid(board)) {
        trace(board, "no valid firmware");
        board->mode = DFU_MODE;
    }
    if (board->mode == RUN_TIME)
        start_runtime(board);
    else
        start_bootloader(board);
    if (board->defect)
        apply_defect(board);
    board->current = &board->view.native->base;
    board->up_at_ns = UINT64_MAX;
    board->traced_bState = UINT8_MAX;
}

// ---- The wire ----

static void tick_defect(struct board *board)
{
    while (board->defect && board->current && board->now_ns - board->defect_ticked_ns >= SIM_MS) {
        board->defect_ticked_ns += SIM_MS;
        defect_tick(board->defect, &board->view);
    }
}

static void board_advance(struct sim_device *device, uint64_t now_ns)
{
    struct board *board = board_of(device);

    board->now_ns = now_ns;
    if (board->current)
        board->current->ops->advance(board->current, now_ns);
    tick_defect(board);
    if (board->powered && now_ns >= board->up_at_ns)
        come_up(board);
    trace_dfu_state(board);
}

static void board_power(struct sim_device *device, bool on)
{
    struct board *board = board_of(device);

    board->powered = on;
    board->current = NULL;
    if (!on) {
        trace(board, "power off");
        save(board);
        return;
    }
    trace(board, "power on");
    board->mode =
        board->model->starts_in_bootloader && !board->started_before ? DFU_MODE : RUN_TIME;
    board->started_before = true;
    board->up_at_ns = board->now_ns + POWER_UP_MS * SIM_MS;
}

static bool board_connected(const struct sim_device *device)
{
    struct sim_device *current = const_board_of(device)->current;

    return current && current->ops->connected(current);
}

static void board_bus_reset(struct sim_device *device, bool se0)
{
    struct board *board = board_of(device);
    struct sim_device *current;

    trace(board, se0 ? "bus reset" : "bus reset ends");
    if (se0 && board->current && board->defect && board->defect->bus_reset)
        board->defect->bus_reset(&board->view);
    current = board->current;
    if (current)
        current->ops->bus_reset(current, se0);
}

static void board_sof(struct sim_device *device, uint16_t frame)
{
    struct sim_device *current = board_of(device)->current;

    if (current)
        current->ops->sof(current, frame);
}

static void board_resume(struct sim_device *device)
{
    struct sim_device *current = board_of(device)->current;

    if (current)
        current->ops->resume(current);
}

static bool board_waking(const struct sim_device *device)
{
    struct sim_device *current = const_board_of(device)->current;

    return current && current->ops->waking(current);
}

static int board_setup(struct sim_device *device,
                       uint8_t address,
                       uint8_t endpoint,
                       const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct board *board = board_of(device);
    struct sim_device *current = board->current;
    int result;

    if (!current)
        return SIM_NO_RESPONSE;
    result = current->ops->setup(current, address, endpoint, setup);
    trace_dfu_state(board);
    return board->current ? result : SIM_NO_RESPONSE; // gone before it could answer
}

static int board_out(struct sim_device *device,
                     uint8_t address,
                     uint8_t endpoint,
                     bool data1,
                     const uint8_t *data,
                     size_t length)
{
    struct sim_device *current = board_of(device)->current;

    if (!current)
        return SIM_NO_RESPONSE;
    return current->ops->out(current, address, endpoint, data1, data, length);
}

static int board_in(struct sim_device *device,
                    uint8_t address,
                    uint8_t endpoint,
                    bool *ret_data1,
                    uint8_t data[SIM_MAX_PACKET])
{
    struct sim_device *current = board_of(device)->current;

    if (!current)
        return SIM_NO_RESPONSE;
    return current->ops->in(current, address, endpoint, ret_data1, data);
}

static const char *board_trouble(const struct sim_device *device)
{
    (void)device;
    return NULL;
}

static void board_close(struct sim_device *device)
{
    save(board_of(device));
    free(device);
}

static const struct sim_device_ops board_ops = {
    .advance = board_advance,
    .power = board_power,
    .connected = board_connected,
    .bus_reset = board_bus_reset,
    .sof = board_sof,
    .resume = board_resume,
    .waking = board_waking,
    .setup = board_setup,
    .out = board_out,
    .in = board_in,
    .trouble = board_trouble,
    .close = board_close,
};

// ---- Opening ----

// Firmware as it was delivered: what it says does not matter, since the run-time device is not made
// of it; that it is there does.
static void install_factory_image(struct board *board)
{
    uint8_t image[FACTORY_IMAGE_SIZE];
    uint32_t random = 1;

    for (size_t i = 0; i < sizeof image; i++) {
        random = random * 1664525 + 1013904223;
        image[i] = (uint8_t)(random >> 24);
    }
    usbdev_store_le16(image, 0x4000); // initial stack pointer 20004000h
    usbdev_store_le16(image + 2, 0x2000);
    if (board->model->bootloader->dialect == &dfu_dialect_plain)
        dfu_plain_install(&board->flash.memory, image, sizeof image);
    else
        memcpy(board->flash.bytes, image, sizeof image);
}

struct sim_device *board_open(const struct board_model *model,
                              const struct sim_options *options,
                              const struct sim_defect *defect,
                              char *error,
                              size_t error_size)
{
    struct board *board = calloc(1, sizeof *board);

    if (!board) {
        snprintf(error, error_size, "no memory for the device");
        return NULL;
    }
    board->base.ops = &board_ops;
    board->model = model;
    board->defect = defect;
    board->trace = options->trace;
    board->up_at_ns = UINT64_MAX;
    snprintf(board->serial, sizeof board->serial, "%s",
             options->serial ? options->serial : "DFURT-SIM-0001");
    flash_init(&board->flash);
    install_factory_image(board);
    if (options->flash && !flash_load(&board->flash, options->flash, error, error_size)) {
        free(board);
        return NULL;
    }
    return &board->base;
}
