// SPDX-License-Identifier: MIT
//
// What the adapter uses of ST's usbd_def.h: declarations of our own, for the test alone.

#ifndef STAND_IN_USBD_DEF_H
#define STAND_IN_USBD_DEF_H

#include <stdint.h>

#define USBD_STATE_ADDRESSED 2
#define USBD_STATE_CONFIGURED 3
#define USBD_EP0_DATA_IN 2
#define USBD_EP0_STATUS_IN 4
#define USBD_EP0_STATUS_OUT 5

typedef enum { USBD_OK, USBD_BUSY, USBD_EMEM, USBD_FAIL } USBD_StatusTypeDef;

typedef struct {
    uint8_t bmRequest, bRequest;
    uint16_t wValue, wIndex, wLength;
} USBD_SetupReqTypedef;

typedef struct {
    volatile uint32_t ep0_state;
    volatile uint8_t dev_state;
    USBD_SetupReqTypedef request;
} USBD_HandleTypeDef;

typedef struct {
    uint8_t (*Setup)(USBD_HandleTypeDef *pdev, USBD_SetupReqTypedef *req);
    uint8_t *(*GetFSConfigDescriptor)(uint16_t *length);
    uint8_t (*DataIn)(USBD_HandleTypeDef *pdev, uint8_t epnum);
} USBD_ClassTypeDef;

#endif
