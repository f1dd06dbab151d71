// SPDX-License-Identifier: MIT
//
// DFU run time in ChibiOS/HAL's USB driver, as the requests hook of USBConfig.
//
// The driver asks the hook for each SETUP packet, class and standard alike, and calls the function
// given to usbSetupTransfer() when the status stage has completed; a new SETUP packet replaces it.
// The hook, that function and the events come from the USB interrupt; product_dfu_tick() is called
// within osalSysLock().

#include <hal.h>

#include <dfurt/dfurt.h>

void board_enter_boot_loader(void *context);         // pull-up off, then reset: README.md
bool product_requests_hook(USBDriver *usbp);         // the product's other classes, or false
bool product_dfu_requests_hook(USBDriver *usbp);     // USBConfig.requests_hook_cb
void product_dfu_init(uint8_t bInterfaceNumber);     // before usbStart()
void product_dfu_event(USBDriver *usbp, usbevent_t); // from USBConfig.event_cb
void product_dfu_tick(uint16_t ms);                  // within osalSysLock()

static const struct dfurt_config config = {
    .wDetachTimeOut = 255, // these four say what the boot loader says: here an STM32's ROM
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x011A,
    .bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_WILL_DETACH,
    .settle_ms = 5,
    .enter_dfu = board_enter_boot_loader,
};
static struct dfurt dfurt;

static void status_complete(USBDriver *usbp)
{
    (void)usbp;
    dfurt_status_complete(&dfurt);
}

bool product_dfu_requests_hook(USBDriver *usbp)
{
    static uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    int length;

    if ((usbp->setup[0] & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS && usbp->state != USB_ACTIVE)
        return false; // STALL: no interface before SET_CONFIGURATION
    length = dfurt_setup_bytes(&dfurt, usbp->setup, reply);
    if (length == DFURT_NOT_MINE)
        return product_requests_hook(usbp);
    if (length < 0)
        return false; // STALL
    usbSetupTransfer(usbp, reply, (size_t)length, status_complete);
    return true;
}

void product_dfu_event(USBDriver *usbp, usbevent_t event)
{
    (void)usbp;
    if (event == USB_EVENT_RESET)
        dfurt_bus_reset(&dfurt);
}

void product_dfu_tick(uint16_t ms)
{
    dfurt_tick(&dfurt, ms);
}

void product_dfu_init(uint8_t bInterfaceNumber)
{
    dfurt_init(&dfurt, &config, NULL);
    dfurt_set_interface_number(&dfurt, bInterfaceNumber);
}
