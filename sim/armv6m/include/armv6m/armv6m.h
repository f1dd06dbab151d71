// SPDX-License-Identifier: MIT
//
// armv6m.h - an ARMv6-M processor (Arm Cortex-M0) that runs real firmware images.
//
// The whole architecture: every instruction, exceptions with their priorities, the NVIC with 32
// lines and 2 priority bits, SysTick and the system control block. It contains nothing of a chip:
// the board maps memory and serves all other accesses through a bus. Sections cited as "ARM" are
// those of the ARMv6-M Architecture Reference Manual, DDI 0419; "TRM" is the Cortex-M0 Technical
// Reference Manual, DDI 0432.
//
// Time is counted in processor cycles, 64 bits, from armv6m_init() on. It always advances; a reset
// does not change it. A sleeping processor passes its time without executing anything.
//
//     struct armv6m cpu;
//     armv6m_init(&cpu, &(struct armv6m_bus){.read = read, .write = write, .ctx = board});
//     armv6m_map(&cpu, 0, &(struct armv6m_region){0x20000000, sram, 0x4000, .writable = true});
//     armv6m_map(&cpu, 1, &(struct armv6m_region){0x08000000, flash, 0x20000});
//     armv6m_map(&cpu, 2, &(struct armv6m_region){0x00000000, flash, 0x20000});
//     armv6m_reset(&cpu);
//     for (;;) {
//         enum armv6m_stop why = armv6m_run(&cpu, cycles_to_the_next_event(board));
//         ...
//     }
//
// What the manual calls UNPREDICTABLE in the encoding of an instruction is undefined here: it
// faults, so that the mistake is seen.

#ifndef ARMV6M_H
#define ARMV6M_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    ARMV6M_REGIONS = 8, // direct memory regions
    ARMV6M_IRQS = 32,   // external interrupt lines
    ARMV6M_EXCEPTIONS = 16 + ARMV6M_IRQS,
    ARMV6M_BRANCHES = 16, // branches remembered for reports
};

// Exception numbers (ARM B1.5.2). External interrupt n is ARMV6M_IRQ0 + n.
enum armv6m_exception {
    ARMV6M_RESET_VECTOR = 1,
    ARMV6M_NMI = 2,
    ARMV6M_HARDFAULT = 3,
    ARMV6M_SVCALL = 11,
    ARMV6M_PENDSV = 14,
    ARMV6M_SYSTICK = 15,
    ARMV6M_IRQ0 = 16,
};

// Why armv6m_run() came back.
enum armv6m_stop {
    ARMV6M_BUDGET,  // the cycles are used up, the processor is executing
    ARMV6M_ASLEEP,  // the cycles are used up, the processor sleeps in WFI, WFE or sleep-on-exit
    ARMV6M_DEEP,    // it sleeps, and SCR.SLEEPDEEP says how: no cycles are used up any more
    ARMV6M_LOCKUP,  // a fault where none can be taken: only a reset (or an NMI) helps
    ARMV6M_BKPT,    // PC is at a BKPT; run on and it is the HardFault of a chip without debugger
    ARMV6M_RESET,   // AIRCR.SYSRESETREQ was written: reset the chip and call armv6m_reset()
    ARMV6M_FOREIGN, // PC is in a foreign region
    ARMV6M_STOPPED, // armv6m_stop_run() was called
    ARMV6M_HELD,    // a debugger stops it before the instruction at PC (armv6m_debug.h)
};

// Memory that the processor reaches without the bus. Writes to a region that is not writable go to
// the bus. The owner may change the bytes at any time, code included.
struct armv6m_region {
    uint32_t base; // multiple of 4
    uint8_t *bytes;
    uint32_t size; // in bytes, multiple of 4; 0: unused
    bool writable;
    bool foreign; // data can be read, but a jump here stops the run with ARMV6M_FOREIGN
};

