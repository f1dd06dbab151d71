// SPDX-License-Identifier: MIT
//
// ELF executables for ARM: their loadable segments, at their physical addresses (TIS ELF 1.2).
//
// A linker may let the first segment begin with the ELF's own headers, at addresses below the first
// section, where nothing is meant to be programmed. What of a segment lies before its first section
// is left out where it begins so.

#include "image_private.h"

#if HAVE_LIBELF
#include <gelf.h>

static bool is_executable(Elf *elf)
{
    const Elf32_Ehdr *header = elf_kind(elf) == ELF_K_ELF ? elf32_getehdr(elf) : NULL;

    // libelf hands out the program headers where they are in the image: they must be aligned.
    return header && header->e_machine == EM_ARM && header->e_type == ET_EXEC &&
           header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_phoff % 4 == 0;
}

static bool has_bytes_in(const GElf_Shdr *section, const Elf32_Phdr *segment)
{
    return section->sh_type != SHT_NOBITS && (section->sh_flags & SHF_ALLOC) &&
           section->sh_size > 0 && section->sh_offset >= segment->p_offset &&
           section->sh_offset - segment->p_offset < segment->p_filesz;
}

// How many bytes of a segment come before its first section, where it begins with the headers.
static uint32_t size_of_headers(Elf *elf, const Elf32_Phdr *segment)
{
    uint32_t first = segment->p_filesz;

    if (segment->p_offset >= sizeof(Elf32_Ehdr))
        return 0;
    for (Elf_Scn *it = elf_nextscn(elf, NULL); it; it = elf_nextscn(elf, it)) {
        GElf_Shdr section; // a copy: in the image it may lie at any address
        if (gelf_getshdr(it, &section) && has_bytes_in(&section, segment) &&
            section.sh_offset - segment->p_offset < first)
            first = (uint32_t)(section.sh_offset - segment->p_offset);
    }
    return first == segment->p_filesz ? 0 : first;
}

static bool put_segment(struct image_file *file, Elf *elf, const Elf32_Phdr *segment)
{
    if (segment->p_type != PT_LOAD || segment->p_filesz == 0)
        return true;
    if (segment->p_offset > file->size || segment->p_filesz > file->size - segment->p_offset)
        return image_fail(file, "truncated: a segment ends beyond the file");
    uint32_t skipped = size_of_headers(elf, segment);
    return image_put(file, "a segment", segment->p_paddr + skipped,
                     file->bytes + segment->p_offset + skipped, segment->p_filesz - skipped);
}

// libelf takes its own sizes for granted, whatever the file says.
static bool has_known_headers(struct image_file *file, const Elf32_Ehdr *header)
{
    if (header->e_phnum > 0 && header->e_phentsize != sizeof(Elf32_Phdr))
        return image_fail(file, "malformed: e_phentsize is %u, and a program header has %zu bytes",
                          header->e_phentsize, sizeof(Elf32_Phdr));
    if (header->e_shnum > 0 && header->e_shentsize != sizeof(Elf32_Shdr))
        return image_fail(file, "malformed: e_shentsize is %u, and a section header has %zu bytes",
                          header->e_shentsize, sizeof(Elf32_Shdr));
    return true;
}

static bool put_segments(struct image_file *file, Elf *elf)
{
    const Elf32_Phdr *segments = elf32_getphdr(elf);
    size_t count = 0;

    if (!has_known_headers(file, elf32_getehdr(elf)))
        return false;
    if (!segments || elf_getphdrnum(elf, &count) != 0)
        return image_fail(file, "truncated: no program headers");
    for (size_t i = 0; i < count; i++)
        if (!put_segment(file, elf, &segments[i]))
            return false;
    return true;
}

bool image_load_elf(struct image_file *file)
{
    // libelf writes nothing to an image that is only read.
    char *bytes = (char *)(uintptr_t)file->bytes;
    Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_memory(bytes, file->size);
    bool good = elf && is_executable(elf)
                    ? put_segments(file, elf)
                    : image_fail(file, "not a 32-bit little-endian ARM executable");

    elf_end(elf);
    return good;
}
#else
bool image_load_elf(struct image_file *file)
{
    return image_fail(file, "an ELF, but this build has no libelf; give the .hex or .bin");
}
#endif
