// SPDX-License-Identifier: MIT
//
// A sequence is the set of channels that are left. Setting ADSTART or reading DR converts the next
// one at once, lowest or highest first by SCANDIR, and the last one of a sequence sets EOS.

#include <stm32f072/adc.h>

enum {
    ISR = 0x00,
    IER = 0x04,
    CR = 0x08,
    CFGR1 = 0x0C,
    CFGR2 = 0x10,
    SMPR = 0x14,
    TR = 0x20,
    CHSELR = 0x28,
    CCR = 0x308,
};

enum {
    ADRDY = 1 << 0,
    EOSMP = 1 << 1,
    EOC = 1 << 2,
    EOS = 1 << 3,

    ADEN = 1 << 0,
    ADDIS = 1 << 1,
    ADSTART = 1 << 2,
    ADSTP = 1 << 4,

    DMAEN = 1 << 0,
    SCANDIR = 1 << 2,
    ALIGN = 1 << 5,
    EXTEN = 3 << 10,
    CONT = 1 << 13,
    DISCEN = 1 << 16,

    CHANNELS = 0x7FFFF,
};

void f072_adc_reset(struct f072_adc *adc)
{
    *adc = (struct f072_adc){.tr = 0x0FFF0000};
}

// ---- Conversions ----

static uint32_t voltage(unsigned channel)
{
    enum { TEMPERATURE = 16, VREFINT = 17, HALF = 2048 };

    if (channel == TEMPERATURE)
        return F072_TS_CAL1;
    return channel == VREFINT ? F072_VREFINT_CAL : HALF;
}

// RES drops bits from the right, ALIGN moves what is left to the top of 16, or of 8 with 6 bits
// (RM0091 13.5.1, table of alignment).
static uint32_t in_format(const struct f072_adc *adc, uint32_t value)
{
    unsigned dropped = 2 * (adc->cfgr1 >> 3 & 3);
    unsigned width = 12 - dropped;

    value >>= dropped;
    return adc->cfgr1 & ALIGN ? value << ((width == 6 ? 8 : 16) - width) : value;
}

static unsigned next_channel(const struct f072_adc *adc)
{
    if (adc->cfgr1 & SCANDIR)
        return 31u - (unsigned)__builtin_clz(adc->left);
    return (unsigned)__builtin_ctz(adc->left);
}

// RM0091 13.4.5, ADSTART: it ends with the sequence, or with each conversion of a discontinuous
// one.
static void convert(struct f072_adc *adc)
{
    if (!(adc->cr & ADSTART))
        return;
    if (adc->left == 0)
        adc->left = adc->chselr;
    if (adc->left == 0)
        return;
    unsigned channel = next_channel(adc);
    adc->left &= ~(UINT32_C(1) << channel);
    adc->dr = in_format(adc, voltage(channel));
    adc->isr |= EOSMP | EOC;
    if (adc->left == 0)
        adc->isr |= EOS;
    if ((adc->cfgr1 & DISCEN) || (adc->left == 0 && !(adc->cfgr1 & CONT)))
        adc->cr &= ~(uint32_t)ADSTART;
}

static const char *write_cr(struct f072_adc *adc, uint32_t value)
{
    if (value & ADEN) {
        adc->cr |= ADEN;
        adc->isr |= ADRDY;
    }
    if (value & ADSTP)
        adc->cr &= ~(uint32_t)ADSTART;
    if (value & ADDIS)
        adc->cr = 0;
    if (!(value & ADSTART) || !(adc->cr & ADEN) || (value & ADSTP))
        return 0;
    adc->cr |= ADSTART;
    if (adc->cfgr1 & EXTEN)
        return "analog conversions by a trigger";
    if (!(adc->cfgr1 & DISCEN))
        adc->left = 0;
    convert(adc);
    return 0;
}

// ---- Registers ----

uint32_t f072_adc_read(struct f072_adc *adc, uint32_t offset)
{
    uint32_t value = adc->dr;

    switch (offset) {
    case ISR:
        return adc->isr;
    case IER:
        return adc->ier;
    case CR: // ADCAL and ADDIS are over at once
        return adc->cr;
    case CFGR1:
        return adc->cfgr1;
    case CFGR2:
        return adc->cfgr2;
    case SMPR:
        return adc->smpr;
    case TR:
        return adc->tr;
    case CHSELR:
        return adc->chselr;
    case F072_ADC_DR:
        adc->isr &= ~(uint32_t)EOC;
        convert(adc);
        return value;
    case CCR:
        return adc->ccr;
    default:
        return 0;
    }
}

const char *f072_adc_write(struct f072_adc *adc, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case ISR: // rc_w1
        adc->isr &= ~value;
        if (value & EOC)
            convert(adc);
        break;
    case IER:
        adc->ier = value;
        break;
    case CR:
        return write_cr(adc, value);
    case CFGR1:
        adc->cfgr1 = value;
        break;
    case CFGR2:
        adc->cfgr2 = value;
        break;
    case SMPR:
        adc->smpr = value & 7;
        break;
    case TR:
        adc->tr = value;
        break;
    case CHSELR:
        adc->chselr = value & CHANNELS;
        break;
    case CCR:
        adc->ccr = value;
        break;
    default:
        break;
    }
    return 0;
}

bool f072_adc_interrupt(const struct f072_adc *adc)
{
    return adc->isr & adc->ier;
}

bool f072_adc_requests_dma(const struct f072_adc *adc)
{
    return (adc->cfgr1 & DMAEN) && (adc->isr & EOC);
}
