// SPDX-License-Identifier: MIT
//
// What the adapter uses of CherryUSB's usbd_core.h: declarations of our own, for the test alone.

#ifndef STAND_IN_USBD_CORE_H
#define STAND_IN_USBD_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define USB_CONTROL_IN_EP0 0x80

enum usbd_event_type { USBD_EVENT_RESET = 1, USBD_EVENT_CONFIGURED = 7 };

struct usb_setup_packet {
    uint8_t bmRequestType, bRequest;
    uint16_t wValue, wIndex, wLength;
};

struct usbd_interface {
    int (*class_interface_handler)(uint8_t busid,
                                   struct usb_setup_packet *setup,
                                   uint8_t **data,
                                   uint32_t *len);
    void (*notify_handler)(uint8_t busid, uint8_t event, void *arg);
    uint8_t intf_num;
};

void usbd_add_interface(uint8_t busid, struct usbd_interface *intf);
bool usb_device_is_configured(uint8_t busid);

#endif
