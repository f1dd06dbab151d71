// SPDX-License-Identifier: MIT
//
// The registers of the USB peripheral, and its suspend timer. The transactions are in
// usbfs_packets.c.
//
// A write of EPnR does four different things at once: CTR_RX and CTR_TX are cleared by a 0 and kept
// by a 1; DTOG and STAT toggle where a 1 is written; SETUP cannot be written; the rest is plain.
// Software depends on each of them in every interrupt.

#include <stm32f072/usbfs.h>

#include <string.h>

#include "usbfs_private.h"

enum {
    EP_RC_W0 = F072_EP_CTR_RX | F072_EP_CTR_TX,
    EP_TOGGLE = F072_EP_DTOG_RX | F072_EP_STAT_RX | F072_EP_DTOG_TX | F072_EP_STAT_TX,
    EP_PLAIN = F072_EP_TYPE | F072_EP_KIND | F072_EP_EA,
    CNTR_MASK = 0xFFBF,
    ISTR_RC_W0 = 0x7F80,
    BTABLE_MASK = 0xFFF8,
    LPMCSR_WRITABLE = 0x0003, // LPMACK, LPMEN
    BCDR_WRITABLE = 0x800F,
    BCDR_DETECTING = 0x0003, // BCDEN, DCDEN
    BCDR_DCDET = 0x0010,
    EPNR_ADDRESS = 0x40005C00, // of USB_EP0R, for warnings
    CNTR_ADDRESS = EPNR_ADDRESS + F072_USB_CNTR,
};

// A SOF that is this late is missing: more than the jitter of any host.
enum { FRAME_NS = 1000000, SOF_SLACK_NS = 50000 };

// How long L1RESUME drives resume: TL1DevDrvResume (USB 2.0 Link Power Management addendum).
enum { L1_RESUME_NS = 50000 };

// ---- The suspend timer (RM0091 30.5.5) ----

static void restart_timer(struct f072_usbfs *usb, uint64_t now_ns)
{
    usb->sof_missing_ns = now_ns + FRAME_NS + SOF_SLACK_NS;
    usb->missed = 0;
}

// FSUSP stops looking for silence. RESUME needs the ticks again, to be timed by them.
static bool timer_runs(const struct f072_usbfs *usb)
{
    if (!usb->clocked || !usb->watching || usb->line == F072_LINE_SE0)
        return false;
    if (usb->cntr & (F072_CNTR_FRES | F072_CNTR_PDWN))
        return false;
    return !(usb->cntr & F072_CNTR_FSUSP) || (usb->cntr & F072_CNTR_RESUME);
}

uint64_t f072_usbfs_next_event(const struct f072_usbfs *usb)
{
    uint64_t missing_ns = timer_runs(usb) ? usb->sof_missing_ns : UINT64_MAX;

    if (usb->l1_resume_ns < missing_ns)
        missing_ns = usb->l1_resume_ns;
    if (usb->transaction.kind != F072_TRANSACTION_NONE && usb->transaction.end_ns < missing_ns)
        return usb->transaction.end_ns;
    return missing_ns;
}

// The check for suspend is off from FSUSP until the end of the resume sequence, which is the first
// SOF (RM0091 30.6.1, ISTR.SUSP). A frame timer that has locked stays so until suspend (FNR.LCK).
static void miss_frame(struct f072_usbfs *usb)
{
    bool suspend = usb->missed % 3 == 0 && !usb->suspended && !(usb->cntr & F072_CNTR_RESUME);

    if (suspend)
        usb->istr |= F072_USB_SUSP;
    if (suspend || usb->seen < 2)
        usb->seen = 0;
}

void f072_usbfs_advance(struct f072_usbfs *usb, uint64_t now_ns)
{
    if (usb->transaction.end_ns <= now_ns)
        f072_usbfs_end_transaction(usb);
    if (usb->l1_resume_ns <= now_ns) {
        usb->l1_resume_ns = UINT64_MAX;
        usb->cntr &= (uint16_t)~F072_CNTR_L1RESUME;
    }
    while (timer_runs(usb) && usb->sof_missing_ns <= now_ns) {
        usb->sof_missing_ns += FRAME_NS;
        usb->istr |= F072_USB_ESOF;
        usb->missed++;
        miss_frame(usb);
    }
}

// ---- Resets ----

void f072_usbfs_reset(struct f072_usbfs *usb)
{
    memset(usb->ep, 0, sizeof usb->ep);
    usb->cntr = F072_CNTR_FRES | F072_CNTR_PDWN;
    usb->istr = 0;
    usb->fnr = 0;
    usb->daddr = 0;
    usb->btable = 0;
    usb->lpmcsr = 0;
    usb->bcdr = 0;
    usb->watching = false;
    usb->suspended = false;
    usb->resume_ns = 0;
    usb->l1_resume_ns = UINT64_MAX;
    usb->seen = 0;
    usb->double_started = 0;
    usb->transaction.kind = F072_TRANSACTION_NONE;
}

