// SPDX-License-Identifier: MIT
//
// The clock tree (RM0091 figure 11): the frequency of each clock, by the oscillators that run and
// the registers that select and divide them.

#include "rcc_private.h"

enum { HSI_HZ = 8000000, HSE_HZ = 8000000, HSI48_HZ = 48000000, LSE_HZ = 32768, LSI_HZ = 40000 };

static uint32_t pll_input(const struct f072_rcc *rcc)
{
    uint32_t prediv = (rcc->cfgr2 & 0xF) + 1;

    switch (rcc->cfgr >> 15 & 3) {
    case 0:
        return HSI_HZ / 2;
    case 1:
        return HSI_HZ / prediv;
    case 2:
        return HSE_HZ / prediv;
    default:
        return HSI48_HZ / prediv;
    }
}

static uint32_t pll_output(const struct f072_rcc *rcc)
{
    uint32_t multiplier = (rcc->cfgr >> 18 & 0xF) + 2;

    return pll_input(rcc) * (multiplier > 16 ? 16 : multiplier);
}

static uint32_t source_hz(const struct f072_rcc *rcc)
{
    static const uint32_t fixed[] = {HSI_HZ, HSE_HZ, 0, HSI48_HZ};

    return f072_rcc_sources[rcc->source] == F072_PLL ? pll_output(rcc) : fixed[rcc->source];
}

uint32_t f072_rcc_hclk(const struct f072_rcc *rcc)
{
    static const uint8_t shifts[] = {1, 2, 3, 4, 6, 7, 8, 9};
    uint32_t hpre = rcc->cfgr >> 4 & 0xF;

    return hpre & 8 ? source_hz(rcc) >> shifts[hpre & 7] : source_hz(rcc);
}

static unsigned apb_shift(const struct f072_rcc *rcc)
{
    uint32_t ppre = rcc->cfgr >> 8 & 7;

    return ppre & 4 ? (ppre & 3) + 1 : 0;
}

uint32_t f072_rcc_pclk(const struct f072_rcc *rcc)
{
    return f072_rcc_hclk(rcc) >> apb_shift(rcc);
}

// Timers get twice the bus clock when that is divided (RM0091 6.2, figure 11).
uint32_t f072_rcc_timer_clock(const struct f072_rcc *rcc)
{
    return apb_shift(rcc) == 0 ? f072_rcc_pclk(rcc) : 2 * f072_rcc_pclk(rcc);
}

static uint32_t running(const struct f072_rcc *rcc, enum f072_oscillator oscillator, uint32_t hz)
{
    return rcc->ready_ns[oscillator] == UINT64_MAX ? 0 : hz;
}

// USARTxSW of CFGR3 (RM0091 6.4.13).
uint32_t f072_rcc_usart_clock(const struct f072_rcc *rcc, unsigned number)
{
    static const uint8_t shifts[] = {[1] = 0, [2] = 16};

    switch (number <= 2 ? rcc->cfgr3 >> shifts[number] & 3 : 0) {
    case 1:
        return source_hz(rcc);
    case 2:
        return running(rcc, F072_LSE, LSE_HZ);
    case 3:
        return running(rcc, F072_HSI, HSI_HZ);
    default:
        return f072_rcc_pclk(rcc);
    }
}

uint32_t f072_rcc_i2c_clock(const struct f072_rcc *rcc, unsigned number)
{
    enum { I2C1SW = 1 << 4 };

    if (number == 2)
        return f072_rcc_pclk(rcc);
    return rcc->cfgr3 & I2C1SW ? source_hz(rcc) : running(rcc, F072_HSI, HSI_HZ);
}

// RTCSEL and RTCEN of BDCR (RM0091 6.4.9).
uint32_t f072_rcc_rtc_clock(const struct f072_rcc *rcc)
{
    enum { RTCEN = 1 << 15 };

    switch (rcc->bdcr & RTCEN ? rcc->bdcr >> 8 & 3 : 0) {
    case 1:
        return running(rcc, F072_LSE, LSE_HZ);
    case 2:
        return running(rcc, F072_LSI, LSI_HZ);
    case 3:
        return running(rcc, F072_HSE, HSE_HZ / 32);
    default:
        return 0;
    }
}

uint32_t f072_rcc_usb_clock(const struct f072_rcc *rcc, uint64_t now_ns)
{
    if (rcc->cfgr3 & F072_CFGR3_USBSW)
        return f072_rcc_ready(rcc, F072_PLL, now_ns) ? pll_output(rcc) : 0;
    return f072_rcc_ready(rcc, F072_HSI48, now_ns) ? HSI48_HZ : 0;
}

const char *f072_rcc_why_no_usb_clock(const struct f072_rcc *rcc, uint64_t now_ns)
{
    if (!(rcc->cfgr3 & F072_CFGR3_USBSW))
        return rcc->has_hsi48 ? "RCC_CFGR3.USBSW selects HSI48, which is not ready"
                              : "RCC_CFGR3.USBSW is 0: HSI48, which this chip does not have";
    if (!f072_rcc_ready(rcc, F072_PLL, now_ns))
        return "RCC_CFGR3.USBSW selects the PLL, which is not running";
    return "RCC_CFGR3.USBSW selects the PLL, which runs at another frequency";
}

bool f072_rcc_usb_clock_is_coarse(const struct f072_rcc *rcc)
{
    return (rcc->cfgr3 & F072_CFGR3_USBSW) && (rcc->cfgr >> 15 & 3) < 2;
}
