// SPDX-License-Identifier: MIT
//
// model.h - the chips of this family that have the USB peripheral, where they differ.
//
// The STM32F072 has all of it; the others have less flash and SRAM, their system memory elsewhere,
// and the value line (F070) has no HSI48. Their peripherals are those of the STM32F072 here, also
// where a smaller chip lacks one.

#ifndef F072_MODEL_H
#define F072_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct f072_model {
    const char *name;         // for an option: "f072"
    const char *title;        // for a person: "STM32F072"
    uint32_t flash_size;      // in bytes (DS9826, DS10061, DS10697)
    uint16_t page_size;       // in bytes (RM0091 3.2.1)
    uint32_t sram_size;       // in bytes
    uint32_t rom_base;        // system memory, up to 1FFFF800h (AN2606)
    uint32_t unique_id;       // 12 bytes (RM0091 33.1)
    uint32_t idcode;          // DBGMCU_IDCODE (RM0091 32.4.1)
    uint8_t rom_id;           // version of the boot loader, at 1FFFF6A6h (AN2606)
    bool hsi48;               // has HSI48 and CRS
    bool value_line;          // has no PWR_CSR.VREFINTRDYF (RM0360 5.4.2)
    bool boot_sel;            // has option bits BOOT_SEL and nBOOT0 (RM0091 2.5, RM0360 2.5)
    bool checks_boot0;        // its boot loader goes back to firmware that jumps there (AN2606)
    const char *flash_layout; // what the boot loader calls the flash
    const char *rom_serial;   // its serial number; NULL: made of the unique id
};

// By name, with or without "stm32" before it, in any case: f072, f042, f070 (xB), f070x6. NULL:
// there is none.
const struct f072_model *f072_find_model(const char *name);

// Put an image file (sim/image.h) into the flash of this chip, flash_size bytes. boot_address is
// where a boot loader expects the image's vector table, 0 for an image that the chip itself starts.
// Returns false, with flash untouched and one line in error, where the file is no image for this
// chip.
bool f072_load_image(const struct f072_model *model,
                     uint32_t boot_address,
                     const char *path,
                     uint8_t *flash,
                     char *error,
                     size_t error_size);

// The STM32F072 first.
extern const struct f072_model f072_models[];

#endif
