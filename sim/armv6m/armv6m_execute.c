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
        cpu->code_end = region->bytes + region->size;
    }
    return cpu->code.bytes + (address - cpu->code.base);
}

int armv6m_leave(struct armv6m *cpu, const uint8_t *ip, int64_t left, const struct armv6m_entry *in)
{
    (void)in;
    cpu->r[PC] = armv6m_address(cpu, ip);
    cpu->cycles = cpu->limit - (uint64_t)left;
    return 0;
}

// `left` has a sign.
static void limit_run(struct armv6m *cpu)
{
    if (cpu->attention - cpu->cycles > INT64_MAX)
        cpu->attention = cpu->cycles + INT64_MAX;
    cpu->limit = cpu->attention;
}

void armv6m_execute(struct armv6m *cpu)
{
    while (cpu->cycles < cpu->attention) {
        limit_run(cpu);
        const uint8_t *ip = armv6m_find_code(cpu, cpu->r[PC]);
        if (!ip)
            break;
        armv6m_next(cpu, ip, (int64_t)(cpu->limit - cpu->cycles), NULL);
    }
}
