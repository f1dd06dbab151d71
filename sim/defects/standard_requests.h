// SPDX-License-Identifier: MIT
//
// standard_requests.h - what the groups of defects in chapter 9 of USB 2.0 ask about a request and
// about the device.

#ifndef SIM_STANDARD_REQUESTS_H
#define SIM_STANDARD_REQUESTS_H

#include <sim/defect.h>

enum { GET = USBDEV_DIR_IN };

static inline bool
is_request(const struct usbdev_setup_packet *setup, uint8_t bmRequestType, uint8_t bRequest)
{
    return setup->bmRequestType == bmRequestType && setup->bRequest == bRequest;
}

static inline bool is_configured(const struct defect_view *view)
{
    return usbdev_state(&view->native->dev) == USBDEV_CONFIGURED;
}

static inline uint16_t total_length(const struct defect_view *view)
{
    return usbdev_load_le16(view->configuration + 2);
}

#endif
