// SPDX-License-Identifier: MIT

#include <usb/result.h>

#include <errno.h>

const char *usb_result_text(int result)
{
    if (result >= 0)
        return "done";
    switch ((enum usb_result)result) {
    case USB_OK:
        break;
    case USB_STALL:
        return "STALL";
    case USB_TIMEOUT:
        return "no answer in time";
    case USB_GONE:
        return "the device left the bus or does not respond";
    case USB_OVERFLOW:
        return "more bytes than were asked for";
    case USB_IO:
        return "the transport failed or the device broke the USB protocol";
    case USB_UNSUPPORTED:
        return "the transport does not support it";
    case USB_CANCELLED:
        return "cancelled";
    }
    return "unknown error";
}

int usb_result_errno(int result)
{
    if (result >= 0)
        return 0;
    switch ((enum usb_result)result) {
    case USB_STALL:
        return -EPIPE;
    case USB_TIMEOUT:
        return -ETIMEDOUT;
    case USB_GONE:
        return -ENODEV;
    case USB_OVERFLOW:
        return -EOVERFLOW;
    case USB_CANCELLED:
        return -ENOENT;
    case USB_OK:
    case USB_IO:
    case USB_UNSUPPORTED:
        break;
    }
    return -EPROTO;
}
