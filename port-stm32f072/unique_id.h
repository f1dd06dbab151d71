// SPDX-License-Identifier: MIT
//
// unique_id.h - the chip's 96-bit id as a USB serial number.

#ifndef STM32_UNIQUE_ID_H
#define STM32_UNIQUE_ID_H

enum { STM32_SERIAL_SIZE = 24 + 1 };

// 24 hexadecimal digits, most significant word first, and a NUL.
void stm32_serial(char serial[STM32_SERIAL_SIZE]);

#endif
