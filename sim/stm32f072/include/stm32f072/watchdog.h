// SPDX-License-Identifier: MIT
//
// watchdog.h - the independent watchdog (RM0091 chapter 23), which runs on the 40 kHz LSI and which
// nothing but a reset stops, and the window watchdog (chapter 24), which runs on the bus clock.

#ifndef F072_WATCHDOG_H
#define F072_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct f072_iwdg {
    uint32_t prescaler;
    uint32_t reload;
    uint32_t window;
    bool unlocked;
    bool running;
    bool expired; // refreshed outside of the window
    uint64_t since_ns;
};

void f072_iwdg_reset(struct f072_iwdg *iwdg);
uint32_t f072_iwdg_read(const struct f072_iwdg *iwdg, uint32_t offset);
void f072_iwdg_write(struct f072_iwdg *iwdg, uint32_t offset, uint32_t value, uint64_t now_ns);

// When it resets the chip, UINT64_MAX when it is not running.
uint64_t f072_iwdg_expiry(const struct f072_iwdg *iwdg);

struct f072_wwdg {
    uint32_t cr;
    uint32_t cfr;
    bool early; // SR.EWIF
    bool early_done;
    bool expired;
    uint32_t clock_hz;
    uint64_t since_ns;
};

void f072_wwdg_reset(struct f072_wwdg *wwdg);
void f072_wwdg_set_clock(struct f072_wwdg *wwdg, uint32_t clock_hz, uint64_t now_ns);
uint32_t f072_wwdg_read(const struct f072_wwdg *wwdg, uint32_t offset, uint64_t now_ns);
void f072_wwdg_write(struct f072_wwdg *wwdg, uint32_t offset, uint32_t value, uint64_t now_ns);

// When it resets the chip, UINT64_MAX when it is not running.
uint64_t f072_wwdg_expiry(const struct f072_wwdg *wwdg);

// The same or, before that, when it interrupts.
uint64_t f072_wwdg_next_event(const struct f072_wwdg *wwdg);
void f072_wwdg_advance(struct f072_wwdg *wwdg, uint64_t now_ns);
bool f072_wwdg_interrupt(const struct f072_wwdg *wwdg);

#endif
