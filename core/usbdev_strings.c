// SPDX-License-Identifier: MIT
//
// String descriptors. They are made UTF-16 packet by packet, so the scratch buffer need hold only
// one packet.

#include "usbdev_private.h"

enum { MAX_STRING_SIZE = 2 + 2 * 126 };

// The next character; what is not UTF-8 gives a wrong one, but never reads beyond the NUL.
static uint32_t next_character(const char **text)
{
    uint32_t character = (uint8_t)(*text)[0];
    ++*text;
    if (character < 0x80)
        return character;

    int more = character >= 0xF0 ? 3 : character >= 0xE0 ? 2 : 1;
    character &= 0x3Fu >> more;
    for (; more > 0 && ((*text)[0] & 0xC0) == 0x80; more--, ++*text)
        character = character << 6 | ((uint8_t)(*text)[0] & 0x3F);
    return character;
}

// Of the string descriptor, scratch holds the packet that is next: what begins at dev->done.
static void put_unit(struct usbdev *dev, unsigned offset, uint32_t unit)
{
    unsigned at = offset - dev->done;

    if (at < USBDEV_SCRATCH_SIZE)
        usbdev_store_le16(dev->scratch + at, (uint16_t)unit);
}

// Make that packet of dev->text (USB 2.0 9.6.7). Returns bLength.
static uint16_t make_packet(struct usbdev *dev)
{
    const char *text = dev->text;
    unsigned length = 2;

    while (*text && length < MAX_STRING_SIZE) {
        uint32_t character = next_character(&text);
        if (character >= 0x10000) { // a surrogate pair, never cut in half
            if (length + 4 > MAX_STRING_SIZE)
                break;
            put_unit(dev, length, 0xD7C0 + (character >> 10));
            length += 2;
            character = 0xDC00 | (character & 0x3FF);
        }
        put_unit(dev, length, character);
        length += 2;
    }
    put_unit(dev, 0, length | USBDEV_DT_STRING << 8);
    return (uint16_t)length;
}

static int get(struct usbdev *dev, uint8_t index, uint16_t langid)
{
    const struct usbdev_config *config = dev->config;

    if (index == 0)
        return usbdev_reply(dev, config->langids, config->langids[0]);
    dev->text = config->string(config->context, index, langid);
    if (!dev->text)
        return USBDEV_STALL;
    dev->request.length = make_packet(dev);
    return 0;
}

const struct usbdev_strings usbdev_strings = {
    .get = get,
    .make_packet = make_packet,
};
