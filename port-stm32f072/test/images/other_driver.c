// SPDX-License-Identifier: MIT
//
// A device whose USB driver does everything in the other common way, for tests of the virtual
// board:
//
//   - its main loop looks at the peripheral once a millisecond; there is no USB interrupt;
//   - ISTR.RESET is served before ISTR.CTR;
//   - at suspend it forces a reset by CNTR.FRES and restores EPnR, but not DADDR;
//   - its bulk endpoints 01h and 82h are double-buffered (RM0091 30.5.3): what comes in on the one
//     goes out on the other.
//
// SW_BUF begins as the opposite of DTOG on both endpoints, so that one packet at a time waits:
// where the two are equal, 01h has a packet for the driver and 82h is free.

#include <dfurt/usbdev.h>

#include "clock.h"
#include "interrupts.h"
#include "pair.h"
#include "regs/cortex_m0.h"
#include "rows.h"
#include "usb_fs_private.h"

enum { ENDPOINT_REGISTERS = 8 };
enum { TOGGLES = USB_EPR_DTOG_RX | USB_EPR_STAT_RX | USB_EPR_DTOG_TX | USB_EPR_STAT_TX };

static struct stm32_usb usb;
static struct usbdev dev;

// ---- The loopback ----

static struct {
    unsigned from; // the row of RECEIVER that is read next
    unsigned to;   // the row of SENDER that is filled next
    bool started;  // SENDER's STAT_TX is VALID
} loop;

static bool toggles_are_equal(unsigned endpoint)
{
    unsigned epr = USB_EP[endpoint].R;

    return ((epr & USB_EPR_DTOG_RX) != 0) == ((epr & USB_EPR_DTOG_TX) != 0);
}

static void toggle(unsigned endpoint, unsigned bit)
{
    USB_EP[endpoint].R = (uint16_t)(stm32_usb_unchanged(USB_EP[endpoint].R) | bit);
}

static void open_receiver(void)
{
    stm32_usb_describe_buffers(RECEIVER);
    USB_BUFFERS[RECEIVER].COUNT_TX = USB_COUNT_RX_64;
    USB_EP[RECEIVER].R = USB_EPR_TYPE_BULK | USB_EPR_EP_KIND | RECEIVER;
    stm32_usb_set_bits(RECEIVER, TOGGLES, STAT_RX(USB_STAT_VALID) | USB_EPR_DTOG_TX);
    loop.from = 0;
}

static void open_sender(void)
{
    stm32_usb_describe_buffers(SENDER);
    USB_EP[SENDER].R = USB_EPR_TYPE_BULK | USB_EPR_EP_KIND | SENDER;
    stm32_usb_set_bits(SENDER, TOGGLES, STAT_TX(USB_STAT_NAK) | USB_EPR_DTOG_RX);
    loop.to = 0;
    loop.started = false;
}

static void run_loopback(void)
{
    if (usbdev_state(&dev) != USBDEV_CONFIGURED || !toggles_are_equal(RECEIVER))
        return;
    if (loop.started && !toggles_are_equal(SENDER))
        return;

    toggle(RECEIVER, USB_EPR_DTOG_TX); // the other row may be filled while this one is read
    copy_row(RECEIVER, loop.from, SENDER, loop.to);
    if (loop.started)
        toggle(SENDER, USB_EPR_DTOG_RX);
    else
        stm32_usb_set_bits(SENDER, USB_EPR_STAT_TX, STAT_TX(USB_STAT_VALID));
    loop.started = true;
    loop.from ^= 1;
    loop.to ^= 1;
}

// ---- Control endpoint and events ----

static uint8_t suspends; // since power-on

static void force_reset(void)
{
    uint16_t saved[ENDPOINT_REGISTERS];

    for (unsigned i = 0; i < ENDPOINT_REGISTERS; i++)
        saved[i] = USB_EP[i].R;
    USB->CNTR = CNTR_AWAKE | USB_CNTR_FRES;
    USB->CNTR = CNTR_AWAKE;
    while ((USB->ISTR & USB_ISTR_RESET) == 0)
        ;
    USB->ISTR = (uint16_t)~USB_ISTR_RESET;
    for (unsigned i = 0; i < ENDPOINT_REGISTERS; i++)
        USB_EP[i].R = saved[i];
}

static void suspend(void)
{
    suspends++;
    force_reset();
    USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP;
    USB->ISTR = (uint16_t)~USB_ISTR_SUSP;
    usbdev_suspended(&dev);
}

static void bus_reset(void)
{
    stm32_usb_describe_buffers(0);
    USB_EP[0].R = USB_EPR_TYPE_CONTROL;
    stm32_usb_set_bits(0, TOGGLES, STAT_RX(USB_STAT_VALID) | STAT_TX(USB_STAT_NAK));
    stm32_usb_set_address(&usb, 0);
    usbdev_bus_reset(&dev);
}

