// SPDX-License-Identifier: MIT
//
// ready_ns says for each oscillator since or from when it is ready; UINT64_MAX is off. A ready bit
// is computed from it on each read. The system clock switches when the wanted source is ready,
// and an interrupt comes when an oscillator is ready: the two events of this file. An oscillator
// that the system clock uses, directly or through the PLL, cannot be switched off; nor can HSI48
// while it is the clock of USB. rcc_clocks.c has what the clocks amount to.

#include "rcc_private.h"

#include <string.h>

// Register offsets (RM0091 6.4).
enum {
    CR = 0x00,
    CFGR = 0x04,
    CIR = 0x08,
    APB2RSTR = 0x0C,
    APB1RSTR = 0x10,
    AHBENR = 0x14,
    APB2ENR = 0x18,
    APB1ENR = 0x1C,
    BDCR = 0x20,
    CSR = 0x24,
    AHBRSTR = 0x28,
    CFGR2 = 0x2C,
    CFGR3 = 0x30,
    CR2 = 0x34,
};

enum {
    CR_PLLON = 1 << 24,
    CR_WRITABLE = 0x010D00F9, // PLLON, CSSON, HSEBYP, HSEON, HSITRIM, HSION
    CFGR_SW = 0x3,
    CFGR_SWS = 0xC,
    CFGR_PLL = 0x003F8000, // PLLMUL, PLLXTPRE, PLLSRC: only while the PLL is off
    CSR_RMVF = 1 << 24,
    CR2_WRITABLE = 0x000100FD,
    CR2_HSI48ON = 1 << 16,
    CSR_FLAGS = 0x7E << 24 | 1 << 23,
    HSICAL = 0x80, // what calibration fields read as: mid-scale
};

const enum f072_oscillator f072_rcc_sources[] = {F072_HSI, F072_HSE, F072_PLL, F072_HSI48};

// Where each oscillator is switched on, how long it takes (DS9826, typical values), and which flag
// of CIR says that it is ready; the flag's enable bit is CIR_ENABLE higher, its clear bit
// CIR_CLEAR.
enum { CIR_ENABLE = 8, CIR_CLEAR = 16, CIR_FLAGS = 0x7F };
static const struct {
    uint32_t start_ns;
    uint8_t offset;
    uint8_t on_bit;
    uint8_t ready_bit;
    uint8_t flag;
} oscillators[F072_OSCILLATORS] = {
    [F072_HSI] = {1000, CR, 0, 1, 2},         [F072_HSE] = {2000000, CR, 16, 17, 3},
    [F072_PLL] = {100000, CR, 24, 25, 4},     [F072_HSI14] = {1000, CR2, 0, 1, 5},
    [F072_HSI48] = {6000, CR2, 16, 17, 6},    [F072_LSI] = {85000, CSR, 0, 1, 0},
    [F072_LSE] = {2000000000, BDCR, 0, 1, 1},
};

void f072_rcc_reset(struct f072_rcc *rcc, uint32_t cause)
{
    uint32_t flags = rcc->csr & (uint32_t)CSR_FLAGS;
    struct f072_rcc old = *rcc;

    memset(rcc, 0, sizeof *rcc);
    rcc->has_hsi48 = old.has_hsi48;
    for (int i = 0; i < F072_OSCILLATORS; i++)
        rcc->ready_ns[i] = UINT64_MAX;
    rcc->ready_ns[F072_HSI] = 0;
    rcc->announced = 1u << F072_HSI;
    rcc->cr = 0x81 | HSICAL << 8;
    rcc->cr2 = 0x80 | (uint32_t)HSICAL << 8;
    rcc->enable[F072_AHB] = 0x14;
    if (cause != F072_RESET_POWER_ON) {
        rcc->bdcr = old.bdcr;
        rcc->ready_ns[F072_LSE] = old.ready_ns[F072_LSE];
        rcc->announced |= old.announced & 1u << F072_LSE;
        rcc->csr = flags;
    }
    // Every reset pulls NRST low: the pin's flag comes with each of them (RM0091 figure 9). The end
    // of Standby mode is none of these.
    rcc->csr |= cause == F072_RESET_STANDBY ? cause : cause | F072_RESET_PIN;
}

// ---- Switching ----

static uint32_t *control(struct f072_rcc *rcc, enum f072_oscillator oscillator)
{
    switch (oscillators[oscillator].offset) {
    case CR:
        return &rcc->cr;
    case CR2:
        return &rcc->cr2;
    case CSR:
        return &rcc->csr;
    default:
        return &rcc->bdcr;
    }
}

// Is it what the processor runs on? Then it cannot be switched off.
static bool in_use(const struct f072_rcc *rcc, enum f072_oscillator oscillator)
{
    static const enum f072_oscillator pll_sources[] = {F072_HSI, F072_HSI, F072_HSE, F072_HSI48};

    if (f072_rcc_sources[rcc->source] == oscillator)
        return true;
    return f072_rcc_sources[rcc->source] == F072_PLL &&
           pll_sources[rcc->cfgr >> 15 & 3] == oscillator;
}

