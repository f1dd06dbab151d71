// SPDX-License-Identifier: MIT
//
// Where a binary without addresses was linked for. Its words that are addresses of Thumb code say
// so: of most functions the halfword in front is the end of another one. For a place that is tried,
// the words whose address would be behind such a halfword are counted. The place that the image was
// linked for has most of them by far, as the others only meet one by chance.

#include "image_private.h"

enum {
    PAGE = 1024,       // boot loaders take whole pages
    ENOUGH = 8,        // functions, so that chance is out of the question
    TIMES_AS_MANY = 2, // as at the start of flash
};

// What a function, or the data behind it, can end with.
static bool can_be_an_end(unsigned half_word)
{
    unsigned high = half_word >> 8;

    return half_word == 0x0000 ||                        // padding
           half_word == 0xBF00 ||                        // nop
           half_word == 0x46C0 ||                        // mov r8, r8
           high == 0xBD ||                               // pop {..., pc}
           high == 0xDE ||                               // udf
           half_word >> 11 == 0x1C ||                    // b
           (half_word & 0xFF87) == 0x4700 ||             // bx
           high == 0x08 || high == 0x20 || high == 0x40; // an address in flash, SRAM, peripherals
}

static unsigned count_functions(const struct image_file *file, uint32_t place)
{
    unsigned count = 0;
    uint32_t before = 0;

    for (size_t at = 0; at + 4 <= file->size; at += 4) {
        uint32_t word = image_load_le32(file->bytes + at);
        uint32_t offset = word - 1 - place;
        bool again = word == before; // unused vectors are all the same

        before = word;
        if (word % 2 == 0 || again || offset < 2 || offset >= file->size)
            continue;
        count += can_be_an_end(file->bytes[offset - 2] | (unsigned)file->bytes[offset - 1] << 8);
    }
    return count;
}

uint32_t image_linked_for(const struct image_file *file)
{
    const struct image *image = file->image;
    uint32_t best = image->flash_base;
    unsigned at_start = count_functions(file, image->flash_base);
    unsigned most = TIMES_AS_MANY * at_start > ENOUGH ? TIMES_AS_MANY * at_start : ENOUGH;

    for (uint32_t offset = PAGE; offset < image->flash_size; offset += PAGE) {
        unsigned count = count_functions(file, image->flash_base + offset);

        if (count > most) {
            most = count;
            best = image->flash_base + offset;
        }
    }
    return best;
}
