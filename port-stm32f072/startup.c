// SPDX-License-Identifier: MIT
//
// The vector table, and the way from reset to stm32_main().
//
// There are two ways in. A reset, after which the chip is as its manual says; and the ROM boot
// loader's "leave", which is only a jump. After that jump the ROM's clock is still on, its
// interrupts may be enabled or pending, and address 0 still shows the ROM. boot_request_obey()
// undoes that, or jumps into the ROM; until it has returned, interrupts are masked.

#include <stdint.h>

#include "boot_request.h"
#include "interrupts.h"
#include "regs/cortex_m0.h"

// From the linker script.
extern uint32_t data_start[], data_end[], bss_start[], bss_end[], stack_top[];
extern const uint32_t data_load[];

void reset(void);
_Noreturn void start(void);
_Noreturn void unexpected(void);

// Any unhandled exception ends here, where a debugger finds it.
_Noreturn void unexpected(void)
{
    for (;;)
        ;
}

typedef void vector(void);

struct vector_table {
    uint32_t *stack_top;
    vector *exceptions[15]; // numbers 1 to 15 (PM0215 2.3.2)
    vector *interrupts[IRQ_COUNT];
};

extern const struct vector_table vectors;
__attribute__((section(".vectors"), used)) const struct vector_table vectors = {
    .stack_top = stack_top,
    .exceptions =
        {
            [0] = reset,
            [1] = unexpected,  // NMI
            [2] = unexpected,  // HardFault
            [10] = unexpected, // SVCall
            [13] = unexpected, // PendSV
            [14] = stm32_systick_interrupt,
        },
    .interrupts =
        {
            // The others are 0, which is not a Thumb address: one of them faults into unexpected().
            [IRQ_USB] = stm32_usb_interrupt,
        },
};

static void init_ram(void)
{
    const uint32_t *from = data_load;

    for (uint32_t *to = data_start; to != data_end; to++)
        *to = *from++;
    for (uint32_t *to = bss_start; to != bss_end; to++)
        *to = 0;
}

__attribute__((used)) _Noreturn void start(void)
{
    boot_request_obey();
    init_ram();
    stm32_main();
}

// The caller may use another stack: switch to ours before any C code.
__attribute__((naked)) void reset(void)
{
    __asm__ volatile("cpsid i\n"
                     "movs r0, #0\n"
                     "msr control, r0\n"
                     "isb\n"
                     "ldr r0, =stack_top\n"
                     "msr msp, r0\n"
                     "ldr r0, =start\n"
                     "bx r0\n"
                     ".ltorg\n");
}
