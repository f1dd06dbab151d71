// SPDX-License-Identifier: MIT
//
// The other endpoints, and remote wake-up: what makes stm32_usb_control_driver a whole driver.

#include "usb_fs_private.h"

// USB 2.0 7.1.7.7: resume starts no sooner than 5 ms after the bus fell idle, 3 of which are over
// when SUSP is reported, and the first tick may be a short one; it lasts 1 to 15 ms.
enum {
    WAKEUP_WAIT_MS = 3,
    WAKEUP_DRIVE_MS = 5,
};

// One direction to stat, its data toggle to 0, what it has done forgotten. The hardware may turn
// VALID into NAK between the read and the write of set_bits(), which then gives something else:
// taking a direction away needs a second go. Two are enough: nothing moves that is not VALID.
static void restart(uint8_t bEndpointAddress, enum stm32_usb_stat stat)
{
    unsigned endpoint = bEndpointAddress & 0x0F;
    bool in = (bEndpointAddress & USBDEV_DIR_IN) != 0;
    unsigned mask = in ? USB_EPR_STAT_TX | USB_EPR_DTOG_TX : USB_EPR_STAT_RX | USB_EPR_DTOG_RX;
    unsigned wanted = in ? STAT_TX(stat) : STAT_RX(stat);

    stm32_usb_set_bits(endpoint, mask, wanted);
    stm32_usb_set_bits(endpoint, mask, wanted);
    stm32_usb_clear_ctr(endpoint, in ? USB_EPR_CTR_TX : USB_EPR_CTR_RX);
}

static void ep_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    if (endpoint == 0) {
        stm32_usb_ep0_in(port, endpoint, data, length);
        return;
    }
    stm32_usb_fill(endpoint, data, length);
    stm32_usb_set_bits(endpoint, USB_EPR_STAT_TX, STAT_TX(USB_STAT_VALID));
}

static void ep_out(void *port, uint8_t endpoint)
{
    if (endpoint == 0)
        stm32_usb_ep0_out(port, endpoint);
    else
        stm32_usb_set_bits(endpoint, USB_EPR_STAT_RX, STAT_RX(USB_STAT_VALID));
}

static void ep_open(void *port, const uint8_t *endpoint_descriptor)
{
    uint8_t bEndpointAddress = endpoint_descriptor[2];
    unsigned endpoint = bEndpointAddress & 0x0F;
    bool interrupt = (endpoint_descriptor[3] & 3) == USBDEV_ENDPOINT_INTERRUPT;
    unsigned type = interrupt ? USB_EPR_TYPE_INTERRUPT : USB_EPR_TYPE_BULK;

    (void)port;
    stm32_usb_describe_buffers(endpoint);
    USB_EP[endpoint].R = (uint16_t)(type | endpoint | USB_EPR_CTR_RX | USB_EPR_CTR_TX);
    restart(bEndpointAddress, USB_STAT_NAK);
}

static void ep_close(void *port, uint8_t bEndpointAddress)
{
    (void)port;
    restart(bEndpointAddress, USB_STAT_DISABLED);
}

static void ep_halt(void *port, uint8_t bEndpointAddress, bool halt)
{
    (void)port;
    restart(bEndpointAddress, halt ? USB_STAT_STALL : USB_STAT_NAK);
}

static void remote_wakeup(void *port)
{
    struct stm32_usb *usb = port;

    usb->wakeup_ms = WAKEUP_WAIT_MS + WAKEUP_DRIVE_MS;
}

const struct usbdev_driver stm32_usb_driver = {
    .set_address = stm32_usb_set_address,
    .ep_in = ep_in,
    .ep_out = ep_out,
    .ep0_stall = stm32_usb_ep0_stall,
    .ep_open = ep_open,
    .ep_close = ep_close,
    .ep_halt = ep_halt,
    .connect = stm32_usb_connect,
    .remote_wakeup = remote_wakeup,
};

// The peripheral must be in suspend to drive resume, and stays there until the host, which takes
// over, shows up as WKUP (RM0091 30.5.5). If the host comes first there is nothing to do.
void stm32_usb_tick(struct stm32_usb *usb)
{
    if (usb->wakeup_ms == 0)
        return;
    usb->wakeup_ms--;
    if (usb->wakeup_ms == WAKEUP_DRIVE_MS && (USB->CNTR & USB_CNTR_FSUSP))
        USB->CNTR = CNTR_AWAKE | USB_CNTR_FSUSP | USB_CNTR_RESUME;
    else if (usb->wakeup_ms == 0)
        USB->CNTR &= (uint16_t)~USB_CNTR_RESUME;
}
