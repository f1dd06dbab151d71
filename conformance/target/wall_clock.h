// SPDX-License-Identifier: MIT
//
// wall_clock.h - the time of targets that are not simulated in this process: this host's monotonic
// clock, CLOCK_MONOTONIC.

#ifndef CONFORMANCE_WALL_CLOCK_H
#define CONFORMANCE_WALL_CLOCK_H

#include <stdint.h>

struct target;

uint64_t wall_clock_us(void);

// The target_ops functions now_us and sleep_ms. A signal does not shorten the sleep.
uint64_t wall_clock_now_us(struct target *target);
void wall_clock_sleep_ms(struct target *target, unsigned ms);

#endif
