// SPDX-License-Identifier: MIT
//
// How it works. Each endpoint number has one register, EPnR, and in packet memory one buffer for
// each direction, at a fixed place. To send, the packet is copied to the buffer and STAT_TX set to
// VALID; to receive, STAT_RX is set to VALID. The hardware answers NAK by itself once a
// transaction is done, and sets CTR_TX or CTR_RX; stm32_usb_poll() hands these to usbdev. How the
// bits of EPnR and ISTR must be written is said in regs/usb.h.

#include "usb_fs.h"

#include <stdbool.h>

#include "clock.h"
#include "regs/cortex_m0.h"
#include "regs/system.h"
#include "regs/usb.h"

enum {
    ENDPOINTS = 7, // as many as have room for two buffers beside the buffer table
    BUFFERS_AT = 64,

    RX = USB_EPR_STAT_RX | USB_EPR_DTOG_RX, // the toggle bits of a direction
    TX = USB_EPR_STAT_TX | USB_EPR_DTOG_TX,
    RX_STAT_SHIFT = 12,
    TX_STAT_SHIFT = 4,

    // USB 2.0 7.1.7.7: resume starts no sooner than 5 ms after the bus fell idle, 3 of which are
    // over when SUSP is reported, the first tick may be a short one; and it lasts 1 to 15 ms, but
    // here less than the 3 ms after which SUSP would come again.
    WAKEUP_WAIT_MS = 3,
    WAKEUP_DRIVE_MS = 2,
};
_Static_assert(BUFFERS_AT + 2 * ENDPOINTS * STM32_USB_MAX_PACKET <= USB_PMA_SIZE,
               "packet memory is full: make ENDPOINTS smaller");

// ---- EPnR ----

// What a write must hold to change nothing (regs/usb.h).
static uint16_t unchanged(uint16_t epr)
{
    const uint16_t kept = USB_EPR_EP_TYPE | USB_EPR_EP_KIND | USB_EPR_EA;

    return (uint16_t)((epr & kept) | USB_EPR_CTR_RX | USB_EPR_CTR_TX);
}

// Give the toggle bits in mask the value wanted.
static void set_bits(uint8_t endpoint, uint16_t mask, uint16_t wanted)
{
    uint16_t epr = USB->EP[endpoint].R;

    USB->EP[endpoint].R = (uint16_t)(unchanged(epr) | ((epr ^ wanted) & mask));
}

static void set_stat(uint8_t endpoint, bool in, enum stm32_usb_stat stat)
{
    if (in)
        set_bits(endpoint, USB_EPR_STAT_TX, (uint16_t)(stat << TX_STAT_SHIFT));
    else
        set_bits(endpoint, USB_EPR_STAT_RX, (uint16_t)(stat << RX_STAT_SHIFT));
}

// ctr is USB_EPR_CTR_RX or USB_EPR_CTR_TX.
static void clear_ctr(uint8_t endpoint, uint16_t ctr)
{
    USB->EP[endpoint].R = (uint16_t)(unchanged(USB->EP[endpoint].R) & ~ctr);
}

static bool setup_waits(void)
{
    const uint16_t both = USB_EPR_CTR_RX | USB_EPR_SETUP;

    return (USB->EP[0].R & both) == both;
}

// Answer a SETUP. If another has come meanwhile the hardware has put both directions to NAK, and
// the answer to the first must not reach the host as the answer to the second (USB 2.0 8.5.3).
static void answer(bool in, enum stm32_usb_stat stat)
{
    if (setup_waits())
        return;
    set_stat(0, in, stat);
    if (setup_waits()) // it came between the two lines above
        set_stat(0, in, USB_STAT_NAK);
}

// Either direction to stat, its data toggle to 0, what it has done forgotten. The hardware may turn
// VALID into NAK between the read and the write of set_bits(), which then gives something else:
// taking a direction away needs a second go. Two are enough: nothing moves that is not VALID.
static void restart(uint8_t bEndpointAddress, enum stm32_usb_stat stat)
{
    uint8_t endpoint = bEndpointAddress & 0x0F;
    bool in = (bEndpointAddress & USB_DIR_IN) != 0;
    uint16_t mask = in ? TX : RX;
    uint16_t wanted = (uint16_t)(stat << (in ? TX_STAT_SHIFT : RX_STAT_SHIFT));

    set_bits(endpoint, mask, wanted);
    set_bits(endpoint, mask, wanted);
    clear_ctr(endpoint, in ? USB_EPR_CTR_TX : USB_EPR_CTR_RX);
}

