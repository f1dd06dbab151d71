// SPDX-License-Identifier: MIT
//
// The inner loop of the processor from outside: it finds the code at PC, and lets the operations
// run (armv6m_op.h) until the cycle `attention` or until one of them has to be looked after.

#include "armv6m_op.h"

const uint8_t *armv6m_find_code(struct armv6m *cpu, uint32_t address)
{
    if (address - cpu->code.base >= cpu->code.size) {
        const struct armv6m_region *region = armv6m_find(cpu, address);
        if (!cpu->thumb || !region) {
            armv6m_hardfault(cpu);
            return NULL;
        }
        if (region->foreign) {
            armv6m_halt(cpu, ARMV6M_FOREIGN);
            return NULL;
        }
        cpu->code = *region;
        cpu->to_address = region->base - (uint32_t)(uintptr_t)region->bytes;
    }
    return cpu->code.bytes + (address - cpu->code.base);
}

int armv6m_leave(struct armv6m *cpu, const uint8_t *ip, int64_t left, const struct armv6m_entry *in)
{
    (void)in;
    armv6m_leave_at(cpu, armv6m_address(cpu, ip), left);
    return 0;
}

// An instruction takes a cycle at least, and the code may end before the time.
static int64_t limit_run(struct armv6m *cpu)
{
    const uint32_t offset = cpu->r[PC] - cpu->code.base;
    const uint64_t in_code = (cpu->code.size - offset) / 2;
    const uint64_t cycles = cpu->attention - cpu->cycles;
    const int64_t left = (int64_t)(cycles < in_code ? cycles : in_code) - 1;
    cpu->last_start = cpu->cycles + (uint64_t)left;
    return left;
}

void armv6m_execute(struct armv6m *cpu)
{
    while (cpu->cycles < cpu->attention) {
        const uint8_t *ip = armv6m_find_code(cpu, cpu->r[PC]);
        if (!ip)
            break;
        armv6m_dispatch(cpu, ip, limit_run(cpu), NULL);
    }
}
