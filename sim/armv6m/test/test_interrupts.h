// SPDX-License-Identifier: MIT
//
// test_interrupts.h - a machine for the tests of exceptions: it spins in `b .` at CODE, interrupts
// 3 and 5 are enabled, everything has priority 0.

#ifndef ARMV6M_TEST_INTERRUPTS_H
#define ARMV6M_TEST_INTERRUPTS_H

#include "test_machine.h"

enum { IRQ3 = ARMV6M_IRQ0 + 3, IRQ5 = ARMV6M_IRQ0 + 5 };

// Registers of the System Control Space (ARM B3.2, B3.4).
#define ISER 0xE000E100u
#define ICER 0xE000E180u
#define ISPR 0xE000E200u
#define ICPR 0xE000E280u
#define IPR0 0xE000E400u
#define ICSR 0xE000ED04u
#define AIRCR 0xE000ED0Cu
#define SCR_ADDRESS 0xE000ED10u
#define SHPR2 0xE000ED1Cu
#define SHPR3 0xE000ED20u

extern struct machine machine;

// Starts the machine; a setup function of CMocka.
int start_interrupts(void **state);

// A register as the processor reads and writes it.
void poke(uint32_t address, uint32_t value);
uint32_t peek(uint32_t address);

void set_priority(unsigned line, uint32_t priority);

// The processor is at the first instruction of a handler.
void assert_in(unsigned exception);

#endif
