// SPDX-License-Identifier: MIT
//
// A sequence is the set of channels that are left, lowest or highest first by SCANDIR. A conversion
// takes its time; the last one of a sequence sets EOS, and with CONT the next sequence begins
// there.

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
    OVR = 1 << 4,

    ADEN = 1 << 0,
    ADDIS = 1 << 1,
    ADSTART = 1 << 2,
    ADSTP = 1 << 4,

    DMAEN = 1 << 0,
    SCANDIR = 1 << 2,
    ALIGN = 1 << 5,
    EXTEN = 3 << 10,
    OVRMOD = 1 << 12,
    CONT = 1 << 13,
    WAIT = 1 << 14,
    DISCEN = 1 << 16,

    CHANNELS = 0x7FFFF,
};

void f072_adc_reset(struct f072_adc *adc)
{
    *adc = (struct f072_adc){.tr = 0x0FFF0000, .pclk_hz = adc->pclk_hz, .end_ns = UINT64_MAX};
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

// RM0091 13.4.7: sampling (SMPR) and conversion (RES), in halves of a clock: HSI14, or PCLK by
// CKMODE.
static uint64_t conversion_ns(const struct f072_adc *adc)
{
    static const uint16_t sampling[] = {3, 15, 27, 57, 83, 111, 143, 479};
    enum { HSI14_HZ = 14000000, NS_PER_S = 1000000000 };
    unsigned half_clocks = sampling[adc->smpr] + 25 - 4 * (adc->cfgr1 >> 3 & 3);
    unsigned ckmode = adc->cfgr2 >> 30;
    uint64_t clock_hz = ckmode == 1 ? adc->pclk_hz / 2 : ckmode == 2 ? adc->pclk_hz / 4 : HSI14_HZ;

    return (uint64_t)half_clocks * NS_PER_S / 2 / clock_hz;
}

static void begin(struct f072_adc *adc, uint64_t now_ns)
{
    if (!(adc->cr & ADSTART) || adc->end_ns != UINT64_MAX)
        return;
    if ((adc->cfgr1 & WAIT) && (adc->isr & EOC))
        return;
    if (adc->left == 0)
        adc->left = adc->chselr;
    if (adc->left != 0)
        adc->end_ns = now_ns + conversion_ns(adc);
}

// RM0091 13.4.5, ADSTART: it ends with the sequence, or with each conversion of a discontinuous
// one. 13.5.2: data that has not been read stays unless OVRMOD is set.
void f072_adc_end_conversion(struct f072_adc *adc)
{
    uint64_t end_ns = adc->end_ns;
    unsigned channel = next_channel(adc);

    adc->end_ns = UINT64_MAX;
    adc->left &= ~(UINT32_C(1) << channel);
    if (!(adc->isr & EOC) || (adc->cfgr1 & OVRMOD))
        adc->dr = in_format(adc, voltage(channel));
    adc->isr |= adc->isr & EOC ? EOSMP | EOC | OVR : EOSMP | EOC;
    if (adc->left == 0)
        adc->isr |= EOS;
    if ((adc->cfgr1 & DISCEN) || (adc->left == 0 && !(adc->cfgr1 & CONT)))
        adc->cr &= ~(uint32_t)ADSTART;
    begin(adc, end_ns);
}

static void stop(struct f072_adc *adc, uint32_t bits)
{
    adc->cr &= ~bits;
    adc->end_ns = UINT64_MAX;
    adc->left = 0;
}

static const char *write_cr(struct f072_adc *adc, uint32_t value, uint64_t now_ns)
{
    if (value & ADEN) {
        adc->cr |= ADEN;
        adc->isr |= ADRDY;
    }
    if (value & ADSTP)
        stop(adc, ADSTART);
    if (value & ADDIS)
        stop(adc, UINT32_MAX);
    if (!(value & ADSTART) || !(adc->cr & ADEN) || (value & ADSTP) || (adc->cr & ADSTART))
        return 0;
    adc->cr |= ADSTART;
    if (adc->cfgr1 & EXTEN)
        return "analog conversions by a trigger";
    begin(adc, now_ns);
    return 0;
}

// ---- Registers ----

uint32_t f072_adc_read(struct f072_adc *adc, uint32_t offset, uint64_t now_ns)
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
        begin(adc, now_ns);
        return value;
    case CCR:
        return adc->ccr;
    default:
        return 0;
    }
}

const char *f072_adc_write(struct f072_adc *adc, uint32_t offset, uint32_t value, uint64_t now_ns)
{
    switch (offset) {
    case ISR: // rc_w1
        adc->isr &= ~value;
        begin(adc, now_ns);
        break;
    case IER:
        adc->ier = value;
        break;
    case CR:
        return write_cr(adc, value, now_ns);
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
