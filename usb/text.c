// SPDX-License-Identifier: MIT
//
// next_character() decodes one UTF-16 unit or a surrogate pair; half a pair and half a unit are
// HALF, which no character is. usb_text() writes '?' for it and for control characters;
// usb_text_problem() reports it.

#include <usb/text.h>

#include <stdbool.h>
#include <string.h>

#include <dfurt/usb_spec.h>

enum { HEADER_SIZE = 2, UTF8_MAX = 4, HALF = 0x110000 }; // HALF: of a pair, or of a unit

static bool is_high(uint32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

// The character at *at, which moves behind it; HALF where there is none.
static uint32_t next_character(const uint8_t *bytes, size_t length, size_t *at)
{
    uint32_t unit, low;

    if (length - *at < 2) {
        *at = length;
        return HALF;
    }
    unit = usbdev_load_le16(bytes + *at);
    *at += 2;
    if (!is_high(unit))
        return is_low(unit) ? HALF : unit;
    low = length - *at >= 2 ? usbdev_load_le16(bytes + *at) : 0;
    if (!is_low(low))
        return HALF;
    *at += 2;
    return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

static bool is_printable(uint32_t character)
{
    return character >= 0x20 && !(character >= 0x7F && character < 0xA0) && character != HALF;
}

static size_t encode(char bytes[UTF8_MAX], uint32_t character)
{
    if (character < 0x80) {
        bytes[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        bytes[0] = (char)(0xC0 | character >> 6);
        bytes[1] = (char)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character < 0x10000) {
        bytes[0] = (char)(0xE0 | character >> 12);
        bytes[1] = (char)(0x80 | (character >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (character & 0x3F));
        return 3;
    }
    bytes[0] = (char)(0xF0 | character >> 18);
    bytes[1] = (char)(0x80 | (character >> 12 & 0x3F));
    bytes[2] = (char)(0x80 | (character >> 6 & 0x3F));
    bytes[3] = (char)(0x80 | (character & 0x3F));
    return 4;
}

size_t usb_text(char *text, size_t size, const uint8_t *descriptor, size_t length)
{
    size_t used = 0;

    for (size_t at = HEADER_SIZE; at < length;) {
        uint32_t character = next_character(descriptor, length, &at);
        char bytes[UTF8_MAX];
        size_t count = encode(bytes, is_printable(character) ? character : '?');

        if (count >= size - used)
            break;
        memcpy(text + used, bytes, count);
        used += count;
    }
    text[used] = '\0';
    return used;
}

bool usb_text_has_control(const char *text)
{
    while ((unsigned char)*text >= 0x20 && *text != 0x7F)
        text++;
    return *text != '\0';
}

const char *usb_text_problem(const uint8_t *descriptor, size_t length)
{
    if (length % 2)
        return "half a UTF-16 unit";
    for (size_t at = HEADER_SIZE; at < length;) {
        uint32_t character = next_character(descriptor, length, &at);

        if (character == 0)
            return "a NUL in the string";
        if (character == HALF)
            return "half a surrogate pair";
    }
    return NULL;
}
