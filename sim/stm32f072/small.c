// SPDX-License-Identifier: MIT
//
// The CRS reports a successful synchronisation at each SOF (or SWSYNC) while it counts, and does
// not model a trim. A peripheral without behaviour is a stub: its registers keep what is written,
// and three tables say what it reads at reset, which status bit follows which control bit, and
// which write starts something that is not modelled. The TSC measures electrodes that nobody
// touches.

#include <stm32f072/small.h>

#include <stddef.h>

// ---- Clock recovery system (RM0091 7.6) ----

enum { CRS_CR = 0x00, CRS_CFGR = 0x04, CRS_ISR = 0x08, CRS_ICR = 0x0C };
enum {
    CRS_CEN = 1 << 5,
    CRS_SWSYNC = 1 << 7,
    CRS_SYNCOK = 1 << 0,
    CRS_ESYNC = 1 << 3,
    CRS_FLAGS = 0xF,
    CRS_SYNCSRC = 3u << 28,
    CRS_SYNCSRC_USB = 2u << 28,
};

void f072_crs_reset(struct f072_crs *crs)
{
    *crs = (struct f072_crs){.cr = 0x2000, .cfgr = 0x2022BB7F};
}

uint32_t f072_crs_read(const struct f072_crs *crs, uint32_t offset)
{
    switch (offset) {
    case CRS_CR:
        return crs->cr;
    case CRS_CFGR:
        return crs->cfgr;
    case CRS_ISR:
        return crs->isr;
    default: // ICR is write-only
        return 0;
    }
}

static void synchronise(struct f072_crs *crs)
{
    if (crs->cr & CRS_CEN)
        crs->isr |= CRS_SYNCOK | CRS_ESYNC;
}

void f072_crs_write(struct f072_crs *crs, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case CRS_CR:
        crs->cr = value & 0x3F6F;
        if (value & CRS_SWSYNC)
            synchronise(crs);
        break;
    case CRS_CFGR:
        crs->cfgr = value;
        break;
    case CRS_ICR:
        crs->isr &= ~(value & CRS_FLAGS);
        break;
    default: // ISR is read-only
        break;
    }
}

void f072_crs_sof(struct f072_crs *crs)
{
    if ((crs->cfgr & CRS_SYNCSRC) == CRS_SYNCSRC_USB)
        synchronise(crs);
}

// The enable bits of CR stand where the flags stand in ISR.
bool f072_crs_interrupt(const struct f072_crs *crs)
{
    return crs->isr & crs->cr & CRS_FLAGS;
}

// ---- Extended interrupts (RM0091 11.3) ----

enum { IMR = 0x00, EMR = 0x04, RTSR = 0x08, FTSR = 0x0C, SWIER = 0x10, PR = 0x14 };
enum { CONFIGURABLE_LINES = 0x007BFFFF };

void f072_exti_reset(struct f072_exti *exti)
{
    *exti = (struct f072_exti){.imr = 0x7F840000};
}

uint32_t f072_exti_read(const struct f072_exti *exti, uint32_t offset)
{
    switch (offset) {
    case IMR:
        return exti->imr;
    case EMR:
        return exti->emr;
    case RTSR:
        return exti->rtsr;
    case FTSR:
        return exti->ftsr;
    case SWIER:
        return exti->swier;
    case PR:
        return exti->pr;
    default:
        return 0;
    }
}

void f072_exti_write(struct f072_exti *exti, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case IMR:
        exti->imr = value;
        break;
    case EMR:
        exti->emr = value;
        break;
    case RTSR:
        exti->rtsr = value & CONFIGURABLE_LINES;
        break;
    case FTSR:
        exti->ftsr = value & CONFIGURABLE_LINES;
        break;
    case SWIER: // a 0 to 1 transition triggers the line
        value &= ~exti->swier & CONFIGURABLE_LINES;
        exti->pr |= value;
        exti->event |= (value & exti->emr) != 0;
        exti->swier |= value;
        break;
    case PR: // rc_w1, and clears SWIER
        exti->pr &= ~value;
        exti->swier &= ~value;
        break;
    default:
        break;
    }
}

void f072_exti_edge(struct f072_exti *exti, unsigned line, bool rising)
{
    uint32_t edge = (rising ? exti->rtsr : exti->ftsr) & UINT32_C(1) << line;

    exti->pr |= edge;
    exti->event |= (edge & exti->emr) != 0;
}

bool f072_exti_take_event(struct f072_exti *exti)
{
    bool event = exti->event;

    exti->event = false;
    return event;
}

bool f072_exti_interrupt(const struct f072_exti *exti, uint32_t lines)
{
    return exti->pr & exti->imr & lines;
}

// ---- Stubs ----

struct preset {
    enum f072_stub_kind kind;
    uint16_t offset;
    uint32_t value;
};

// Reset values other than 0.
static const struct preset presets[] = {
    {F072_STUB_CAN, 0x00, 0x00010002},   // MCR: SLEEP
    {F072_STUB_CAN, 0x04, 0x00000C00},   // MSR: RX and SAMP see a bus at rest
    {F072_STUB_CAN, 0x08, 0x1C000000},   // TSR: mailboxes empty
    {F072_STUB_CAN, 0x1C, 0x01230000},   // BTR
    {F072_STUB_CAN, 0x200, 0x2A1C0E01},  // FMR
    {F072_STUB_SPI, 0x04, 0x00000700},   // CR2
    {F072_STUB_SPI, 0x08, 0x00000002},   // SR: TXE
    {F072_STUB_SPI, 0x10, 0x00000007},   // CRCPR
    {F072_STUB_SPI, 0x20, 0x00000002},   // I2SPR
    {F072_STUB_USART, 0x1C, 0x000000C0}, // ISR: TXE, TC
};

