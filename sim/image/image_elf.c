// SPDX-License-Identifier: MIT
//
// ELF executables for ARM: their loadable segments, at their physical addresses (TIS ELF 1.2).

#include "image_private.h"

#if HAVE_LIBELF
#include <libelf.h>

static bool is_executable(Elf *elf)
{
    const Elf32_Ehdr *header = elf_kind(elf) == ELF_K_ELF ? elf32_getehdr(elf) : NULL;

    // libelf hands out the program headers where they are in the image: they must be aligned.
    return header != NULL && header->e_machine == EM_ARM && header->e_type == ET_EXEC &&
           header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_phoff % 4 == 0;
}

static bool put_segment(struct image_file *file, const Elf32_Phdr *segment)
{
    if (segment->p_type != PT_LOAD || segment->p_filesz == 0)
        return true;
    if (segment->p_offset > file->size || segment->p_filesz > file->size - segment->p_offset)
        return image_fail(file, "truncated: a segment ends beyond the file");
    return image_put(file, "a segment", segment->p_paddr, file->bytes + segment->p_offset,
                     segment->p_filesz);
}

static bool put_segments(struct image_file *file, Elf *elf)
{
    const Elf32_Phdr *segments = elf32_getphdr(elf);
    size_t count = 0;

    if (segments == NULL || elf_getphdrnum(elf, &count) != 0)
        return image_fail(file, "truncated: no program headers");
    for (size_t i = 0; i < count; i++)
        if (!put_segment(file, &segments[i]))
            return false;
    return true;
}

bool image_load_elf(struct image_file *file)
{
    // libelf writes nothing to an image that is only read.
    char *bytes = (char *)(uintptr_t)file->bytes;
    Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_memory(bytes, file->size);
    bool good = elf != NULL && is_executable(elf)
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
