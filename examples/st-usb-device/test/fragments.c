// SPDX-License-Identifier: MIT
//
// Around the README's C: what usb_device.c and usbd_conf.c have of the library and of the HAL.

#include <usbd_ioreq.h>

typedef struct {
    void *pData;
    struct {
        uint8_t *xfer_buff;
    } IN_ep[16];
} PCD_HandleTypeDef;

USBD_StatusTypeDef USBD_RegisterClass(USBD_HandleTypeDef *pdev, USBD_ClassTypeDef *pclass);
USBD_StatusTypeDef USBD_LL_DataInStage(USBD_HandleTypeDef *pdev, uint8_t epnum, uint8_t *pdata);
void HAL_PCD_DataInStageCallback(PCD_HandleTypeDef *hpcd, uint8_t epnum);
void MX_USB_DEVICE_Init(void);

extern USBD_HandleTypeDef hUsbDeviceFS;
extern USBD_ClassTypeDef USBD_CDC;

// README 1
void MX_USB_DEVICE_Init(void)
{
    // README 2
}

// README 3

// README 4