// What a USB reset and FRES do alike: endpoints are lost, all but their pending completions (RM0091
// 30.6.1, ISTR.RESET).
static void reset_endpoints(struct f072_usbfs *usb)
{
    for (int i = 0; i < F072_USB_ENDPOINTS; i++)
        usb->ep[i] &= EP_RC_W0;
    usb->double_started = 0;
    usb->transaction.kind = F072_TRANSACTION_NONE;
    usb->istr |= F072_USB_RESET;
}

// ---- Registers ----

// The register whose completion ISTR shows, or -1: isochronous and double-buffered endpoints before
// the others, and of each the lowest register (RM0091 30.6.1, ISTR.EP_ID).
static int completed(const struct f072_usbfs *usb)
{
    int first = -1;

    for (int i = F072_USB_ENDPOINTS - 1; i >= 0; i--)
        if ((usb->ep[i] & EP_RC_W0) && (first < 0 || f072_usbfs_has_two_rows(usb->ep[i]) ||
                                        !f072_usbfs_has_two_rows(usb->ep[first])))
            first = i;
    return first;
}

// EP_ID is the index of the register, not the endpoint's address.
static uint16_t read_istr(const struct f072_usbfs *usb)
{
    int n = completed(usb);

    if (n < 0)
        return usb->istr;
    uint16_t direction = usb->ep[n] & F072_EP_CTR_RX ? F072_ISTR_DIR : 0;
    return (uint16_t)(usb->istr | F072_USB_CTR | direction | n);
}

static uint16_t read_fnr(const struct f072_usbfs *usb)
{
    uint16_t lines[] = {
        [F072_LINE_J] = F072_FNR_RXDP, [F072_LINE_K] = F072_FNR_RXDM, [F072_LINE_SE0] = 0};
    unsigned lost = usb->missed < 3 ? usb->missed : 3;
    uint16_t locked = usb->seen >= 2 ? F072_FNR_LCK : 0;

    return (uint16_t)(usb->fnr | lines[usb->line] | locked | lost << 11);
}

// The charger detector finds an ordinary port: contact, and neither PDET, SDET nor PS2DET.
static uint16_t read_bcdr(const struct f072_usbfs *usb)
{
    bool contact = usb->vbus && (usb->bcdr & BCDR_DETECTING) == BCDR_DETECTING;

    return (uint16_t)(usb->bcdr | (contact ? BCDR_DCDET : 0));
}

uint16_t f072_usbfs_read(const struct f072_usbfs *usb, uint32_t offset)
{
    if (offset < 4 * F072_USB_ENDPOINTS)
        return usb->ep[offset / 4];
    switch (offset) {
    case F072_USB_CNTR:
        return usb->cntr;
    case F072_USB_ISTR:
        return read_istr(usb);
    case F072_USB_FNR:
        return read_fnr(usb);
    case F072_USB_DADDR:
        return usb->daddr;
    case F072_USB_BTABLE:
        return usb->btable;
    case F072_USB_LPMCSR:
        return usb->lpmcsr;
    case F072_USB_BCDR:
        return read_bcdr(usb);
    default:
        return 0;
    }
}

// Both buffers and both DTOG bits of such a register serve one direction.
static void check_two_rows(struct f072_usbfs *usb, unsigned n)
{
    uint16_t ep = usb->ep[n];
    bool isochronous = f072_usbfs_is_isochronous(ep);

    if (f072_usbfs_has_two_rows(ep) && (ep & F072_EP_STAT_RX) && (ep & F072_EP_STAT_TX))
        f072_warn_once(usb->report, EPNR_ADDRESS + 4 * n,
                       "USB_EP%uR is %s and enabled in both directions: its two buffers serve one "
                       "(RM0091 30.5.%u)",
                       n, isochronous ? "isochronous" : "double-buffered", isochronous ? 4u : 3u);
}

static void write_ep(struct f072_usbfs *usb, unsigned n, uint16_t value)
{
    uint16_t old = usb->ep[n];

    usb->ep[n] = (uint16_t)((old & value & EP_RC_W0) | ((old ^ value) & EP_TOGGLE) |
                            (old & F072_EP_SETUP) | (value & EP_PLAIN));
    if (!f072_usbfs_is_double_buffered(old) || !f072_usbfs_is_double_buffered(usb->ep[n]))
        usb->double_started &= (uint8_t) ~(1u << n);
    check_two_rows(usb, n);
}

// The manual leaves it to software how long the device drives resume (RM0091 30.5.5).
static void time_resume(struct f072_usbfs *usb, uint64_t now_ns)
{
    enum { LEAST_NS = 1000000, MOST_NS = 15000000, US = 1000 };
    uint64_t lasted_ns = now_ns - usb->resume_ns;

    if (usb->cntr & F072_CNTR_RESUME) {
        usb->resume_ns = now_ns;
        return;
    }
    usb->resume_ns = 0;
    if (lasted_ns < LEAST_NS || lasted_ns > MOST_NS)
        f072_warn_once(usb->report, CNTR_ADDRESS,
                       "USB_CNTR.RESUME was set for %u us: a device drives resume for 1 to 15 ms "
                       "(USB 2.0 7.1.7.7)",
                       (unsigned)(lasted_ns / US));
}

