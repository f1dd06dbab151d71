// SPDX-License-Identifier: MIT

#ifndef F072_REGISTER_NAMES_H
#define F072_REGISTER_NAMES_H

#include <stdint.h>

// The name of the register at this offset of a peripheral ("GPIOA", "USB"), as RM0091 spells it
// without the peripheral's; NULL where it has none here.
const char *f072_register_name(const char *peripheral, uint32_t offset);

#endif
