// SPDX-License-Identifier: MIT
//
// DFU run time as an application class driver of TinyUSB.
//
// TinyUSB calls reset() for a bus reset, for an unplug and for a change of the configuration alike.
// Only tud_event_hook_cb() names the event, but it may run in interrupt context and ahead of a
// status stage that is still in the queue. So the hook sets a flag, and reset(), which tud_task()
// calls in the order of the bus, obeys it. All calls to dfurt come from tud_task()'s context.

#include <device/dcd.h> // before tusb.h, which else declares one of its functions

#include <tusb.h>

#include <device/usbd_pvt.h>

#include <dfurt/dfurt.h>

void board_enter_boot_loader(void *context); // pull-up off, then reset: README.md
void product_dfu_tick(uint16_t ms); // in the task of tud_task(), with the ms since the last call

static struct dfurt dfurt;
static volatile bool bus_reset_announced; // set by tud_event_hook_cb(), cleared by reset()

static const struct dfurt_config config = {
    .wDetachTimeOut = 255, // these four say what the boot loader says: here an STM32's ROM
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x011A,
    .bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_WILL_DETACH,
    .settle_ms = 5,
    .enter_dfu = board_enter_boot_loader,
};

static void init(void)
{
    dfurt_init(&dfurt, &config, NULL);
}

static void reset(uint8_t rhport)
{
    (void)rhport;
    if (!bus_reset_announced)
        return; // an unplug, or another configuration
    bus_reset_announced = false;
    dfurt_bus_reset(&dfurt);
}

static uint16_t
open_interface(uint8_t rhport, const tusb_desc_interface_t *interface, uint16_t max_len)
{
    (void)rhport;
    if (interface->bInterfaceClass != DFURT_INTERFACE_CLASS ||
        interface->bInterfaceSubClass != DFURT_INTERFACE_SUBCLASS ||
        interface->bInterfaceProtocol != DFURT_PROTOCOL_RUNTIME || max_len < DFURT_DESCRIPTORS_SIZE)
        return 0;
    dfurt_set_interface_number(&dfurt, interface->bInterfaceNumber);
    return DFURT_DESCRIPTORS_SIZE;
}

static bool control_xfer(uint8_t rhport, uint8_t stage, const tusb_control_request_t *request)
{
    static uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet setup = {request->bmRequestType, request->bRequest,
                                              request->wValue, request->wIndex, request->wLength};
    int length;

    if (stage == CONTROL_STAGE_ACK && request->bmRequestType_bit.type == TUSB_REQ_TYPE_CLASS)
        dfurt_status_complete(&dfurt);
    if (stage != CONTROL_STAGE_SETUP)
        return true;
    length = dfurt_setup(&dfurt, &setup, reply);
    return length >= 0 && tud_control_xfer(rhport, request, reply, (uint16_t)length);
}

const usbd_class_driver_t *usbd_app_driver_get_cb(uint8_t *driver_count)
{
    static const usbd_class_driver_t driver = {.name = "DFU",
                                               .init = init,
                                               .reset = reset,
                                               .open = open_interface,
                                               .control_xfer_cb = control_xfer};

    *driver_count = 1;
    return &driver;
}

void tud_event_hook_cb(uint8_t rhport, uint32_t eventid, bool in_isr)
{
    (void)rhport, (void)in_isr;
    if (eventid == DCD_EVENT_BUS_RESET)
        bus_reset_announced = true;
}

void product_dfu_tick(uint16_t ms)
{
    dfurt_tick(&dfurt, ms);
}
