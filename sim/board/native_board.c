// SPDX-License-Identifier: MIT
//
// forward.to is the device that has the pins: the run-time device or the boot loader, or NULL while
// the board is in reset or has no power. The wire is forwarded to it. A hand-over is only noted
// when a device asks for it, from inside itself, and happens in a later advance().

#include "native_board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim/firmware.h>
#include <sim/forward.h>
#include <usb/names.h>

#include "native_differences.h"
#include "native_factory.h"

enum {
    POWER_UP_MS = 10,
    RESET_MS = 100, // longer than a bus reset hides the pull-up
};

enum mode {
    RUN_TIME,
    DFU_MODE,
};

struct board {
    struct forward forward; // to the device that has the pins
    const struct board_model *model;
    struct differences differences;
    unsigned starts; // how often a device has come up
    enum mode mode;  // of that device; or, while there is none, of what comes next
    bool powered;
    bool started_before;
    bool started_a_piece; // of firmware
    bool out_of_memory;
    unsigned trace;
    uint8_t traced_bState;
    uint64_t now_ns;
    uint64_t up_at_ns;
    char serial[128];
    struct flash flash;
    struct runtime runtime;
    uint8_t *configuration;        // of the run-time device
    struct bootloader *bootloader; // in DFU mode, else NULL: it is most of the board's memory
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
    return board->mode == RUN_TIME || !board->bootloader
               ? (uint8_t)dfurt_state(&board->runtime.dfurt)
               : board->bootloader->dfu.bState;
}

static void trace_dfu_state(struct board *board)
{
    if (!(board->trace & SIM_TRACE_STATES) || !board->forward.to)
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
    uint32_t other_ms = differences_reset_ms(&board->differences);

    return other_ms > 0 ? other_ms : RESET_MS;
}

