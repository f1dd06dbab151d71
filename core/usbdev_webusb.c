// SPDX-License-Identifier: MIT
//
// Both replies are constant descriptors of the product; their length is taken from their own
// headers, and usbdev cuts them to wLength. A request for anything else STALLs.

#include <dfurt/usbdev_webusb.h>

enum {
    SET_HEADER_wTotalLength = 8,
    TO_HOST = USBDEV_DIR_IN | USBDEV_TYPE_VENDOR | USBDEV_RECIPIENT_DEVICE,
};

static int reply(struct usbdev_request *request, const uint8_t *bytes, uint16_t length)
{
    request->data = (uint8_t *)(uintptr_t)bytes; // only read: the request is IN
    request->length = length;
    return 0;
}

static int setup(void *context, struct usbdev_request *request)
{
    const struct usbdev_webusb *webusb = (const struct usbdev_webusb *)context;
    const struct usbdev_setup_packet *packet = &request->setup;

    if (packet->bmRequestType != TO_HOST || packet->bRequest != webusb->bVendorCode)
        return USBDEV_STALL;
    if (packet->wIndex == USBDEV_MS_OS_20_GET_SET && packet->wValue == 0 && webusb->ms_os_20)
        return reply(request, webusb->ms_os_20,
                     usbdev_load_le16(webusb->ms_os_20 + SET_HEADER_wTotalLength));
    if (packet->wIndex == USBDEV_WEBUSB_GET_URL && packet->wValue == 1 && webusb->url)
        return reply(request, webusb->url, webusb->url[0]);
    return USBDEV_STALL;
}

const struct usbdev_handler usbdev_webusb_handler = {.setup = setup};
