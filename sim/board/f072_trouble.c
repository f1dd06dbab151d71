// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "f072_board_private.h"

// How long a processor may go on without doing anything before that is called an endless loop: in
// an exception handler, or with a USB interrupt that nobody serves; and without being connected.
static const uint64_t stuck_ns = 2000 * SIM_MS;
static const uint64_t idle_ns = 9000 * SIM_MS; // within what a host waits for a device

void f072_board_report(struct f072_board *board)
{
    if (board->chip.report.trace & SIM_TRACE_STATES)
        armv6m_report(&board->chip.cpu, stderr);
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

// Where HardFault was taken, and by which access if it was one: " at 08000042h by a read of
// 00000001h".
static void describe_fault(const struct f072_chip *chip, char text[64])
{
    uint32_t pc = chip->cpu.fault_pc;
    int length = snprintf(text, 64, " at %08Xh", pc);

    if (chip->refused.pc == pc)
        snprintf(text + length, 64 - (size_t)length, " by a %s %08Xh",
                 chip->refused.is_write ? "write to" : "read of", chip->refused.address);
}

// "in the handler of SysTick", or "" in Thread mode.
static void describe_handler(const struct f072_chip *chip, char text[128])
{
    char name[24];
    char fault[64] = "";

    text[0] = '\0';
    if (chip->cpu.exception == 0)
        return;
    if (chip->cpu.exception == ARMV6M_HARDFAULT)
        describe_fault(chip, fault);
    snprintf(text, 128, " in the handler of %s%s%s", exception_name(chip->cpu.exception, name),
             fault[0] != '\0' ? ", which was taken" : "", fault);
}

void f072_board_breakpoint(struct f072_board *board)
{
    char handler[128];

    describe_handler(&board->chip, handler);
    f072_trouble(&board->chip.report, "BKPT at %08Xh%s", board->chip.cpu.r[15], handler);
    f072_board_report(board);
}

void f072_board_lock_up(struct f072_board *board)
{
    char fault[64];

    describe_fault(&board->chip, fault);
    f072_trouble(&board->chip.report,
                 "the processor locked up at %08Xh: a fault within the HardFault that was taken%s",
                 board->chip.cpu.lockup_pc, fault);
    f072_board_report(board);
    board->locked_up = true;
}

// What can no longer get anywhere: only a loop that touches nothing new, for a long time.
void f072_board_look_for_endless_loop(struct f072_board *board)
{
    const struct f072_chip *chip = &board->chip;
    uint64_t span_ns = board->now_ns - chip->last.since_ns;
    char handler[128];

    if (board->now_ns < chip->last.since_ns + stuck_ns || chip->report.in_trouble)
        return;
    describe_handler(chip, handler);
    if (chip->cpu.exception != 0)
        f072_trouble(&board->chip.report, "an endless loop at %08Xh%s", chip->cpu.r[15], handler);
    else if (f072_usbfs_interrupt(&chip->usb))
        f072_trouble(&board->chip.report,
                     "an endless loop at %08Xh, and nobody serves the USB interrupt",
                     chip->cpu.r[15]);
    else if (!f072_usbfs_connected(&chip->usb) && span_ns >= idle_ns)
        f072_trouble(&board->chip.report,
                     "an endless loop at %08Xh, and the device is not connected", chip->cpu.r[15]);
    if (chip->report.in_trouble)
        f072_board_report(board);
}
