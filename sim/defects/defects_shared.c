// SPDX-License-Identifier: MIT
//
// What the hooks of several defects, variations and models ask about a request and do to a
// configuration: defect.h describes each.

#include <string.h>

#include <sim/defect.h>
#include <usb/descriptors.h>

// ---- Requests ----

bool defect_is_request(const struct defect_view *view,
                       const struct usbdev_setup_packet *setup,
                       uint8_t bmRequestType,
                       uint8_t bRequest)
{
    return setup->bmRequestType == bmRequestType && setup->bRequest == bRequest &&
           setup->wIndex == view->interface;
}

bool defect_is_asked(const struct defect_view *view,
                     const struct usbdev_setup_packet *setup,
                     uint8_t bmRequestType,
                     uint8_t bRequest)
{
    return view->bootloader && defect_is_request(view, setup, bmRequestType, bRequest);
}

void defect_start_firmware(struct defect_view *view)
{
    struct dfu_mode *dfu = &view->bootloader->dfu;

    if (dfu->left)
        return;
    dfu->left = true;
    dfu->config->leave(dfu->config->context, dfu->config->memory->base);
}

bool defect_begins_work(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) &&
           view->bootloader->dfu.has_block &&
           view->bootloader->dfu.bState == DFURT_STATE_dfuDNLOAD_SYNC;
}

int defect_good_reply(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const uint8_t *reply;
    int length = dfu_mode_setup(&view->bootloader->dfu, setup, &reply);

    if (length < 0)
        return NATIVE_STALL;
    if (length > DEFECT_REPLY_SIZE)
        length = DEFECT_REPLY_SIZE;
    memcpy(view->reply, reply, (size_t)length);
    return length < setup->wLength ? length : setup->wLength;
}

int defect_wait_for_set_interface(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->bootloader)
        return NATIVE_PASS;
    if (setup->bmRequestType == USBDEV_RECIPIENT_INTERFACE &&
        setup->bRequest == USBDEV_SET_INTERFACE)
        view->scratch = 1;
    return (setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS && !view->scratch
               ? NATIVE_STALL
               : NATIVE_PASS;
}

// ---- Descriptors ----

uint8_t *defect_find(const struct defect_view *view, uint8_t bDescriptorType, unsigned n)
{
    struct descriptor_walk walk;
    struct descriptor found;

    descriptor_walk_start(&walk, view->configuration, usbdev_load_le16(view->configuration + 2));
    while (descriptor_walk_next(&walk, &found))
        if (found.bDescriptorType == bDescriptorType && n-- == 0)
            return view->configuration + found.offset;
    return NULL;
}

void defect_insert(struct defect_view *view, uint8_t *place, const uint8_t *bytes, size_t length)
{
    uint16_t wTotalLength = usbdev_load_le16(view->configuration + 2);

    memmove(place + length, place, (size_t)(view->configuration + wTotalLength - place));
    memcpy(place, bytes, length);
    usbdev_store_le16(view->configuration + 2, (uint16_t)(wTotalLength + length));
}

void defect_append(struct defect_view *view, const uint8_t *bytes, size_t length)
{
    uint8_t *end = view->configuration + usbdev_load_le16(view->configuration + 2);

    defect_insert(view, end, bytes, length);
}

void defect_append_interface(struct defect_view *view, uint8_t number)
{
    const uint8_t interface[] = {9, USBDEV_DT_INTERFACE, number, 0, 0, 0xFF, 0, 0, 0};

    defect_append(view, interface, sizeof interface);
    view->configuration[4]++; // bNumInterfaces
}

int defect_answer_for_interfaces(struct defect_view *view,
                                 const struct usbdev_setup_packet *setup,
                                 uint16_t first,
                                 uint16_t count)
{
    bool in = (setup->bmRequestType & USBDEV_DIR_IN) != 0;

    if ((setup->bmRequestType & ~USBDEV_DIR_IN) != USBDEV_RECIPIENT_INTERFACE ||
        setup->wIndex < first || setup->wIndex - first >= count ||
        usbdev_state(&view->native->dev) != USBDEV_CONFIGURED)
        return NATIVE_PASS;
    memset(view->reply, 0, 2);
    if (in && setup->bRequest == USBDEV_GET_STATUS)
        return setup->wLength < 2 ? setup->wLength : 2;
    if (in && setup->bRequest == USBDEV_GET_INTERFACE)
        return setup->wLength < 1 ? setup->wLength : 1;
    return setup->bRequest == USBDEV_SET_INTERFACE && setup->wValue == 0 && setup->wLength == 0
               ? 0
               : NATIVE_STALL;
}

uint8_t *defect_repeat_functional(struct defect_view *view)
{
    const uint8_t *functional = defect_find(view, USBDEV_DT_DFU_FUNCTIONAL, 0);
    uint8_t *second = defect_find(view, USBDEV_DT_INTERFACE, 1);
    uint8_t copy[USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE];

    if (!view->bootloader || !functional || !second)
        return NULL;
    memcpy(copy, functional, sizeof copy);
    defect_insert(view, second, copy, sizeof copy);
    return defect_find(view, USBDEV_DT_DFU_FUNCTIONAL, 1);
}
