// SPDX-License-Identifier: MIT
//
// Around the README's C: a configuration descriptor.

#include <stdint.h>

// README 1
extern const uint8_t configuration[];
const uint8_t configuration[] = {
    // README 2
};

// README 3
_Static_assert(sizeof configuration == DFURT_DESCRIPTORS_SIZE, "the size that the README says");
