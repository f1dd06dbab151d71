// SPDX-License-Identifier: MIT
#ifndef STAND_IN_USBD_PVT_H
#define STAND_IN_USBD_PVT_H

#include <tusb.h>

typedef struct {
    const char *name;
    void (*init)(void);
    bool (*deinit)(void);
    void (*reset)(uint8_t rhport);
    uint16_t (*open)(uint8_t rhport, const tusb_desc_interface_t *interface, uint16_t max_len);
    bool (*control_xfer_cb)(uint8_t rhport, uint8_t stage, const tusb_control_request_t *request);
} usbd_class_driver_t;

const usbd_class_driver_t *usbd_app_driver_get_cb(uint8_t *driver_count);

#endif