// Choosing HSI48 as the clock of a USB that is enabled forces HSI48ON to 1 (RM0091 6.2.3).
static bool drives_usb(const struct f072_rcc *rcc, enum f072_oscillator oscillator)
{
    enum { USBEN = 23 };

    return oscillator == F072_HSI48 && rcc->has_hsi48 && !(rcc->cfgr3 & F072_CFGR3_USBSW) &&
           f072_rcc_enabled(rcc, F072_APB1, USBEN);
}

static void switch_oscillators(struct f072_rcc *rcc, uint64_t now_ns)
{
    for (enum f072_oscillator i = 0; i < F072_OSCILLATORS; i++) {
        uint32_t on = UINT32_C(1) << oscillators[i].on_bit;
        if (in_use(rcc, i) || drives_usb(rcc, i))
            *control(rcc, i) |= on;
        if (!(*control(rcc, i) & on))
            rcc->ready_ns[i] = UINT64_MAX;
        else if (rcc->ready_ns[i] == UINT64_MAX)
            rcc->ready_ns[i] = now_ns + oscillators[i].start_ns;
        if (rcc->ready_ns[i] > now_ns)
            rcc->announced &= ~(1u << i);
    }
}

// ---- Ready interrupts: a flag is set where its oscillator becomes ready and it is enabled ----

static bool announces(const struct f072_rcc *rcc, enum f072_oscillator i)
{
    return !(rcc->announced >> i & 1) && (rcc->cir >> oscillators[i].flag >> CIR_ENABLE & 1);
}

static void announce(struct f072_rcc *rcc, uint64_t now_ns)
{
    for (enum f072_oscillator i = 0; i < F072_OSCILLATORS; i++) {
        if (!f072_rcc_ready(rcc, i, now_ns))
            continue;
        if (announces(rcc, i))
            rcc->cir |= UINT32_C(1) << oscillators[i].flag;
        rcc->announced |= 1u << i;
    }
}

static void write_cir(struct f072_rcc *rcc, uint32_t value)
{
    rcc->cir = (rcc->cir & CIR_FLAGS & ~(value >> CIR_CLEAR)) | (value & CIR_FLAGS << CIR_ENABLE);
}

bool f072_rcc_interrupt(const struct f072_rcc *rcc)
{
    return rcc->cir & rcc->cir >> CIR_ENABLE & CIR_FLAGS;
}

// ---- Time ----

static uint64_t next_switch(const struct f072_rcc *rcc)
{
    unsigned wanted = rcc->cfgr & CFGR_SW;

    return wanted == rcc->source ? UINT64_MAX : rcc->ready_ns[f072_rcc_sources[wanted]];
}

uint64_t f072_rcc_next_event(const struct f072_rcc *rcc)
{
    uint64_t next = next_switch(rcc);

    for (enum f072_oscillator i = 0; rcc->cir != 0 && i < F072_OSCILLATORS; i++)
        if (announces(rcc, i) && rcc->ready_ns[i] < next)
            next = rcc->ready_ns[i];
    return next;
}

void f072_rcc_advance(struct f072_rcc *rcc, uint64_t now_ns)
{
    if (next_switch(rcc) <= now_ns)
        rcc->source = rcc->cfgr & CFGR_SW;
    announce(rcc, now_ns);
}

void f072_rcc_leave_stop(struct f072_rcc *rcc, uint64_t now_ns)
{
    enum { HSION = 1 << 0, HSEON = 1 << 16, CSSON = 1 << 19 };

    rcc->cr = (rcc->cr & ~(uint32_t)(CR_PLLON | CSSON | HSEON)) | HSION;
    rcc->cfgr &= ~(uint32_t)CFGR_SW;
    rcc->source = 0;
    for (enum f072_oscillator i = 0; i < F072_OSCILLATORS; i++)
        if (i != F072_LSI && i != F072_LSE)
            rcc->ready_ns[i] = UINT64_MAX;
    rcc->ready_ns[F072_HSI] = now_ns;
    switch_oscillators(rcc, now_ns);
}

static void run_from_hsi48(struct f072_rcc *rcc, uint64_t now_ns)
{
    enum { SW_HSI48 = 3 };

    f072_rcc_write(rcc, CR2, CR2_HSI48ON, now_ns);
    rcc->ready_ns[F072_HSI48] = now_ns;
    f072_rcc_write(rcc, CFGR, SW_HSI48, now_ns);
}

// 6 times the crystal.
static void run_from_hse(struct f072_rcc *rcc, uint64_t now_ns)
{
    enum {
        HSION = 1 << 0,
        HSEON = 1 << 16,
        SW_PLL = 2,
        PLL_FROM_HSE = 2 << 15,
        PLLMUL_6 = 4 << 18
    };

    f072_rcc_write(rcc, CFGR, PLL_FROM_HSE | PLLMUL_6, now_ns);
    f072_rcc_write(rcc, CR, HSION | HSEON | CR_PLLON, now_ns);
    rcc->ready_ns[F072_HSE] = now_ns;
    rcc->ready_ns[F072_PLL] = now_ns;
    f072_rcc_write(rcc, CFGR, PLL_FROM_HSE | PLLMUL_6 | SW_PLL, now_ns);
    f072_rcc_write(rcc, CFGR3, F072_CFGR3_USBSW, now_ns);
}

