// SPDX-License-Identifier: MIT
//
// result.h - how a transfer to a USB device ended, over the simulated host controller, a USB/IP
// client or libusb.
//
// A function that moves data returns a length of 0 or more, or one of these. STALL, TIMEOUT and
// OVERFLOW are the device's doing; GONE and IO may be the cable's.

#ifndef USB_RESULT_H
#define USB_RESULT_H

enum usb_result {
    USB_OK = 0,
    USB_STALL = -1,       // the endpoint answered STALL
    USB_TIMEOUT = -2,     // the device only NAKed until the time of the transfer was over
    USB_GONE = -3,        // the device left the bus, or did not respond three times in a row
    USB_OVERFLOW = -4,    // the device sent more than the transfer had room for
    USB_IO = -5,          // a packet that breaks the protocol, or the transport failed
    USB_UNSUPPORTED = -6, // this transport cannot carry that
    USB_CANCELLED = -7,   // the submitter cancelled the transfer
};

// One phrase for a person: "STALL". A result of 0 or more is "done".
const char *usb_result_text(int result);

// The status of a URB with which Linux reports it: 0 or a negative errno (Linux
// Documentation/driver-api/usb/error-codes.rst). GONE is -ENODEV, a device that was removed.
int usb_result_errno(int result);

#endif
