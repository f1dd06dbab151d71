// SPDX-License-Identifier: MIT
//
// usb_spec.h - the words and numbers of USB 2.0 chapter 9 and DFU 1.1, spelled as the
// specifications spell them, and the little-endian helpers every USB byte goes through.
//
// Everything else in dfurt includes this and defines none of it again.

#ifndef DFURT_USB_SPEC_H
#define DFURT_USB_SPEC_H

#include <stdint.h>

// ---- bmRequestType (USB 2.0 table 9-2) ----

enum {
    USB_DIR_OUT = 0x00,
    USB_DIR_IN = 0x80,

    USB_TYPE_MASK = 0x60,
    USB_TYPE_STANDARD = 0x00,
    USB_TYPE_CLASS = 0x20,
    USB_TYPE_VENDOR = 0x40,

    USB_RECIPIENT_MASK = 0x1F,
    USB_RECIPIENT_DEVICE = 0x00,
    USB_RECIPIENT_INTERFACE = 0x01,
    USB_RECIPIENT_ENDPOINT = 0x02,
    USB_RECIPIENT_OTHER = 0x03,
};

// ---- bRequest of standard requests (USB 2.0 table 9-4) ----

enum {
    USB_GET_STATUS = 0,
    USB_CLEAR_FEATURE = 1,
    USB_SET_FEATURE = 3,
    USB_SET_ADDRESS = 5,
    USB_GET_DESCRIPTOR = 6,
    USB_SET_DESCRIPTOR = 7,
    USB_GET_CONFIGURATION = 8,
    USB_SET_CONFIGURATION = 9,
    USB_GET_INTERFACE = 10,
    USB_SET_INTERFACE = 11,
    USB_SYNCH_FRAME = 12,
};

// ---- Descriptor types (USB 2.0 table 9-5; BOS: USB 2.0 LPM ECN; 21h: DFU 1.1 4.1.3) ----

enum {
    USB_DT_DEVICE = 1,
    USB_DT_CONFIGURATION = 2,
    USB_DT_STRING = 3,
    USB_DT_INTERFACE = 4,
    USB_DT_ENDPOINT = 5,
    USB_DT_DEVICE_QUALIFIER = 6,
    USB_DT_OTHER_SPEED_CONFIGURATION = 7,
    USB_DT_INTERFACE_ASSOCIATION = 11,
    USB_DT_BOS = 15,
    USB_DT_DFU_FUNCTIONAL = 0x21,
};

enum {
    USB_DEVICE_DESCRIPTOR_SIZE = 18,
    USB_CONFIGURATION_DESCRIPTOR_SIZE = 9,
    USB_INTERFACE_DESCRIPTOR_SIZE = 9,
    USB_ENDPOINT_DESCRIPTOR_SIZE = 7,
    USB_DFU_FUNCTIONAL_DESCRIPTOR_SIZE = 9,
    USB_SETUP_SIZE = 8,
};

// ---- Feature selectors (USB 2.0 table 9-6) ----

enum {
    USB_FEATURE_ENDPOINT_HALT = 0,
    USB_FEATURE_DEVICE_REMOTE_WAKEUP = 1,
};

// ---- Endpoint transfer types, bmAttributes bits 1..0 (USB 2.0 table 9-13) ----

enum {
    USB_ENDPOINT_CONTROL = 0,
    USB_ENDPOINT_ISOCHRONOUS = 1,
    USB_ENDPOINT_BULK = 2,
    USB_ENDPOINT_INTERRUPT = 3,
};

// ---- DFU class (DFU 1.1 4.1.2, 4.2.3) ----

enum {
    DFU_INTERFACE_CLASS = 0xFE,
    DFU_INTERFACE_SUBCLASS = 0x01,
    DFU_PROTOCOL_RUNTIME = 0x01,
    DFU_PROTOCOL_DFU_MODE = 0x02,
};

// bRequest (DFU 1.1 table 3.2)
enum dfu_request {
    DFU_DETACH = 0,
    DFU_DNLOAD = 1,
    DFU_UPLOAD = 2,
    DFU_GETSTATUS = 3,
    DFU_CLRSTATUS = 4,
    DFU_GETSTATE = 5,
    DFU_ABORT = 6,
};

// bmAttributes of the functional descriptor (DFU 1.1 4.1.3)
enum {
    DFU_ATTR_CAN_DNLOAD = 0x01,
    DFU_ATTR_CAN_UPLOAD = 0x02,
    DFU_ATTR_MANIFESTATION_TOLERANT = 0x04,
    DFU_ATTR_WILL_DETACH = 0x08,
};

// bState (DFU 1.1 6.1.2)
enum dfu_state {
    DFU_STATE_appIDLE = 0,
    DFU_STATE_appDETACH = 1,
    DFU_STATE_dfuIDLE = 2,
    DFU_STATE_dfuDNLOAD_SYNC = 3,
    DFU_STATE_dfuDNBUSY = 4,
    DFU_STATE_dfuDNLOAD_IDLE = 5,
    DFU_STATE_dfuMANIFEST_SYNC = 6,
    DFU_STATE_dfuMANIFEST = 7,
    DFU_STATE_dfuMANIFEST_WAIT_RESET = 8,
    DFU_STATE_dfuUPLOAD_IDLE = 9,
    DFU_STATE_dfuERROR = 10,
};

// bStatus (DFU 1.1 6.1.2)
enum dfu_status {
    DFU_STATUS_OK = 0x00,
    DFU_STATUS_errTARGET = 0x01,
    DFU_STATUS_errFILE = 0x02,
    DFU_STATUS_errWRITE = 0x03,
    DFU_STATUS_errERASE = 0x04,
    DFU_STATUS_errCHECK_ERASED = 0x05,
    DFU_STATUS_errPROG = 0x06,
    DFU_STATUS_errVERIFY = 0x07,
    DFU_STATUS_errADDRESS = 0x08,
    DFU_STATUS_errNOTDONE = 0x09,
    DFU_STATUS_errFIRMWARE = 0x0A,
    DFU_STATUS_errVENDOR = 0x0B,
    DFU_STATUS_errUSBR = 0x0C,
    DFU_STATUS_errPOR = 0x0D,
    DFU_STATUS_errUNKNOWN = 0x0E,
    DFU_STATUS_errSTALLEDPKT = 0x0F,
};

enum {
    DFU_STATUS_REPLY_SIZE = 6, // bStatus, bwPollTimeout[3], bState, iString
    DFU_STATE_REPLY_SIZE = 1,
};

// ---- The SETUP packet (USB 2.0 table 9-2), decoded ----

struct usb_setup {
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint16_t wValue;
    uint16_t wIndex;
    uint16_t wLength;
};

static inline uint16_t load_le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline void store_le16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline struct usb_setup usb_setup_load(const uint8_t bytes[USB_SETUP_SIZE])
{
    struct usb_setup setup;

    setup.bmRequestType = bytes[0];
    setup.bRequest = bytes[1];
    setup.wValue = load_le16(bytes + 2);
    setup.wIndex = load_le16(bytes + 4);
    setup.wLength = load_le16(bytes + 6);
    return setup;
}

static inline void usb_setup_store(uint8_t bytes[USB_SETUP_SIZE], const struct usb_setup *setup)
{
    bytes[0] = setup->bmRequestType;
    bytes[1] = setup->bRequest;
    store_le16(bytes + 2, setup->wValue);
    store_le16(bytes + 4, setup->wIndex);
    store_le16(bytes + 6, setup->wLength);
}

#endif
