// SPDX-License-Identifier: MIT
//
// timer.h - a timer as an up-counter (RM0091 chapters 17 to 21): prescaler, auto-reload, update and
// compare events with their flags and interrupts, one-pulse mode. Outputs, capture and the other
// counting modes are not modelled; their registers keep what is written to them.

#ifndef F072_TIMER_H
#define F072_TIMER_H

#include <stdbool.h>
#include <stdint.h>

enum { F072_TIMER_REGISTERS = 20 };

// Flags of SR, which are also the enable bits of DIER.
enum {
    F072_TIMER_UPDATE = 1 << 0,
    F072_TIMER_COMPARE = 0xF << 1, // of channels 1 to 4
};

struct f072_timer {
    uint32_t reg[F072_TIMER_REGISTERS]; // by offset / 4; CNT is right only at since_ns
    uint32_t prescaler;                 // the one in use; PSC is loaded by an update
    uint32_t width_mask;                // FFFFh, or all ones for TIM2
    unsigned channels;                  // that can compare
    uint32_t clock_hz;
    uint64_t since_ns;
    uint64_t compared; // counts since then that have been compared with the channels
};

void f072_timer_reset(struct f072_timer *timer, uint32_t width_mask, unsigned channels);

// The clock tree changed: count what has passed with the old clock, go on with the new one.
void f072_timer_set_clock(struct f072_timer *timer, uint32_t clock_hz, uint64_t now_ns);

uint32_t f072_timer_read(struct f072_timer *timer, uint32_t offset, uint64_t now_ns);
void f072_timer_write(struct f072_timer *timer, uint32_t offset, uint32_t value, uint64_t now_ns);

// What it is set to do and does not, for a person: "count down ...: not modelled, it counts up".
// NULL: nothing.
const char *f072_timer_unmodelled(const struct f072_timer *timer);

// When it will next interrupt, UINT64_MAX when it will not.
uint64_t f072_timer_next_event(const struct f072_timer *timer);
void f072_timer_advance(struct f072_timer *timer, uint64_t now_ns);

// Is one of these flags set and enabled?
bool f072_timer_interrupt(const struct f072_timer *timer, uint32_t flags);

#endif
