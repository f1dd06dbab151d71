// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "f072_board_private.h"

// How long a processor may go on without doing anything before that is called an endless loop: in
// an exception handler, or with a USB interrupt that nobody serves; and without being connected.
static const uint64_t stuck_ns = 2000 * SIM_MS;
static const uint64_t idle_ns = 10000 * SIM_MS;

void f072_board_report(struct f072_board *board)
{
    if (board->chip.report.trace & SIM_TRACE_STATES)
        armv6m_report(&board->chip.cpu, stderr);
}

void f072_board_lock_up(struct f072_board *board)
{
    const struct armv6m *cpu = &board->chip.cpu;

    f072_trouble(&board->chip.report, "the processor locked up at %08Xh: a fault within a fault",
                 cpu->r[15]);
    f072_board_report(board);
    board->locked_up = true;
}

static const char *exception_name(unsigned exception, char text[24])
{
    static const char *const names[16] = {
        [ARMV6M_NMI] = "NMI",       [ARMV6M_HARDFAULT] = "HardFault", [ARMV6M_SVCALL] = "SVCall",
        [ARMV6M_PENDSV] = "PendSV", [ARMV6M_SYSTICK] = "SysTick",
    };

    if (exception < ARMV6M_IRQ0)
        return names[exception];
    snprintf(text, 24, "interrupt %u", exception - ARMV6M_IRQ0);
    return text;
}

// What can no longer get anywhere: only a loop that touches nothing new, for a long time.
void f072_board_look_for_endless_loop(struct f072_board *board)
{
    const struct f072_chip *chip = &board->chip;
    uint64_t span_ns = board->now_ns - chip->last.since_ns;
    char text[24];

    if (board->now_ns < chip->last.since_ns + stuck_ns || chip->report.trouble[0] != '\0')
        return;
    if (chip->cpu.exception != 0)
        f072_trouble(&board->chip.report, "an endless loop at %08Xh in the handler of %s",
                     chip->cpu.r[15], exception_name(chip->cpu.exception, text));
    else if (f072_usbfs_interrupt(&chip->usb))
        f072_trouble(&board->chip.report,
                     "an endless loop at %08Xh, and nobody serves the USB interrupt",
                     chip->cpu.r[15]);
    else if (!f072_usbfs_connected(&chip->usb) && span_ns >= idle_ns)
        f072_trouble(&board->chip.report,
                     "an endless loop at %08Xh, and the device is not connected", chip->cpu.r[15]);
    if (chip->report.trouble[0] != '\0')
        f072_board_report(board);
}
