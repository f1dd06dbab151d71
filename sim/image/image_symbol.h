// SPDX-License-Identifier: MIT
//
// image_symbol.h - an ELF that is open, for whoever looks up an address in it.

#ifndef SIM_IMAGE_SYMBOL_H
#define SIM_IMAGE_SYMBOL_H

#include <sim/image.h>

#if HAVE_LIBELF
#include <libelf.h>

// The line of a source file that an address is the code of: "startup.c:41", without the folder.
// Returns false, with text untouched, where the ELF has no DWARF for it, or this build no libdw.
bool image_line(Elf *elf, uint32_t address, char *text, size_t size);
#endif

#endif
