// SPDX-License-Identifier: MIT
//
// armv6m_debug.h - the processor as a debugger sees it: stop before any instruction, determine what
// that instruction will access, read and write registers and memory.

#ifndef ARMV6M_DEBUG_H
#define ARMV6M_DEBUG_H

#include <armv6m/armv6m.h>

// Calls hold before each instruction from the next run on; NULL ends that. Where it returns true
// the run ends with ARMV6M_HELD before that instruction. The cycle counter is another one at each
// instruction, so it tells them apart. It costs speed.
void armv6m_set_hold(struct armv6m *cpu,
                     bool (*hold)(void *ctx, const struct armv6m *cpu),
                     void *ctx);

// Has the processor just entered an exception: is PC at the first instruction of its handler, not
// yet executed?
bool armv6m_at_handler(const struct armv6m *cpu);

// Bytes of memory in a row.
struct armv6m_access {
    uint32_t address;
    uint32_t size; // 0: none
    bool is_write;
};

// What the instruction at PC loads or stores. Stacking by an exception is none of it.
struct armv6m_access armv6m_next_access(const struct armv6m *cpu);

// The exception frame that was written on the way to this handler; only where armv6m_at_handler().
struct armv6m_access armv6m_stacked_frame(const struct armv6m *cpu);

// An access of 1, 2 or 4 bytes to an aligned address, with the effects that one of the processor's
// has. False: it is refused.
bool armv6m_load(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t *ret_value);
bool armv6m_store(struct armv6m *cpu, uint32_t address, unsigned size, uint32_t value);

// Registers that are more than a word of r[]: PC without its lowest bit, where it goes on also from
// a sleep; SP without its lowest two, the flags and T of xPSR (its exception number stays).
void armv6m_set_pc(struct armv6m *cpu, uint32_t value);
void armv6m_set_msp(struct armv6m *cpu, uint32_t value);
void armv6m_set_psp(struct armv6m *cpu, uint32_t value);
void armv6m_set_xpsr(struct armv6m *cpu, uint32_t value);

#endif
