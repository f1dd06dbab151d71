// SPDX-License-Identifier: MIT
//
// A board under a debugger. advance() runs it a slice at a time. Before each instruction the
// processor calls before_instruction(), which ends the slice where the processor must stop; then
// stand() serves the debugger until it continues the board. advance() has not returned meanwhile,
// so no time has passed for the host.
//
// A debugger may also take the board into its past. From there it repeats the recorded calls until
// it reaches the call in progress.

#include "f072_debug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <armv6m/armv6m_debug.h>

#include "f072_debug_private.h"

static const uint64_t slice_ns = SIM_MS;
static const uint64_t serve_ns = SIM_MS; // of the wall clock

static struct f072_debug *debug_of(struct sim_device *device)
{
    return (struct f072_debug *)device;
}

// ---- Stopping ----

static bool before_instruction(void *context, const struct armv6m *cpu)
{
    struct f072_debug *debug = context;

    if (debug->mode != F072_DEBUG_RUN)
        return f072_debug_hold_in_past(debug, cpu);
    f072_history_catch_up(debug->history, f072_chip_now(&debug->board->chip));
    if (cpu->cycles == debug->passed)
        return false;
    debug->console[0] = '\0';
    return f072_debug_stops_at(debug, cpu);
}

// Must the processor stop now, after a slice? Sets the reason.
static bool must_stop(struct f072_debug *debug)
{
    bool held = debug->board->held;

    debug->board->held = false;
    f072_history_catch_up(debug->history, debug->board->now_ns);
    debug->standing = held || f072_debug_stops_between(debug);
    debug->at_instruction = held;
    return debug->standing;
}

// ---- While the processor is stopped ----

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * SIM_MS + (uint64_t)now.tv_nsec;
}

// While it runs, the socket is polled at intervals. Without power there is nothing to show.
static void serve(struct f072_debug *debug)
{
    uint64_t now_ns = wall_ns();

    if (!debug->server || debug->board->power_count == 0 || now_ns < debug->served_ns + serve_ns)
        return;
    debug->served_ns = now_ns;
    gdb_server_serve(debug->server, false);
}

// Runs from the past on, by the recorded calls.
static void run_past(struct f072_debug *debug)
{
    while (!debug->standing && f072_history_next(debug->history))
        if (!must_stop(debug))
            serve(debug);
}

// A step executes the instruction at PC, also where PC was just written; asleep there is none yet.
static void let_run(struct f072_debug *debug)
{
    const struct armv6m *cpu = &debug->board->chip.cpu;
    bool steps = debug->how == GDB_STEP && cpu->sleep == ARMV6M_AWAKE;

    debug->passed = debug->at_instruction || steps ? cpu->cycles : UINT64_MAX;
    if (f072_history_is_past(debug->history))
        run_past(debug);
}

// This process ends, so no debugger will continue the board.
static void give_up(struct f072_debug *debug)
{
    gdb_server_close(debug->server);
    debug->server = NULL;
    f072_debug_target.release(debug);
}

// Until a debugger continues it or has detached.
static void stand(struct f072_debug *debug)
{
    while (debug->standing) {
        gdb_server_stopped(debug->server, &debug->stop,
                           debug->console[0] != '\0' ? debug->console : NULL);
        while (debug->standing)
            if (gdb_server_serve(debug->server, true) == GDB_SIGNALLED)
                give_up(debug);
        if (debug->how == GDB_REVERSE_CONTINUE || debug->how == GDB_REVERSE_STEP)
            f072_debug_reverse(debug);
        else
            let_run(debug);
    }
}

static void activate(struct f072_debug *debug)
{
    debug->active = true;
    armv6m_set_hold(&debug->board->chip.cpu, before_instruction, debug);
}

static void deactivate(struct f072_debug *debug)
{
    debug->active = false;
    debug->released = false;
    armv6m_set_hold(&debug->board->chip.cpu, NULL, NULL);
    f072_history_forget(debug->history);
}

// ---- The device ----

static void record(struct f072_debug *debug, struct f072_call call, const uint8_t *data)
{
    if (!debug->active || f072_history_is_past(debug->history))
        return;
    f072_history_record(debug->history, &call, data);
}

static void live_slice(struct f072_debug *debug, uint64_t until_ns)
{
    serve(debug);
    if (debug->standing && !debug->active)
        activate(debug);
    record(debug, (struct f072_call){.kind = F072_CALL_ADVANCE, .until_ns = until_ns}, NULL);
    stand(debug);
    forward_advance(&debug->forward.base, until_ns);
    if (!debug->active)
        return;
    if (must_stop(debug))
        stand(debug);
    if (debug->released && !f072_history_is_past(debug->history))
        deactivate(debug);
}

