// SPDX-License-Identifier: MIT
//
// `monitor usb`: the USB peripheral in words (RM0091 30.6).

#include <stdarg.h>
#include <stdio.h>

#include "f072_debug_private.h"

struct text {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3))) static void
write_text(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    size_t written = (size_t)length < text->left ? (size_t)length : text->left - 1;
    text->at += written;
    text->left -= written;
}

struct bit {
    uint16_t mask;
    const char *name;
};

static void write_bits(struct text *text, uint16_t value, const struct bit *bits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (value & bits[i].mask)
            write_text(text, " %s", bits[i].name);
    write_text(text, "\n");
}

static void write_cntr(struct text *text, uint16_t value)
{
    static const struct bit bits[] = {
        {F072_USB_CTR, "CTRM"},       {F072_USB_PMAOVR, "PMAOVRM"}, {F072_USB_ERR, "ERRM"},
        {F072_USB_WKUP, "WKUPM"},     {F072_USB_SUSP, "SUSPM"},     {F072_USB_RESET, "RESETM"},
        {F072_USB_SOF, "SOFM"},       {F072_USB_ESOF, "ESOFM"},     {F072_USB_L1REQ, "L1REQM"},
        {F072_CNTR_RESUME, "RESUME"}, {F072_CNTR_FSUSP, "FSUSP"},   {F072_CNTR_LP_MODE, "LP_MODE"},
        {F072_CNTR_PDWN, "PDWN"},     {F072_CNTR_FRES, "FRES"},
    };

    write_text(text, "USB_CNTR   %04X ", value);
    write_bits(text, value, bits, sizeof bits / sizeof *bits);
}

static void write_istr(struct text *text, uint16_t value)
{
    static const struct bit bits[] = {
        {F072_USB_CTR, "CTR"},   {F072_USB_PMAOVR, "PMAOVR"}, {F072_USB_ERR, "ERR"},
        {F072_USB_WKUP, "WKUP"}, {F072_USB_SUSP, "SUSP"},     {F072_USB_RESET, "RESET"},
        {F072_USB_SOF, "SOF"},   {F072_USB_ESOF, "ESOF"},     {F072_USB_L1REQ, "L1REQ"},
    };

    write_text(text, "USB_ISTR   %04X ", value);
    if (value & F072_USB_CTR)
        write_text(text, " EP_ID %u %s:", value & F072_EP_EA,
                   value & F072_ISTR_DIR ? "OUT or SETUP" : "IN");
    write_bits(text, value, bits, sizeof bits / sizeof *bits);
}

static const char *status_name(unsigned status)
{
    static const char *const names[4] = {"DISABLED", "STALL", "NAK", "VALID"};

    return names[status & 3];
}

static const char *type_name(uint16_t value)
{
    switch (value & F072_EP_TYPE) {
    case F072_EP_CONTROL:
        return value & F072_EP_KIND ? "control, STATUS_OUT" : "control";
    case F072_EP_ISOCHRONOUS:
        return "isochronous";
    case F072_EP_INTERRUPT:
        return "interrupt";
    default:
        return value & F072_EP_KIND ? "bulk, double-buffered" : "bulk";
    }
}

static void write_endpoint(struct text *text, unsigned number, uint16_t value)
{
    write_text(text, "USB_EP%uR   %04X  endpoint %u, %s; RX %s DATA%u%s%s; TX %s DATA%u%s\n",
               number, value, value & F072_EP_EA, type_name(value), status_name(value >> 12),
               (value & F072_EP_DTOG_RX) != 0, value & F072_EP_CTR_RX ? " CTR" : "",
               value & F072_EP_SETUP ? " SETUP" : "", status_name(value >> 4),
               (value & F072_EP_DTOG_TX) != 0, value & F072_EP_CTR_TX ? " CTR" : "");
}

static void write_setup(struct text *text, const struct f072_debug *debug)
{
    const uint8_t *setup = debug->setup;

    if (!debug->setup_seen) {
        write_text(text, "no SETUP has come yet\n");
        return;
    }
    write_text(
        text,
        "last SETUP bmRequestType %02X bRequest %02X wValue %04X wIndex %04X wLength %04X, at "
        "%.6f ms: %s\n",
        setup[0], setup[1], usbdev_load_le16(setup + 2), usbdev_load_le16(setup + 4),
        usbdev_load_le16(setup + 6), (double)debug->setup_ns / 1e6,
        debug->setup_result == SIM_ACK ? "ACK" : "ignored");
}

static const char *line_state(const struct f072_debug *debug)
{
    const struct f072_board *board = debug->board;

    if (board->who == F072_BOARD_NOBODY)
        return "no power";
    if (board->who == F072_BOARD_ROM)
        return "the model of the boot loader in ROM drives the pins; the registers are as the "
               "firmware left them";
    if (!f072_usbfs_connected(&board->chip.usb))
        return "the pull-up is off";
    switch (board->chip.usb.line) {
    case F072_LINE_J:
        return board->chip.usb.suspended ? "suspended" : "connected";
    case F072_LINE_K:
        return "connected, resume on the bus";
    case F072_LINE_SE0:
        return "connected, reset on the bus";
    }
    return "";
}

void f072_debug_write_usb(const struct f072_debug *debug, char *text, size_t size)
{
    const struct f072_usbfs *usb = &debug->board->chip.usb;
    struct text out = {text, size};

    write_text(&out, "%s; 48 MHz %s\n", line_state(debug), usb->clocked ? "running" : "missing");
    write_cntr(&out, f072_usbfs_read(usb, F072_USB_CNTR));
    write_istr(&out, f072_usbfs_read(usb, F072_USB_ISTR));
    write_text(&out, "USB_DADDR  %04X  address %u%s\n", usb->daddr, usb->daddr & 0x7Fu,
               usb->daddr & F072_DADDR_EF ? "" : ", not enabled (EF)");
    write_text(&out, "USB_FNR    %04X  frame %u\n", usb->fnr, usb->fnr & 0x7FFu);
    write_text(&out, "USB_BTABLE %04X\n", usb->btable);
    for (unsigned i = 0; i < F072_USB_ENDPOINTS; i++)
        if (usb->ep[i] != 0)
            write_endpoint(&out, i, usb->ep[i]);
    write_setup(&out, debug);
}
