// SPDX-License-Identifier: MIT
//
// What the adapter uses of libopencm3's usbd.h and usbstd.h: declarations of our own, for the test
// alone.

#ifndef STAND_IN_USBD_H
#define STAND_IN_USBD_H

#include <stdint.h>

#define USB_DT_INTERFACE 4
#define USB_DT_INTERFACE_SIZE 9

typedef struct stand_in_device usbd_device;

struct usb_setup_data {
    uint8_t bmRequestType, bRequest;
    uint16_t wValue, wIndex, wLength;
};

struct usb_interface_descriptor {
    uint8_t bLength, bDescriptorType, bInterfaceNumber, bAlternateSetting, bNumEndpoints;
    uint8_t bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol, iInterface;
    const void *extra;
    int extralen;
};

enum usbd_request_return_codes { USBD_REQ_NOTSUPP, USBD_REQ_HANDLED, USBD_REQ_NEXT_CALLBACK };

typedef void (*usbd_control_complete_callback)(usbd_device *device, struct usb_setup_data *request);
typedef enum usbd_request_return_codes (*usbd_control_callback)(
    usbd_device *device,
    struct usb_setup_data *request,
    uint8_t **buf,
    uint16_t *len,
    usbd_control_complete_callback *complete);
typedef void (*usbd_set_config_callback)(usbd_device *device, uint16_t wValue);

int usbd_register_control_callback(usbd_device *device,
                                   uint8_t type,
                                   uint8_t type_mask,
                                   usbd_control_callback callback);
int usbd_register_set_config_callback(usbd_device *device, usbd_set_config_callback callback);
void usbd_register_reset_callback(usbd_device *device, void (*callback)(void));

#endif
