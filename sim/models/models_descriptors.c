// SPDX-License-Identifier: MIT
//
// Boot loaders whose descriptors are not those of DFU mode (DFU 1.1 4.2).

#include <string.h>

#include <sim/models.h>

enum { BESIDE = 1 }; // bInterfaceNumber of the interface beside DFU's

// A disk to copy firmware to, a serial port or another DFU interface: here an interface without
// endpoints.
static void describe_beside(struct defect_view *view)
{
    uint8_t *bytes = view->configuration;
    uint16_t wTotalLength = usbdev_load_le16(bytes + 2);
    const uint8_t interface[] = {
        9, USBDEV_DT_INTERFACE, BESIDE, 0, 0, 0xFF, 0, 0, 0,
    };

    if (!view->bootloader)
        return;
    memcpy(bytes + wTotalLength, interface, sizeof interface);
    usbdev_store_le16(bytes + 2, (uint16_t)(wTotalLength + sizeof interface));
    bytes[4] = 2; // bNumInterfaces
}

// usbdev knows of interface 0 alone.
static int answer_beside(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool in = (setup->bmRequestType & USBDEV_DIR_IN) != 0;

    if (!view->bootloader || setup->wIndex != BESIDE ||
        (setup->bmRequestType & ~USBDEV_DIR_IN) != USBDEV_RECIPIENT_INTERFACE ||
        usbdev_state(&view->native->dev) != USBDEV_CONFIGURED)
        return NATIVE_PASS;
    memset(view->reply, 0, 2);
    if (in && setup->bRequest == USBDEV_GET_STATUS)
        return setup->wLength < 2 ? setup->wLength : 2;
    if (in && setup->bRequest == USBDEV_GET_INTERFACE)
        return setup->wLength < 1 ? setup->wLength : 1;
    return setup->bRequest == USBDEV_SET_INTERFACE && setup->wValue == 0 ? 0 : NATIVE_STALL;
}

const struct shipped_model models_of_descriptors[] = {
    {
        .model = {.name = "interface-beside-dfu",
                  .summary = "DFU mode has another interface beside DFU's, as boot loaders have "
                             "that are a disk too",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-DESC-03a",
        .way = {.describe = describe_beside, .setup = answer_beside},
    },
    {.about = NULL},
};
