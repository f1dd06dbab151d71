// SPDX-License-Identifier: MIT
//
// usb_spec.h - the names and numbers of USB 2.0 chapter 9 and DFU 1.1, spelled as in the
// specifications, and little-endian helpers.
//
// All other files of dfurt include it and define none of it again.

#ifndef DFURT_USB_SPEC_H
#define DFURT_USB_SPEC_H

#include <stdint.h>

// ---- bmRequestType (USB 2.0 table 9-2) ----

enum {
    USBDEV_DIR_OUT = 0x00,
    USBDEV_DIR_IN = 0x80,

    USBDEV_TYPE_MASK = 0x60,
    USBDEV_TYPE_STANDARD = 0x00,
    USBDEV_TYPE_CLASS = 0x20,
    USBDEV_TYPE_VENDOR = 0x40,

    USBDEV_RECIPIENT_MASK = 0x1F,
    USBDEV_RECIPIENT_DEVICE = 0x00,
    USBDEV_RECIPIENT_INTERFACE = 0x01,
    USBDEV_RECIPIENT_ENDPOINT = 0x02,
    USBDEV_RECIPIENT_OTHER = 0x03,
};

// ---- bRequest of standard requests (USB 2.0 table 9-4) ----

enum {
    USBDEV_GET_STATUS = 0,
    USBDEV_CLEAR_FEATURE = 1,
    USBDEV_SET_FEATURE = 3,
    USBDEV_SET_ADDRESS = 5,
    USBDEV_GET_DESCRIPTOR = 6,
    USBDEV_SET_DESCRIPTOR = 7,
    USBDEV_GET_CONFIGURATION = 8,
    USBDEV_SET_CONFIGURATION = 9,
    USBDEV_GET_INTERFACE = 10,
    USBDEV_SET_INTERFACE = 11,
    USBDEV_SYNCH_FRAME = 12,
};

// ---- Descriptor types (USB 2.0 table 9-5, its IAD and LPM ECNs; 21h: DFU 1.1 4.1.3) ----

enum {
    USBDEV_DT_DEVICE = 1,
    USBDEV_DT_CONFIGURATION = 2,
    USBDEV_DT_STRING = 3,
    USBDEV_DT_INTERFACE = 4,
    USBDEV_DT_ENDPOINT = 5,
    USBDEV_DT_DEVICE_QUALIFIER = 6,
    USBDEV_DT_OTHER_SPEED_CONFIGURATION = 7,
    USBDEV_DT_INTERFACE_ASSOCIATION = 11,
    USBDEV_DT_BOS = 15,
    USBDEV_DT_DFU_FUNCTIONAL = 0x21,
};

enum {
    USBDEV_DEVICE_DESCRIPTOR_SIZE = 18,
    USBDEV_CONFIGURATION_DESCRIPTOR_SIZE = 9,
    USBDEV_INTERFACE_DESCRIPTOR_SIZE = 9,
    USBDEV_ENDPOINT_DESCRIPTOR_SIZE = 7,
    USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE = 9,
    USBDEV_SETUP_SIZE = 8,
};

// ---- Feature selectors (USB 2.0 table 9-6) ----

enum {
    USBDEV_FEATURE_ENDPOINT_HALT = 0,
    USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP = 1,
};

// ---- Endpoint transfer types, bmAttributes bits 1..0 (USB 2.0 table 9-13) ----

enum {
    USBDEV_ENDPOINT_CONTROL = 0,
    USBDEV_ENDPOINT_ISOCHRONOUS = 1,
    USBDEV_ENDPOINT_BULK = 2,
    USBDEV_ENDPOINT_INTERRUPT = 3,
};

// ---- DFU class (DFU 1.1 4.1.2, 4.2.3) ----

enum {
    DFURT_INTERFACE_CLASS = 0xFE,
    DFURT_INTERFACE_SUBCLASS = 0x01,
    DFURT_PROTOCOL_RUNTIME = 0x01,
    DFURT_PROTOCOL_DFU_MODE = 0x02,
};