static void reset_into(struct board *board, enum mode mode)
{
    board->mode = mode;
    board->up_at_ns = board->now_ns + reset_ms(board) * SIM_MS;
    if (differences_keep_pull_up(&board->differences))
        board->up_at_ns = board->now_ns;
    else
        board->forward.to = NULL;
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

static const struct dfu_dialect *dialect(const struct board *board)
{
    return board->model->bootloader->dialect;
}

// An event that is about the firmware as it is now.
static struct sim_flash_event about_firmware(const struct board *board,
                                             enum sim_flash_event_kind kind)
{
    struct sim_flash_event event = {.kind = kind, .address = board->flash.memory.base};

    event.length = dialect(board)->firmware(&board->flash.memory, &event.address);
    return event;
}

// Is it complete? The processor starts it in either case.
static bool look_at_firmware(struct board *board)
{
    const struct memory *memory = &board->flash.memory;
    struct sim_flash_event event = about_firmware(board, SIM_FLASH_STARTED);
    size_t offset = event.address - memory->base;

    event.whole = firmware_is_whole(board->flash.bytes + offset,
                                    event.length > 0 ? event.length : memory->size - offset);
    board->started_a_piece = board->started_a_piece || !event.whole;
    flash_tell(&board->flash, event);
    return event.whole;
}

static struct defect_view start_runtime(struct board *board)
{
    const struct runtime_product product = {
        .bootloader = board->model->bootloader,
        .shape = board->model->product,
        .serial = board->serial,
        .configuration = board->configuration,
        .enter_dfu = enter_dfu,
        .context = board,
    };

    runtime_init(&board->runtime, &product, board->now_ns);
    trace(board, "run time: the pull-up is on");
    return (struct defect_view){
        .native = &board->runtime.native,
        .runtime = &board->runtime,
        .device_descriptor = board->runtime.device_descriptor,
        .configuration = board->runtime.configuration,
        .interface = board->runtime.dfurt_config.bInterfaceNumber,
    };
}

static struct defect_view start_bootloader(struct board *board)
{
    const struct bootloader_board under = {
        .memory = &board->flash.memory,
        .serial = board->serial,
        .leave = leave,
        .context = board,
    };

    bootloader_init(board->bootloader, board->model->bootloader, &under, board->now_ns);
    trace(board, "DFU mode: the pull-up is on");
    return (struct defect_view){
        .native = &board->bootloader->native,
        .bootloader = board->bootloader,
        .device_descriptor = board->bootloader->device_descriptor,
        .configuration = board->bootloader->configuration,
    };
}

// Not before the board comes up: it is the boot loader itself that ends DFU mode. Returns false if
// there is no memory.
static bool make_room(struct board *board)
{
    if (board->mode == RUN_TIME) {
        free(board->bootloader);
        board->bootloader = NULL;
    } else if (!board->bootloader) {
        board->bootloader = malloc(sizeof *board->bootloader);
        board->out_of_memory = !board->bootloader;
    }
    return !board->out_of_memory;
}

static void come_up(struct board *board)
{
    struct defect_view view;

    board->up_at_ns = UINT64_MAX;
    if (board->mode == RUN_TIME && !dialect(board)->valid(&board->flash.memory)) {
        trace(board, "no valid firmware");
        board->mode = DFU_MODE;
    }
    if (board->model->button_held)
        board->mode = DFU_MODE;
    if (board->mode == RUN_TIME && !look_at_firmware(board)) {
        trace(board, "run time: the firmware is incomplete, and the processor crashes in it");
        board->forward.to = NULL;
        return;
    }
    if (!make_room(board)) {
        board->forward.to = NULL;
        return;
    }
    view = board->mode == RUN_TIME ? start_runtime(board) : start_bootloader(board);
    view.native->base.speed =
        board->mode == RUN_TIME ? board->model->speed : board->model->loader_speed;
    view.memory = &board->flash.memory;
    view.enter_dfu = enter_dfu;
    view.board = board;
    view.starts = ++board->starts;
    differences_begin(&board->differences, &view, board->now_ns);
    board->forward.to = &view.native->base;
    board->traced_bState = UINT8_MAX;
}

// ---- The wire, where it is not only forwarded ----

static void board_advance(struct sim_device *device, uint64_t now_ns)
{
    struct board *board = board_of(device);

    board->now_ns = now_ns;
    forward_advance(device, now_ns);
    differences_tick(&board->differences, &board->forward.to, now_ns);
    if (board->powered && now_ns >= board->up_at_ns)
        come_up(board);
    trace_dfu_state(board);
}

// As at the first start of a board in DFU mode, and of one whose firmware has crashed.
static bool somebody_holds_the_button(const struct board *board)
{
    return board->started_a_piece || (board->model->starts_in_bootloader && !board->started_before);
}

static void board_power(struct sim_device *device, bool on)
{
    struct board *board = board_of(device);

    board->powered = on;
    board->forward.to = NULL;
    if (!on) {
        trace(board, "power off");
        save(board);
        return;
    }
    trace(board, "power on");
    board->mode = somebody_holds_the_button(board) ? DFU_MODE : RUN_TIME;
    board->started_before = true;
    board->up_at_ns = board->now_ns + POWER_UP_MS * SIM_MS;
}

static void board_bus_reset(struct sim_device *device, bool se0)
{
    struct board *board = board_of(device);

    trace(board, se0 ? "bus reset" : "bus reset ends");
    if (se0)
        differences_bus_reset(&board->differences, &board->forward.to);
    forward_bus_reset(device, se0);
}

static int board_setup(struct sim_device *device,
                       uint8_t address,
                       uint8_t endpoint,
                       const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct board *board = board_of(device);
    int result = forward_setup(device, address, endpoint, setup);

    trace_dfu_state(board);
    return board->forward.to ? result : SIM_NO_RESPONSE; // left the bus before it could answer
}

static const char *board_trouble(const struct sim_device *device)
{
    const struct board *board = const_board_of(device);

    if (board->out_of_memory)
        return "there is no memory for the boot loader: simulate fewer devices";
    if (board->started_a_piece)
        return "the board started incomplete firmware and has crashed: its boot loader must be "
               "entered by hand, at power-on";
    return board->mode == RUN_TIME && board->forward.to ? runtime_trouble(&board->runtime) : NULL;
}

static bool board_rest(struct sim_device *device, uint64_t now_ns)
{
    struct board *board = board_of(device);
    bool at_rest = board->forward.to && board->up_at_ns == UINT64_MAX &&
                   differences_at_rest(&board->differences) &&
                   (board->mode == RUN_TIME ? runtime_at_rest(&board->runtime)
                                            : dfu_mode_at_rest(&board->bootloader->dfu));

    if (!at_rest || !forward_rest(device, now_ns))
        return false;
    board->now_ns = now_ns;
    return true;
}

static void free_board(struct board *board)
{
    if (board->flash.bytes) {
        flash_finish(&board->flash);
        native_factory_close(board->model);
    }
    differences_finish(&board->differences);
    free(board->configuration);
    free(board->bootloader);
    free(board);
}

static void board_close(struct sim_device *device)
{
    struct board *board = board_of(device);

    save(board);
    flash_tell(&board->flash, about_firmware(board, SIM_FLASH_CLOSED));
    free_board(board);
}

static const struct sim_device_ops board_ops = {
    .advance = board_advance,
    .power = board_power,
    .connected = forward_connected,
    .bus_reset = board_bus_reset,
    .sof = forward_sof,
    .rest = board_rest,
    .resume = forward_resume,
    .waking = forward_waking,
    .setup = board_setup,
    .out = forward_out,
    .in = forward_in,
    .trouble = board_trouble,
    .close = board_close,
};

// ---- Opening ----

static bool
fill_flash(struct board *board, const struct sim_options *options, char *error, size_t error_size)
{
    const struct flash_factory *factory = native_factory_open(board->model);

    if (!factory) {
        snprintf(error, error_size, "no memory for the device's flash");
        return false;
    }
    flash_take(&board->flash, factory);
    if (options->flash && !flash_load(&board->flash, options->flash, error, error_size))
        return false;
    board->flash.watch = options->watch;
    flash_tell(&board->flash, about_firmware(board, SIM_FLASH_OPENED));
    return true;
}

static bool make_room_for_descriptors(struct board *board)
{
    size_t size = runtime_configuration_size(board->model->product);

    if (differences_any(&board->differences) && size < RUNTIME_MAX_CONFIGURATION)
        size = RUNTIME_MAX_CONFIGURATION;
    board->configuration = calloc(1, size);
    return board->configuration && differences_init(&board->differences);
}

struct sim_device *board_open(const struct board_choice *choice,
                              const struct sim_options *options,
                              char *error,
                              size_t error_size)
{
    struct board *board = calloc(1, sizeof *board);

    if (!board) {
        snprintf(error, error_size, "no memory for the device");
        return NULL;
    }
    board->forward.base.ops = &board_ops;
    board->model = choice->model;
    board->differences.list[0].defect = choice->defects[0];
    board->differences.list[1].defect = choice->defects[1];
    board->differences.list[2].defect = choice->way;
    board->trace = options->trace;
    board->up_at_ns = UINT64_MAX;
    snprintf(board->serial, sizeof board->serial, "%s",
             options->serial ? options->serial : "DFURT-SIM-0001");
    if (!make_room_for_descriptors(board)) {
        snprintf(error, error_size, "no memory for the device");
        free_board(board);
        return NULL;
    }
    if (!fill_flash(board, options, error, error_size)) {
        free_board(board);
        return NULL;
    }
    return &board->forward.base;
}
