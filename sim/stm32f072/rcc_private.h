// SPDX-License-Identifier: MIT
//
// rcc_private.h - what rcc.c and rcc_clocks.c share.

#ifndef F072_RCC_PRIVATE_H
#define F072_RCC_PRIVATE_H

#include <stm32f072/rcc.h>

enum { F072_CFGR3_USBSW = 1 << 7 };

// By CFGR.SW (RM0091 6.4.2).
extern const enum f072_oscillator f072_rcc_sources[4];

static inline bool
f072_rcc_ready(const struct f072_rcc *rcc, enum f072_oscillator oscillator, uint64_t now_ns)
{
    return rcc->ready_ns[oscillator] <= now_ns;
}

#endif