// bRequest (DFU 1.1 table 3.2)
enum dfurt_request {
    DFURT_DETACH = 0,
    DFURT_DNLOAD = 1,
    DFURT_UPLOAD = 2,
    DFURT_GETSTATUS = 3,
    DFURT_CLRSTATUS = 4,
    DFURT_GETSTATE = 5,
    DFURT_ABORT = 6,
};

// bmAttributes of the functional descriptor (DFU 1.1 4.1.3)
enum {
    DFURT_ATTR_CAN_DNLOAD = 0x01,
    DFURT_ATTR_CAN_UPLOAD = 0x02,
    DFURT_ATTR_MANIFESTATION_TOLERANT = 0x04,
    DFURT_ATTR_WILL_DETACH = 0x08,
};

// bState (DFU 1.1 6.1.2)
enum dfurt_state {
    DFURT_STATE_appIDLE = 0,
    DFURT_STATE_appDETACH = 1,
    DFURT_STATE_dfuIDLE = 2,
    DFURT_STATE_dfuDNLOAD_SYNC = 3,
    DFURT_STATE_dfuDNBUSY = 4,
    DFURT_STATE_dfuDNLOAD_IDLE = 5,
    DFURT_STATE_dfuMANIFEST_SYNC = 6,
    DFURT_STATE_dfuMANIFEST = 7,
    DFURT_STATE_dfuMANIFEST_WAIT_RESET = 8,
    DFURT_STATE_dfuUPLOAD_IDLE = 9,
    DFURT_STATE_dfuERROR = 10,
};

// bStatus (DFU 1.1 6.1.2)
enum dfurt_status {
    DFURT_STATUS_OK = 0x00,
    DFURT_STATUS_errTARGET = 0x01,
    DFURT_STATUS_errFILE = 0x02,
    DFURT_STATUS_errWRITE = 0x03,
    DFURT_STATUS_errERASE = 0x04,
    DFURT_STATUS_errCHECK_ERASED = 0x05,
    DFURT_STATUS_errPROG = 0x06,
    DFURT_STATUS_errVERIFY = 0x07,
    DFURT_STATUS_errADDRESS = 0x08,
    DFURT_STATUS_errNOTDONE = 0x09,
    DFURT_STATUS_errFIRMWARE = 0x0A,
    DFURT_STATUS_errVENDOR = 0x0B,
    DFURT_STATUS_errUSBR = 0x0C,
    DFURT_STATUS_errPOR = 0x0D,
    DFURT_STATUS_errUNKNOWN = 0x0E,
    DFURT_STATUS_errSTALLEDPKT = 0x0F,
};

enum {
    DFURT_STATUS_REPLY_SIZE = 6, // bStatus, bwPollTimeout[3], bState, iString
    DFURT_STATE_REPLY_SIZE = 1,
};

// ---- The SETUP packet (USB 2.0 table 9-2), decoded ----

struct usbdev_setup_packet {
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint16_t wValue;
    uint16_t wIndex;
    uint16_t wLength;
};

static inline uint16_t usbdev_load_le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline void usbdev_store_le16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline struct usbdev_setup_packet usbdev_setup_load(const uint8_t bytes[USBDEV_SETUP_SIZE])
{
    struct usbdev_setup_packet setup;

    setup.bmRequestType = bytes[0];
    setup.bRequest = bytes[1];
    setup.wValue = usbdev_load_le16(bytes + 2);
    setup.wIndex = usbdev_load_le16(bytes + 4);
    setup.wLength = usbdev_load_le16(bytes + 6);
    return setup;
}

static inline void usbdev_setup_store(uint8_t bytes[USBDEV_SETUP_SIZE],
                                      const struct usbdev_setup_packet *setup)
{
    bytes[0] = setup->bmRequestType;
    bytes[1] = setup->bRequest;
    usbdev_store_le16(bytes + 2, setup->wValue);
    usbdev_store_le16(bytes + 4, setup->wIndex);
    usbdev_store_le16(bytes + 6, setup->wLength);
}

#endif
