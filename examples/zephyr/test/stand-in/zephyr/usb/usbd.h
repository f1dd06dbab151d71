// SPDX-License-Identifier: MIT
//
// What the adapter uses of Zephyr's usbd.h: declarations of our own, for the test alone.

#ifndef STAND_IN_ZEPHYR_USBD_H
#define STAND_IN_ZEPHYR_USBD_H

#include <stddef.h>
#include <stdint.h>

#include <zephyr/version.h>

enum usbd_speed { USBD_SPEED_FS, USBD_SPEED_HS };
enum usbd_msg_type { USBD_MSG_SUSPEND = 2, USBD_MSG_RESET = 4, USBD_MSG_CONFIGURATION = 5 };

struct usb_desc_header {
    uint8_t bLength, bDescriptorType;
};
struct usb_setup_packet {
    uint8_t bmRequestType, bRequest;
    uint16_t wValue, wIndex, wLength;
};

struct net_buf;
void *net_buf_add_mem(struct net_buf *buf, const void *mem, size_t len);

struct usbd_context;
struct usbd_class_data;
struct usbd_context *usbd_class_get_ctx(const struct usbd_class_data *data);
struct net_buf *usbd_ep_ctrl_data_in_alloc(struct usbd_context *device, size_t size); // since 4.5

struct usbd_class_api {
    int (*control_to_dev)(struct usbd_class_data *data,
                          const struct usb_setup_packet *setup,
                          const struct net_buf *buf);
#if ZEPHYR_VERSION_CODE < ZEPHYR_VERSION(4, 5, 0)
    int (*control_to_host)(struct usbd_class_data *data,
                           const struct usb_setup_packet *setup,
                           struct net_buf *buf);
#else
    struct net_buf *(*control_to_host)(struct usbd_class_data *data,
                                       const struct usb_setup_packet *setup);
#endif
    int (*init)(struct usbd_class_data *data);
    void *(*get_desc)(struct usbd_class_data *data, enum usbd_speed speed);
};

// The stack finds the class in a section of the linker; the test by a name.
#define USBD_DEFINE_CLASS(name, class_api, private_data, vendor_requests)                          \
    struct usbd_class_api *stand_in_class = (class_api)
extern struct usbd_class_api *stand_in_class;

#endif
