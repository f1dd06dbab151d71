// SPDX-License-Identifier: MIT
//
// Around the README's C: a configuration descriptor.

#include <tusb.h>

enum { ITF_NUM_CDC, ITF_NUM_CDC_DATA, ITF_NUM_DFU, ITF_NUM_TOTAL };

// README 1
extern const uint8_t configuration[];
const uint8_t configuration[] = {
    // README 2
};
_Static_assert(sizeof configuration == DFURT_DESCRIPTORS_SIZE, "the size that the README says");
