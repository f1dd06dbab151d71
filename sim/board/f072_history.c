// SPDX-License-Identifier: MIT
//
// Calls and snapshots are two rings; a snapshot names the first call after it. Calls of advance()
// that follow each other are merged into one. A snapshot copies the board's struct and shares the
// copy of the flash with the snapshot before it while the flash is unchanged.
//
// To go to an earlier cycle, the last snapshot before it is restored and the calls from there are
// made again with the board muted: no UART output, no traces, no flash file. When the calls have
// caught up with the cycle at which the present was left, the board is unmuted.

#include "f072_history.h"

#include <stdlib.h>
#include <string.h>

// Flash rarely changes: copies of the board share a copy of it.
struct flash_copy {
    unsigned users;
    uint8_t bytes[];
};

struct snapshot {
    uint64_t call; // the first one after it
    struct f072_board board;
    struct flash_copy *flash;
};

struct f072_history {
    struct f072_board *board;

    // Rings: entry n is at n modulo the size.
    struct f072_call *calls;
    uint64_t first_call;
    uint64_t call_count; // since the beginning of the ring
    struct snapshot *snapshots[F072_MAX_SNAPSHOTS];
    uint64_t first_snapshot;
    uint64_t snapshot_count;
    bool sealed; // the last call is before the last snapshot: nothing is added to it

    // In the past.
    uint64_t next_call;
    uint64_t present_cycles;
    uint64_t present_ns;
    bool muted;
    struct f072_uart_sink uart; // what the board had before it was muted
    bool quiet;
    unsigned trace;
    const char *file;
};

static struct f072_call *call_at(const struct f072_history *history, uint64_t number)
{
    return &history->calls[number % F072_MAX_CALLS];
}

static struct snapshot **snapshot_at(struct f072_history *history, uint64_t number)
{
    return &history->snapshots[number % F072_MAX_SNAPSHOTS];
}

static uint64_t snapshot_end(const struct f072_history *history)
{
    return history->first_snapshot + history->snapshot_count;
}

static uint64_t call_end(const struct f072_history *history)
{
    return history->first_call + history->call_count;
}

// ---- Snapshots ----

static void drop_first_snapshot(struct f072_history *history)
{
    struct snapshot **first = snapshot_at(history, history->first_snapshot);

    if (--(*first)->flash->users == 0)
        free((*first)->flash);
    free(*first);
    *first = NULL;
    history->first_snapshot++;
    history->snapshot_count--;
}

static struct flash_copy *copy_flash(struct f072_history *history)
{
    const struct flash *flash = &history->board->flash;
    struct flash_copy *copy;

    if (history->snapshot_count > 0) {
        copy = (*snapshot_at(history, snapshot_end(history) - 1))->flash;
        if (memcmp(copy->bytes, flash->bytes, flash->memory.size) == 0) {
            copy->users++;
            return copy;
        }
    }
    copy = malloc(sizeof *copy + flash->memory.size);
    if (copy) {
        copy->users = 1;
        memcpy(copy->bytes, flash->bytes, flash->memory.size);
    }
    return copy;
}

// Without memory for it the snapshots are further apart.
static void take_snapshot(struct f072_history *history)
{
    struct snapshot *snapshot;

    if (history->snapshot_count == F072_MAX_SNAPSHOTS)
        drop_first_snapshot(history);
    snapshot = malloc(sizeof *snapshot);
    if (!snapshot)
        return;
    snapshot->flash = copy_flash(history);
    if (!snapshot->flash) {
        free(snapshot);
        return;
    }
    snapshot->call = call_end(history);
    snapshot->board = *history->board;
    *snapshot_at(history, snapshot_end(history)) = snapshot;
    history->snapshot_count++;
    history->sealed = true;
}

static bool snapshot_is_due(struct f072_history *history)
{
    const struct snapshot *last;

    if (history->snapshot_count == 0)
        return true;
    last = *snapshot_at(history, snapshot_end(history) - 1);
    return history->board->now_ns >= last->board.now_ns + F072_SNAPSHOT_MS * SIM_MS;
}