// ---- Packet memory ----

static uint16_t buffer_at(uint8_t endpoint, bool in)
{
    return (uint16_t)(BUFFERS_AT + (2 * endpoint + in) * STM32_USB_MAX_PACKET);
}

static void describe_buffers(uint8_t endpoint)
{
    struct stm32_usb_buffers *buffers = &USB_BUFFERS[endpoint];

    buffers->ADDR_TX = buffer_at(endpoint, true);
    buffers->ADDR_RX = buffer_at(endpoint, false);
    buffers->COUNT_RX = USB_COUNT_RX_64;
}

static void copy_in(uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    volatile uint16_t *to = USB_PMA + buffer_at(endpoint, true) / 2;

    for (uint16_t i = 0; i < length; i += 2)
        *to++ = (uint16_t)(data[i] | (i + 1 < length ? data[i + 1] << 8 : 0));
    USB_BUFFERS[endpoint].COUNT_TX = length;
}

static uint16_t copy_out(uint8_t endpoint, uint8_t packet[STM32_USB_MAX_PACKET])
{
    const volatile uint16_t *from = USB_PMA + buffer_at(endpoint, false) / 2;
    uint16_t length = USB_BUFFERS[endpoint].COUNT_RX & USB_COUNT_RX_MASK;

    for (uint16_t i = 0; i < length; i += 2)
        store_le16(packet + i, *from++);
    return length;
}

// ---- The driver ----

static void driver_set_address(void *port, uint8_t address)
{
    (void)port;
    USB->DADDR = USB_DADDR_EF | address;
}

static void driver_ep_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    (void)port;
    copy_in(endpoint, data, length);
    if (endpoint == 0)
        answer(true, USB_STAT_VALID);
    else
        set_stat(endpoint, true, USB_STAT_VALID);
}

static void driver_ep_out(void *port, uint8_t endpoint)
{
    (void)port;
    if (endpoint == 0)
        answer(false, USB_STAT_VALID);
    else
        set_stat(endpoint, false, USB_STAT_VALID);
}

static void driver_ep0_stall(void *port)
{
    (void)port;
    answer(true, USB_STAT_STALL);
    answer(false, USB_STAT_STALL);
}

static void driver_ep_open(void *port, const uint8_t *endpoint_descriptor)
{
    uint8_t bEndpointAddress = endpoint_descriptor[2];
    uint8_t endpoint = bEndpointAddress & 0x0F;
    bool interrupt = (endpoint_descriptor[3] & 3) == USB_ENDPOINT_INTERRUPT;
    uint16_t type = interrupt ? USB_EPR_TYPE_INTERRUPT : USB_EPR_TYPE_BULK;

    (void)port;
    describe_buffers(endpoint);
    USB->EP[endpoint].R = (uint16_t)(type | USB_EPR_CTR_RX | USB_EPR_CTR_TX | endpoint);
    restart(bEndpointAddress, USB_STAT_NAK);
}

static void driver_ep_close(void *port, uint8_t bEndpointAddress)
{
    (void)port;
    restart(bEndpointAddress, USB_STAT_DISABLED);
}

static void driver_ep_halt(void *port, uint8_t bEndpointAddress, bool halt)
{
    (void)port;
    restart(bEndpointAddress, halt ? USB_STAT_STALL : USB_STAT_NAK);
}

static void driver_connect(void *port, bool on)
{
    (void)port;
    USB->BCDR = on ? USB_BCDR_DPPU : 0;
}

static void driver_remote_wakeup(void *port)
{
    struct stm32_usb *usb = port;

    usb->wakeup_ms = WAKEUP_WAIT_MS + WAKEUP_DRIVE_MS;
}

const struct usbdev_driver stm32_usb_driver = {
    .set_address = driver_set_address,
    .ep_in = driver_ep_in,
    .ep_out = driver_ep_out,
    .ep0_stall = driver_ep0_stall,
    .ep_open = driver_ep_open,
    .ep_close = driver_ep_close,
    .ep_halt = driver_ep_halt,
    .connect = driver_connect,
    .remote_wakeup = driver_remote_wakeup,
};

// ---- Events ----

enum {
    CNTR_AWAKE = USB_CNTR_CTRM | USB_CNTR_RESETM | USB_CNTR_SUSPM | USB_CNTR_WKUPM,
};

