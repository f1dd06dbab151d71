// SPDX-License-Identifier: MIT
//
// Rows of the table of peripherals (peripheral_table.c): stubs, serial interfaces, RTC, ADC, CRC,
// DMA, CRS, EXTI, SYSCFG, DBGMCU.

#include "peripherals.h"

// ---- Stubs ----

uint32_t f072_row_stub_read(struct f072_chip *chip, const struct f072_access *a)
{
    const struct f072_serial_access access = {
        .offset = a->offset, .size = a->size, .now_ns = f072_chip_now(chip)};
    uint32_t value;

    if (f072_serial_read(&chip->stub[a->p->index], (enum f072_stub_kind)a->p->kind, &access,
                         &value))
        return value;
    return f072_stub_read(&chip->stub[a->p->index], (enum f072_stub_kind)a->p->kind, a->offset);
}

// A byte that is sent is another thing each time.
static void note_usart(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t offset)
{
    enum { BRR = 0x0C, TDR = 0x28 };

    chip->unrepeatable += offset == TDR;
    if (f072_serial_is_stuck(&chip->stub[p->index]))
        f072_warn_once(&chip->report, p->base + BRR,
                       "%s has a byte to send (pc %08X) but no bit rate: %s_BRR is %u, below 16, "
                       "or its clock is off (RM0091 27.5.4)",
                       p->name, f072_chip_pc(chip), p->name,
                       (unsigned)chip->stub[p->index].words[BRR / 4]);
}

bool f072_row_stub_write(struct f072_chip *chip, const struct f072_access *a)
{
    enum f072_stub_kind kind = (enum f072_stub_kind)a->p->kind;
    uint32_t old = chip->stub[a->p->index].words[a->offset / 4];
    uint32_t merged = (old & ~a->lanes) | (a->value & a->lanes);
    const char *unmodelled = f072_stub_write(&chip->stub[a->p->index], kind, a->offset, merged);

    if (unmodelled)
        f072_warn_once(&chip->report, a->p->base + a->offset,
                       "%s starts %s (pc %08X): not modelled, nothing happens", a->p->name,
                       unmodelled, f072_chip_pc(chip));
    const struct f072_serial_access access = {
        .offset = a->offset, .value = merged, .size = a->size, .now_ns = f072_chip_now(chip)};
    f072_serial_written(&chip->stub[a->p->index], kind, &access, old);
    if (kind == F072_STUB_USART)
        note_usart(chip, a->p, a->offset);
    chip->others_used = true;
    f072_dma_serve(chip);
    return true;
}

bool f072_row_serial_requests_dma(const struct f072_chip *chip,
                                  const struct f072_peripheral *p,
                                  uint32_t offset,
                                  bool to_peripheral)
{
    return f072_serial_requests_dma(&chip->stub[p->index], (enum f072_stub_kind)p->kind, offset,
                                    to_peripheral);
}

// To read DR takes a frame out.
bool f072_row_spi_moves(uint32_t offset)
{
    enum { DR = 0x0C };

    return offset == DR;
}

// ---- RTC and PWR ----

enum { PWR_CR = 0x00, PWR_CSR = 0x04 };

bool f072_row_rtc_is_open(const struct f072_chip *chip)
{
    enum { DBP = 1 << 8 };

    return chip->stub[F072_PWR].words[PWR_CR / 4] & DBP;
}

uint32_t f072_row_rtc_read(struct f072_chip *chip, const struct f072_access *a)
{
    chip->unrepeatable += f072_rtc_moves(a->offset);
    return f072_rtc_read(&chip->rtc, a->offset, f072_chip_now(chip));
}

// The RTC domain is write-protected unless PWR_CR.DBP is set (RM0091 6.1.3), and most of the
// registers unless WPR has had its keys (25.4.7).
bool f072_row_rtc_write(struct f072_chip *chip, const struct f072_access *a)
{
    if (!f072_row_rtc_is_open(chip))
        f072_warn_once(&chip->report, a->p->base + a->offset,
                       "RTC is written while PWR_CR.DBP is 0 (pc %08X): no effect",
                       f072_chip_pc(chip));
    else if (!f072_rtc_write(&chip->rtc, a->offset, a->value, f072_chip_now(chip)))
        f072_warn_once(&chip->report, a->p->base + a->offset,
                       "RTC is written while RTC_WPR has not had its keys (pc %08X): no effect",
                       f072_chip_pc(chip));
    return true;
}

