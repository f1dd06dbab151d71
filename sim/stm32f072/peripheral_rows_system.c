// SPDX-License-Identifier: MIT
//
// Rows of the table of peripherals that reach the chip's own: CRS, EXTI, SYSCFG, DBGMCU.

#include "peripherals.h"

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