static void write_cntr(struct f072_usbfs *usb, uint16_t value, uint64_t now_ns)
{
    uint16_t old = usb->cntr;
    uint16_t changed = old ^ value;

    usb->cntr = value & CNTR_MASK;
    if (changed & value & F072_CNTR_FRES) // DADDR stays: see README.md
        reset_endpoints(usb);
    if (changed & value & F072_CNTR_FSUSP) {
        usb->suspended = true;
        usb->seen = 0;
    }
    if (changed & old & F072_CNTR_FRES)
        usb->watching = true;
    if (changed & F072_CNTR_RESUME)
        time_resume(usb, now_ns);
    if (changed & F072_CNTR_L1RESUME)
        usb->l1_resume_ns = value & F072_CNTR_L1RESUME ? now_ns + L1_RESUME_NS : UINT64_MAX;
    if (changed & (F072_CNTR_FRES | F072_CNTR_PDWN | F072_CNTR_FSUSP | F072_CNTR_RESUME))
        restart_timer(usb, now_ns);
}

void f072_usbfs_write(struct f072_usbfs *usb, uint32_t offset, uint16_t value, uint64_t now_ns)
{
    if (offset < 4 * F072_USB_ENDPOINTS) {
        write_ep(usb, offset / 4, value);
        return;
    }
    switch (offset) {
    case F072_USB_CNTR:
        write_cntr(usb, value, now_ns);
        break;
    case F072_USB_ISTR: // rc_w0; CTR is cleared in EPnR
        usb->istr &= value | (uint16_t)~ISTR_RC_W0;
        break;
    case F072_USB_DADDR:
        usb->daddr = value & 0xFF;
        break;
    case F072_USB_BTABLE:
        usb->btable = value & BTABLE_MASK;
        break;
    case F072_USB_LPMCSR:
        usb->lpmcsr = (usb->lpmcsr & (uint16_t)~LPMCSR_WRITABLE) | (value & LPMCSR_WRITABLE);
        break;
    case F072_USB_BCDR:
        usb->bcdr = value & BCDR_WRITABLE;
        break;
    default: // FNR is read-only
        break;
    }
}

static bool any_completed(const struct f072_usbfs *usb)
{
    unsigned all = 0;

    for (int i = 0; i < F072_USB_ENDPOINTS; i++)
        all |= usb->ep[i];
    return all & EP_RC_W0;
}

// Asked after each event of the chip, so it does not look for the register.
bool f072_usbfs_interrupt(const struct f072_usbfs *usb)
{
    uint16_t done = any_completed(usb) ? F072_USB_CTR : 0;

    return ((usb->istr | done) & usb->cntr & F072_USB_EVENTS) != 0;
}

// ---- What the wire does to the registers ----

bool f072_usbfs_connected(const struct f072_usbfs *usb)
{
    return usb->vbus && (usb->bcdr & F072_BCDR_DPPU) && !(usb->cntr & F072_CNTR_PDWN);
}

bool f072_usbfs_waking(const struct f072_usbfs *usb)
{
    return f072_usbfs_connected(usb) && usb->clocked &&
           (usb->cntr & (F072_CNTR_RESUME | F072_CNTR_L1RESUME));
}

// Activity ends low-power mode by itself, and needs no clock for it; FSUSP is left to software
// (RM0091 30.5.5 and 30.6.1, ISTR.WKUP).
static void wake(struct f072_usbfs *usb)
{
    if (!(usb->cntr & F072_CNTR_FSUSP) || (usb->cntr & (F072_CNTR_FRES | F072_CNTR_PDWN)))
        return;
    usb->cntr &= (uint16_t)~F072_CNTR_LP_MODE;
    usb->istr |= F072_USB_WKUP;
}

void f072_usbfs_bus_reset(struct f072_usbfs *usb, bool se0, uint64_t now_ns)
{
    f072_usbfs_end_transaction(usb);
    usb->line = se0 ? F072_LINE_SE0 : F072_LINE_J;
    usb->seen = 0;
    restart_timer(usb, now_ns);
    if (se0)
        wake(usb);
    if (!se0 || !f072_usbfs_powered(usb))
        return;
    reset_endpoints(usb);
    usb->daddr = 0;
    usb->watching = true;
    usb->suspended = false;
}

void f072_usbfs_sof(struct f072_usbfs *usb, uint16_t frame, uint64_t now_ns)
{
    usb->line = F072_LINE_J;
    restart_timer(usb, now_ns);
    wake(usb);
    if (!f072_usbfs_powered(usb))
        return;
    usb->suspended = false;
    usb->fnr = frame & 0x7FF;
    usb->istr |= F072_USB_SOF;
    if (usb->seen < 2)
        usb->seen++;
}

void f072_usbfs_resume(struct f072_usbfs *usb, uint64_t now_ns)
{
    usb->line = F072_LINE_K;
    restart_timer(usb, now_ns);
    wake(usb);
}
