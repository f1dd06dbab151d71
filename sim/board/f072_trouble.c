// SPDX-License-Identifier: MIT
//
// Trouble is looked for where the processor stops (BKPT, lock-up) and, while it runs, by time: a
// processor that has read or written nothing new for 2 s is in an endless loop if it is in an
// exception handler or a USB interrupt is pending. The same time holds for one that executes
// nothing of the main program, because an interrupt comes again before its handler returns; where
// USB works on by interrupts, that is a warning, and trouble after 9 s if the device is not
// connected. A place is named from the ELF only while flash still holds the code of the ELF there.

#include <stdio.h>
#include <string.h>

#include <sim/image.h>

#include "f072_board_private.h"

// How long a processor may repeat itself before that is an endless loop: in an exception handler,
// or with a USB interrupt pending; and without being connected.
static const uint64_t stuck_ns = 2000 * SIM_MS;
static const uint64_t idle_ns = 9000 * SIM_MS; // within what a host waits for a device

enum { PLACE_SIZE = F072_PLACE_SIZE, FAULT_SIZE = F072_FAULT_SIZE, HANDLER_SIZE = 300 };

void f072_board_report(struct f072_board *board)
{
    if (board->chip.report.trace & SIM_TRACE_STATES)
        armv6m_report(&board->chip.cpu, stderr);
}

// Exceptions, and from ARMV6M_IRQ0 the interrupts of RM0091 11.1.3.
static const char *const exception_names[] = {
    [ARMV6M_NMI] = "NMI",
    [ARMV6M_HARDFAULT] = "HardFault",
    [ARMV6M_SVCALL] = "SVCall",
    [ARMV6M_PENDSV] = "PendSV",
    [ARMV6M_SYSTICK] = "SysTick",
    [ARMV6M_IRQ0] = "WWDG",
    "PVD_VDDIO2",
    "RTC",
    "FLASH",
    "RCC_CRS",
    "EXTI0_1",
    "EXTI2_3",
    "EXTI4_15",
    "TSC",
    "DMA_CH1",
    "DMA_CH2_3",
    "DMA_CH4_5_6_7",
    "ADC_COMP",
    "TIM1_BRK_UP_TRG_COM",
    "TIM1_CC",
    "TIM2",
    "TIM3",
    "TIM6_DAC",
    "TIM7",
    "TIM14",
    "TIM15",
    "TIM16",
    "TIM17",
    "I2C1",
    "I2C2",
    "SPI1",
    "SPI2",
    "USART1",
    "USART2",
    "USART3_4",
    "CEC_CAN",
    "USB",
};

const char *f072_board_exception(unsigned number)
{
    return exception_names[number];
}

const char *
f072_board_place(const struct f072_board *board, uint32_t address, char text[PLACE_SIZE])
{
    enum { WINDOW = 16 };
    uint32_t offset = (address - F072_FLASH_BASE) & ~(uint32_t)(WINDOW - 1);
    char name[180];
    bool is_image = board->image_path && board->image_flash && offset < board->flash.memory.size &&
                    memcmp(board->image_flash + offset, board->flash.bytes + offset, WINDOW) == 0;

    snprintf(text, PLACE_SIZE, "%08Xh", address);
    if (is_image && image_symbol(board->image_path, address, name, sizeof name))
        snprintf(text, PLACE_SIZE, "%08Xh (%s)", address, name);
    return text;
}

void f072_board_describe_fault(const struct f072_board *board, char text[F072_FAULT_SIZE])
{
    const struct f072_chip *chip = &board->chip;
    uint32_t pc = chip->cpu.fault_pc;
    char where[PLACE_SIZE];
    int length = snprintf(text, FAULT_SIZE, " at %s", f072_board_place(board, pc, where));

    if (chip->cpu.unaligned != 0)
        snprintf(text + length, FAULT_SIZE - (size_t)length, " by an unaligned %s %08Xh",
                 chip->cpu.unaligned_write ? "write to" : "read of", chip->cpu.unaligned);
    else if (chip->refused.pc == pc)
        snprintf(text + length, FAULT_SIZE - (size_t)length, " by a %s %08Xh%s",
                 chip->refused.is_write ? "write to" : "read of", chip->refused.address,
                 chip->refused.why);
}

// "in the handler of SysTick", or "" in Thread mode.
static void describe_handler(const struct f072_board *board, char text[HANDLER_SIZE])
{
    const struct f072_chip *chip = &board->chip;
    char fault[FAULT_SIZE] = "";

    text[0] = '\0';
    if (chip->cpu.exception == 0)
        return;
    if (chip->cpu.exception == ARMV6M_HARDFAULT)
        f072_board_describe_fault(board, fault);
    snprintf(text, HANDLER_SIZE, " in the handler of %s%s%s", exception_names[chip->cpu.exception],
             fault[0] != '\0' ? ", which was taken" : "", fault);
}

