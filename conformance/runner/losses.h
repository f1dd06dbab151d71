// SPDX-License-Identifier: MIT
//
// losses.h - a watch, for the files that it is made of: watch.c passes calls on within the
// limits, losses.c records what was answered and describes a loss.

#ifndef CONFORMANCE_LOSSES_H
#define CONFORMANCE_LOSSES_H

#include "watch.h"

// ---- losses.c ----

// The target's time.
uint64_t watch_device_us(const struct watch *watch);

// A control transfer ended with this result, an enum usb_result, after ms of this machine's clock.
void watch_note_control(struct watch *watch,
                        const struct usbdev_setup_packet *setup,
                        int result,
                        uint64_t ms);

// The device was seen to leave the bus, or was found on it.
void watch_note_leaving(struct watch *watch);
void watch_note_found(struct watch *watch);

// A bit for GETSTATUS or GETSTATE, which the suite sends between two checks; else 0.
unsigned watch_question_of(const uint8_t setup[USBDEV_SETUP_SIZE]);

#endif
