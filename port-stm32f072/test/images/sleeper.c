// SPDX-License-Identifier: MIT
//
// A product that goes to Stop mode while the bus is suspended, for tests of the virtual board:
// dfu_only.c, whose main loop waits for interrupts, with SCR.SLEEPDEEP set from suspend to resume.
// The USB peripheral finds resume without a clock, and EXTI line 18 ends Stop mode (RM0091 5.3.5
// and 11.2.5). The processor then runs from the HSI: the clocks are set up anew, within the 20 ms
// of resume (USB 2.0 7.1.7.7).

#include <dfurt/usbdev.h>

#include "clock.h"
#include "regs/cortex_m0.h"

enum { SCB_SCR_SLEEPDEEP = 1 << 2 };

// The linker puts these around usbdev_suspended() and usbdev_resumed(): -Wl,--wrap.
void __real_usbdev_suspended(struct usbdev *dev);
void __real_usbdev_resumed(struct usbdev *dev);
void __wrap_usbdev_suspended(struct usbdev *dev);
void __wrap_usbdev_resumed(struct usbdev *dev);

void __wrap_usbdev_suspended(struct usbdev *dev)
{
    __real_usbdev_suspended(dev);
    SCB->SCR = SCB_SCR_SLEEPDEEP;
}

void __wrap_usbdev_resumed(struct usbdev *dev)
{
    SCB->SCR = 0;
    stm32_clock_init();
    stm32_clock_start_tick();
    __real_usbdev_resumed(dev);
}
