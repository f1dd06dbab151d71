// SPDX-License-Identifier: MIT
//
// text.h - string descriptors as text (USB 2.0 9.6.7): UTF-16LE behind a header of two bytes.
//
// The bytes come from a device that may be wrong or hostile. bLength is ignored: the received bytes
// are the string.

#ifndef USB_TEXT_H
#define USB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The received string descriptor as UTF-8, cut at a whole character to fit size (1 or more). What a
// line of text cannot hold becomes '?': control characters, half of a surrogate pair, the odd byte
// of half a unit. Fewer than two bytes are an empty text. Returns the length of the text.
size_t usb_text(char *text, size_t size, const uint8_t *descriptor, size_t length);

// What keeps the received string descriptor from being text in UTF-16LE: half a unit, a NUL, half
// of a surrogate pair. One phrase, or NULL.
const char *usb_text_problem(const uint8_t *descriptor, size_t length);

// Has text, in UTF-8, a control character of ASCII? A line that quotes it would not be one line.
bool usb_text_has_control(const char *text);

#endif
