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

void tud_disconnect(void);
void tusb_time_delay_ms_api(uint32_t ms);

// README 3
// README 4
_Static_assert(sizeof configuration == DFURT_DESCRIPTORS_SIZE, "the size that the README says");
