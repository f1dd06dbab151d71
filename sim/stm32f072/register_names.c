// SPDX-License-Identifier: MIT
//
// A peripheral's name begins with the prefix of its list (TIM1 and TIM16 share one); the register
// is found by its offset. NULL is a gap.

#include "peripherals.h"

#include <stddef.h>
#include <string.h>

// By offset / 4.
static const char *const gpio[] = {"MODER", "OTYPER", "OSPEEDR", "PUPDR", "IDR", "ODR",
                                   "BSRR",  "LCKR",   "AFRL",    "AFRH",  "BRR"};

static const char *const timer[] = {"CR1",   "CR2",  "SMCR", "DIER", "SR",  "EGR", "CCMR1",
                                    "CCMR2", "CCER", "CNT",  "PSC",  "ARR", "RCR", "CCR1",
                                    "CCR2",  "CCR3", "CCR4", "BDTR", "DCR", "DMAR"};

static const char *const rcc[] = {"CR",      "CFGR",    "CIR",     "APB2RSTR", "APB1RSTR",
                                  "AHBENR",  "APB2ENR", "APB1ENR", "BDCR",     "CSR",
                                  "AHBRSTR", "CFGR2",   "CFGR3",   "CR2"};

static const char *const flash[] = {"ACR", "KEYR", "OPTKEYR", "SR",  "CR",
                                    "AR",  NULL,   "OBR",     "WRPR"};

static const char *const usb[] = {"EP0R", "EP1R",  "EP2R",   "EP3R",   "EP4R", "EP5R",
                                  "EP6R", "EP7R",  NULL,     NULL,     NULL,   NULL,
                                  NULL,   NULL,    NULL,     NULL,     "CNTR", "ISTR",
                                  "FNR",  "DADDR", "BTABLE", "LPMCSR", "BCDR"};

static const char *const crs[] = {"CR", "CFGR", "ISR", "ICR"};
static const char *const exti[] = {"IMR", "EMR", "RTSR", "FTSR", "SWIER", "PR"};
static const char *const syscfg[] = {"CFGR1",   NULL,      "EXTICR1", "EXTICR2",
                                     "EXTICR3", "EXTICR4", "CFGR2",   "COMP_CSR"};
static const char *const iwdg[] = {"KR", "PR", "RLR", "SR", "WINR"};
static const char *const wwdg[] = {"CR", "CFR", "SR"};
static const char *const dbgmcu[] = {"IDCODE", "CR", "APB1_FZ", "APB2_FZ"};
static const char *const pwr[] = {"CR", "CSR"};
static const char *const crc[] = {"DR", "IDR", "CR", NULL, "INIT", "POL"};
static const char *const spi[] = {"CR1",    "CR2",    "SR",      "DR",   "CRCPR",
                                  "RXCRCR", "TXCRCR", "I2SCFGR", "I2SPR"};
static const char *const usart[] = {"CR1", "CR2", "CR3", "BRR", "GTPR", "RTOR",
                                    "RQR", "ISR", "ICR", "RDR", "TDR"};
static const char *const i2c[] = {"CR1", "CR2", "OAR1", "OAR2", "TIMINGR", "TIMEOUTR",
                                  "ISR", "ICR", "PECR", "RXDR", "TXDR"};
static const char *const adc[] = {"ISR", "IER",    "CR", "CFGR1", "CFGR2", "SMPR", NULL, NULL, "TR",
                                  NULL,  "CHSELR", NULL, NULL,    NULL,    NULL,   NULL, "DR"};
static const char *const dma[] = {
    "ISR",    "IFCR",   "CCR1",  "CNDTR1", "CPAR1",  "CMAR1",  NULL,     "CCR2",  "CNDTR2",
    "CPAR2",  "CMAR2",  NULL,    "CCR3",   "CNDTR3", "CPAR3",  "CMAR3",  NULL,    "CCR4",
    "CNDTR4", "CPAR4",  "CMAR4", NULL,     "CCR5",   "CNDTR5", "CPAR5",  "CMAR5", NULL,
    "CCR6",   "CNDTR6", "CPAR6", "CMAR6",  NULL,     "CCR7",   "CNDTR7", "CPAR7", "CMAR7"};
static const char *const rtc[] = {"TR",     "DR",    "CR",    "ISR",      "PRER",   "WUTR", NULL,
                                  "ALRMAR", NULL,    "WPR",   "SSR",      "SHIFTR", "TSTR", "TSDR",
                                  "TSSSR",  "CALR",  "TAFCR", "ALRMASSR", NULL,     NULL,   "BKP0R",
                                  "BKP1R",  "BKP2R", "BKP3R", "BKP4R"};
static const char *const can[] = {"MCR", "MSR", "TSR", "RF0R", "RF1R", "IER", "ESR", "BTR"};
static const char *const dac[] = {"CR", "SWTRIGR", NULL, NULL, NULL, NULL, NULL,
                                  NULL, NULL,      NULL, NULL, NULL, NULL, "SR"};
static const char *const cec[] = {"CR", "CFGR", "TXDR", "RXDR", "ISR", "IER"};
static const char *const tsc[] = {"CR", "IER", "ICR", "ISR"};

#define LIST(prefix, names)                                                                        \
    {                                                                                              \
        prefix, names, sizeof names / sizeof names[0]                                              \
    }

static const struct {
    const char *prefix; // of the peripheral's name
    const char *const *names;
    size_t count;
} lists[] = {
    LIST("GPIO", gpio), LIST("TIM", timer), LIST("RCC", rcc),       LIST("FLASH", flash),
    LIST("USB", usb),   LIST("CRS", crs),   LIST("EXTI", exti),     LIST("SYSCFG", syscfg),
    LIST("IWDG", iwdg), LIST("WWDG", wwdg), LIST("DBGMCU", dbgmcu), LIST("PWR", pwr),
    LIST("CRC", crc),   LIST("SPI", spi),   LIST("USART", usart),   LIST("I2C", i2c),
    LIST("ADC", adc),   LIST("DMA", dma),   LIST("RTC", rtc),       LIST("CAN", can),
    LIST("DAC", dac),   LIST("CEC", cec),   LIST("TSC", tsc),
};

const char *f072_register_name(const char *peripheral, uint32_t offset)
{
    if (strcmp(peripheral, "USB_PMA") == 0 || offset % 4 != 0)
        return NULL;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (strncmp(peripheral, lists[i].prefix, strlen(lists[i].prefix)) == 0)
            return offset / 4 < lists[i].count ? lists[i].names[offset / 4] : NULL;
    return NULL;
}