// CSBF and CWUF clear flags of CSR, of which only EWUP can be written (RM0091 5.4).
bool f072_row_pwr_write(struct f072_chip *chip, const struct f072_access *a)
{
    enum { CLEARS = 3 << 2, EWUP = 0xFF00 };
    uint32_t *words = chip->stub[a->p->index].words;

    if (a->offset == PWR_CR) {
        words[PWR_CR / 4] = a->value & ~(uint32_t)CLEARS;
        words[PWR_CSR / 4] &= ~(a->value >> 2 & CLEARS >> 2);
    }
    if (a->offset == PWR_CSR)
        words[PWR_CSR / 4] = (words[PWR_CSR / 4] & ~(uint32_t)EWUP) | (a->value & EWUP);
    return true;
}

void f072_row_stub_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    f072_stub_reset(&chip->stub[p->index], (enum f072_stub_kind)p->kind);
}

// ---- ADC, CRC, DMA ----

uint32_t f072_row_adc_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_adc_read(&chip->adc, a->offset, f072_chip_now(chip));
}

bool f072_row_adc_write(struct f072_chip *chip, const struct f072_access *a)
{
    const char *unmodelled = f072_adc_write(&chip->adc, a->offset, a->value, f072_chip_now(chip));

    if (unmodelled)
        f072_warn_once(&chip->report, a->p->base + a->offset,
                       "%s waits for %s (pc %08X): not modelled, nothing happens", a->p->name,
                       unmodelled, f072_chip_pc(chip));
    chip->others_used = true;
    f072_dma_serve(chip);
    return true;
}

void f072_row_adc_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_adc_reset(&chip->adc);
}

bool f072_row_adc_requests_dma(const struct f072_chip *chip,
                               const struct f072_peripheral *p,
                               uint32_t offset,
                               bool to_peripheral)
{
    (void)p;
    return !to_peripheral && offset == F072_ADC_DR && f072_adc_requests_dma(&chip->adc);
}

bool f072_row_adc_moves(uint32_t offset)
{
    return offset == F072_ADC_DR;
}

uint32_t f072_row_crc_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_crc_read(&chip->crc, a->offset);
}

// On the AHB the lanes are what was written.
bool f072_row_crc_write(struct f072_chip *chip, const struct f072_access *a)
{
    f072_crc_write(&chip->crc, a->offset, a->value,
                   a->lanes == UINT32_MAX ? 4
                   : a->lanes == 0xFFFF   ? 2
                                          : 1);
    return true;
}

void f072_row_crc_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_crc_reset(&chip->crc);
}

uint32_t f072_row_dma_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_dma_read(&chip->dma, a->offset);
}

// A channel that is enabled for a peripheral which never asks.
static void warn_of_silence(struct f072_chip *chip, const struct f072_peripheral *p)
{
    unsigned n = f072_dma_waiting_for_nobody(chip);

    if (n > 0)
        f072_warn_once(&chip->report, p->base + n,
                       "DMA channel %u is enabled for %08X (pc %08X), which never asks for a "
                       "transfer: not modelled, nothing happens",
                       n, chip->dma.channel[n - 1].cpar, f072_chip_pc(chip));
}

bool f072_row_dma_write(struct f072_chip *chip, const struct f072_access *a)
{
    f072_dma_write(&chip->dma, a->offset, a->value);
    chip->others_used = true;
    if (!f072_dma_is_clear(a->offset))
        f072_dma_serve(chip);
    warn_of_silence(chip, a->p);
    return true;
}

void f072_row_dma_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_dma_reset(&chip->dma);
}

// ---- CRS, EXTI, SYSCFG, DBGMCU ----

uint32_t f072_row_crs_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_crs_read(&chip->crs, a->offset);
}

