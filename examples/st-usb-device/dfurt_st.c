// SPDX-License-Identifier: MIT
//
// DFU run time around the one class of ST's USB device library (a CDC, a HID ...): its
// configuration descriptor gains the DFU interface, Setup() answers for that and forwards the rest.
// The class interface tells neither a bus reset (DeInit() is SET_CONFIGURATION too) nor the end of
// a status stage: both come from the PCD callbacks. All calls to dfurt are the USB interrupt's.

#include <string.h>

#include <usbd_ctlreq.h>
#include <usbd_ioreq.h>

#include <dfurt/dfurt.h>

void board_enter_boot_loader(void *context); // pull-up off, then reset: README.md
USBD_ClassTypeDef *product_dfu_with(const USBD_ClassTypeDef *product); // for USBD_RegisterClass()
void product_dfu_ep0_in_done(const USBD_HandleTypeDef *pdev); // HAL_PCD_DataInStageCallback, EP 0
void product_dfu_bus_reset(void);                             // HAL_PCD_ResetCallback
void product_dfu_tick(uint16_t ms);                           // USB interrupt masked

static const struct dfurt_config config = {
    .wDetachTimeOut = 255, // these four say what the boot loader says: here an STM32's ROM
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x011A,
    .bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_WILL_DETACH,
    .bInterfaceNumber = 255, // until the product's descriptor is known
    .settle_ms = 5,
    .enter_dfu = board_enter_boot_loader,
};
static struct dfurt dfurt;
static const USBD_ClassTypeDef *inner;
static USBD_ClassTypeDef outer;

static bool for_dfu(const USBD_SetupReqTypedef *req)
{
    return (req->bmRequest & ~USBDEV_DIR_IN) == (USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE) &&
           (req->wIndex & 0xFF) == dfurt.bInterfaceNumber;
}

static uint8_t setup(USBD_HandleTypeDef *pdev, USBD_SetupReqTypedef *req)
{
    static uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet packet = {req->bmRequest, req->bRequest, req->wValue,
                                               req->wIndex, req->wLength};
    int length = DFURT_STALL;

    if (!for_dfu(req))
        return inner->Setup(pdev, req); // a standard request, whatever its interface, too
    if (pdev->dev_state == USBD_STATE_CONFIGURED)
        length = dfurt_setup(&dfurt, &packet, reply);
    if (length < 0) {
        USBD_CtlError(pdev, req);
        return USBD_FAIL;
    }
    if (req->wLength > 0)
        USBD_CtlSendData(pdev, reply, (uint32_t)length);
    return USBD_OK; // wLength 0: the library sends the status stage
}

static uint8_t *configuration(uint16_t *length)
{
    static uint8_t bytes[256];
    uint8_t *product = inner->GetFSConfigDescriptor(length);

    if (*length > sizeof(bytes) - DFURT_DESCRIPTORS_SIZE)
        return product; // without DFU: bytes is too small
    memcpy(bytes, product, *length);
    dfurt_descriptors(&config, bytes + *length);
    bytes[*length + 2] = bytes[4]; // bInterfaceNumber: the one after the product's
    dfurt_set_interface_number(&dfurt, bytes[4]++);
    *length += DFURT_DESCRIPTORS_SIZE;
    usbdev_store_le16(bytes + 2, *length); // wTotalLength
    return bytes;
}

USBD_ClassTypeDef *product_dfu_with(const USBD_ClassTypeDef *product)
{
    dfurt_init(&dfurt, &config, NULL);
    inner = product;
    outer = *product;
    outer.Setup = setup;
    outer.GetFSConfigDescriptor = configuration;
    return &outer;
}

void product_dfu_ep0_in_done(const USBD_HandleTypeDef *pdev)
{
    if (pdev->ep0_state == USBD_EP0_STATUS_IN && for_dfu(&pdev->request))
        dfurt_status_complete(&dfurt);
}

void product_dfu_bus_reset(void)
{
    dfurt_bus_reset(&dfurt);
}

void product_dfu_tick(uint16_t ms)
{
    dfurt_tick(&dfurt, ms);
}