void f072_board_breakpoint(struct f072_board *board)
{
    char where[PLACE_SIZE];
    char handler[HANDLER_SIZE];

    describe_handler(board, handler);
    f072_trouble(&board->chip.report, "BKPT at %s%s",
                 f072_board_place(board, board->chip.cpu.r[15], where), handler);
    f072_board_report(board);
}

void f072_board_lock_up(struct f072_board *board)
{
    char where[PLACE_SIZE];
    char fault[FAULT_SIZE];

    f072_board_describe_fault(board, fault);
    f072_trouble(&board->chip.report,
                 "the processor locked up at %s: a fault within the HardFault that was taken%s",
                 f072_board_place(board, board->chip.cpu.lockup_pc, where), fault);
    f072_board_report(board);
    board->locked_up = true;
}

// A firmware that polls has the interrupt pending up to its next look.
static bool serves_usb(struct f072_board *board)
{
    if (!f072_usbfs_interrupt(&board->chip.usb) || board->now_ns < board->served_ns)
        board->served_ns = board->now_ns;
    return board->now_ns < board->served_ns + stuck_ns;
}

static uint64_t since_ns(const struct f072_chip *chip, uint64_t cycle)
{
    return (chip->cpu.cycles - cycle) / (chip->hclk / 1000 + 1) * SIM_MS;
}

// How long handlers have left no cycle to Thread mode.
static uint64_t starved_ns(const struct f072_chip *chip)
{
    return chip->cpu.exception == 0 ? 0 : since_ns(chip, chip->cpu.thread_left);
}

// A handler that is executing since before the last 2 s.
static bool stays_in_handler(const struct f072_chip *chip)
{
    return chip->cpu.exception != 0 && since_ns(chip, chip->cpu.taken) >= stuck_ns;
}

static void tell_starvation(struct f072_board *board, bool serves)
{
    enum { THREAD_MODE = 1 }; // for warnings: an address that no register has
    static const char message[] = "the main program has executed nothing for %u s: %s, now at %s%s";
    struct f072_chip *chip = &board->chip;
    uint64_t span_ns = starved_ns(chip);
    unsigned span_s = (unsigned)(span_ns / (1000 * SIM_MS));
    bool stays = stays_in_handler(chip) || chip->cpu.exception == ARMV6M_HARDFAULT;
    const char *why =
        stays ? "a handler does not return" : "interrupts follow each other without a pause";
    bool lasts = !serves || chip->cpu.exception == ARMV6M_HARDFAULT ||
                 (!f072_usbfs_connected(&chip->usb) && span_ns >= idle_ns);
    char where[PLACE_SIZE];
    char handler[HANDLER_SIZE];

    if (!lasts && !f072_would_warn(&chip->report, THREAD_MODE))
        return;
    f072_board_place(board, chip->cpu.r[15], where);
    describe_handler(board, handler);
    if (lasts)
        f072_trouble(&chip->report, message, span_s, why, where, handler);
    else
        f072_warn_once(&chip->report, THREAD_MODE, message, span_s, why, where, handler);
}

// The processor touches nothing new.
static void tell_loop(struct f072_board *board, bool serves)
{
    const struct f072_chip *chip = &board->chip;
    char where[PLACE_SIZE];
    char behind[HANDLER_SIZE] = "";
    char polled[F072_POLLED_SIZE];
    bool polls = f072_chip_polled(chip, polled);

    if (stays_in_handler(chip))
        describe_handler(board, behind);
    else if (!serves)
        snprintf(behind, sizeof behind, ", and the USB interrupt is not served");
    else
        return; // firmware that polls
    f072_trouble(&board->chip.report, "an endless loop at %s%s%s%s",
                 f072_board_place(board, chip->cpu.r[15], where), polls ? ", which reads " : "",
                 polls ? polled : "", behind);
}

// What can no longer get anywhere.
void f072_board_look_for_endless_loop(struct f072_board *board)
{
    const struct f072_chip *chip = &board->chip;
    uint64_t span_ns = board->now_ns - chip->last.since_ns;
    bool serves = serves_usb(board);
    bool repeats = span_ns >= stuck_ns;

    if (chip->report.in_trouble)
        return;
    if (starved_ns(chip) >= stuck_ns && !(repeats && stays_in_handler(chip)))
        tell_starvation(board, serves);
    else if (repeats)
        tell_loop(board, serves);
    if (chip->report.in_trouble)
        f072_board_report(board);
}
