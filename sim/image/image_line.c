// SPDX-License-Identifier: MIT
//
// The line of a source file by address, from the line tables of DWARF (version 5, 6.2). All of them
// are searched: .debug_aranges, which would name the one, is not written by every compiler. The
// nearest line below the address is the one, since each sequence of a table ends with its code.

#include "image_symbol.h"

#include <stdio.h>
#include <string.h>

#if HAVE_LIBDW
#include <elfutils/libdw.h>

struct nearest {
    const char *file; // NULL: there is no line yet
    int number;       // from 1
    Dwarf_Addr address;
};

static void consider(struct nearest *nearest, Dwarf_Line *line)
{
    const char *file = NULL;
    Dwarf_Addr address;
    int number;

    if (!line || dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0)
        return;
    file = dwarf_linesrc(line, NULL, NULL);
    if (!file || number == 0) // 0: code that the compiler made up
        return;
    if (!nearest->file || address > nearest->address)
        *nearest = (struct nearest){.file = file, .number = number, .address = address};
}

static void search_units(struct nearest *nearest, Dwarf *dwarf, uint32_t address)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;

    while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0)
        consider(nearest, dwarf_getsrc_die(&die, address));
}

bool image_line(Elf *elf, uint32_t address, char *text, size_t size)
{
    Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    struct nearest nearest = {.file = NULL};
    const char *slash = NULL;

    if (!dwarf)
        return false;
    search_units(&nearest, dwarf, address);
    if (nearest.file) {
        slash = strrchr(nearest.file, '/');
        snprintf(text, size, "%s:%d", slash ? slash + 1 : nearest.file, nearest.number);
    }
    dwarf_end(dwarf);
    return nearest.file;
}
#elif HAVE_LIBELF
bool image_line(Elf *elf, uint32_t address, char *text, size_t size)
{
    (void)elf, (void)address, (void)text, (void)size;
    return false;
}
#endif
