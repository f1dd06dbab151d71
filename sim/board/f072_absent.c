// SPDX-License-Identifier: MIT
//
// Firmware that does not connect its device to the bus. It may sleep, wait or do other things: none
// of that is wrong by itself, but whoever plugs the device in wants to know what it does instead.

#include <stdio.h>
#include <string.h>

#include "f072_board_private.h"

// Within what a host waits for a device, and after what is told by itself after 9 s
// (f072_trouble.c); and how long nothing but the same is a loop.
static const uint64_t absent_ns = 9200 * SIM_MS;
static const uint64_t repeating_ns = 2000 * SIM_MS;

enum { WHAT_SIZE = 400 };

// Has the processor done nothing but sleep since the last look? Whatever wakes it makes it jump, or
// take an exception.
static bool has_slept(struct f072_board *board)
{
    const struct armv6m *cpu = &board->chip.cpu;
    const struct armv6m_branch *jump = &cpu->branches[cpu->last_branch];
    bool same = cpu->sleep != ARMV6M_AWAKE && board->absent.taken == cpu->taken &&
                memcmp(&board->absent.jump, jump, sizeof *jump) == 0;

    board->absent.jump = *jump;
    board->absent.taken = cpu->taken;
    return same;
}

// The exception that was entered last, as far as is remembered; 0: none.
static unsigned last_exception(const struct armv6m *cpu)
{
    for (unsigned i = 0; i < ARMV6M_BRANCHES; i++) {
        unsigned exception = cpu->branches[(cpu->last_branch - i) % ARMV6M_BRANCHES].exception;
        if (exception != 0)
            return exception;
    }
    return 0;
}

static void describe_sleep(const struct f072_board *board, bool for_good, char what[WHAT_SIZE])
{
    const struct armv6m *cpu = &board->chip.cpu;
    const char *after = for_good ? ", and nothing wakes it" : ", wakes and sleeps again";
    char where[F072_PLACE_SIZE];

    unsigned exception = last_exception(cpu);
    f072_board_place(board, cpu->r[15], where);
    if (cpu->sleep == ARMV6M_ON_EXIT)
        snprintf(what, WHAT_SIZE,
                 "SCR.SLEEPONEXIT is set, so that the processor sleeps again after %s%s, and the "
                 "main program does not go on at %s",
                 exception ? "the handler of " : "a handler",
                 exception ? f072_board_exception(exception) : "", where);
    else
        snprintf(what, WHAT_SIZE, "the processor sleeps by %s before %s%s",
                 cpu->sleep == ARMV6M_WFE ? "WFE" : "WFI", where, after);
}

static void describe_activity(const struct f072_board *board, char what[WHAT_SIZE])
{
    const struct armv6m *cpu = &board->chip.cpu;
    char where[F072_PLACE_SIZE];
    char handler[40] = "";
    char polled[F072_POLLED_SIZE];
    bool polls = f072_chip_polled(&board->chip, polled);
    bool repeats = board->now_ns - board->chip.last.since_ns >= repeating_ns;

    f072_board_place(board, cpu->r[15], where);
    if (cpu->exception != 0)
        snprintf(handler, sizeof handler, " in the handler of %s",
                 f072_board_exception(cpu->exception));
    snprintf(what, WHAT_SIZE, "%s %s%s%s%s",
             repeats ? "an endless loop at" : "the firmware runs, now at", where, handler,
             polls ? ", which reads " : "", polls ? polled : "");
}

static void describe(const struct f072_board *board, bool for_good, char what[WHAT_SIZE])
{
    char where[F072_PLACE_SIZE];

    if (board->chip.low_power != F072_RUN)
        snprintf(what, WHAT_SIZE, "the chip is in %s mode since %s",
                 board->chip.low_power == F072_STOP ? "Stop" : "Standby",
                 f072_board_place(board, board->chip.cpu.r[15], where));
    else if (board->chip.cpu.sleep != ARMV6M_AWAKE)
        describe_sleep(board, for_good, what);
    else
        describe_activity(board, what);
}

// One line, however often it resets itself.
static void describe_resets(const struct f072_chip *chip, char text[80])
{
    text[0] = '\0';
    if (chip->resets > 0)
        snprintf(text, 80, ", reset %s by: %s",
                 chip->resets == 1 ? "once" : "again and again, the last time",
                 f072_reset_name(chip->last_reset));
}

static void tell(struct f072_board *board, bool for_good)
{
    struct f072_chip *chip = &board->chip;
    char what[WHAT_SIZE];
    char resets[80];

    describe(board, for_good, what);
    describe_resets(chip, resets);
    f072_trouble(&chip->report, "the device has been off the bus for over %u s (%s%s): %s",
                 (unsigned)(absent_ns / (1000 * SIM_MS)),
                 chip->usb.bcdr & F072_BCDR_DPPU ? "USB_CNTR.PDWN is 1" : "USB_BCDR.DPPU is 0",
                 resets, what);
    f072_board_report(board);
}

void f072_board_look_for_absence(struct f072_board *board)
{
    bool slept = has_slept(board);

    if (f072_usbfs_connected(&board->chip.usb) || board->now_ns < board->absent.since_ns)
        board->absent.since_ns = board->now_ns;
    else if (!board->chip.report.in_trouble && board->now_ns - board->absent.since_ns > absent_ns)
        tell(board, slept);
}
