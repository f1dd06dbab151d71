// SPDX-License-Identifier: MIT
//
// board.h - the LED and the user button of two boards at once. Each board leaves the other's pins
// unconnected, so one image serves both:
//
//                       LED                       button
//   NUCLEO-F072RB       LD2, PA5, high is on      B1, PC13, low is pressed
//   32F072BDISCOVERY    LD5 (green), PC9          B1, PA0, high is pressed

#ifndef STM32_BOARD_H
#define STM32_BOARD_H

#include <stdbool.h>

void board_init(void);
void board_led(bool on);
bool board_button(void); // pressed?

#endif