static void mute(struct f072_history *history)
{
    struct f072_board *board = history->board;

    board->chip.uart.put = NULL;
    board->chip.report.quiet = true;
    board->chip.report.trace = 0;
    board->flash.file = NULL;
}

static void unmute(struct f072_history *history)
{
    struct f072_board *board = history->board;

    history->muted = false;
    board->chip.uart = history->uart;
    board->chip.report.quiet = history->quiet;
    board->chip.report.trace = history->trace;
    board->flash.file = history->file;
}

static void restore(struct f072_history *history, const struct snapshot *snapshot)
{
    struct f072_board *board = history->board;

    *board = snapshot->board;
    memcpy(board->flash.bytes, snapshot->flash->bytes, board->flash.memory.size);
    history->next_call = snapshot->call;
    mute(history);
}

// ---- Recording ----

static void drop_first_call(struct f072_history *history)
{
    free(call_at(history, history->first_call)->data);
    history->first_call++;
    history->call_count--;
}

// Takes the call's data over.
static void append(struct f072_history *history, const struct f072_call *call)
{
    if (history->call_count == F072_MAX_CALLS)
        drop_first_call(history);
    while (history->snapshot_count > 0 &&
           (*snapshot_at(history, history->first_snapshot))->call < history->first_call)
        drop_first_snapshot(history);
    *call_at(history, call_end(history)) = *call;
    history->call_count++;
    history->sealed = false;
}

static bool continues_last(const struct f072_history *history, const struct f072_call *call)
{
    return call->kind == F072_CALL_ADVANCE && history->call_count > 0 && !history->sealed &&
           call_at(history, call_end(history) - 1)->kind == F072_CALL_ADVANCE;
}

void f072_history_forget(struct f072_history *history)
{
    while (history->snapshot_count > 0)
        drop_first_snapshot(history);
    while (history->call_count > 0)
        drop_first_call(history);
}

// Without memory for it history begins anew.
static bool copy_data(struct f072_history *history, struct f072_call *call, const uint8_t *data)
{
    if (call->length == 0)
        return true;
    call->data = malloc(call->length);
    if (call->data)
        memcpy(call->data, data, call->length);
    else
        f072_history_forget(history);
    return call->data;
}

void f072_history_record(struct f072_history *history,
                         const struct f072_call *call,
                         const uint8_t *data)
{
    struct f072_call copy = *call;

    if (snapshot_is_due(history))
        take_snapshot(history);
    if (continues_last(history, call))
        call_at(history, call_end(history) - 1)->until_ns = call->until_ns;
    else if (copy_data(history, &copy, data))
        append(history, &copy);
}

void f072_history_restart(struct f072_history *history)
{
    struct f072_call in_progress;

    if (history->call_count == 0)
        return;
    in_progress = *call_at(history, call_end(history) - 1);
    f072_history_forget(history);
    take_snapshot(history);
    append(history, &in_progress);
}

// ---- The past ----

static void perform(struct f072_board *board, const struct f072_call *call, uint64_t limit_ns)
{
    struct sim_device *device = &board->base;
    const struct sim_device_ops *ops = device->ops;
    uint8_t data[SIM_MAX_PACKET];
    bool data1;

    switch (call->kind) {
    case F072_CALL_ADVANCE:
        ops->advance(device, call->until_ns < limit_ns ? call->until_ns : limit_ns);
        break;
    case F072_CALL_POWER:
        ops->power(device, call->flag);
        break;
    case F072_CALL_BUS_RESET:
        ops->bus_reset(device, call->flag);
        break;
    case F072_CALL_SOF:
        ops->sof(device, call->frame);
        break;
    case F072_CALL_RESUME:
        ops->resume(device);
        break;
    case F072_CALL_SETUP:
        ops->setup(device, call->address, call->endpoint, call->data);
        break;
    case F072_CALL_OUT:
        ops->out(device, call->address, call->endpoint, call->flag, call->data, call->length);
        break;
    case F072_CALL_IN:
        ops->in(device, call->address, call->endpoint, &data1, data);
        break;
    case F072_CALL_LPM:
        ops->lpm(device, call->address, call->bmAttributes);
        break;
    }
}

