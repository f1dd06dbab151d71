// SPDX-License-Identifier: MIT
//
// work.h - erasing and programming, which take time.
//
// A boot loader starts work and advances it by the millisecond; a power cut leaves it done up to
// there.

#ifndef SIM_WORK_H
#define SIM_WORK_H

#include <sim/memory.h>

struct work {
    const struct memory *memory;
    uint32_t erase_from; // pages from here
    uint32_t erase_to;   // up to and without here
    bool mass_erase;     // takes as long as one page
    uint32_t address;    // then program from here
    const uint8_t *data; // stays valid until the work is done; an odd last byte is paired with FFh
    size_t length;

    uint32_t credit_us; // time that has passed and is not used up
    uint8_t bStatus;    // enum dfurt_status: what went wrong, if anything
};

// Milliseconds that all of it takes, rounded up; at least 1.
uint32_t work_ms(const struct work *work);

// elapsed_ms milliseconds more. What they pay for is done, page by page and half-word by half-word.
void work_run(struct work *work, uint32_t elapsed_ms);

#endif
