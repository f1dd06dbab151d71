// SPDX-License-Identifier: MIT

#include "endpoints.h"

#include <string.h>

#include <dfurt/usb_spec.h>
#include <sim/wire.h>

static size_t place_of(uint8_t bEndpointAddress)
{
    return (bEndpointAddress & 0x0FU) | (bEndpointAddress & USBDEV_DIR_IN ? 16U : 0U);
}

uint8_t usbip_endpoints_address(size_t index)
{
    return (uint8_t)((index & 0x0F) | (index & 16 ? USBDEV_DIR_IN : 0));
}

void usbip_endpoints_clear(struct usbip_endpoints *endpoints)
{
    memset(endpoints, 0, sizeof *endpoints);
}

static void add(struct usbip_endpoints *endpoints, const uint8_t *descriptor, uint8_t interface)
{
    uint16_t wMaxPacketSize = usbdev_load_le16(descriptor + 4) & 0x07FF; // USB 2.0 table 9-13

    if ((descriptor[2] & 0x0F) == 0 || wMaxPacketSize == 0 || wMaxPacketSize > SIM_MAX_PACKET)
        return;
    endpoints->at[place_of(descriptor[2])] = (struct usbip_endpoint){
        .exists = true,
        .type = descriptor[3] & 0x03,
        .wMaxPacketSize = wMaxPacketSize,
        .bInterval = descriptor[6],
        .bInterfaceNumber = interface,
    };
}

// Walks the descriptor and adds the endpoints of this alternate setting; of one interface, or of
// all if it is negative.
static void add_alternate(struct usbip_endpoints *endpoints,
                          const uint8_t *bytes,
                          size_t length,
                          int interface,
                          uint8_t alternate)
{
    bool wanted = false;
    uint8_t number = 0;

    while (length >= 2 && bytes[0] >= 2 && bytes[0] <= length) {
        if (bytes[1] == USBDEV_DT_INTERFACE && bytes[0] >= USBDEV_INTERFACE_DESCRIPTOR_SIZE) {
            number = bytes[2];
            wanted = (interface < 0 || interface == number) && bytes[3] == alternate;
        } else if (bytes[1] == USBDEV_DT_ENDPOINT && bytes[0] >= USBDEV_ENDPOINT_DESCRIPTOR_SIZE &&
                   wanted) {
            add(endpoints, bytes, number);
        }
        length -= bytes[0];
        bytes += bytes[0];
    }
}

void usbip_endpoints_configure(struct usbip_endpoints *endpoints,
                               const uint8_t *configuration,
                               size_t length)
{
    usbip_endpoints_clear(endpoints);
    add_alternate(endpoints, configuration, length, -1, 0);
}

void usbip_endpoints_set_interface(struct usbip_endpoints *endpoints,
                                   const uint8_t *configuration,
                                   size_t length,
                                   uint8_t bInterfaceNumber,
                                   uint8_t bAlternateSetting)
{
    for (size_t i = 0; i < sizeof endpoints->at / sizeof *endpoints->at; i++)
        if (endpoints->at[i].bInterfaceNumber == bInterfaceNumber)
            endpoints->at[i].exists = false;
    add_alternate(endpoints, configuration, length, bInterfaceNumber, bAlternateSetting);
}

const struct usbip_endpoint *usbip_endpoints_find(const struct usbip_endpoints *endpoints,
                                                  uint8_t bEndpointAddress)
{
    const struct usbip_endpoint *endpoint = &endpoints->at[place_of(bEndpointAddress)];

    return endpoint->exists ? endpoint : NULL;
}