// RM0091 30.5.5. The peripheral clears LPMODE by itself when the bus moves.
static void suspend(struct stm32_usb *usb)
{
    USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP;
    USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP | USB_CNTR_LPMODE;
    stm32_clock_set(STM32_CLOCK_SUSPENDED);
    usbdev_suspended(usb->dev);
}

static void wake_up(void)
{
    stm32_clock_set(STM32_CLOCK_FULL);
    USB->CNTR = CNTR_AWAKE;
}

// The hardware has cleared EPnR and DADDR (RM0091 30.6.1).
static void bus_reset(struct stm32_usb *usb)
{
    wake_up();
    usb->wakeup_ms = 0;
    describe_buffers(0);
    USB->EP[0].R = USB_EPR_TYPE_CONTROL;
    set_stat(0, false, USB_STAT_NAK); // a SETUP is taken over NAK
    set_stat(0, true, USB_STAT_NAK);
    USB->DADDR = USB_DADDR_EF;
    usbdev_bus_reset(usb->dev);
}

// One finished transaction. The packet is copied out before CTR_RX is cleared, for until then the
// hardware takes no SETUP that could overwrite it.
static void received(struct stm32_usb *usb, uint8_t endpoint, bool setup)
{
    uint16_t length = copy_out(endpoint, usb->packet);

    clear_ctr(endpoint, USB_EPR_CTR_RX);
    if (setup)
        usbdev_setup(usb->dev, usb->packet);
    else
        usbdev_out_done(usb->dev, endpoint, usb->packet, length);
}

// Where both directions have finished, IN came first: on endpoint 0 it is armed while an OUT or a
// SETUP that follows it may come, never the other way round.
static void transaction(struct stm32_usb *usb, uint8_t endpoint)
{
    uint16_t epr = USB->EP[endpoint].R;

    if (epr & USB_EPR_CTR_TX) {
        clear_ctr(endpoint, USB_EPR_CTR_TX);
        usbdev_in_done(usb->dev, endpoint);
    }
    if (epr & USB_EPR_CTR_RX)
        received(usb, endpoint, (epr & USB_EPR_SETUP) != 0);
}

// Transactions first: those that are there came before the reset or the silence, and a DETACH
// whose status stage is over must be known to be so when the reset is reported.
void stm32_usb_poll(struct stm32_usb *usb)
{
    uint16_t istr;

    while ((istr = USB->ISTR) & USB_ISTR_CTR)
        transaction(usb, istr & USB_ISTR_EP_ID);

    if (istr & USB_ISTR_WKUP) {
        USB->ISTR = (uint16_t)~USB_ISTR_WKUP;
        wake_up();
        usbdev_resumed(usb->dev);
    }
    if (istr & USB_ISTR_RESET) {
        USB->ISTR = (uint16_t)~USB_ISTR_RESET;
        bus_reset(usb);
    }
    if (istr & USB_ISTR_SUSP) {
        USB->ISTR = (uint16_t)~USB_ISTR_SUSP;
        suspend(usb);
    }
}

void stm32_usb_tick(struct stm32_usb *usb)
{
    if (usb->wakeup_ms == 0)
        return;
    usb->wakeup_ms--;
    if (usb->wakeup_ms == WAKEUP_DRIVE_MS) {
        wake_up();
        USB->CNTR = CNTR_AWAKE | USB_CNTR_RESUME;
    } else if (usb->wakeup_ms == 0) {
        USB->CNTR = CNTR_AWAKE;
        usbdev_resumed(usb->dev); // no WKUP tells of it
    }
}

// RM0091 30.5.2. The boot loader may have left the peripheral on: reset it.
void stm32_usb_init(struct stm32_usb *usb, struct usbdev *dev)
{
    usb->dev = dev;
    RCC->APB1ENR |= RCC_APB1_USB;
    RCC->APB1RSTR |= RCC_APB1_USB;
    RCC->APB1RSTR &= ~(uint32_t)RCC_APB1_USB;
    USB->CNTR = USB_CNTR_FRES; // out of power-down
    stm32_clock_delay(1);      // tSTARTUP of the transceiver is 1 us
    USB->CNTR = 0;
    USB->ISTR = 0;
    USB->BTABLE = 0;
    USB->CNTR = CNTR_AWAKE;
    NVIC->ISER = UINT32_C(1) << IRQ_USB;
}
