// SPDX-License-Identifier: MIT
//
// peripherals.h - the peripherals as the bus sees them: private to peripheral_table.c and the files
// of its rows, peripherals.c, dma.c and bus.c.

#ifndef F072_PERIPHERALS_H
#define F072_PERIPHERALS_H

#include <stm32f072/chip.h>

struct f072_peripheral;

// An access to a register. Of a read there is no value, and no lanes.
struct f072_access {
    const struct f072_peripheral *p;
    uint32_t offset; // of its word
    unsigned size;   // 1, 2 or 4 bytes, as the instruction has it
    uint32_t value;  // in the lanes that are written
    uint32_t lanes;  // the bits that are written
};

// A write returns false for a bus fault.
typedef uint32_t f072_read(struct f072_chip *chip, const struct f072_access *a);
typedef bool f072_write(struct f072_chip *chip, const struct f072_access *a);
typedef void f072_reset(struct f072_chip *chip, const struct f072_peripheral *p);

// Is this a register whose value changes by itself between events, or by being read?
typedef bool f072_moves(uint32_t offset);

// Does this register ask DMA to write it, or to read it?
typedef bool f072_requests_dma(const struct f072_chip *chip,
                               const struct f072_peripheral *p,
                               uint32_t offset,
                               bool to_peripheral);

struct f072_peripheral {
    const char *name;
    uint32_t base;
    enum f072_bus bus; // its clock enable and reset bits
    uint8_t bit;
    uint8_t index; // among its like
    uint8_t kind;  // of a stub
    f072_read *read;
    f072_write *write;
    f072_reset *reset;
    f072_moves *moves;               // NULL: no register does
    f072_requests_dma *requests_dma; // NULL: no register does
};

extern const struct f072_peripheral f072_peripherals[];
extern const unsigned f072_peripheral_count;

// The one at this address, or NULL.
const struct f072_peripheral *f072_find_peripheral(const struct f072_chip *chip, uint32_t address);

// Is it held in reset by its bit in RCC?
bool f072_held_in_reset(const struct f072_chip *chip, const struct f072_peripheral *p);

// RCC was written: reset those that are held in reset now.
void f072_reset_held(struct f072_chip *chip);

// ---- Functions of rows that are not in peripheral_table.c ----

f072_read f072_row_adc_read, f072_row_crc_read, f072_row_dma_read, f072_row_rtc_read,
    f072_row_stub_read, f072_row_crs_read, f072_row_exti_read, f072_row_syscfg_read,
    f072_row_dbgmcu_read;
f072_write f072_row_adc_write, f072_row_crc_write, f072_row_dma_write, f072_row_pwr_write,
    f072_row_rtc_write, f072_row_stub_write, f072_row_crs_write, f072_row_exti_write,
    f072_row_syscfg_write, f072_row_dbgmcu_write;
f072_reset f072_row_adc_reset, f072_row_crc_reset, f072_row_dma_reset, f072_row_pwr_reset,
    f072_row_stub_reset, f072_row_crs_reset, f072_row_exti_reset, f072_row_syscfg_reset;
f072_moves f072_row_adc_moves, f072_row_spi_moves;
f072_requests_dma f072_row_adc_requests_dma, f072_row_serial_requests_dma;
bool f072_row_rtc_is_open(const struct f072_chip *chip);

// ---- register_names.c ----

// The name of the register at this offset of a peripheral ("GPIOA", "USB"), as RM0091 spells it
// without the peripheral's; NULL where it has none here.
const char *f072_register_name(const char *peripheral, uint32_t offset);

#endif
