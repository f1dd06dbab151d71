// SPDX-License-Identifier: MIT
//
// DFU run time as a control callback of libopencm3's USB stack.
//
// SET_CONFIGURATION clears the stack's list of control callbacks, so the callback is registered in
// the set-configuration callback. The stack asks the callbacks in the order of registration and
// many classes of the field refuse what they do not know, whatever its wIndex: this one comes first
// and passes on what is not for its interface. All calls to dfurt come from usbd_poll()'s context.

#include <libopencm3/usb/usbd.h>

#include <dfurt/dfurt.h>

enum { DFU_INTERFACE = 2 }; // bInterfaceNumber: the place of product_dfu_interface in the product

extern const struct usb_interface_descriptor product_dfu_interface;
void board_enter_boot_loader(void *context); // pull-up off, then reset: README.md
void product_dfu_init(usbd_device *device);  // after usbd_init(), before the product's own classes
void product_dfu_bus_reset(void);
void product_dfu_tick(uint16_t ms); // in the loop of usbd_poll(), with the ms since the last

static uint8_t functional_descriptor[USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE]; // of config

const struct usb_interface_descriptor product_dfu_interface = {
    .bLength = USB_DT_INTERFACE_SIZE,
    .bDescriptorType = USB_DT_INTERFACE,
    .bInterfaceNumber = DFU_INTERFACE,
    .bInterfaceClass = DFURT_INTERFACE_CLASS,
    .bInterfaceSubClass = DFURT_INTERFACE_SUBCLASS,
    .bInterfaceProtocol = DFURT_PROTOCOL_RUNTIME,
    .extra = functional_descriptor,
    .extralen = sizeof(functional_descriptor),
};

static const struct dfurt_config config = {
    .wDetachTimeOut = 255, // these four say what the boot loader says: here an STM32's ROM
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x011A,
    .bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_WILL_DETACH,
    .bInterfaceNumber = DFU_INTERFACE,
    .settle_ms = 5,
    .enter_dfu = board_enter_boot_loader,
};
static struct dfurt dfurt;
static bool configured; // no interface exists before SET_CONFIGURATION

static void status_complete(usbd_device *device, struct usb_setup_data *request)
{
    (void)device, (void)request;
    dfurt_status_complete(&dfurt);
}

static enum usbd_request_return_codes control(usbd_device *device,
                                              struct usb_setup_data *request,
                                              uint8_t **buf,
                                              uint16_t *len,
                                              usbd_control_complete_callback *complete)
{
    static uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet setup = {request->bmRequestType, request->bRequest,
                                              request->wValue, request->wIndex, request->wLength};
    int length = configured ? dfurt_setup(&dfurt, &setup, reply) : DFURT_NOT_MINE;

    (void)device;
    if (length < 0)
        return length == DFURT_NOT_MINE ? USBD_REQ_NEXT_CALLBACK : USBD_REQ_NOTSUPP;
    *buf = reply;
    *len = (uint16_t)length;
    *complete = status_complete;
    return USBD_REQ_HANDLED;
}

static void set_config(usbd_device *device, uint16_t wValue)
{
    configured = wValue != 0;
    usbd_register_control_callback(device, USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE,
                                   USBDEV_TYPE_MASK | USBDEV_RECIPIENT_MASK, control);
}

void product_dfu_bus_reset(void)
{
    configured = false;
    dfurt_bus_reset(&dfurt);
}

void product_dfu_tick(uint16_t ms)
{
    dfurt_tick(&dfurt, ms);
}

void product_dfu_init(usbd_device *device)
{
    dfurt_functional_descriptor(&config, functional_descriptor);
    dfurt_init(&dfurt, &config, NULL);
    usbd_register_set_config_callback(device, set_config);
    usbd_register_reset_callback(device, product_dfu_bus_reset);
}