// Everything else: peripherals. size is 1, 2 or 4 and address is a multiple of it. A function that
// returns false reports a bus fault. Both may read the cycle counter, which then stands at the
// first cycle of the accessing instruction, and call armv6m_map(), armv6m_set_irq(),
// armv6m_set_nmi() and armv6m_stop_run().
struct armv6m_bus {
    bool (*read)(void *ctx, uint32_t address, unsigned size, uint32_t *ret_value);
    bool (*write)(void *ctx, uint32_t address, unsigned size, uint32_t value);
    void *ctx;
    uint32_t systick_calib; // what SYST_CALIB reads as
};

// A jump of any kind. exception is 0 for a branch, else the exception that was entered; then from
// is the first instruction that was not executed (or that faulted).
struct armv6m_branch {
    uint32_t from;
    uint32_t to;
    uint32_t count; // how many times in a row
    uint32_t exception;
};

// The watch for loops that only wait (armv6m_spin.c).
enum { ARMV6M_SPIN_WORDS = 32 };
struct armv6m_spin {
    bool watching;
    bool asked_bus; // the last instruction has read from the bus,
    bool steady;    // and what it read stays
    bool repeats;   // the watch began because jumps repeat
    uint64_t next_look;
    struct armv6m_pause {
        uint64_t until;
        uint32_t length; // of the next one
    } after_repeating, after_any;
    uint64_t since; // the cycle at which the turn began, and what was then:
    struct armv6m_spin_state {
        uint32_t r[16];
        uint32_t xpsr;
        uint32_t banked_sp;
        uint32_t control;
        uint32_t enabled; // interrupts
    } state;
    uint64_t active;
    uint64_t pending;
    unsigned instructions; // of the watch
    unsigned last_branch;  // before the last of them
    unsigned jumps;        // in this turn, the same in a row counted as one
    uint32_t jump_count;   // of the last jump when the turn began
    unsigned visits;       // of where the turn began
    unsigned visits_to_begin;
    unsigned word_count; // of words written in this turn
    struct {
        uint32_t address;
        uint32_t value; // when the turn began
    } words[ARMV6M_SPIN_WORDS];
};

// The processor, in the caller's memory. Registers may be read and set between runs; the rest
// belongs to armv6m*.c.
struct armv6m {
    uint32_t r[16];  // r[13] is the current stack pointer, r[15] the next instruction to execute
    uint64_t cycles; // since armv6m_init()

    // The flags, as they come out of the host's arithmetic.
    uint64_t nz; // N is set when a bit above 30 is, Z when the lower 32 bits are zero
    uint8_t c;
    uint8_t v;

    struct armv6m_region code; // the one that holds PC; size 0: not known
    uint32_t to_address;       // its base less the address of its bytes in the host
    struct armv6m_region regions[ARMV6M_REGIONS];
    uint32_t last_mapped; // no region goes beyond this address

    uint64_t attention;  // the inner loop runs until this cycle
    uint64_t last_start; // no instruction of it begins after this one

    bool thumb; // EPSR.T; without it the next instruction faults
    bool primask;
    bool spsel;         // CONTROL.SPSEL
    uint32_t banked_sp; // the stack pointer that is not in r[13]
    uint8_t exception;  // IPSR; 0 in Thread mode

    // Exceptions: one bit for each number.
    uint64_t pending;
    uint64_t active;
    uint64_t enabled;
    uint32_t lines;                     // level of the external interrupts
    int8_t priority[ARMV6M_EXCEPTIONS]; // -2..3, lower is more urgent (ARM B1.5.4)
    int8_t current_priority;            // ARM B1.5.4 ExecutionPriority(), 4 when nothing is active

    bool event; // the event register of WFE and SEV
    enum { ARMV6M_AWAKE, ARMV6M_WFI, ARMV6M_WFE, ARMV6M_ON_EXIT } sleep;
    uint64_t thread_left; // when Thread mode was left after an instruction or a sleep: the cycle
    uint64_t taken;       // when the last exception was taken
    bool locked_up;
    uint32_t fault_pc;  // where the last HardFault was taken
    uint32_t unaligned; // the address of the access that it refused to make there; 0: another cause
    bool unaligned_write;   // and its direction
    uint32_t lockup_pc;     // what could not be executed when it locked up
    uint32_t reported_bkpt; // its address + 1; 0: none
    bool halted;            // the run ends, because of:
    enum armv6m_stop why;
    uint32_t scr;