static void received(unsigned epr)
{
    const volatile uint16_t *from = row_buffer(0, 1);
    uint16_t length = USB_BUFFERS[0].COUNT_RX & USB_COUNT_RX_MASK;

    for (unsigned i = 0; i < length; i += 2)
        usbdev_store_le16(usb.packet + i, *from++);
    stm32_usb_clear_ctr(0, USB_EPR_CTR_RX);
    if (epr & USB_EPR_SETUP)
        usbdev_setup(&dev, usb.packet);
    else
        usbdev_out_done(&dev, 0, usb.packet, length);
}

static void transaction(unsigned n)
{
    unsigned epr = USB_EP[n].R;

    if (n != 0) { // the loopback looks at the toggles
        stm32_usb_clear_ctr(n, USB_EPR_CTR_RX | USB_EPR_CTR_TX);
        return;
    }
    if (epr & USB_EPR_CTR_TX) {
        stm32_usb_clear_ctr(0, USB_EPR_CTR_TX);
        usbdev_in_done(&dev, 0);
    }
    if (epr & USB_EPR_CTR_RX)
        received(epr);
}

static void look(void)
{
    unsigned istr = USB->ISTR;

    if (istr & USB_ISTR_RESET) {
        USB->ISTR = (uint16_t)~USB_ISTR_RESET;
        bus_reset();
        return;
    }
    if (istr & USB_ISTR_CTR) {
        transaction(istr & USB_ISTR_EP_ID);
        return;
    }
    if (istr & USB_ISTR_WKUP) {
        USB->CNTR = CNTR_AWAKE;
        USB->ISTR = (uint16_t)~USB_ISTR_WKUP;
        usbdev_resumed(&dev);
    }
    if (istr & USB_ISTR_SUSP)
        suspend();
}

// ---- The device ----

static void ep_open(void *port, const uint8_t *endpoint_descriptor)
{
    (void)port;
    if (endpoint_descriptor[2] == RECEIVER)
        open_receiver();
    else
        open_sender();
}

static void ep_close(void *port, uint8_t bEndpointAddress)
{
    (void)port;
    stm32_usb_set_bits(bEndpointAddress & 0x0Fu, TOGGLES, 0);
}

static void ep_halt(void *port, uint8_t bEndpointAddress, bool halt)
{
    unsigned stat = halt ? USB_STAT_STALL : USB_STAT_NAK;

    (void)port;
    stm32_usb_set_bits(bEndpointAddress & 0x0Fu, USB_EPR_STAT_RX | USB_EPR_STAT_TX,
                       bEndpointAddress & USBDEV_DIR_IN ? STAT_TX(stat) : STAT_RX(stat));
}

static const struct usbdev_driver driver = {
    .set_address = stm32_usb_set_address,
    .ep_in = stm32_usb_ep0_in,
    .ep_out = stm32_usb_ep0_out,
    .ep0_stall = stm32_usb_ep0_stall,
    .ep_open = ep_open,
    .ep_close = ep_close,
    .ep_halt = ep_halt,
    .connect = stm32_usb_connect,
};

// Vendor request 1, IN: how often the bus has been found suspended.
static int vendor_request(void *context, struct usbdev_request *request)
{
    (void)context;
    if (request->setup.bmRequestType != 0xC1 || request->setup.bRequest != 1)
        return USBDEV_STALL;
    request->data = &suspends;
    request->length = 1;
    return 0;
}

static const struct usbdev_handler handler = {.setup = vendor_request};
static const struct usbdev_function functions[] = {
    {.handler = &handler, .bFirstInterface = 0, .bInterfaceCount = 1},
};

static const uint8_t device_descriptor[] = {PAIR_DEVICE};
static const uint8_t configuration[] = {
    PAIR_CONFIGURATION(9 + 9 + 2 * 7),
    PAIR_INTERFACE(0, 2),
    PAIR_ENDPOINTS(USBDEV_ENDPOINT_BULK, 0),
};
static const uint8_t *const configurations[] = {configuration};

static const struct usbdev_config config = {
    .device_descriptor = device_descriptor,
    .configurations = configurations,
    .functions = functions,
    .function_count = 1,
    .full = &usbdev_full,
};

void stm32_usb_interrupt(void)
{
}

void stm32_systick_interrupt(void)
{
}

_Noreturn void stm32_main(void)
{
    stm32_clock_init();
    usbdev_init(&dev, &config, &driver, &usb);
    stm32_usb_init(&usb, &dev);
    NVIC->ICER = UINT32_C(1) << IRQ_USB;
    usbdev_connect(&dev, true);
    for (;;) {
        while ((SYSTICK->CTRL & SYSTICK_CTRL_COUNTFLAG) == 0)
            ;
        look();
        run_loopback();
    }
}
