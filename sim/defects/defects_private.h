// SPDX-License-Identifier: MIT
//
// defects_private.h - what several groups of defects ask about a request and about the device, and
// do to its descriptors.

#ifndef SIM_DEFECTS_PRIVATE_H
#define SIM_DEFECTS_PRIVATE_H

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

static inline void set_total_length(struct defect_view *view, int change)
{
    usbdev_store_le16(view->configuration + 2, (uint16_t)(total_length(view) + change));
}

// A reply whose bytes stand in braces.
#define BYTES_IN(...)                                                                              \
    .reply = (const uint8_t[])__VA_ARGS__, .reply_length = sizeof((uint8_t[])__VA_ARGS__)

// What GET_DESCRIPTOR of this type and index says at run time, in braces.
#define SAYS(type, index, ...)                                                                     \
    .rules = RULES({AT_RUN_TIME, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,          \
                    .wValue_mask = 0xFFFF, .wValue = (type) << 8 | (index), .target = ANY_INDEX,   \
                    .action = DO_REPLY, BYTES_IN(__VA_ARGS__)})

#endif
