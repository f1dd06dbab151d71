// SPDX-License-Identifier: MIT
//
// armv6m_op.h - how the inner loop goes from one instruction to the next: threaded code.
//
// Each of the 65536 halfwords that an instruction can be has an entry in a table: the function that
// executes it, and its fields taken apart. A function ends by calling the next one's, which is a
// jump: no stack grows, and the processor of the host sees a jump of its own behind each operation.
// Memory is read anew for each instruction, so code may change at any time.
//
// What the functions share travels in registers of the host:
//
//   ip     in the code's bytes, behind the instruction
//   left   cycles from the instruction to cpu->last_start, the last at which one may begin
//   in     the entry
//
// r[15] and the cycle counter are behind meanwhile. An operation that shows outside the processor,
// or that is rare, goes through armv6m_slow(), which brings them up to date: everything that may
// fault, reach the bus, or change what the run loop looks at.

#ifndef ARMV6M_OP_H
#define ARMV6M_OP_H

#include "armv6m_private.h"

enum { SP = 13, LR = 14, PC = 15 };

struct armv6m_entry;

// Returns 0; only the tail calls at its end use that.
typedef int armv6m_operation(struct armv6m *cpu,
                             const uint8_t *ip,
                             int64_t left,
                             const struct armv6m_entry *in);

// The fields of an instruction: the registers that the manual calls Rd or Rt, Rn and Rm, wherever
// they are in it (ARM A6.7). imm is the immediate in units of 1, the distance from the address of
// the instruction + 4, or the list of registers.
struct armv6m_entry {
    armv6m_operation *operation;
    uint8_t rd;
    uint8_t rn;
    uint8_t rm;
    uint32_t imm;
};

enum { ARMV6M_ENTRIES = 0x10000 };

// Hidden, so that its address is known within the program, not looked up in it.
extern struct armv6m_entry armv6m_entries[ARMV6M_ENTRIES] __attribute__((visibility("hidden")));

// enum armv6m_op by the top 10 bits of an instruction.
extern uint8_t armv6m_ops[ARMV6M_ENTRIES / 64];

// Fills both tables, once in a process.
void armv6m_fill_entries(void);

// The operations of each file, by enum armv6m_op; NULL where another file has it.
extern armv6m_operation *const armv6m_data_operations[ARMV6M_OPS];
extern armv6m_operation *const armv6m_memory_operations[ARMV6M_OPS];
extern armv6m_operation *const armv6m_flow_operations[ARMV6M_OPS];

// What one form of an operation has to itself.
armv6m_operation armv6m_pop_pc;
armv6m_operation armv6m_branch_to_itself;
armv6m_operation armv6m_delay_loop;

armv6m_operation armv6m_slow;
armv6m_operation armv6m_leave;

// Of armv6m_slow(), an instruction of the system: returns the cycles beyond the first.
unsigned armv6m_system(struct armv6m *cpu, uint16_t i);

// Faults at the instruction that r[15] is behind, which takes no time beyond the exception's.
static inline unsigned armv6m_fault(struct armv6m *cpu)
{
    cpu->r[PC] -= 2;
    armv6m_hardfault(cpu);
    return 0;
}

// A call in the place of this function, as its last act. gcc makes a jump of every such call where
// it optimises, as it does here always.
#if defined(__clang__)
#define TAIL_CALL __attribute__((musttail)) return
#else
#define TAIL_CALL return
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

// The address of what ip points to.
static inline uint32_t armv6m_address(const struct armv6m *cpu, const uint8_t *ip)
{
    return (uint32_t)(uintptr_t)ip + cpu->to_address;
}

// Ends the run before the instruction at an address.
static ALWAYS_INLINE void armv6m_leave_at(struct armv6m *cpu, uint32_t address, int64_t left)
{
    cpu->r[PC] = address;
    cpu->cycles = cpu->last_start - (uint64_t)left;
}

// Executes the instruction at ip.
static ALWAYS_INLINE int
armv6m_dispatch(struct armv6m *cpu, const uint8_t *ip, int64_t left, const struct armv6m_entry *in)
{
    in = &armv6m_entries[get_half(ip)];
    TAIL_CALL in->operation(cpu, ip + 2, left, in);
}

// On to the instruction at ip, if there is time left. There is code then: an instruction takes a
// cycle or more, so what is left does not go beyond the end of the region if it did not where the
// run or the last jump began.
static ALWAYS_INLINE int
armv6m_next(struct armv6m *cpu, const uint8_t *ip, int64_t left, const struct armv6m_entry *in)
{
    if (left < 0)
        TAIL_CALL armv6m_leave(cpu, ip, left, NULL);
    TAIL_CALL armv6m_dispatch(cpu, ip, left, in);
}

// Jumps. False: the run ends there, as there is no time left, or the target is in another region or
// so near to the end of this one that armv6m_execute() has to say how far to go.
static ALWAYS_INLINE bool armv6m_jump(
    struct armv6m *cpu, uint32_t from, uint32_t target, int64_t left, const uint8_t **ret_ip)
{
    const uint32_t offset = target - cpu->code.base;
    armv6m_remember(cpu, from, target, 0, 1);
    if (left < 0 || offset + 2 * (uint64_t)left >= cpu->code.size) {
        armv6m_leave_at(cpu, target, left);
        return false;
    }
    *ret_ip = cpu->code.bytes + offset;
    return true;
}

// A branch to this address by BX or POP keeps the state: bit 0 is the state to execute in, and in
// Handler mode 0xFxxxxxxx is an exception return.
static inline bool armv6m_is_plain(const struct armv6m *cpu, uint32_t target)
{
    return (target & 1) && (!cpu->exception || target >> 28 != 0xF);
}

#endif
