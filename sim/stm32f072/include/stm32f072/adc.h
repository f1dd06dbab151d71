// SPDX-License-Identifier: MIT
//
// adc.h - the analog-to-digital converter (RM0091 chapter 13).
//
// Conversions that software starts take the time that sampling, resolution and clock give them; one
// that finds the last not yet read is an overrun. Nothing is connected to the pins: they read half
// of the range. The temperature sensor and VREFINT read what their calibration in system memory
// says of 30 degrees and 3.3 V. Triggers from timers never come.

#ifndef F072_ADC_H
#define F072_ADC_H

#include <stdbool.h>
#include <stdint.h>

// Calibration values: what the converter reads at 3.3 V (RM0091 13.9, 13.10).
enum { F072_TS_CAL1 = 1775, F072_TS_CAL2 = 1348, F072_VREFINT_CAL = 1526 };

struct f072_adc {
    uint32_t isr;
    uint32_t ier;
    uint32_t cr;
    uint32_t cfgr1;
    uint32_t cfgr2;
    uint32_t smpr;
    uint32_t tr;
    uint32_t chselr;
    uint32_t dr;
    uint32_t ccr;
    uint32_t left;    // channels of the sequence that are still to be converted
    uint32_t pclk_hz; // of its bus
    uint64_t end_ns;  // of the conversion under way, UINT64_MAX: there is none
};

enum { F072_ADC_DR = 0x40 };

void f072_adc_reset(struct f072_adc *adc);

uint32_t f072_adc_read(struct f072_adc *adc, uint32_t offset, uint64_t now_ns);

// Returns NULL, or what this write would start that is not modelled.
const char *f072_adc_write(struct f072_adc *adc, uint32_t offset, uint32_t value, uint64_t now_ns);

// It is end_ns.
void f072_adc_end_conversion(struct f072_adc *adc);

bool f072_adc_interrupt(const struct f072_adc *adc);

// Is there a value for DMA in DR?
bool f072_adc_requests_dma(const struct f072_adc *adc);

#endif
