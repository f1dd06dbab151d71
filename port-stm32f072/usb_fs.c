// SPDX-License-Identifier: MIT
//
// How it works. Each endpoint number has one register, EPnR, and in packet memory one buffer for
// each direction, at a fixed place. To send, the packet is copied to the buffer and STAT_TX set to
// VALID; to receive, STAT_RX is set to VALID. The hardware answers NAK by itself once a transaction
// is done, and sets CTR_TX or CTR_RX; stm32_usb_poll() hands these to usbdev. regs/usb.h says how
// the bits of EPnR and ISTR must be written.
//
// The numbers are unsigned, and 16 bits wide only where they meet a register: the Cortex-M0 pays
// for each narrower one.

#include "usb_fs_private.h"

#include "clock.h"
#include "regs/cortex_m0.h"
#include "regs/system.h"

enum {
    // As many as have room for two buffers beside the buffer table. A product that uses the CAN
    // bus has room for five: the last 256 bytes of packet memory are bxCAN's then (DS9826).
    ENDPOINTS = 7,
    BUFFERS_AT = 64,
};
_Static_assert(BUFFERS_AT + 2 * ENDPOINTS * STM32_USB_MAX_PACKET <= USB_PMA_SIZE,
               "packet memory is full: make ENDPOINTS smaller");

// ---- EPnR ----

void stm32_usb_set_bits(unsigned endpoint, unsigned mask, unsigned wanted)
{
    unsigned epr = USB_EP[endpoint].R;

    USB_EP[endpoint].R = (uint16_t)(stm32_usb_unchanged(epr) | ((epr ^ wanted) & mask));
}

void stm32_usb_clear_ctr(unsigned endpoint, unsigned ctr)
{
    USB_EP[endpoint].R = (uint16_t)(stm32_usb_unchanged(USB_EP[endpoint].R) & ~ctr);
}

static bool setup_waits(void)
{
    const unsigned both = USB_EPR_CTR_RX | USB_EPR_SETUP;

    return (USB_EP[0].R & both) == both;
}

// Answer a SETUP. If another has come meanwhile the hardware has put both directions to NAK, and
// the answer to the first must not reach the host as the answer to the second (USB 2.0 8.5.3).
static void answer(unsigned mask, unsigned wanted)
{
    if (setup_waits())
        return;
    stm32_usb_set_bits(0, mask, wanted);
    if (setup_waits()) // it came between the two lines above
        stm32_usb_set_bits(0, mask, STAT_RX(USB_STAT_NAK) | STAT_TX(USB_STAT_NAK));
}

// ---- Packet memory ----

static unsigned rx_buffer(unsigned endpoint)
{
    return BUFFERS_AT + 2 * endpoint * STM32_USB_MAX_PACKET;
}

static unsigned tx_buffer(unsigned endpoint)
{
    return rx_buffer(endpoint) + STM32_USB_MAX_PACKET;
}

void stm32_usb_describe_buffers(unsigned endpoint)
{
    struct stm32_usb_buffers *buffers = &USB_BUFFERS[endpoint];

    buffers->ADDR_TX = (uint16_t)tx_buffer(endpoint);
    buffers->ADDR_RX = (uint16_t)rx_buffer(endpoint);
    buffers->COUNT_RX = USB_COUNT_RX_64;
}

void stm32_usb_fill(unsigned endpoint, const uint8_t *data, uint16_t length)
{
    volatile uint16_t *to = USB_PMA + tx_buffer(endpoint) / 2;

    USB_BUFFERS[endpoint].COUNT_TX = length;
    for (unsigned left = length; left > 1; left -= 2, data += 2)
        *to++ = usbdev_load_le16(data);
    if (length & 1)
        *to = *data;
}

static uint16_t fetch(unsigned endpoint, uint8_t packet[STM32_USB_MAX_PACKET])
{
    const volatile uint16_t *from = USB_PMA + rx_buffer(endpoint) / 2;
    unsigned length = USB_BUFFERS[endpoint].COUNT_RX & USB_COUNT_RX_MASK;

    for (unsigned i = 0; i < length; i += 2)
        usbdev_store_le16(packet + i, *from++);
    return (uint16_t)length;
}

// ---- The driver of endpoint 0 ----

void stm32_usb_set_address(void *port, uint8_t address)
{
    (void)port;
    USB->DADDR = USB_DADDR_EF | address;
}

void stm32_usb_ep0_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    (void)port;
    (void)endpoint;
    stm32_usb_fill(0, data, length);
    answer(USB_EPR_STAT_TX, STAT_TX(USB_STAT_VALID));
}