    struct {
        bool enable;
        bool tickint;
        bool core_clock; // CLKSOURCE; else the external clock, core / 8
        bool countflag;
        uint32_t reload;
        uint32_t value; // at the cycle below
        uint64_t since;
    } systick;

    struct armv6m_bus bus;

    void (*trace)(void *ctx, const struct armv6m *cpu);
    void *trace_ctx;
    bool (*hold)(void *ctx, const struct armv6m *cpu);
    void *hold_ctx;

    struct armv6m_branch branches[ARMV6M_BRANCHES]; // ring
    unsigned last_branch;

    struct armv6m_spin spin;
};

// Prepares the processor, with nothing mapped. The bus is copied.
void armv6m_init(struct armv6m *cpu, const struct armv6m_bus *bus);

// Puts a region into a slot (0..ARMV6M_REGIONS-1), or with region NULL empties it. Regions must not
// overlap; the first slots are found fastest.
void armv6m_map(struct armv6m *cpu, unsigned slot, const struct armv6m_region *region);

// Reset (ARM B1.5.5): MSP and PC come from the vector table as mapped at address 0. The interrupt
// lines and the cycle counter stay as they are.
void armv6m_reset(struct armv6m *cpu);

// Runs until `cycles` more cycles are used up (the last instruction may go beyond) or something
// stops it. Time slept counts: a processor that sleeps to the end takes no host time for it.
enum armv6m_stop armv6m_run(struct armv6m *cpu, uint64_t cycles);

// Ends the current run after this instruction. For the bus functions.
void armv6m_stop_run(struct armv6m *cpu);

// What is being read now has no effect, and stays as it is to the end of the current run if the
// processor writes nothing: a loop that polls it may be skipped. For the bus's read function.
void armv6m_stays(struct armv6m *cpu);

// Cycles from now until the next SysTick exception; UINT64_MAX when there will be none. A processor
// that sleeps sleeps at least so long unless an interrupt wakes it.
uint64_t armv6m_systick_cycles(const struct armv6m *cpu);

// The level of an interrupt line, 0..31.
void armv6m_set_irq(struct armv6m *cpu, unsigned line, bool level);

// An event for WFE, as SEV makes one (ARM B1.5, Wait For Event).
void armv6m_set_event(struct armv6m *cpu);

// Does nothing keep it asleep any more? The next run begins with waking up.
bool armv6m_would_wake(const struct armv6m *cpu);

// Pends the non-maskable interrupt.
void armv6m_set_nmi(struct armv6m *cpu);

// Special registers, whatever the current mode.
uint32_t armv6m_xpsr(const struct armv6m *cpu);
uint32_t armv6m_msp(const struct armv6m *cpu);
uint32_t armv6m_psp(const struct armv6m *cpu);

// Reads two bytes of mapped memory without side effects; false where nothing is mapped.
bool armv6m_peek16(const struct armv6m *cpu, uint32_t address, uint16_t *ret_value);

// Calls trace before each instruction from the next run on; NULL ends that. It costs speed.
void armv6m_set_trace(struct armv6m *cpu,
                      void (*trace)(void *ctx, const struct armv6m *cpu),
                      void *ctx);

// Writes the registers, the last instructions before this point and where they came from, for a
// person. Costs the run nothing: it is made of the last branches and the code between them.
void armv6m_report(const struct armv6m *cpu, FILE *out);

// One instruction as text, in UAL syntax ("ldr r0, [pc, #16] ; 0x08000124"). second is only looked
// at when first begins a 32-bit instruction. Returns its length in bytes, 2 or 4.
enum { ARMV6M_DISASM_SIZE = 64 };
unsigned
armv6m_disasm(uint32_t address, uint16_t first, uint16_t second, char text[ARMV6M_DISASM_SIZE]);

#endif
