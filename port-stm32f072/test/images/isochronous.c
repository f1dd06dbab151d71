// SPDX-License-Identifier: MIT
//
// A device with two isochronous endpoints, as audio devices have them, for tests of the virtual
// board: what comes in on 01h in one frame goes out on 82h in the next, where nothing came a packet
// without data. The endpoints exist in alternate 1 of its interface (USB 2.0 5.6.3).
//
// DTOG says which of an endpoint's two rows is the peripheral's; the other is the driver's until
// the next packet (RM0091 30.5.4).

#include <dfurt/usbdev.h>

#include "clock.h"
#include "interrupts.h"
#include "pair.h"
#include "rows.h"
#include "usb_fs_private.h"

enum { TOGGLES = USB_EPR_DTOG_RX | USB_EPR_STAT_RX | USB_EPR_DTOG_TX | USB_EPR_STAT_TX };

static struct stm32_usb usb;
static struct usbdev dev;

// ---- Packets ----

static unsigned drivers_row(unsigned endpoint, unsigned dtog)
{
    return (USB_EP[endpoint].R & dtog) == 0;
}

static void packet(unsigned endpoint)
{
    if (endpoint == RECEIVER) {
        copy_row(RECEIVER, drivers_row(RECEIVER, USB_EPR_DTOG_RX), SENDER,
                 drivers_row(SENDER, USB_EPR_DTOG_TX));
        stm32_usb_clear_ctr(RECEIVER, USB_EPR_CTR_RX);
    } else {
        *row_count(SENDER, drivers_row(SENDER, USB_EPR_DTOG_TX)) = 0;
        stm32_usb_clear_ctr(SENDER, USB_EPR_CTR_TX);
    }
}

// Isochronous endpoints come first in ISTR.
void stm32_usb_interrupt(void)
{
    unsigned istr = USB->ISTR;
    unsigned endpoint = istr & USB_ISTR_EP_ID;

    if ((istr & USB_ISTR_CTR) && endpoint != 0)
        packet(endpoint);
    else
        stm32_usb_poll(&usb);
}

// ---- The driver ----

static void ep_open(void *port, const uint8_t *endpoint_descriptor)
{
    unsigned endpoint = endpoint_descriptor[2] & 0x0Fu;
    uint16_t count = endpoint == RECEIVER ? USB_COUNT_RX_64 : 0;

    (void)port;
    stm32_usb_describe_buffers(endpoint);
    *row_count(endpoint, 0) = count;
    *row_count(endpoint, 1) = count;
    USB_EP[endpoint].R = (uint16_t)(USB_EPR_TYPE_ISO | endpoint);
    stm32_usb_set_bits(endpoint, TOGGLES,
                       endpoint == RECEIVER ? STAT_RX(USB_STAT_VALID) : STAT_TX(USB_STAT_VALID));
}

static void ep_close(void *port, uint8_t bEndpointAddress)
{
    (void)port;
    stm32_usb_set_bits(bEndpointAddress & 0x0Fu, TOGGLES, 0);
}

static void ep_halt(void *port, uint8_t bEndpointAddress, bool halt) // there is no such handshake
{
    (void)port;
    (void)bEndpointAddress;
    (void)halt;
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

// ---- The device ----

static const struct usbdev_handler handler = {0};
static const struct usbdev_function functions[] = {
    {.handler = &handler, .bFirstInterface = 0, .bInterfaceCount = 1},
};

static const uint8_t device_descriptor[] = {PAIR_DEVICE};
static const uint8_t configuration[] = {
    PAIR_CONFIGURATION(9 + 9 + 9 + 2 * 7),
    PAIR_INTERFACE(0, 0),
    PAIR_INTERFACE(1, 2),
    PAIR_ENDPOINTS(USBDEV_ENDPOINT_ISOCHRONOUS, 1),
};
static const uint8_t *const configurations[] = {configuration};

static const struct usbdev_config config = {
    .device_descriptor = device_descriptor,
    .configurations = configurations,
    .functions = functions,
    .function_count = 1,
    .full = &usbdev_full,
};

void stm32_systick_interrupt(void)
{
}

_Noreturn void stm32_main(void)
{
    stm32_clock_init();
    usbdev_init(&dev, &config, &driver, &usb);
    stm32_usb_init(&usb, &dev);
    usbdev_connect(&dev, true);
    for (;;)
        __asm__ volatile("wfi");
}
