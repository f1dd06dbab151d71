// SPDX-License-Identifier: MIT
//
// Around the README's C: a configuration descriptor, a serial class, the start-up code.

#include <hal.h>

#include "boot_request.h"

// README 1
extern const uint8_t configuration[];
const uint8_t configuration[] = {
    // README 2
};
_Static_assert(sizeof configuration == DFURT_DESCRIPTORS_SIZE, "the size that the README says");

bool sduRequestsHook(USBDriver *usbp);

// README 3

// README 4
