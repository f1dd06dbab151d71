// SPDX-License-Identifier: MIT
//
// Firmware with the bug that a debugger that runs backwards is for: a name that is too long for its
// buffer spoils the pointer behind it, and long after that the pointer is used. It has no USB.

#include <stdint.h>

#include "interrupts.h"

static const uint32_t limit = 48;

static struct {
    volatile char name[8];
    const volatile uint32_t *limit;
} record;

__attribute__((noinline)) static void copy_name(const char *name)
{
    for (unsigned i = 0; name[i] != '\0'; i++)
        record.name[i] = name[i];
}

// Some 50 ms at 8 MHz.
__attribute__((noinline)) static void be_busy(void)
{
    for (volatile uint32_t i = 0; i < 40000; i++)
        ;
}

__attribute__((noinline)) static uint32_t use_pointer(void)
{
    return *record.limit;
}

_Noreturn void stm32_main(void)
{
    record.limit = &limit;
    copy_name("short");
    be_busy();
    copy_name("a long name");
    be_busy();
    for (;;)
        use_pointer();
}

void stm32_usb_interrupt(void)
{
}

void stm32_systick_interrupt(void)
{
}
