// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <string.h>

#include <conformance/dfuse_layout.h>

static uint32_t unit_of(char unit)
{
    switch (unit) {
    case 'K':
        return 1024;
    case 'M':
        return 1024 * 1024;
    case 'B':
    case ' ':
        return 1;
    default:
        return 0;
    }
}

bool dfuse_layout_first(const char *text, struct dfuse_region *ret_region)
{
    unsigned address, sectors, size;
    char unit, type;
    const char *slash = strchr(text, '/');

    if (text[0] != '@' || !slash ||
        sscanf(slash, "/0x%8x/%3u*%4u%c%c", &address, &sectors, &size, &unit, &type) != 5)
        return false;

    uint64_t sector_size = (uint64_t)size * unit_of(unit);
    if (type < 'a' || type > 'g' || sectors == 0 || sector_size == 0 ||
        address + sectors * sector_size > (UINT64_C(1) << 32))
        return false;
    *ret_region = (struct dfuse_region){
        .address = address,
        .sectors = sectors,
        .sector_size = (uint32_t)sector_size,
        .access = (unsigned)(type - 'a' + 1),
    };
    return true;
}
