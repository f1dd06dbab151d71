// SPDX-License-Identifier: MIT
#ifndef STAND_IN_USBD_IOREQ_H
#define STAND_IN_USBD_IOREQ_H

#include <usbd_def.h>

USBD_StatusTypeDef USBD_CtlSendData(USBD_HandleTypeDef *pdev, uint8_t *pbuf, uint32_t len);

#endif
