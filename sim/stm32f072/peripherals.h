// SPDX-License-Identifier: MIT
//
// peripherals.h - the peripherals as the bus sees them: private to peripheral_table.c and the files
// of its rows, peripherals.c, dma.c and bus.c.

#ifndef F072_PERIPHERALS_H
#define F072_PERIPHERALS_H

#include <stm32f072/chip.h>

struct f072_peripheral {
    const char *name;
    uint32_t base;
    enum f072_bus bus; // its clock enable and reset bits
    uint8_t bit;
    uint8_t index; // among its like
    uint8_t kind;  // of a stub
    uint32_t (*read)(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);

    // lanes are the bits that are written. Returns false for a bus fault.
    bool (*write)(struct f072_chip *chip,
                  const struct f072_peripheral *p,
                  uint32_t offset,
                  uint32_t value,
                  uint32_t lanes);
    void (*reset)(struct f072_chip *chip, const struct f072_peripheral *p);

    // Is this a register whose value changes by itself between events, or by being read? NULL: none
    // is.
    bool (*moves)(uint32_t offset);

    // Does this register ask DMA to write it, or to read it? NULL: none does.
    bool (*requests_dma)(const struct f072_chip *chip,
                         const struct f072_peripheral *p,
                         uint32_t offset,
                         bool to_peripheral);
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

bool f072_row_adc_moves(uint32_t offset);
uint32_t
f072_row_adc_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
bool f072_row_adc_requests_dma(const struct f072_chip *chip,
                               const struct f072_peripheral *p,
                               uint32_t offset,
                               bool to_peripheral);
void f072_row_adc_reset(struct f072_chip *chip, const struct f072_peripheral *p);
bool f072_row_adc_write(struct f072_chip *chip,
                        const struct f072_peripheral *p,
                        uint32_t offset,
                        uint32_t value,
                        uint32_t lanes);
uint32_t
f072_row_crc_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
void f072_row_crc_reset(struct f072_chip *chip, const struct f072_peripheral *p);
bool f072_row_crc_write(struct f072_chip *chip,
                        const struct f072_peripheral *p,
                        uint32_t offset,
                        uint32_t value,
                        uint32_t lanes);
uint32_t
f072_row_dma_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
void f072_row_dma_reset(struct f072_chip *chip, const struct f072_peripheral *p);
bool f072_row_dma_write(struct f072_chip *chip,
                        const struct f072_peripheral *p,
                        uint32_t offset,
                        uint32_t value,
                        uint32_t lanes);
bool f072_row_pwr_write(struct f072_chip *chip,
                        const struct f072_peripheral *p,
                        uint32_t offset,
                        uint32_t value,
                        uint32_t lanes);
void f072_row_pwr_reset(struct f072_chip *chip, const struct f072_peripheral *p);
bool f072_row_rtc_is_open(const struct f072_chip *chip);
uint32_t
f072_row_rtc_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
bool f072_row_rtc_write(struct f072_chip *chip,
                        const struct f072_peripheral *p,
                        uint32_t offset,
                        uint32_t value,
                        uint32_t lanes);
bool f072_row_serial_requests_dma(const struct f072_chip *chip,
                                  const struct f072_peripheral *p,
                                  uint32_t offset,
                                  bool to_peripheral);
bool f072_row_spi_moves(uint32_t offset);
uint32_t
f072_row_stub_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
void f072_row_stub_reset(struct f072_chip *chip, const struct f072_peripheral *p);
bool f072_row_stub_write(struct f072_chip *chip,
                         const struct f072_peripheral *p,
                         uint32_t offset,
                         uint32_t value,
                         uint32_t lanes);
uint32_t
f072_row_crs_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
bool f072_row_crs_write(struct f072_chip *chip,
                        const struct f072_peripheral *p,
                        uint32_t offset,
                        uint32_t value,
                        uint32_t lanes);
void f072_row_crs_reset(struct f072_chip *chip, const struct f072_peripheral *p);
uint32_t
f072_row_exti_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
bool f072_row_exti_write(struct f072_chip *chip,
                         const struct f072_peripheral *p,
                         uint32_t offset,
                         uint32_t value,
                         uint32_t lanes);
void f072_row_exti_reset(struct f072_chip *chip, const struct f072_peripheral *p);
uint32_t
f072_row_syscfg_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
bool f072_row_syscfg_write(struct f072_chip *chip,
                           const struct f072_peripheral *p,
                           uint32_t offset,
                           uint32_t value,
                           uint32_t lanes);
void f072_row_syscfg_reset(struct f072_chip *chip, const struct f072_peripheral *p);
uint32_t
f072_row_dbgmcu_read(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset);
bool f072_row_dbgmcu_write(struct f072_chip *chip,
                           const struct f072_peripheral *p,
                           uint32_t offset,
                           uint32_t value,
                           uint32_t lanes);

#endif
