// SPDX-License-Identifier: MIT
//
// usbip_endpoints.h - which endpoints a device has in its present configuration, taken from its
// configuration descriptor as a host controller needs it: type, packet size, interval.
//
// The descriptor may be anything: what does not parse is left out, and an endpoint that no
// transfer could use (no packet size) does not exist.

#ifndef HOSTSIM_USBIP_ENDPOINTS_H
#define HOSTSIM_USBIP_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usbip_endpoint {
    bool exists;
    uint8_t type; // USB_ENDPOINT_...
    uint16_t wMaxPacketSize;
    uint8_t bInterval;
    uint8_t bInterfaceNumber; // whose it is
};

struct usbip_endpoints {
    struct usbip_endpoint at[32]; // OUT 0..15, then IN 0..15; endpoint 0 is not among them
};

// No configuration: no endpoints.
void usbip_endpoints_clear(struct usbip_endpoints *endpoints);

// The endpoints of alternate setting 0 of every interface (USB 2.0 9.1.1.5).
void usbip_endpoints_configure(struct usbip_endpoints *endpoints,
                               const uint8_t *configuration,
                               size_t length);

// Those of one interface give way to those of an alternate setting of it.
void usbip_endpoints_set_interface(struct usbip_endpoints *endpoints,
                                   const uint8_t *configuration,
                                   size_t length,
                                   uint8_t bInterfaceNumber,
                                   uint8_t bAlternateSetting);

// NULL when there is no such endpoint.
const struct usbip_endpoint *usbip_endpoints_find(const struct usbip_endpoints *endpoints,
                                                  uint8_t bEndpointAddress);

// bEndpointAddress of a place in endpoints->at[].
uint8_t usbip_endpoints_address(size_t index);

#endif
