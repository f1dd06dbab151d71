// SPDX-License-Identifier: MIT
//
// The functions of an ELF by address, from its symbol table (TIS ELF 1.2). Bit 0 of a Thumb
// function's value is set and no part of its address (ELF for the Arm Architecture, 4.5.3). The
// line of the source is image_line.c's.

#include "image_symbol.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#if HAVE_LIBELF
struct search {
    uint32_t address;
    const char *name; // of the best so far, or NULL
    uint32_t start;
};

static void consider(struct search *search, const Elf32_Sym *symbol, const char *name)
{
    uint32_t start = symbol->st_value & ~UINT32_C(1);
    uint32_t offset = search->address - start;
    bool holds = symbol->st_size > 0 ? offset < symbol->st_size : offset == 0;

    if (ELF32_ST_TYPE(symbol->st_info) != STT_FUNC || !holds || !name || name[0] == '\0')
        return;
    if (!search->name || start > search->start) {
        search->name = name;
        search->start = start;
    }
}

static void search_section(struct search *search, Elf *elf, Elf_Scn *section)
{
    const Elf32_Shdr *header = elf32_getshdr(section);
    const Elf_Data *data = NULL;

    if (!header || header->sh_type != SHT_SYMTAB)
        return;
    data = elf_getdata(section, NULL);
    if (!data || !data->d_buf)
        return;
    const Elf32_Sym *symbols = data->d_buf;
    for (size_t i = 0; i < data->d_size / sizeof *symbols; i++)
        consider(search, &symbols[i], elf_strptr(elf, header->sh_link, symbols[i].st_name));
}

// A damaged file has names of any bytes, and a terminal would obey some of them.
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

// A mangled name may be long: the line has its place behind it.
static void describe(const struct search *search, Elf *elf, char *text, size_t size)
{
    char line[64];
    bool has_line = image_line(elf, search->address, line, sizeof line);

    snprintf(text, size, "%.100s+%Xh%s%s", search->name, search->address - search->start,
             has_line ? ", " : "", has_line ? line : "");
    make_printable(text);
}

static bool find_symbol(int file, uint32_t address, char *text, size_t size)
{
    struct search search = {.address = address};
    Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(file, ELF_C_READ, NULL);
    bool is_elf32 = elf && elf32_getehdr(elf);

    for (Elf_Scn *it = is_elf32 ? elf_nextscn(elf, NULL) : NULL; it; it = elf_nextscn(elf, it))
        search_section(&search, elf, it);
    if (search.name)
        describe(&search, elf, text, size);
    elf_end(elf);
    return search.name;
}

bool image_symbol(const char *path, uint32_t address, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool found = file >= 0 && find_symbol(file, address, text, size);

    if (file >= 0)
        close(file);
    return found;
}
#else
bool image_symbol(const char *path, uint32_t address, char *text, size_t size)
{
    (void)path, (void)address, (void)text, (void)size;
    return false;
}
#endif
