// SPDX-License-Identifier: MIT
//
// What a class of Zephyr's device_next answers a control request with. Before 4.5 the stack has
// allocated the reply, and a class says STALL in errno; since then it allocates the reply, and says
// STALL by what it returns.

#ifndef DFURT_ZEPHYR_CLASS_H
#define DFURT_ZEPHYR_CLASS_H

#include <zephyr/kernel.h>
#include <zephyr/usb/usbd.h>
#include <zephyr/version.h>

#include <dfurt/dfurt.h>

// The adapter's answer to a SETUP packet: the length of the reply, or less than 0 for a STALL.
static int answer(const struct usb_setup_packet *pkt, uint8_t reply[DFURT_STATUS_REPLY_SIZE]);

#if ZEPHYR_VERSION_CODE < ZEPHYR_VERSION(4, 5, 0)
static int result(int length)
{
    errno = length < 0 ? -ENOTSUP : 0;
    return 0;
}

static int
to_host(struct usbd_class_data *data, const struct usb_setup_packet *pkt, struct net_buf *buf)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    int length = answer(pkt, reply);

    (void)data;
    if (length > 0)
        net_buf_add_mem(buf, reply, (size_t)length);
    return result(length);
}
#else
static int result(int length)
{
    return length < 0 ? -ENOTSUP : 0;
}

static struct net_buf *to_host(struct usbd_class_data *data, const struct usb_setup_packet *pkt)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    int length = answer(pkt, reply);
    struct net_buf *buf = NULL;

    if (length > 0)
        buf = usbd_ep_ctrl_data_in_alloc(usbd_class_get_ctx(data), (size_t)length);
    if (buf)
        net_buf_add_mem(buf, reply, (size_t)length);
    return buf;
}
#endif

static int
to_dev(struct usbd_class_data *data, const struct usb_setup_packet *pkt, const struct net_buf *buf)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];

    (void)data, (void)buf;
    return result(answer(pkt, reply));
}

#endif