bool f072_row_crs_write(struct f072_chip *chip, const struct f072_access *a)
{
    f072_crs_write(&chip->crs, a->offset, a->value);
    return true;
}

void f072_row_crs_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_crs_reset(&chip->crs);
}

uint32_t f072_row_exti_read(struct f072_chip *chip, const struct f072_access *a)
{
    return f072_exti_read(&chip->exti, a->offset);
}

bool f072_row_exti_write(struct f072_chip *chip, const struct f072_access *a)
{
    f072_exti_write(&chip->exti, a->offset, a->value);
    return true;
}

void f072_row_exti_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    f072_exti_reset(&chip->exti);
}

// RM0091 9.1: CFGR1 at 0, EXTICR1..4 from 8; 15.5: the comparators' COMP_CSR.
enum { SYSCFG_CFGR1 = 0x00, SYSCFG_EXTICR1 = 0x08, SYSCFG_EXTICR4 = 0x14 };
enum { SYSCFG_CFGR2 = 0x18, CFGR2_LOCKS = 7, COMP_CSR = 0x1C };

uint32_t f072_row_syscfg_read(struct f072_chip *chip, const struct f072_access *a)
{
    if (a->offset == SYSCFG_CFGR1)
        return chip->syscfg_cfgr1;
    if (a->offset >= SYSCFG_EXTICR1 && a->offset <= SYSCFG_EXTICR4)
        return chip->syscfg_exticr[(a->offset - SYSCFG_EXTICR1) / 4];
    if (a->offset == SYSCFG_CFGR2)
        return chip->syscfg_cfgr2;
    return a->offset == COMP_CSR ? chip->comp_csr : 0;
}

// The outputs of the comparators stay low.
static void write_comp(struct f072_chip *chip, const struct f072_peripheral *p, uint32_t value)
{
    enum { COMP1EN = 1 << 0, COMP2EN = 1 << 16, OUTPUTS = 1 << 14 | 1 << 30 };

    chip->comp_csr = value & ~(uint32_t)OUTPUTS;
    if (value & (COMP1EN | COMP2EN))
        f072_warn_once(&chip->report, p->base + COMP_CSR,
                       "COMP_CSR enables a comparator (pc %08X): not modelled, its output stays 0",
                       f072_chip_pc(chip));
}

bool f072_row_syscfg_write(struct f072_chip *chip, const struct f072_access *a)
{
    if (a->offset == SYSCFG_CFGR1) {
        chip->syscfg_cfgr1 = a->value;
        f072_chip_map(chip, (enum f072_memory)(a->value & 3));
    }
    if (a->offset >= SYSCFG_EXTICR1 && a->offset <= SYSCFG_EXTICR4)
        chip->syscfg_exticr[(a->offset - SYSCFG_EXTICR1) / 4] = a->value & 0xFFFF;
    if (a->offset == SYSCFG_CFGR2) // the locks can only be set
        chip->syscfg_cfgr2 |= a->value & CFGR2_LOCKS;
    if (a->offset == COMP_CSR)
        write_comp(chip, a->p, a->value);
    return true;
}

// After a system reset MEM_MODE shows how the chip booted (RM0091 9.1.1).
void f072_row_syscfg_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    (void)p;
    chip->syscfg_cfgr1 = f072_chip_boot_memory(chip);
    chip->syscfg_cfgr2 = 0;
    chip->comp_csr = 0;
    for (int i = 0; i < 4; i++)
        chip->syscfg_exticr[i] = 0;
}

enum { DBGMCU_IDCODE = 0x00 };

uint32_t f072_row_dbgmcu_read(struct f072_chip *chip, const struct f072_access *a)
{
    if (a->offset == DBGMCU_IDCODE)
        return chip->model->idcode;
    return a->offset / 4 <= 3 ? chip->dbgmcu[a->offset / 4 - 1] : 0;
}

bool f072_row_dbgmcu_write(struct f072_chip *chip, const struct f072_access *a)
{
    if (a->offset != DBGMCU_IDCODE && a->offset / 4 <= 3)
        chip->dbgmcu[a->offset / 4 - 1] = a->value;
    return true;
}