// A status bit that follows a control bit, as software waits for it to; control_bit 32: always set.
static const struct follow {
    enum f072_stub_kind kind;
    uint16_t status;
    uint8_t status_bit;
    uint16_t control;
    uint8_t control_bit;
} follows[] = {
    {F072_STUB_CAN, 0x04, 0, 0x00, 0},    // MSR.INAK, MCR.INRQ
    {F072_STUB_CAN, 0x04, 1, 0x00, 1},    // MSR.SLAK, MCR.SLEEP
    {F072_STUB_I2C, 0x18, 0, 0x00, 32},   // ISR.TXE
    {F072_STUB_USART, 0x1C, 21, 0x00, 3}, // ISR.TEACK, CR1.TE
    {F072_STUB_USART, 0x1C, 22, 0x00, 2}, // ISR.REACK, CR1.RE
};

// What starts something that would be silently wrong.
static const struct {
    enum f072_stub_kind kind;
    uint16_t offset;
    uint32_t mask;
    const char *what;
} starts[] = {
    {F072_STUB_CAN, 0x180, 1, "a CAN transmission"},
    {F072_STUB_CAN, 0x190, 1, "a CAN transmission"},
    {F072_STUB_CAN, 0x1A0, 1, "a CAN transmission"},
    {F072_STUB_CEC, 0x00, 2, "a CEC transmission"},
};

// Master reset of bxCAN (RM0091 29.9.2).
enum { CAN_MCR = 0x00, CAN_MCR_RESET = 1 << 15 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// ---- Touch sensing (RM0091 16.6): an acquisition ends at once, each group with half of MCV ----

enum { TSC_CR = 0x00, TSC_IER = 0x04, TSC_ICR = 0x08, TSC_ISR = 0x0C, TSC_IOGCSR = 0x30 };
enum { TSC_TSCE = 1 << 0, TSC_START = 1 << 1, TSC_FLAGS = 3, TSC_EOAF = 1 << 0 };
enum { TSC_GROUPS = 8, TSC_MCV_SHIFT = 5, TSC_GxS_SHIFT = 16 };

static void acquire(struct f072_stub *stub)
{
    uint32_t *iogcsr = &stub->words[TSC_IOGCSR / 4];
    uint32_t count = UINT32_C(128) << (stub->words[TSC_CR / 4] >> TSC_MCV_SHIFT & 7);
    uint32_t groups = *iogcsr & ((1u << TSC_GROUPS) - 1);

    for (unsigned i = 0; i < TSC_GROUPS; i++)
        if (groups >> i & 1)
            stub->words[TSC_IOGCSR / 4 + 1 + i] = count; // TSC_IOGxCR
    *iogcsr = groups | groups << TSC_GxS_SHIFT;
    stub->words[TSC_ISR / 4] |= TSC_EOAF;
}

static void write_tsc(struct f072_stub *stub, uint32_t offset, uint32_t value)
{
    if (offset == TSC_ICR)
        stub->words[TSC_ISR / 4] &= ~(value & TSC_FLAGS);
    else if (offset == TSC_CR)
        stub->words[TSC_CR / 4] = value & ~(uint32_t)TSC_START;
    else if (offset < TSC_IOGCSR && offset != TSC_ISR)
        stub->words[offset / 4] = value;
    else if (offset == TSC_IOGCSR)
        stub->words[offset / 4] = value & 0xFFFF;
    if (offset == TSC_CR && (value & (TSC_TSCE | TSC_START)) == (TSC_TSCE | TSC_START))
        acquire(stub);
}

bool f072_tsc_interrupt(const struct f072_stub *stub)
{
    return stub->words[TSC_IER / 4] & stub->words[TSC_ISR / 4] & TSC_FLAGS;
}

// ---- All of them ----

void f072_stub_reset(struct f072_stub *stub, enum f072_stub_kind kind)
{
    *stub = (struct f072_stub){.clock_hz = stub->clock_hz, .end_ns = UINT64_MAX};
    for (size_t i = 0; i < COUNT(presets); i++)
        if (presets[i].kind == kind)
            stub->words[presets[i].offset / 4] = presets[i].value;
}

uint32_t f072_stub_read(const struct f072_stub *stub, enum f072_stub_kind kind, uint32_t offset)
{
    uint32_t value = stub->words[offset / 4];

    for (size_t i = 0; i < COUNT(follows); i++) {
        const struct follow *f = &follows[i];
        if (f->kind != kind || f->status != offset)
            continue;
        bool on = f->control_bit == 32 || (stub->words[f->control / 4] >> f->control_bit & 1);
        value = (value & ~(UINT32_C(1) << f->status_bit)) | (uint32_t)on << f->status_bit;
    }
    return value;
}

const char *
f072_stub_write(struct f072_stub *stub, enum f072_stub_kind kind, uint32_t offset, uint32_t value)
{
    if (kind == F072_STUB_CAN && offset == CAN_MCR && (value & CAN_MCR_RESET)) {
        f072_stub_reset(stub, kind);
        return NULL;
    }
    if (kind == F072_STUB_TSC)
        write_tsc(stub, offset, value);
    else
        stub->words[offset / 4] = value;
    for (size_t i = 0; i < COUNT(starts); i++)
        if (starts[i].kind == kind && starts[i].offset == offset && (value & starts[i].mask))
            return starts[i].what;
    return NULL;
}
