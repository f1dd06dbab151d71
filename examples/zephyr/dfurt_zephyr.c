// SPDX-License-Identifier: MIT
//
// DFU run time as a class of Zephyr's USB device stack (device_next). The stack tells a class
// neither the end of a status stage, nor SETUP packets for others, nor each bus reset. Its thread
// passes all three through two functions, and the linker puts the adapter between (--wrap:
// README.md). The system work queue counts the time; neither it nor that thread preempts the other.

#include <zephyr/drivers/usb/udc.h>
#include <zephyr/kernel.h>
#include <zephyr/usb/usbd.h>

#include <dfurt/dfurt.h>

#include "dfurt_zephyr_class.h"

BUILD_ASSERT(CONFIG_SYSTEM_WORKQUEUE_PRIORITY < 0 && !IS_ENABLED(CONFIG_SMP));
void board_enter_boot_loader(void *context); // pull-up off, then reset: README.md
int __real_usbd_handle_ctrl_xfer(struct usbd_context *device, struct net_buf *buf, int err);
int __wrap_usbd_handle_ctrl_xfer(struct usbd_context *device, struct net_buf *buf, int err);
void __real_usbd_msg_pub_simple(struct usbd_context *device, enum usbd_msg_type type, int status);
void __wrap_usbd_msg_pub_simple(struct usbd_context *device, enum usbd_msg_type type, int status);

// The first four and the descriptors say what the boot loader says: here an STM32's ROM.
static const struct dfurt_config config = {.wDetachTimeOut = 255,
                                           .wTransferSize = 2048,
                                           .bcdDFUVersion = 0x011A,
                                           .bmAttributes = 0x0B, // DNLOAD, UPLOAD, WILL_DETACH
                                           .settle_ms = 5,
                                           .enter_dfu = board_enter_boot_loader};
static uint8_t bytes[] = {DFURT_DESCRIPTORS(0, 0, 0x0B, 255, 2048, 0x011A)};
static struct usb_desc_header *descriptors[] = {(void *)bytes, (void *)(bytes + 9), NULL};
static struct dfurt dfurt;
static struct usbd_context *dfu_device;
static bool awaits_status; // DETACH was accepted; its status stage comes next, or another SETUP
static int64_t ticked_at_ms;

static void tick(struct k_work *work)
{
    dfurt_tick(&dfurt, (uint16_t)k_uptime_delta(&ticked_at_ms));
    if (dfurt_state(&dfurt) == DFURT_STATE_appDETACH)
        k_work_schedule(k_work_delayable_from_work(work), K_MSEC(1));
}
static K_WORK_DELAYABLE_DEFINE(tick_work, tick);

static int answer(const struct usb_setup_packet *pkt, uint8_t reply[DFURT_STATUS_REPLY_SIZE])
{
    const struct usbdev_setup_packet setup = {pkt->bmRequestType, pkt->bRequest, pkt->wValue,
                                              pkt->wIndex, pkt->wLength};
    int length = dfurt_setup(&dfurt, &setup, reply);

    awaits_status = length == 0;
    return length;
}

int __wrap_usbd_handle_ctrl_xfer(struct usbd_context *device, struct net_buf *buf, int err)
{
    if (device == dfu_device && awaits_status && udc_get_buf_info(buf)->status && !err) {
        dfurt_status_complete(&dfurt);
        k_uptime_delta(&ticked_at_ms);
        k_work_schedule(&tick_work, K_MSEC(1));
    }
    awaits_status = awaits_status && device != dfu_device;
    return __real_usbd_handle_ctrl_xfer(device, buf, err);
}

void __wrap_usbd_msg_pub_simple(struct usbd_context *device, enum usbd_msg_type type, int status)
{
    __real_usbd_msg_pub_simple(device, type, status);
    if (device == dfu_device && type == USBD_MSG_RESET)
        dfurt_bus_reset(&dfurt);
}

static void *get_desc(struct usbd_class_data *data, enum usbd_speed speed)
{
    (void)data, (void)speed;
    return descriptors;
}

static int init(struct usbd_class_data *data)
{
    dfu_device = usbd_class_get_ctx(data);
    dfurt_init(&dfurt, &config, NULL);
    dfurt_set_interface_number(&dfurt, bytes[2]); // the stack has written it there
    return 0;
}

static struct usbd_class_api api = {
    .control_to_host = to_host, .control_to_dev = to_dev, .get_desc = get_desc, .init = init};
USBD_DEFINE_CLASS(dfurt_runtime, &api, NULL, NULL);
