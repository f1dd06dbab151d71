// SPDX-License-Identifier: MIT

#include "unique_id.h"

#include <stdint.h>

#include "regs/system.h"

void stm32_serial(char serial[STM32_SERIAL_SIZE])
{
    char *digit = serial;

    for (int word = 2; word >= 0; word--) {
        uint32_t bits = UNIQUE_ID[word];

        for (int i = 0; i < 8; i++, bits <<= 4)
            *digit++ = "0123456789ABCDEF"[bits >> 28];
    }
    *digit = '\0';
}