void f072_rcc_as_left_by_rom(struct f072_rcc *rcc, uint64_t now_ns)
{
    enum { SYSCFGEN = 1 << 0, USBEN = 1 << 23, CRSEN = 1 << 27 };
    uint32_t csr = rcc->csr;

    f072_rcc_reset(rcc, F072_RESET_PIN);
    rcc->csr = csr;
    rcc->enable[F072_APB1] = USBEN | CRSEN;
    rcc->enable[F072_APB2] = SYSCFGEN;
    if (rcc->has_hsi48)
        run_from_hsi48(rcc, now_ns);
    else
        run_from_hse(rcc, now_ns);
}

// ---- Registers ----

static uint32_t ready_bits(const struct f072_rcc *rcc, uint8_t offset, uint64_t now_ns)
{
    uint32_t bits = 0;

    for (enum f072_oscillator i = 0; i < F072_OSCILLATORS; i++)
        if (oscillators[i].offset == offset && f072_rcc_ready(rcc, i, now_ns))
            bits |= UINT32_C(1) << oscillators[i].ready_bit;
    return bits;
}

uint32_t f072_rcc_read(const struct f072_rcc *rcc, uint32_t offset, uint64_t now_ns)
{
    switch (offset) {
    case CR:
        return rcc->cr | ready_bits(rcc, CR, now_ns);
    case CFGR:
        return rcc->cfgr | rcc->source << 2;
    case CIR:
        return rcc->cir;
    case APB2RSTR:
        return rcc->reset[F072_APB2];
    case APB1RSTR:
        return rcc->reset[F072_APB1];
    case AHBENR:
        return rcc->enable[F072_AHB];
    case APB2ENR:
        return rcc->enable[F072_APB2];
    case APB1ENR:
        return rcc->enable[F072_APB1];
    case BDCR:
        return rcc->bdcr | ready_bits(rcc, BDCR, now_ns);
    case CSR:
        return rcc->csr | ready_bits(rcc, CSR, now_ns);
    case AHBRSTR:
        return rcc->reset[F072_AHB];
    case CFGR2:
        return rcc->cfgr2;
    case CFGR3:
        return rcc->cfgr3;
    case CR2:
        return rcc->cr2 | ready_bits(rcc, CR2, now_ns);
    default:
        return 0;
    }
}

static void write_csr(struct f072_rcc *rcc, uint32_t value)
{
    if (value & CSR_RMVF)
        rcc->csr &= ~(uint32_t)CSR_FLAGS;
    rcc->csr = (rcc->csr & ~UINT32_C(1)) | (value & 1);
}

static void write_cfgr(struct f072_rcc *rcc, uint32_t value)
{
    uint32_t fixed = CFGR_SWS | (rcc->cr & CR_PLLON ? CFGR_PLL : 0);

    rcc->cfgr = (rcc->cfgr & fixed & ~(uint32_t)CFGR_SWS) | (value & ~fixed);
}

void f072_rcc_write(struct f072_rcc *rcc, uint32_t offset, uint32_t value, uint64_t now_ns)
{
    announce(rcc, now_ns);
    switch (offset) {
    case CR:
        rcc->cr = (value & CR_WRITABLE) | HSICAL << 8;
        break;
    case CFGR:
        write_cfgr(rcc, value);
        break;
    case CIR:
        write_cir(rcc, value);
        break;
    case APB2RSTR:
        rcc->reset[F072_APB2] = value;
        break;
    case APB1RSTR:
        rcc->reset[F072_APB1] = value;
        break;
    case AHBENR:
        rcc->enable[F072_AHB] = value;
        break;
    case APB2ENR:
        rcc->enable[F072_APB2] = value;
        break;
    case APB1ENR:
        rcc->enable[F072_APB1] = value;
        break;
    case BDCR:
        rcc->bdcr = value & 0x1831D;
        break;
    case CSR:
        write_csr(rcc, value);
        break;
    case AHBRSTR:
        rcc->reset[F072_AHB] = value;
        break;
    case CFGR2:
        if (!(rcc->cr & CR_PLLON))
            rcc->cfgr2 = value & 0xF;
        break;
    case CFGR3:
        rcc->cfgr3 = value & 0x000F01D3;
        break;
    case CR2:
        rcc->cr2 = (value & CR2_WRITABLE) | (uint32_t)HSICAL << 8;
        if (!rcc->has_hsi48)
            rcc->cr2 &= ~(uint32_t)CR2_HSI48ON;
        break;
    default:
        break;
    }
    switch_oscillators(rcc, now_ns);
    f072_rcc_advance(rcc, now_ns);
}

bool f072_rcc_enabled(const struct f072_rcc *rcc, enum f072_bus bus, unsigned bit)
{
    return bus == F072_ALWAYS || (rcc->enable[bus] >> bit & 1);
}
