// SPDX-License-Identifier: MIT
#ifndef STAND_IN_USBD_CTLREQ_H
#define STAND_IN_USBD_CTLREQ_H

#include <usbd_def.h>

void USBD_CtlError(USBD_HandleTypeDef *pdev, USBD_SetupReqTypedef *req);

#endif
