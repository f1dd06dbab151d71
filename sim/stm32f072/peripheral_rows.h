// SPDX-License-Identifier: MIT
//
// peripheral_rows.h - functions of rows in the table of peripherals, as struct f072_peripheral has
// them: private to peripheral_table.c and peripheral_rows*.c.

#ifndef F072_PERIPHERAL_ROWS_H
#define F072_PERIPHERAL_ROWS_H

#include "peripherals.h"

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
