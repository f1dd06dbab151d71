// SPDX-License-Identifier: MIT

#include "usbfs_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const uint8_t get_status[USBDEV_SETUP_SIZE] = {0x80, 0, 0, 0, 0, 0, 2, 0};

uint16_t read_register(struct fixture *f, uint32_t offset)
{
    return f072_usbfs_read(&f->usb, offset);
}

void write_register(struct fixture *f, uint32_t offset, unsigned value)
{
    f072_usbfs_write(&f->usb, offset, (uint16_t)value, f->now_ns);
}

void write_table(struct fixture *f, unsigned n, uint16_t tx, uint16_t rx, uint16_t count_rx)
{
    usbdev_store_le16(f->usb.pma + 8 * n, tx);
    usbdev_store_le16(f->usb.pma + 8 * n + 4, rx);
    usbdev_store_le16(f->usb.pma + 8 * n + 6, count_rx);
}

void set_tx_count(struct fixture *f, unsigned n, uint16_t count)
{
    usbdev_store_le16(f->usb.pma + 8 * n + 2, count);
}

uint16_t rx_count(struct fixture *f, unsigned n)
{
    return usbdev_load_le16(f->usb.pma + 8 * n + 6);
}

void elapse(struct fixture *f, uint64_t ns)
{
    f->now_ns += ns;
    f072_usbfs_advance(&f->usb, f->now_ns);
}

int attach(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    f.report.quiet = true;
    f.usb.report = &f.report;
    f072_usbfs_reset(&f.usb);
    f.usb.clocked = true;
    f.usb.vbus = true;
    write_register(&f, F072_USB_CNTR, F072_CNTR_FRES);
    write_register(&f, F072_USB_CNTR, 0);
    write_register(&f, F072_USB_ISTR, 0);
    write_register(&f, F072_USB_BCDR, F072_BCDR_DPPU);
    *state = &f;
    return 0;
}

int open_control(void **state)
{
    attach(state);
    struct fixture *f = *state;
    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);
    f072_usbfs_bus_reset(&f->usb, false, f->now_ns);
    write_register(f, F072_USB_ISTR, 0);
    write_table(f, 0, TX_BUFFER, RX_BUFFER, CONTROL_64);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x3020); // STAT_RX VALID, STAT_TX NAK
    write_register(f, F072_USB_DADDR, F072_DADDR_EF | ADDRESS);
    return 0;
}

// To the end of the handshake; the peripheral sees no time pass.
static int ended(struct fixture *f, int result)
{
    if (f->usb.transaction.kind != F072_TRANSACTION_NONE)
        f072_usbfs_advance(&f->usb, f->usb.transaction.end_ns);
    return result;
}

int setup(struct fixture *f)
{
    return ended(f, f072_usbfs_setup(&f->usb, ADDRESS, 0, get_status, f->now_ns));
}

int out(struct fixture *f, uint8_t endpoint, bool data1, size_t length)
{
    for (size_t i = 0; i < length; i++)
        f->packet[i] = (uint8_t)(i + 1);
    return ended(f,
                 f072_usbfs_out(&f->usb, ADDRESS, endpoint, data1, f->packet, length, f->now_ns));
}

int in(struct fixture *f, uint8_t endpoint)
{
    return ended(f, f072_usbfs_in(&f->usb, ADDRESS, endpoint, &f->data1, f->packet, f->now_ns));
}
