// SPDX-License-Identifier: MIT
//
// DFU run time as an interface of CherryUSB.
//
// CherryUSB tells a class neither the end of a status stage nor the SETUP packets for others, which
// abandon a DETACH. Its ports report both to usbd_core.c by two functions, and the linker puts the
// adapter between (--wrap: README.md). All calls to dfurt come from the USB interrupt;
// product_dfu_tick() is called with it masked, or from one of its priority.

#include <usbd_core.h>

#include <dfurt/dfurt.h>

void board_enter_boot_loader(void *context); // pull-up off, then reset: README.md
void product_dfu_add(uint8_t busid);         // between usbd_desc_register() and usbd_initialize()
void product_dfu_tick(uint16_t ms);          // with the ms since the last call

void __real_usbd_event_ep0_setup_complete_handler(uint8_t busid, uint8_t *psetup);
void __wrap_usbd_event_ep0_setup_complete_handler(uint8_t busid, uint8_t *psetup);
void __real_usbd_event_ep_in_complete_handler(uint8_t busid, uint8_t ep, uint32_t nbytes);
void __wrap_usbd_event_ep_in_complete_handler(uint8_t busid, uint8_t ep, uint32_t nbytes);

static const struct dfurt_config config = {
    .wDetachTimeOut = 255, // these four say what the boot loader says: here an STM32's ROM
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x011A,
    .bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_WILL_DETACH,
    .settle_ms = 5,
    .enter_dfu = board_enter_boot_loader,
};
static struct dfurt dfurt;
static struct usbd_interface interface;
static uint8_t dfu_busid;
static bool awaits_status_in; // a request was accepted whose status stage is the next IN packet

static int control(uint8_t busid, struct usb_setup_packet *request, uint8_t **data, uint32_t *len)
{
    const struct usbdev_setup_packet setup = {request->bmRequestType, request->bRequest,
                                              request->wValue, request->wIndex, request->wLength};
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    int length = usb_device_is_configured(busid) ? dfurt_setup(&dfurt, &setup, reply) : -1;

    if (length < 0)
        return -1; // STALL
    memcpy(*data, reply, (size_t)length);
    *len = (uint32_t)length;
    awaits_status_in = setup.wLength == 0;
    return 0;
}

static void notify(uint8_t busid, uint8_t event, void *arg)
{
    (void)busid, (void)arg;
    if (event == USBD_EVENT_RESET)
        dfurt_bus_reset(&dfurt);
}

void __wrap_usbd_event_ep0_setup_complete_handler(uint8_t busid, uint8_t *psetup)
{
    if (busid == dfu_busid)
        awaits_status_in = false;
    __real_usbd_event_ep0_setup_complete_handler(busid, psetup);
}

void __wrap_usbd_event_ep_in_complete_handler(uint8_t busid, uint8_t ep, uint32_t nbytes)
{
    __real_usbd_event_ep_in_complete_handler(busid, ep, nbytes);
    if (busid == dfu_busid && ep == USB_CONTROL_IN_EP0 && awaits_status_in)
        dfurt_status_complete(&dfurt);
}

void product_dfu_add(uint8_t busid)
{
    dfu_busid = busid;
    interface =
        (struct usbd_interface){.class_interface_handler = control, .notify_handler = notify};
    usbd_add_interface(busid, &interface);
    dfurt_init(&dfurt, &config, NULL);
    dfurt_set_interface_number(&dfurt, interface.intf_num);
}

void product_dfu_tick(uint16_t ms)
{
    dfurt_tick(&dfurt, ms);
}