static void debug_advance(struct sim_device *device, uint64_t now_ns)
{
    struct f072_debug *debug = debug_of(device);

    while (debug->board->now_ns < now_ns) {
        uint64_t until_ns = debug->board->now_ns + slice_ns;

        live_slice(debug, until_ns < now_ns ? until_ns : now_ns);
    }
}

// The first power-on: the board waits for a debugger before its first instruction.
static void debug_power(struct sim_device *device, bool on)
{
    struct f072_debug *debug = debug_of(device);

    if (on && debug->board->power_count == 0) {
        activate(debug);
        debug->stop_wanted = GDB_SIGTRAP;
    }
    record(debug, (struct f072_call){.kind = F072_CALL_POWER, .flag = on}, NULL);
    forward_power(device, on);
}

static void debug_bus_reset(struct sim_device *device, bool se0)
{
    record(debug_of(device), (struct f072_call){.kind = F072_CALL_BUS_RESET, .flag = se0}, NULL);
    forward_bus_reset(device, se0);
}

static void debug_sof(struct sim_device *device, uint16_t frame)
{
    record(debug_of(device), (struct f072_call){.kind = F072_CALL_SOF, .frame = frame}, NULL);
    forward_sof(device, frame);
}

static void debug_resume(struct sim_device *device)
{
    record(debug_of(device), (struct f072_call){.kind = F072_CALL_RESUME}, NULL);
    forward_resume(device);
}

static int debug_setup(struct sim_device *device,
                       uint8_t address,
                       uint8_t endpoint,
                       const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct f072_debug *debug = debug_of(device);
    struct f072_call call = {
        .kind = F072_CALL_SETUP,
        .address = address,
        .endpoint = endpoint,
        .length = USBDEV_SETUP_SIZE,
    };

    record(debug, call, setup);
    debug->setup_result = forward_setup(device, address, endpoint, setup);
    debug->setup_ns = debug->board->now_ns;
    debug->setup_seen = true;
    memcpy(debug->setup, setup, USBDEV_SETUP_SIZE);
    return debug->setup_result;
}

static int debug_out(struct sim_device *device,
                     uint8_t address,
                     uint8_t endpoint,
                     bool data1,
                     const uint8_t *data,
                     size_t length)
{
    struct f072_call call = {
        .kind = F072_CALL_OUT,
        .address = address,
        .endpoint = endpoint,
        .flag = data1,
        .length = (uint16_t)length,
    };

    record(debug_of(device), call, data);
    return forward_out(device, address, endpoint, data1, data, length);
}

static int debug_in(struct sim_device *device,
                    uint8_t address,
                    uint8_t endpoint,
                    bool *ret_data1,
                    uint8_t data[SIM_MAX_PACKET])
{
    struct f072_call call = {.kind = F072_CALL_IN, .address = address, .endpoint = endpoint};

    record(debug_of(device), call, NULL);
    return forward_in(device, address, endpoint, ret_data1, data);
}

static int debug_lpm(struct sim_device *device, uint8_t address, uint16_t bmAttributes)
{
    struct f072_call call = {
        .kind = F072_CALL_LPM, .address = address, .bmAttributes = bmAttributes};

    record(debug_of(device), call, NULL);
    return forward_lpm(device, address, bmAttributes);
}

static void debug_close(struct sim_device *device)
{
    struct f072_debug *debug = debug_of(device);

    gdb_server_close(debug->server);
    f072_history_close(debug->history);
    debug->forward.to->ops->close(debug->forward.to);
    free(debug->kept);
    free(debug);
}

static const struct sim_device_ops debug_ops = {
    .advance = debug_advance,
    .power = debug_power,
    .connected = forward_connected,
    .bus_reset = debug_bus_reset,
    .sof = debug_sof,
    .resume = debug_resume,
    .waking = forward_waking,
    .setup = debug_setup,
    .out = debug_out,
    .in = debug_in,
    .lpm = debug_lpm,
    .trouble = forward_trouble,
    .close = debug_close,
};

struct sim_device *
f072_debug_open(struct sim_device *board, const char *port, char *error, size_t error_size)
{
    struct f072_debug *debug = calloc(1, sizeof *debug);

    if (!debug) {
        board->ops->close(board);
        snprintf(error, error_size, "no memory for a debugger");
        return NULL;
    }
    debug->forward = (struct forward){{&debug_ops}, board};
    debug->board = (struct f072_board *)board;
    debug->passed = UINT64_MAX;
    debug->history = f072_history_open(debug->board);
    debug->kept = malloc(sizeof *debug->kept);
    if (!debug->history || !debug->kept)
        snprintf(error, error_size, "no memory for a debugger");
    else
        debug->server = gdb_server_open(port, &f072_debug_target, debug, error, error_size);
    if (!debug->server) {
        debug_close(&debug->forward.base);
        return NULL;
    }
    fprintf(stderr, "the board waits at reset for GDB: target remote 127.0.0.1:%u\n",
            gdb_server_port(debug->server));
    return &debug->forward.base;
}