void stm32_usb_ep0_out(void *port, uint8_t endpoint)
{
    (void)port;
    (void)endpoint;
    answer(USB_EPR_STAT_RX, STAT_RX(USB_STAT_VALID));
}

void stm32_usb_ep0_stall(void *port)
{
    (void)port;
    answer(USB_EPR_STAT_RX | USB_EPR_STAT_TX, STAT_RX(USB_STAT_STALL) | STAT_TX(USB_STAT_STALL));
}

void stm32_usb_connect(void *port, bool on)
{
    (void)port;
    USB->BCDR = on ? USB_BCDR_DPPU : 0;
}

const struct usbdev_driver stm32_usb_control_driver = {
    .set_address = stm32_usb_set_address,
    .ep_in = stm32_usb_ep0_in,
    .ep_out = stm32_usb_ep0_out,
    .ep0_stall = stm32_usb_ep0_stall,
    .connect = stm32_usb_connect,
};

// ---- Events ----

// RM0091 30.5.5. The peripheral clears LPMODE by itself when the bus moves.
static void suspend(struct stm32_usb *usb)
{
    USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP;
    USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP | USB_CNTR_LPMODE;
    usbdev_suspended(usb->dev);
}

// The hardware has cleared EPnR and DADDR (RM0091 30.6.1). A SETUP is taken over NAK.
static void bus_reset(struct stm32_usb *usb)
{
    USB->CNTR = CNTR_AWAKE;
    stm32_usb_describe_buffers(0);
    USB_EP[0].R = USB_EPR_TYPE_CONTROL;
    stm32_usb_set_bits(0, USB_EPR_STAT_RX | USB_EPR_STAT_TX,
                       STAT_RX(USB_STAT_NAK) | STAT_TX(USB_STAT_NAK));
    stm32_usb_set_address(usb, 0);
    usbdev_bus_reset(usb->dev);
}

// The packet is copied out before CTR_RX is cleared: until then the hardware takes no SETUP that
// could overwrite it.
static void received(struct stm32_usb *usb, uint8_t endpoint, bool setup)
{
    uint16_t length = fetch(endpoint, usb->packet);

    stm32_usb_clear_ctr(endpoint, USB_EPR_CTR_RX);
    if (setup)
        usbdev_setup(usb->dev, usb->packet);
    else
        usbdev_out_done(usb->dev, endpoint, usb->packet, length);
}

// Where both directions have finished, IN came first: on endpoint 0 it is armed while an OUT or a
// SETUP that follows it may come, never the other way round.
static void transaction(struct stm32_usb *usb, uint8_t endpoint)
{
    unsigned epr = USB_EP[endpoint].R;

    if (epr & USB_EPR_CTR_TX) {
        stm32_usb_clear_ctr(endpoint, USB_EPR_CTR_TX);
        usbdev_in_done(usb->dev, endpoint);
    }
    if (epr & USB_EPR_CTR_RX)
        received(usb, endpoint, (epr & USB_EPR_SETUP) != 0);
}

// Transactions first: those that are there came before the reset or the silence, and a DETACH
// whose status stage is over must be known to be so when the reset is reported.
void stm32_usb_poll(struct stm32_usb *usb)
{
    unsigned istr;

    while ((istr = USB->ISTR) & USB_ISTR_CTR)
        transaction(usb, istr & USB_ISTR_EP_ID);

    USB->ISTR = (uint16_t)~istr; // those that were seen, and no other
    if (istr & USB_ISTR_WKUP) {
        USB->CNTR &= (uint16_t) ~(USB_CNTR_FSUSP | USB_CNTR_LPMODE);
        usbdev_resumed(usb->dev);
    }
    if (istr & USB_ISTR_RESET)
        bus_reset(usb);
    if (istr & USB_ISTR_SUSP)
        suspend(usb);
}

// RM0091 30.5.2. The boot loader may have left the peripheral on: reset it.
void stm32_usb_init(struct stm32_usb *usb, struct usbdev *dev)
{
    usb->dev = dev;
    stm32_rcc_enable(&RCC->APB1ENR, RCC_APB1_USB);
    RCC->APB1RSTR = RCC_APB1_USB;
    RCC->APB1RSTR = 0;
    USB->CNTR = USB_CNTR_FRES; // out of power-down
    stm32_clock_delay(1);      // tSTARTUP of the transceiver is 1 us
    USB->CNTR = CNTR_AWAKE;
    USB->ISTR = 0;
    USB->BTABLE = 0;
    NVIC->ISER = UINT32_C(1) << IRQ_USB;
}
