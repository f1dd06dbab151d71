// SPDX-License-Identifier: MIT
//
// A cursor goes through the text. Each function takes one part of the grammar and moves the cursor
// behind it, or says what it expected there.

#include <usb/dfuse_layout.h>

#include <stdio.h>
#include <string.h>

enum { EXCERPT = 40 }; // bytes of the text in a problem

static const uint64_t address_space = UINT64_C(1) << 32;

struct cursor {
    struct dfuse_layout *layout;
    const char *at;
};

// The length of the text, or of its beginning, cut at a whole character of UTF-8.
static int shown_length(const char *text)
{
    int length = (int)strnlen(text, EXCERPT + 1);

    if (length > EXCERPT)
        for (length = EXCERPT; length > 0 && (text[length] & 0xC0) == 0x80;)
            length--;
    return length;
}

static bool expected(const struct cursor *cursor, const char *what)
{
    snprintf(cursor->layout->problem, sizeof cursor->layout->problem, "expected %s at '%.*s'", what,
             shown_length(cursor->at), cursor->at);
    return false;
}

static void skip_blanks(struct cursor *cursor)
{
    cursor->at += strspn(cursor->at, " \t");
}

static bool take_text(struct cursor *cursor, const char *text)
{
    size_t length = strlen(text);

    if (strncmp(cursor->at, text, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

// A number below 2^32.
static bool
take_number(struct cursor *cursor, unsigned base, const char *what, uint32_t *ret_number)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    uint64_t number = 0;

    skip_blanks(cursor);
    for (size_t count = 0;; count++) {
        const char *digit = *cursor->at ? strchr(digits, *cursor->at) : NULL;
        size_t value = digit ? (size_t)(digit - digits) : base;

        value -= value >= 16 ? 6 : 0; // 'A' is behind 'f'
        if (!digit || value >= base) {
            *ret_number = (uint32_t)number;
            return count > 0 || expected(cursor, what);
        }
        number = number * base + value;
        if (number >= address_space)
            return expected(cursor, "a number of at most 32 bits");
        cursor->at++;
    }
}

static uint32_t take_unit(struct cursor *cursor)
{
    if (take_text(cursor, "K"))
        return 1 << 10;
    if (take_text(cursor, "M"))
        return 1 << 20;
    if (!take_text(cursor, "B"))
        take_text(cursor, " ");
    return 1;
}

// What follows a type: the next list, the next group, or the end, blanks before it.
static bool ends_sectors(const char *text)
{
    return *text == ',' || *text == '/' || text[strspn(text, " \t")] == '\0';
}

static bool take_sectors(struct cursor *cursor, uint64_t *address)
{
    struct dfuse_layout *layout = cursor->layout;
    uint32_t sectors, size;
    uint64_t sector_size;
    char type;

    if (!take_number(cursor, 10, "a number of sectors", &sectors))
        return false;
    if (!take_text(cursor, "*"))
        return expected(cursor, "'*'");
    if (!take_number(cursor, 10, "the size of a sector", &size))
        return false;
    sector_size = (uint64_t)size * take_unit(cursor);
    type = *cursor->at;
    if (type < 'a' || type > 'g' || !ends_sectors(cursor->at + 1))
        return expected(cursor, "a unit (K, M, B or none) and a type from a to g");
    if (sectors == 0 || sector_size == 0)
        return expected(cursor, "sectors that are not empty before the type");
    if (sector_size >= address_space || sectors * sector_size > address_space - *address)
        return expected(cursor, "sectors that end below 4 GB before the type");
    if (layout->count == DFUSE_MAX_REGIONS)
        return expected(cursor, "no more than 64 regions");
    cursor->at++;
    layout->regions[layout->count++] = (struct dfuse_region){
        .address = (uint32_t)*address,
        .sectors = sectors,
        .sector_size = (uint32_t)sector_size,
        .access = (unsigned)(type - 'a' + 1),
    };
    *address += sectors * sector_size;
    return true;
}

static bool take_group(struct cursor *cursor)
{
    uint32_t number;
    uint64_t address;

    if (!take_text(cursor, "/0x"))
        return expected(cursor, "'/0x' and an address");
    if (!take_number(cursor, 16, "an address in hexadecimal", &number))
        return false;
    if (!take_text(cursor, "/"))
        return expected(cursor, "'/' behind the address");
    address = number;
    do {
        if (!take_sectors(cursor, &address))
            return false;
    } while (take_text(cursor, ","));
    return true;
}

static bool take_name(struct cursor *cursor)
{
    size_t length;

    if (!take_text(cursor, "@"))
        return expected(cursor, "'@' and a name");
    length = strcspn(cursor->at, "/");
    if (length == 0)
        return expected(cursor, "a name");
    cursor->at += length;
    return true;
}

bool dfuse_layout_parse(struct dfuse_layout *ret_layout, const char *text)
{
    struct cursor cursor = {ret_layout, text};

    *ret_layout = (struct dfuse_layout){.count = 0};
    if (take_name(&cursor))
        while (take_group(&cursor) && *cursor.at == '/')
            ;
    return ret_layout->count > 0;
}

const struct dfuse_region *dfuse_layout_find(const struct dfuse_layout *layout, uint32_t address)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct dfuse_region *region = &layout->regions[i];

        if (address >= region->address &&
            address - region->address < (uint64_t)region->sectors * region->sector_size)
            return region;
    }
    return NULL;
}
