// SPDX-License-Identifier: MIT
//
// What the adapter uses of TinyUSB's tusb.h: declarations of our own, for the test alone.

#ifndef STAND_IN_TUSB_H
#define STAND_IN_TUSB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTROL_STAGE_SETUP = 1, CONTROL_STAGE_DATA, CONTROL_STAGE_ACK };
enum { TUSB_REQ_TYPE_STANDARD = 0, TUSB_REQ_TYPE_CLASS, TUSB_REQ_TYPE_VENDOR };

typedef struct {
    uint8_t bLength, bDescriptorType, bInterfaceNumber, bAlternateSetting, bNumEndpoints;
    uint8_t bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol, iInterface;
} tusb_desc_interface_t;

typedef struct {
    union {
        struct {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ // bit-fields begin at the same end
            uint8_t recipient : 5;
            uint8_t type : 2;
            uint8_t direction : 1;
#else
            uint8_t direction : 1;
            uint8_t type : 2;
            uint8_t recipient : 5;
#endif
        } bmRequestType_bit;
        uint8_t bmRequestType;
    };
    uint8_t bRequest;
    uint16_t wValue, wIndex, wLength;
} tusb_control_request_t;

bool tud_control_xfer(uint8_t rhport,
                      const tusb_control_request_t *request,
                      void *buffer,
                      uint16_t len);
void tud_event_hook_cb(uint8_t rhport, uint32_t eventid, bool in_isr);

#endif
