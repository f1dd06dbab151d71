// SPDX-License-Identifier: MIT
//
// The word counts only after a software reset and nothing else: RAM holds noise after power-on, and
// a watchdog or the reset button must end in the application. It is cleared before the jump, so a
// boot loader that is reset comes back as the application; and at each start, so that with the RAM
// parity check enabled it is never read before it was written (RM0091 2.3).
//
// The ROM's "leave" is only a jump to the application's reset handler: address 0 still shows the
// ROM, and the interrupts of its USB may be enabled or pending.

#include "boot_request.h"

#include <stdbool.h>
#include <stdint.h>

#include "regs/cortex_m0.h"
#include "regs/system.h"

enum { BOOT_REQUEST_MAGIC = 0x44465552 }; // "RUFD"

// .noinit: no start-up code touches it, neither ours nor the ROM's (stm32f072.ld).
__attribute__((section(".noinit"))) static volatile uint32_t boot_request;

// A software reset, and none of another kind since. PINRSTF comes with each of them.
static bool software_reset(uint32_t csr)
{
    const uint32_t kinds = RCC_CSR_OBLRSTF | RCC_CSR_PORRSTF | RCC_CSR_SFTRSTF | RCC_CSR_IWDGRSTF |
                           RCC_CSR_WWDGRSTF | RCC_CSR_LPWRRSTF;

    return (csr & kinds) == RCC_CSR_SFTRSTF;
}

// Start what a vector table describes, as a reset does. An RTOS may have left the main stack, which
// is the one the ROM is to start on. Nothing may use the stack in between.
__attribute__((naked, noreturn)) static void jump(uint32_t msp, uint32_t pc)
{
    (void)msp;
    (void)pc;
    __asm__ volatile("movs r2, #0\n"
                     "msr control, r2\n"
                     "isb\n"
                     "msr msp, r0\n"
                     "cpsie i\n" // the ROM's USB runs on interrupts, and the ROM enables none
                     "bx r1\n");
}

// The Cortex-M0 has no VTOR, so until MEM_MODE is 0 again every exception would take its vector
// from the ROM (RM0091 2.5).
static void map_flash_at_zero(void)
{
    stm32_rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_SYSCFG);
    SYSCFG->CFGR1 &= ~(uint32_t)SYSCFG_CFGR1_MEM_MODE;
}

static void silence_interrupts(void)
{
    SYSTICK->CTRL = 0;
    NVIC->ICER = UINT32_MAX;
    NVIC->ICPR = UINT32_MAX;
    SCB->ICSR = SCB_ICSR_PENDSTCLR | SCB_ICSR_PENDSVCLR;
}

void boot_request_obey(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    map_flash_at_zero();
    uint32_t csr = RCC->CSR;
    bool requested = software_reset(csr) && boot_request == BOOT_REQUEST_MAGIC;

    boot_request = 0;
    RCC->CSR = csr | RCC_CSR_RMVF; // the flags add up: leave none for the next start
    if (requested)
        jump(SYSTEM_MEMORY[0], SYSTEM_MEMORY[1]);
    silence_interrupts();
    __asm__ volatile("cpsie i" ::: "memory");
}

_Noreturn void boot_request_reset(void)
{
    boot_request = BOOT_REQUEST_MAGIC;
    __asm__ volatile("dsb" ::: "memory");
    SCB->AIRCR = SCB_AIRCR_VECTKEY | SCB_AIRCR_SYSRESETREQ;
    for (;;)
        ;
}
