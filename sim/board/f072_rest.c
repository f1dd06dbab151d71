// SPDX-License-Identifier: MIT
//
// Frames in which nothing happens. A device that is plugged in and idle does the same in each: its
// firmware sleeps, or counts nothing at a tick of a millisecond. Now and then the chip as it is
// behind a SOF is compared with what it was behind the one before: where all but the time is the
// same, the frames to come are the same, too, until a packet comes. The host may then skip them.

#include <stdlib.h>
#include <string.h>

#include "f072_board_private.h"

enum { FIRST_PAUSE = 16, LAST_PAUSE = 16384 }; // in frames, doubled after each unequal comparison

struct f072_rest {
    struct f072_chip before; // behind a SOF, without its time
    struct f072_chip now;
};

void f072_rest_disturb(struct f072_board *board)
{
    board->rest.steady = false;
    board->rest.remembered_ns = UINT64_MAX;
    board->rest.pause = FIRST_PAUSE;
    board->rest.wait = FIRST_PAUSE;
}

void f072_rest_free(struct f072_board *board)
{
    free(board->rest.chips);
}

// ---- Comparing ----

static void strip(const struct f072_board *board, struct f072_chip *copy)
{
    *copy = board->chip;
    f072_chip_without_time(copy, board->host_ns);
}

// Without memory for it the board only does not rest.
static void remember(struct f072_board *board)
{
    if (!board->rest.chips)
        board->rest.chips = calloc(1, sizeof *board->rest.chips);
    if (!board->rest.chips)
        return;
    strip(board, &board->rest.chips->before);
    board->rest.remembered_ns = board->host_ns;
    board->rest.cycles = board->chip.cpu.cycles;
}

static void compare(struct f072_board *board)
{
    struct f072_rest *chips = board->rest.chips;
    bool is_next = board->host_ns == board->rest.remembered_ns + SIM_MS;

    if (is_next) {
        strip(board, &chips->now);
        board->rest.steady = memcmp(&chips->now, &chips->before, sizeof chips->now) == 0;
        board->rest.cycles = board->chip.cpu.cycles - board->rest.cycles;
    }
    if (!board->rest.steady)
        board->rest.pause = board->rest.pause < LAST_PAUSE ? 2 * board->rest.pause : LAST_PAUSE;
    board->rest.wait = board->rest.pause;
    board->rest.remembered_ns = UINT64_MAX;
}

// Behind a SOF, and before anything else.
void f072_rest_look(struct f072_board *board)
{
    board->rest.sof_ns = board->host_ns;
    if (board->rest.steady)
        return;
    if (board->rest.remembered_ns != UINT64_MAX)
        compare(board);
    else if (board->rest.wait > 0)
        board->rest.wait--;
    else
        remember(board);
}

// ---- Resting ----

static bool may_rest(const struct f072_board *board, uint64_t until_ns)
{
    return board->rest.steady && f072_rtc_next_event(&board->chip.rtc) > until_ns + SIM_MS &&
           board->host_ns == board->rest.sof_ns && board->who == F072_BOARD_FIRMWARE &&
           !board->locked_up && !board->held && board->next_pin == board->options.pin_count &&
           board->chip.report.trace == 0 &&
           board->chip.usb.transaction.kind == F072_TRANSACTION_NONE;
}

bool f072_rest(struct sim_device *device, uint64_t now_ns)
{
    struct f072_board *board = (struct f072_board *)device;

    if (!may_rest(board, now_ns))
        return false;
    uint64_t span_ns = now_ns - board->host_ns;
    uint64_t frames = span_ns / SIM_MS;
    f072_chip_shift(&board->chip, span_ns, frames * board->rest.cycles);
    board->chip.usb.fnr = (uint16_t)((board->chip.usb.fnr + frames) & 0x7FF);
    board->now_ns += span_ns;
    board->served_ns += span_ns;
    board->host_ns = now_ns;
    board->rest.sof_ns = now_ns;
    return true;
}
