// SPDX-License-Identifier: MIT

#include <sim/memory.h>

struct memory_page memory_page_at(const struct memory *memory, uint32_t address)
{
    const struct memory_group uniform[] = {
        {memory->size / memory->page_size, memory->page_size, false},
        {0},
    };
    const struct memory_group *group = memory->groups ? memory->groups : uniform;
    uint32_t start = memory->base;

    for (; address >= start && group->pages; start += group->pages * group->page_size, group++)
        if (address - start < group->pages * group->page_size)
            return (struct memory_page){
                .address = address - (address - start) % group->page_size,
                .size = group->page_size,
                .read_only = group->read_only,
            };
    return (struct memory_page){.size = 0};
}