static void leave_present(struct f072_history *history)
{
    const struct f072_board *board = history->board;

    if (history->muted)
        return;
    history->muted = true;
    history->present_cycles = board->chip.cpu.cycles;
    history->present_ns = board->now_ns;
    history->uart = board->chip.uart;
    history->quiet = board->chip.report.quiet;
    history->trace = board->chip.report.trace;
    history->file = board->flash.file;
}

bool f072_history_is_past(const struct f072_history *history)
{
    return history->muted;
}

uint64_t f072_history_begin_ns(const struct f072_history *history)
{
    if (history->snapshot_count == 0)
        return UINT64_MAX;
    return history->snapshots[history->first_snapshot % F072_MAX_SNAPSHOTS]->board.now_ns;
}

// The last snapshot that lies before a cycle, or at it if allowed. NULL: there is none.
static const struct snapshot *
find_snapshot(struct f072_history *history, uint64_t cycles, bool or_at)
{
    for (uint64_t i = snapshot_end(history); i-- > history->first_snapshot;) {
        const struct snapshot *snapshot = *snapshot_at(history, i);

        if (snapshot->board.chip.cpu.cycles < cycles ||
            (or_at && snapshot->board.chip.cpu.cycles == cycles))
            return snapshot;
    }
    return NULL;
}

// Make the calls from here on, at most up to the present. Returns whether the board was held.
static bool run_to_hold(struct f072_history *history)
{
    struct f072_board *board = history->board;
    bool held;

    while (!board->held && f072_history_next(history))
        ;
    if (!board->held)
        perform(board, call_at(history, history->next_call), history->present_ns);
    held = board->held;
    board->held = false;
    return held;
}

bool f072_history_replay(struct f072_history *history,
                         uint64_t cycles,
                         uint64_t *ret_begin,
                         bool *ret_held)
{
    const struct snapshot *snapshot = find_snapshot(history, cycles, false);

    if (!snapshot)
        return false;
    *ret_begin = snapshot->board.chip.cpu.cycles;
    leave_present(history);
    restore(history, snapshot);
    *ret_held = run_to_hold(history);
    return true;
}

bool f072_history_seek(struct f072_history *history, uint64_t cycles, bool *ret_held)
{
    const struct snapshot *snapshot = find_snapshot(history, cycles, true);

    if (history->snapshot_count == 0)
        return false;
    leave_present(history);
    restore(history, snapshot ? snapshot : *snapshot_at(history, history->first_snapshot));
    *ret_held = snapshot && run_to_hold(history);
    return true;
}

bool f072_history_next(struct f072_history *history)
{
    if (history->next_call + 1 >= call_end(history))
        return false;
    perform(history->board, call_at(history, history->next_call), UINT64_MAX);
    if (!history->board->held)
        history->next_call++;
    return true;
}

void f072_history_catch_up(struct f072_history *history, uint64_t now_ns)
{
    if (history->muted && history->next_call + 1 >= call_end(history) &&
        history->board->chip.cpu.cycles >= history->present_cycles && now_ns >= history->present_ns)
        unmute(history);
}

// ---- Opening and closing ----

struct f072_history *f072_history_open(struct f072_board *board)
{
    struct f072_history *history = calloc(1, sizeof *history);

    if (!history)
        return NULL;
    history->board = board;
    history->calls = calloc(F072_MAX_CALLS, sizeof *history->calls);
    if (!history->calls) {
        free(history);
        return NULL;
    }
    return history;
}

void f072_history_close(struct f072_history *history)
{
    if (!history)
        return;
    if (history->muted)
        unmute(history);
    f072_history_forget(history);
    free(history->calls);
    free(history);
}
